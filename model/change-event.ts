/**
 * What enters and what leaves the log: `LogRecord`, bytes with a place, and `ChangeEvent`, one change
 * of one row as every format is decoded to.
 */
import type { Position } from './position.ts'
import type { TableSchema } from './table-schema.ts'
import type { Row } from './value.ts'

export interface LogHeader {
  readonly key: string
  readonly value: Uint8Array
}

/** A record of a topic. Its buffers are the owner's until the batch is done: copy what outlives it. */
export interface LogRecord {
  readonly topic: string
  readonly partition: number
  /** Strictly increasing in a partition; gaps are normal. */
  readonly offset: number
  readonly timestampMs: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly LogHeader[]
}

/** Create, update, delete, read (snapshot), truncate. */
export type ChangeOp = 'c' | 'u' | 'd' | 'r' | 't'

/** Where in its topic an event came from. */
export interface Origin {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

export function isSamePlace(a: Origin, b: Origin): boolean {
  return a.offset === b.offset && a.partition === b.partition && a.topic === b.topic
}

export interface ChangeEvent {
  /** `database.table`, or `schema.table` for PostgreSQL; after routing the name of the target. */
  readonly table: string
  readonly op: ChangeOp
  /** The key columns; null when the message has no key. A truncate has none. */
  readonly key: Row | null
  readonly before: Row | null
  readonly after: Row | null
  /** Null when the format does not tell. */
  readonly position: Position | null
  /** `first`: the source, or this table of it, is read from its beginning. */
  readonly snapshot: 'no' | 'first' | 'yes' | 'incremental'
  readonly transaction: { readonly id: string; readonly order: number } | null
  /** The schema of `after`, or of `before` for a delete. */
  readonly schema: TableSchema
  readonly origin: Origin
  /** When the source made the change, milliseconds since the epoch, by the source's clock. */
  readonly sourceMs: number
  /** True when `before` is the whole row as it was: only then is it trusted beyond the key. */
  readonly isBeforeWhole: boolean
  /**
   * True when it is not known to be new: it may be an old change that was sent again. What it says of
   * the row before (`before`, `c`) then proves nothing. See `processors/drop-repeats.ts`.
   */
  readonly isInDoubt: boolean
  /** The key that the row had before, when this is the second half of a changed key. */
  readonly oldKey: Row | null
  /**
   * Of a half of a changed key, where values may be left out of the second one: the key of the other half.
   * See `model/changed-key.ts`.
   */
  readonly otherKey?: Row
  /** Of an update: the table may have columns that are not in `schema`, and keeps them. */
  readonly isPatch?: true
}

/** Events that travel through a task's chain together, in the order of their partition. */
export type EventBatch = readonly ChangeEvent[]
