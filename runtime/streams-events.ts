/**
 * What a running application tells: `streams.events` is an Observable of these. One a commit, window, batch
 * or statement, never one an event or row. What a transaction did is told once it is made.
 */

import type { TopicPartition } from '../log/log.ts'
import type { ApplyReceipt, OffsetRange, PositionSpan, StagedBatch } from '../model/staged-batch.ts'
import type { CloseReason } from '../processors/compact.ts'

/** What a task reads. `topicId` is another one when the topic was made anew. */
export interface TaskInput extends TopicPartition {
  readonly topicId: string
}

/** A task goes on there: at its committed offset, or, when it never committed, where it begins. */
export interface TaskOpened {
  readonly type: 'task-opened'
  readonly task: string
  readonly input: TaskInput
  readonly offset: number
  readonly isNew: boolean
}

/** A merger has its partition's tables; `through` is what the log says of each. */
export interface TablesOpened {
  readonly type: 'tables-opened'
  readonly task: string
  readonly token: number
  readonly topicId: string
  readonly tables: readonly { readonly table: string; readonly through: number }[]
}

export interface SourceCommitted {
  readonly type: 'source-committed'
  readonly task: string
  readonly input: TaskInput
  readonly range: OffsetRange
  readonly events: number
  readonly repeats: number
  readonly bad: number
  readonly positions: PositionSpan
  readonly sourceMs: { readonly first: number; readonly last: number }
  /** What was written to the hop, by its partitions. */
  readonly hop: ReadonlyMap<number, OffsetRange>
}

interface WindowTold {
  readonly task: string
  /** `windowName`: task and first offset. */
  readonly window: string
  readonly input: TaskInput
  readonly range: OffsetRange
  readonly reason: CloseReason
}

/** Its files are being written. */
export interface WindowClosing extends WindowTold {
  readonly type: 'window-closing'
}

export interface WindowClosed extends WindowTold {
  readonly type: 'window-closed'
  readonly events: number
  readonly netChanges: number
  readonly batches: number
}

export interface BatchStaged {
  readonly type: 'batch-staged'
  readonly batch: StagedBatch
  readonly window: string
  /** Where its record is in the staged topic, and the identity of that. */
  readonly topicId: string
  readonly partition: number
  readonly offset: number
}

export interface StatementTold {
  readonly type: 'statement'
  /** `table/token-attempt`, as its folder is called. */
  readonly statement: string
  readonly table: string
  readonly token: number
  readonly attempt: number
  /** Of the staged topic. */
  readonly topicId: string
  /** Staged offsets of the first and the last batch that it applies, and how many these are. */
  readonly from: number
  readonly through: number
  readonly batches: number
  readonly positions: PositionSpan
  readonly sourceMs: { readonly first: number; readonly last: number }
  readonly state: 'requested' | 'inflight' | 'completed' | 'failed'
  /** Of one that is completed. `found`: the table had its batches already. */
  readonly outcome?: ApplyReceipt['outcome'] | 'found' | 'nothing'
  readonly receipt?: ApplyReceipt
  readonly error?: { readonly code: string; readonly message: string }
}

/** A table is held back from now on, with the reason; null: it goes on. */
export interface TableHeld {
  readonly type: 'table-held'
  readonly table: string
  readonly reason: { readonly code: string; readonly message: string } | null
}

export type StreamsEvent =
  | { readonly type: 'state'; readonly state: StreamsState }
  | {
      readonly type: 'progress'
      /** Source records read, and how many there are; null when there is no end. */
      readonly recordsRead: number
      readonly recordsTotal: number | null
    }
  | TaskOpened
  | TablesOpened
  | SourceCommitted
  | WindowClosing
  | WindowClosed
  | BatchStaged
  | StatementTold
  | TableHeld
  | {
      readonly type: 'batch-applied'
      readonly table: string
      readonly batches: number
      readonly through: number
      readonly receipt: ApplyReceipt
    }
  | {
      readonly type: 'repeats-dropped'
      readonly task: string
      readonly count: number
      readonly from: string
      readonly to: string
    }

/** As in Kafka Streams. */
export type StreamsState = 'created' | 'running' | 'rebalancing' | 'stopping' | 'stopped' | 'error'
