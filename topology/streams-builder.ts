/**
 * Building a topology in Kafka Streams' words. Each call adds one node under the name that it is
 * given; nothing gets a generated name, because such names change when a node is added and an upgrade
 * then loses its place.
 */
import type { OperatorFunction } from 'rxjs'
import type { Format, TableHints } from '../formats/decoder.ts'
import type { ChangeEvent } from '../model/change-event.ts'
import { policyOf } from '../model/schema-change.ts'
import type { WindowLimits } from '../processors/compact.ts'
import type { ProcessorSupplier } from '../processors/processor.ts'
import type { TableRouter } from '../processors/route-tables.ts'
import {
  filterEvents,
  mapEvents,
  pipeEvents,
  processEvents,
  routeEvents,
} from '../processors/transforms.ts'
import type { WarehouseSink } from '../sinks/warehouse.ts'
import type { StateStoreSupplier } from '../state/state-store.ts'
import type {
  Edge,
  ErrorPolicy,
  KeyedBy,
  Ordering,
  StartPosition,
  TopicSelection,
  TopologyNode,
  TransformNode,
} from './nodes.ts'
import { Topology } from './topology.ts'

export interface Named {
  readonly name: string
}

export interface StreamOptions extends Named {
  readonly format: Format
  /** Default `fail`: a bad message stops the application, with where it is. */
  readonly onError?: ErrorPolicy
  /** Where partitions are begun that were never read before. Default: at their first record. */
  readonly start?: StartPosition
  /** What the messages do not tell of a table; null passes the table over. */
  readonly hintsOf?: (table: string) => TableHints | null
  /** Settings of the connector by Debezium's names; needed only without embedded schemas. */
  readonly connectorSettings?: Readonly<Record<string, string>>
  /** A new name makes the source's log a new one: nothing before it counts as sent already. */
  readonly incarnation?: string
  /**
   * Topics that got more partitions since they were first read, with how many they have now: what the
   * ones before have is read first.
   */
  readonly confirmPartitions?: Readonly<Record<string, number>>
  /** Default true. */
  readonly dropRepeats?: boolean
  /** Default `log`: a key's changes come through one partition of the source, in order. */
  readonly ordering?: Ordering
  /**
   * Default `unknown`: `repartition` brings the changes of a row together. With `primary-key` the producer
   * did that, as Debezium does by default, and `repartition` makes no topic. It cannot be seen from here:
   * where it is not so, rows turn back to earlier states.
   */
  readonly keyedBy?: KeyedBy
}

const defaultLimits: WindowLimits = {
  maxAgeMs: 60_000,
  maxRows: 500_000,
  maxBytes: 64 * 1024 * 1024,
}

export class StreamsBuilder {
  readonly #nodes: TopologyNode[] = []
  readonly #edges: Edge[] = []

  stream(topics: string | TopicSelection, options: StreamOptions): ChangeStream {
    const path: Path = { router: null }
    this.#nodes.push({
      kind: 'source',
      name: options.name,
      topics: typeof topics === 'string' ? [topics] : topics,
      format: options.format,
      onError: options.onError ?? 'fail',
      start: options.start ?? { at: 'earliest', offsets: new Map() },
      // The rules of a `route` that follows tell what the decoder should know.
      hintsOf: options.hintsOf ?? (table => path.router?.hintsOf(table) ?? {}),
      connectorSettings: options.connectorSettings ?? {},
      incarnation: options.incarnation ?? '',
      confirmedPartitions: new Map(Object.entries(options.confirmPartitions ?? {})),
      dropRepeats: options.dropRepeats ?? true,
      ordering: options.ordering ?? 'log',
      keyedBy: options.keyedBy ?? 'unknown',
    })
    return new ChangeStream((node, from) => this.#add(node, from), options.name, path)
  }

  /** Throws TopologyError that lists every problem: a name used twice, no sink, wrong order. */
  build(): Topology {
    return new Topology(this.#nodes, this.#edges)
  }

  #add(node: TopologyNode, from: string): void {
    this.#nodes.push(node)
    this.#edges.push({ from, to: node.name })
  }
}

/** What the calls of one path tell each other: the router, which knows more than targets. */
interface Path {
  router: TableRouter | null
}

type AddNode = (node: TopologyNode, from: string) => void

