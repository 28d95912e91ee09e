/**
 * A closed window on its way to the warehouse. A `StagedBatch` is one table's part of a window: the
 * files that hold its net changes, its whole schema, and the range of offsets that it covers. It is
 * immutable, and it is a record of the staged topic, so it outlives a deployment: a version byte
 * leads it.
 */
import { assert } from './errors.ts'
import { fromJson, toJson } from './json.ts'
import type { PartitionBy } from './partition-by.ts'
import type { TruncatePoint } from './position.ts'
import type { TableSchema } from './table-schema.ts'
import { internSchema } from './table-schema.ts'

/** Half open: from the first offset of the window to the one after its last. */
export interface OffsetRange {
  readonly from: number
  readonly to: number
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
  /** Null only when it is ordered. */
  readonly point: TruncatePoint | null
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
  /** The last truncate of the window. When it is ordered, the rows of the files came after it. */
  readonly truncate: TruncateMarker | null
  /** Source times of the window's events, milliseconds: the first and the last. */
  readonly sourceMs: { readonly first: number; readonly last: number }
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

const version = 1

export function encodeStagedBatch(batch: StagedBatch): Buffer {
  return Buffer.concat([Buffer.from([version]), Buffer.from(toJson(batch))])
}

export function decodeStagedBatch(bytes: Uint8Array): StagedBatch {
  assert(bytes[0] === version, () => `a staged batch has version ${bytes[0]}, known is ${version}`)
  const batch = fromJson(Buffer.from(bytes.subarray(1)).toString('utf8')) as StagedBatch
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
