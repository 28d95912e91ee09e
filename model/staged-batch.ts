/**
 * A closed window on its way to the warehouse. A `StagedBatch` is one table's part of a window: the
 * files that hold its net changes, its whole schema, and the range of offsets that it covers. It is
 * immutable, and it is a record of the staged topic, so it outlives a deployment: a version byte
 * leads it.
 */
import type { ChangedKey } from './changed-key.ts'
import { assert } from './errors.ts'
import { fromJson, toJson } from './json.ts'
import type { ChangeMark } from './net-change.ts'
import type { PartitionBy } from './partition-by.ts'
import type { TruncatePoint } from './position.ts'
import type { TableSchema } from './table-schema.ts'
import { internSchema } from './table-schema.ts'

/** Half open: from the first offset of the window to the one after its last. */
export interface OffsetRange {
  readonly from: number
  readonly to: number
}

/** Places in the source's log (`Position.text`), or empty where the format does not tell. */
export interface PositionSpan {
  readonly first: string
  readonly last: string
}

export interface StagedFile {
  /** Relative to the staging root. */
  readonly path: string
  readonly sizeBytes: number
  readonly rowCount: number
  /** Of its rows, the first and the last; absent in files of versions before, and without rows. */
  readonly keys?: { readonly first: string; readonly last: string }
  /** Every row is an upsert. */
  readonly isUpserts?: boolean
}

/**
 * A truncate that passed through the hop: the same marker goes to every partition of it.
 *
 * Through a topic of one partition its order is the log's: what was staged before it is gone. Through
 * one of several partitions it is known by its position only: rows at or below it are gone.
 *
 * A table that was dropped is told in the same way. It is known by its position, whatever topic its rows come
 * through, because the source tells of it in another topic; so the marker goes to one partition of the hop.
 */
export interface TruncateMarker {
  /** Of the source event. */
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** How many partitions the hop has: that many batches carry the marker. */
  readonly partitions: number
  /** The topic has one partition. */
  readonly isOrdered: boolean
  /** Null when it is ordered, or when the source dropped the table and does not say where in its log. */
  readonly point: TruncatePoint | null
  /** The policy was `exception`: what came before it is staged, because it may be resumed under another one. */
  readonly isRefused?: boolean
  /** The source dropped the table: rows that come later belong to one of its name that was made since. */
  readonly isDrop?: true
}

/** Of the whole rows of a window the last one by the source's clock: which columns the source has by then. */
export interface NewestRow {
  /** Milliseconds. */
  readonly atMs: number
  /** Ids of columns of the batch that it does not have any more. */
  readonly without?: readonly string[]
}

export interface StagedBatch {
  readonly table: string
  readonly partitionBy: PartitionBy | null
  /** The compacting task, and the window: task + first offset. */
  readonly task: string
  readonly range: OffsetRange
  readonly schema: TableSchema
  readonly files: readonly StagedFile[]
  readonly rowCount: number
  /** Events that were folded into these rows. */
  readonly eventCount: number
  /**
   * Of its rows those that were changed last, one of each log (`newest-marks.ts`), where some came through a
   * topic of several partitions and the warehouse keeps no positions: a truncate may come after rows that
   * are newer than it.
   */
  readonly lastRows?: readonly ChangeMark[]
  /** The last truncate, or drop, of the window. When it is ordered, the rows of the files came after it. */
  readonly truncate: TruncateMarker | null
  /** Source times of the window's events, milliseconds: the first and the last. */
  readonly sourceMs: { readonly first: number; readonly last: number }
  /** Absent: no whole row of a source that tells its columns is in it. */
  readonly newest?: NewestRow
  /** Of the window's events, as they came; absent in batches of versions before. */
  readonly positions?: PositionSpan
  /** Halves of changed keys, one a key; the rows of the batch have their changes. */
  readonly changedKeys?: readonly ChangedKey[]
  /** It has no rows: the source has such a table. Of one that the target has it says nothing. */
  readonly creates?: true
  /** It has no rows: the operator says that its table, which is held back, may go on. */
  readonly resumes?: true
}

/** What the operator writes among the batches of a table that is held back. */
export function resumeMarker(table: string): StagedBatch {
  return {
    table,
    partitionBy: null,
    task: 'resume',
    range: { from: 0, to: 0 },
    schema: internSchema({ columns: [], key: [] }),
    files: [],
    rowCount: 0,
    eventCount: 0,
    truncate: null,
    sourceMs: { first: 0, last: 0 },
    resumes: true,
  }
}

/** Like no other batch's: its file lies in a folder of its attempt. */
export function batchName({ task, range, files }: StagedBatch): string {
  return files[0]?.path ?? `${task}/${range.from}-${range.to}`
}

/** Of a window, wherever it is told of. */
export function windowName(task: string, from: number): string {
  return `${task}/${from}`
}

const version = 1

export function encodeStagedBatch(batch: StagedBatch): Buffer {
  return Buffer.concat([Buffer.from([version]), Buffer.from(toJson(batch))])
}

export function decodeStagedBatch(bytes: Uint8Array): StagedBatch {
  assert(bytes[0] === version, () => `a staged batch has version ${bytes[0]}, known is ${version}`)
  const batch = fromJson(Buffer.from(bytes.subarray(1)).toString('utf8')) as StagedBatch
  // They are read, and removed: whoever may write to the topic reaches no other files.
  const isBelow = batch.files.every(({ path }) => !/^$|^\/|(^|\/)\.{0,2}(\/|$)|[\0\\]/.test(path))
  assert(isBelow, 'a staged batch names a file outside of its folder', { table: batch.table })
  return { ...batch, schema: internSchema(batch.schema) }
}

/** What the warehouse says of an apply. */
export interface ApplyReceipt {
  readonly outcome: 'applied' | 'already-applied'
  /** The table was made for this apply: it holds nothing else. */
  readonly isNewTable?: boolean
  readonly rowsInserted: number
  readonly rowsUpdated: number
  readonly rowsDeleted: number
  /** Rows that were not where their change said, and were looked for in all partitions. */
  readonly rowsSearched: number
}
