/** The nodes of a topology, as data. `streams-builder.ts` makes them, `topology.ts` checks them. */
import type { OperatorFunction } from 'rxjs'
import type { DecoderOptions, Format } from '../formats/decoder.ts'
import type { ChangeEvent, EventBatch } from '../model/change-event.ts'
import type { SourceTable } from '../model/source-table.ts'
import type { WindowLimits } from '../processors/compact.ts'
import type { ProcessorContext } from '../processors/processor.ts'
import type { WarehouseSink } from '../sinks/warehouse.ts'
import type { StateStoreSupplier } from '../state/state-store.ts'

/** Topics by name, or all whose name matches. */
export type TopicSelection = readonly string[] | RegExp

/**
 * What becomes of a bad message: `fail` stops, `skip` counts it and goes on, `dead-letter` keeps it in a
 * topic of its own as well.
 */
export type ErrorPolicy = 'fail' | 'skip' | 'dead-letter'

/**
 * Which of two changes of a row is the later one: `log`, the one that comes later in its partition of the
 * topic; `position`, the one that is later in the source's log, whatever partitions they came through.
 */
export type Ordering = 'log' | 'position'

/**
 * Where a partition is begun that was never read before: at its first record, behind its last one, or
 * at the first record of a time (milliseconds since the epoch); by `topic-partition` at an offset.
 */
export interface StartPosition {
  readonly at: 'earliest' | 'latest' | { readonly timeMs: number }
  readonly offsets: ReadonlyMap<string, number>
}

/**
 * By what the producer chose the partition of a message, as far as the operator vouches for it. With
 * `primary-key` all changes of a row come through one partition, and need no hop to come together.
 */
export type KeyedBy = 'primary-key' | 'unknown'

export interface SourceNode extends DecoderOptions {
  readonly kind: 'source'
  readonly name: string
  readonly topics: TopicSelection
  readonly format: Format
  readonly onError: ErrorPolicy
  readonly start: StartPosition
  /** Topics whose partitions were added to, with the number of them that the operator confirmed. */
  readonly confirmedPartitions: ReadonlyMap<string, number>
  /** False: repeats of the producer are applied again. With `ordering: position` it says nothing. */
  readonly dropRepeats: boolean
  readonly ordering: Ordering
  readonly keyedBy: KeyedBy
}

/** Whether an internal topic brings the changes of a row together: else the source's partitions do. */
export function hasHop({ keyedBy }: SourceNode): boolean {
  return keyedBy === 'unknown'
}

/** One task's instance of a node: an operator over batches, and what to do at the end. */
export interface Transform {
  readonly operator: OperatorFunction<EventBatch, EventBatch>
  /** What becomes of a truncate, which goes around the operator; absent: it passes. */
  readonly truncate?: (event: ChangeEvent) => ChangeEvent | null
  /** The same of a whole table; absent: it passes, and which columns its rows have behind is not known. */
  readonly table?: (table: SourceTable) => SourceTable | null
  readonly close?: () => void
}

export interface TransformNode {
  readonly kind: 'transform'
  readonly name: string
  /** Whether events leave it with the key that they came with, and no two tables under one name. */
  readonly keepsKeys: boolean
  /** One instance for each task, and anew after each of its commits. */
  readonly supply: (context: Omit<ProcessorContext, 'forward'>) => Transform
}

/** Where the source is keyed by primary key there is no topic: the node only says where it would be. */
export interface RepartitionNode {
  readonly kind: 'repartition'
  readonly name: string
  /** Absent: as many as the source topic with the most. */
  readonly partitions?: number
}

export interface CompactNode {
  readonly kind: 'compact'
  readonly name: string
  readonly limits: WindowLimits
  readonly store: StateStoreSupplier
}

export interface WarehouseNode {
  readonly kind: 'warehouse'
  readonly name: string
  readonly sink: WarehouseSink
}

export type TopologyNode =
  | SourceNode
  | TransformNode
  | RepartitionNode
  | CompactNode
  | WarehouseNode

/** An edge of the graph, by names. */
export interface Edge {
  readonly from: string
  readonly to: string
}
