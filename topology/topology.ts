/**
 * A topology: nodes and edges as data, checked as a whole. Each source has one path: any transforms,
 * then `repartition`, `compact` and a warehouse, in this order. The path is cut where Kafka cuts it,
 * into three sub-topologies with an internal topic between each two.
 */
import { TopologyError } from '../model/errors.ts'
import type { Description } from './description.ts'
import { describePipelines } from './description.ts'
import type {
  CompactNode,
  Edge,
  RepartitionNode,
  SourceNode,
  TopologyNode,
  TransformNode,
  WarehouseNode,
} from './nodes.ts'
import { hasHop } from './nodes.ts'

/** One source's path. Sub-topologies are numbered over all pipelines, three for each. */
export interface Pipeline {
  readonly source: SourceNode
  readonly transforms: readonly TransformNode[]
  readonly repartition: RepartitionNode
  readonly compact: CompactNode
  readonly warehouse: WarehouseNode
  readonly firstSubTopology: number
}

/** Names stand in topic names and in descriptions. */
const validName = /^[A-Za-z0-9._-]+$/

/** What may come behind a node of each kind. */
const followers: Readonly<Record<TopologyNode['kind'], readonly TopologyNode['kind'][]>> = {
  source: ['transform', 'repartition'],
  transform: ['transform', 'repartition'],
  repartition: ['compact'],
  compact: ['warehouse'],
  warehouse: [],
}

export class Topology {
  readonly pipelines: readonly Pipeline[]

  /** Throws TopologyError `topology-invalid` that lists every problem. */
  constructor(nodes: readonly TopologyNode[], edges: readonly Edge[]) {
    refuse(validate(nodes, edges))
    const sources = nodes.filter(node => node.kind === 'source')
    this.pipelines = sources.map((source, index) => ({
      ...pathOf(source, nodes, edges),
      firstSubTopology: index * 3,
    }))
    refuse(this.pipelines.flatMap(withoutHopProblems))
    refuse(describedTwice(this.describe()))
  }

  /** Kafka's text form. Internal topics carry the application id when it is given. */
  describe(applicationId?: string): Description {
    return describePipelines(this.pipelines, applicationId)
  }
}

function withoutHopProblems({ source, transforms }: Pipeline): string[] {
  if (hasHop(source)) return []
  const says = `"${source.name}" is keyed by primary key, and`
  return [
    ...(source.ordering === 'position'
      ? [`${says} by \`ordering: position\` it is not: leave out one of them`]
      : []),
    ...(source.format.movesKeys === true
      ? [
          `${says} a message of ${source.format.name} may move a row to another key: leave out \`keyedBy\``,
        ]
      : []),
    ...transforms
      .filter(({ keepsKeys }) => !keepsKeys)
      .map(({ name }) => `${says} "${name}" may change keys or join tables: leave out \`keyedBy\``),
  ]
}

function refuse(problems: readonly string[]): void {
  if (problems.length === 0) return
  throw new TopologyError('topology-invalid', `the topology cannot run: ${problems.join('; ')}`)
}

/** A given name may be one that a description forms from another: `orders-decode` beside `orders`. */
function describedTwice({ subTopologies }: Description): string[] {
  const names = subTopologies.flatMap(({ nodes }) => nodes.map(({ name }) => name))
  return names
    .filter((name, index) => names.indexOf(name) < index)
    .map(name => `the name "${name}" is also that of a part of another node`)
}

/** Every problem of the graph, in words; empty when it can run. */
export function validate(nodes: readonly TopologyNode[], edges: readonly Edge[]): string[] {
  const problems = nameProblems(nodes)
  const byName = new Map(nodes.map(node => [node.name, node]))
  for (const { from, to } of edges) {
    const [before, after] = [byName.get(from), byName.get(to)]
    if (before === undefined || after === undefined) {
      problems.push(`an edge leads from "${from}" to "${to}", and one of them does not exist`)
    } else if (!followers[before.kind].includes(after.kind)) {
      problems.push(`${after.kind} "${to}" cannot follow ${before.kind} "${from}"`)
    }
  }
  problems.push(...nodes.flatMap(node => degreeProblems(node, edges)))
  problems.push(...nodes.flatMap(valueProblems), ...sharedTopics(nodes))
  const cycle = findCycle(nodes, edges)
  if (cycle !== null) problems.push(`a cycle: ${cycle.join(' → ')}`)
  if (!nodes.some(node => node.kind === 'source')) problems.push('there is no source')
  return problems
}

