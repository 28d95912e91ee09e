/** Nodes as data, and a builder's path with parts left out. */
import { map } from 'rxjs'
import { debeziumJson } from '../../formats/debezium/debezium-json.ts'
import { embedded } from '../../sinks/embedded/embedded.ts'
import { inMemory } from '../../state/memory-store.ts'
import type {
  CompactNode,
  Edge,
  RepartitionNode,
  SourceNode,
  TransformNode,
  WarehouseNode,
} from '../../topology/nodes.ts'

export const sourceNode = (name: string, parts: Partial<SourceNode> = {}): SourceNode => ({
  kind: 'source',
  name,
  topics: [name],
  format: debeziumJson(),
  onError: 'fail',
  start: { at: 'earliest', offsets: new Map() },
  hintsOf: () => ({}),
  connectorSettings: {},
  incarnation: '',
  confirmedPartitions: new Map(),
  dropRepeats: true,
  ordering: 'log',
  keyedBy: 'unknown',
  ...parts,
})

export const transformNode = (name: string): TransformNode => ({
  kind: 'transform',
  name,
  keepsKeys: true,
  supply: () => ({ operator: map(batch => batch) }),
})

export const repartitionNode = (name: string, partitions?: number): RepartitionNode => ({
  kind: 'repartition',
  name,
  ...(partitions === undefined ? {} : { partitions }),
})

export const compactNode = (
  name: string,
  parts: Partial<CompactNode['limits']> = {},
): CompactNode => ({
  kind: 'compact',
  name,
  limits: { maxAgeMs: 1000, maxRows: 10, maxBytes: 1000, ...parts },
  store: inMemory(),
})

export const warehouseNode = (name: string): WarehouseNode => ({
  kind: 'warehouse',
  name,
  sink: embedded({ path: '/warehouse' }),
})

/** A whole path: source `s`, transforms, `r`, `c`, `w`, each with the suffix. */
export function pathOf(suffix = '', transforms: readonly string[] = []) {
  const nodes = [
    sourceNode(`s${suffix}`),
    ...transforms.map(transformNode),
    repartitionNode(`r${suffix}`),
    compactNode(`c${suffix}`),
    warehouseNode(`w${suffix}`),
  ]
  const edges: Edge[] = nodes.slice(1).map((node, index) => {
    return { from: nodes[index]!.name, to: node.name }
  })
  return { nodes, edges }
}