/** Change events in the order of their partition. */
export class ChangeStream {
  readonly #add: AddNode
  readonly #last: string
  readonly #path: Path

  constructor(add: AddNode, last: string, path: Path) {
    this.#add = add
    this.#last = last
    this.#path = path
  }

  /** Keeps the events for which the predicate holds. Truncates always pass. */
  filter(predicate: (event: ChangeEvent) => boolean, { name }: Named): ChangeStream {
    return this.#transform(name, true, () => ({
      operator: filterEvents(name, predicate),
      table: given => given,
    }))
  }

  /** Changes events one by one: rows and schema, not the key. */
  map(change: (event: ChangeEvent) => ChangeEvent, { name }: Named): ChangeStream {
    return this.#transform(name, true, () => ({ operator: mapEvents(name, change) }))
  }

  /**
   * RxJS operators over single events. They must be synchronous, and keep nothing over a commit; nor,
   * unless `onError` is `fail`, over a batch.
   */
  pipe(
    name: string,
    ...operators: readonly OperatorFunction<ChangeEvent, ChangeEvent>[]
  ): ChangeStream {
    return this.#transform(name, false, () => ({ operator: pipeEvents(name, operators) }))
  }

  /** A processor of one's own; the supplier makes one for each task. */
  process(supplier: ProcessorSupplier, { name }: Named): ChangeStream {
    return this.#transform(name, false, context => processEvents(name, supplier, context))
  }

  /**
   * Sends each table to its target by the first rule that names it. What the rules say of keys, types
   * and partitions holds as well, where `stream` and the sink are not told otherwise.
   */
  route(router: TableRouter, { name }: Named): ChangeStream {
    this.#path.router ??= router
    return this.#transform(name, !router.merges, context => routeEvents(router, context))
  }

  /**
   * Brings the changes of a row together: by the hash of table and primary key. Where the source is keyed
   * by primary key (`keyedBy`) they are, and this only leads on.
   */
  repartition({ name, partitions }: Named & { readonly partitions?: number }): KeyedStream {
    const node = { kind: 'repartition' as const, name }
    this.#add(partitions === undefined ? node : { ...node, partitions }, this.#last)
    return new KeyedStream(this.#add, name, this.#path)
  }

  #transform(name: string, keepsKeys: boolean, supply: TransformNode['supply']) {
    this.#add({ kind: 'transform', name, keepsKeys, supply }, this.#last)
    return new ChangeStream(this.#add, name, this.#path)
  }
}

/** All changes of a row in one partition. */
export class KeyedStream {
  readonly #add: AddNode
  readonly #last: string
  readonly #path: Path

  constructor(add: AddNode, last: string, path: Path) {
    this.#add = add
    this.#last = last
    this.#path = path
  }

  /** Folds each window to one net change a row. */
  compact(
    options: Named & {
      readonly flush?: Partial<WindowLimits>
      readonly store: StateStoreSupplier
    },
  ): CompactedStream {
    const { name, flush, store } = options
    this.#add({ kind: 'compact', name, limits: { ...defaultLimits, ...flush }, store }, this.#last)
    return new CompactedStream(this.#add, name, this.#path)
  }
}

/** One net change a row and window. Only this can be written to a warehouse. */
export class CompactedStream {
  readonly #add: AddNode
  readonly #last: string
  readonly #path: Path

  constructor(add: AddNode, last: string, path: Path) {
    this.#add = add
    this.#last = last
    this.#path = path
  }

  to(sink: WarehouseSink, { name }: Named): void {
    const { router } = this.#path
    const routed = router === null ? sink : ruledBy(router, sink)
    this.#add({ kind: 'warehouse', name, sink: routed }, this.#last)
  }
}

/** The sink, with what the rules say of a target where it says nothing itself. */
function ruledBy(router: TableRouter, sink: WarehouseSink): WarehouseSink {
  return {
    name: sink.name,
    targetOf: table => {
      const target = sink.targetOf(table)
      return { ...target, partitionBy: target.partitionBy ?? router.partitionByOf(table) }
    },
    policyOf: target => {
      const given = router.ruleOf(target)?.schemaChanges
      return given === undefined ? sink.policyOf(target) : policyOf(given)
    },
    open: context => sink.open(context),
  }
}