function nameProblems(nodes: readonly TopologyNode[]): string[] {
  const seen = new Set<string>()
  return nodes.flatMap(({ name }) => {
    const problems: string[] = []
    if (!validName.test(name)) {
      problems.push(`the name "${name}" has other characters than letters, digits, ".", "_", "-"`)
    }
    if (seen.has(name)) problems.push(`the name "${name}" is used twice`)
    seen.add(name)
    return problems
  })
}

function valueProblems(node: TopologyNode): string[] {
  const { kind, name } = node
  if (kind === 'source' && !(node.topics instanceof RegExp) && !node.topics.some(Boolean)) {
    return [`"${name}" reads no topic`]
  }
  if (kind === 'source' && node.ordering === 'position' && !node.format.hasPositions) {
    return [`"${name}" orders by position, and the format ${node.format.name} has none`]
  }
  if (kind === 'repartition' && node.partitions !== undefined) {
    const isCount = Number.isInteger(node.partitions) && node.partitions > 0
    return isCount
      ? []
      : [`"${name}" has ${node.partitions} partitions: give a whole number from 1`]
  }
  if (kind !== 'compact') return []
  const { maxAgeMs, maxRows, maxBytes } = node.limits
  return Object.entries({ maxAgeMs, maxRows, maxBytes })
    .filter(([limit, value]) => !(value >= (limit === 'maxAgeMs' ? 0 : 1)))
    .map(
      ([limit, value]) =>
        `"${name}" has ${limit} ${value}: give a number from ${limit === 'maxAgeMs' ? 0 : 1}`,
    )
}

/** A topic that two sources name would go to the first of them only. */
function sharedTopics(nodes: readonly TopologyNode[]): string[] {
  const readers = new Map<string, string>()
  return nodes.flatMap(node => {
    if (node.kind !== 'source' || node.topics instanceof RegExp) return []
    return node.topics.flatMap(topic => {
      const other = readers.get(topic)
      readers.set(topic, node.name)
      return other === undefined ? [] : [`"${other}" and "${node.name}" both read "${topic}"`]
    })
  })
}

function degreeProblems(node: TopologyNode, edges: readonly Edge[]): string[] {
  const parents = edges.filter(edge => edge.to === node.name).length
  const children = edges.filter(edge => edge.from === node.name).length
  const problems: string[] = []
  if (node.kind !== 'source' && parents === 0) problems.push(`nothing leads to "${node.name}"`)
  if (parents > 1) problems.push(`"${node.name}" has ${parents} parents: a path does not join`)
  if (node.kind !== 'warehouse' && children === 0) {
    problems.push(`"${node.name}" leads nowhere: a path ends in .to(…)`)
  }
  if (children > 1) problems.push(`"${node.name}" has ${children} children: a path does not branch`)
  return problems
}

function findCycle(nodes: readonly TopologyNode[], edges: readonly Edge[]): string[] | null {
  const finished = new Set<string>()
  const visit = (name: string, path: readonly string[]): string[] | null => {
    const start = path.indexOf(name)
    if (start >= 0) return [...path.slice(start), name]
    if (finished.has(name)) return null
    for (const edge of edges.filter(({ from }) => from === name)) {
      const cycle = visit(edge.to, [...path, name])
      if (cycle !== null) return cycle
    }
    finished.add(name)
    return null
  }
  for (const { name } of nodes) {
    const cycle = visit(name, [])
    if (cycle !== null) return cycle
  }
  return null
}

function pathOf(
  source: SourceNode,
  nodes: readonly TopologyNode[],
  edges: readonly Edge[],
): Omit<Pipeline, 'firstSubTopology'> {
  const path: TopologyNode[] = [source]
  for (;;) {
    const edge = edges.find(({ from }) => from === path.at(-1)!.name)
    if (edge === undefined) break
    path.push(nodes.find(node => node.name === edge.to)!)
  }
  return {
    source,
    transforms: path.filter(node => node.kind === 'transform'),
    repartition: path.find(node => node.kind === 'repartition')!,
    compact: path.find(node => node.kind === 'compact')!,
    warehouse: path.find(node => node.kind === 'warehouse')!,
  }
}
