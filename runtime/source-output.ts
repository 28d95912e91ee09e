/**
 * Where the changes of a source task go: into frames for the hop (`hop-output.ts`), or, where the source is
 * keyed by primary key, into the task's own window (`window-output.ts`). What is in it is written in the
 * transaction that moves the source's offset.
 */
import type { ProducerRecord } from '../log/log.ts'
import type { ChangeEvent } from '../model/change-event.ts'
import type { HopChange, TableFrame } from '../model/hop-frame.ts'
import type { Target } from '../model/partition-by.ts'
import type { TaskCommitter } from './task.ts'

/** Where a task goes on. */
export interface SourceBeginning {
  readonly offset: number
  /** The task never committed. */
  readonly isNew: boolean
}

export interface TruncateHow {
  /** The policy is `exception`. */
  readonly isRefused: boolean
  /** It counts by its place in the source's log, whatever came before it through its topic. */
  readonly isByPlace: boolean
}

export interface SourceOutput {
  /** After the owner before was fenced. Resolves to whether the offset is committed. */
  open(committer: TaskCommitter, beginning: SourceBeginning): Promise<boolean>
  /** Nothing is to be written but the offset. */
  readonly isEmpty: boolean
  readonly sizeBytes: number
  /** It holds as much as it may: it is to be written before more is added. */
  readonly isFull: boolean
  add(change: HopChange): void
  /** It follows all that was added before. Throws ProcessingError `truncate-unordered`. */
  truncate(target: Target, event: ChangeEvent, how: TruncateHow): void
  /** Of a whole table, and without a place among the changes of its rows. */
  tell(frame: TableFrame): void
  /** Records up to there were processed, whether they gave changes or not. */
  advance(nextOffset: number): void
  /** Moves to disk what memory should not hold. */
  settle(): Promise<void>
  /** Milliseconds until it is to be written; null when nothing waits. */
  remainingMs(): number | null
  /** Lets go of what it has: reading goes on at the offset, before all of it. */
  clear(offset: number): Promise<void>
  /** For the transaction that moves the offset there; then `committed`. */
  take(offset: number): Promise<readonly ProducerRecord[]>
  /** `offsets` are those of the records that were taken, in order. */
  committed(offsets: readonly number[]): Promise<void>
  measure(): void
  close(): Promise<void>
}
