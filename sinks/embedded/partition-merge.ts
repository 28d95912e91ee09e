/**
 * Copy on write within one partition: net changes in key order meet files whose key ranges are
 * disjoint and in order. A file belongs to the keys from its first one up to the first one of the next
 * file; only a file that a change really alters is written anew.
 */
import { assert } from '../../model/errors.ts'
import type { NetChange } from '../../model/net-change.ts'
import { alignValues } from '../../model/net-change.ts'
import type { TableSchema } from '../../model/table-schema.ts'
import type { Value } from '../../model/value.ts'
import type { DataFile } from './commit-log.ts'
import type { DataFileWriter, StoredRow } from './data-files.ts'

/** A change for one partition. A row that moves is deleted in one and inserted in another. */
export interface PartitionChange {
  readonly change: NetChange
  /** The other half is in another partition. */
  readonly isMove: boolean
}

export interface MergeCounts {
  inserted: number
  updated: number
  deleted: number
  /** Rows that were found where they moved away from. */
  moved: number
}

export interface PartitionMergeOptions {
  /** Of the partition, in key order. */
  readonly files: readonly DataFile[]
  readonly schema: TableSchema
  /** Rows of a file under `schema`. */
  readonly read: (file: DataFile) => AsyncIterable<readonly StoredRow[]>
  readonly writer: DataFileWriter
  /** False for rows that a truncate undid; null when there was none. */
  readonly survives: ((row: StoredRow) => boolean) | null
  /** A last file that is smaller takes the rows that come behind it. */
  readonly smallFileBytes: number
  readonly counts: MergeCounts
  /** Takes in the keys of changes whose row was there; null when nobody asks. */
  readonly found: Set<string> | null
}

/** Applies the changes. Resolves to the files that stay as they are. */
export async function mergePartition(
  changes: AsyncIterable<readonly PartitionChange[]>,
  options: PartitionMergeOptions,
): Promise<readonly DataFile[]> {
  const kept: DataFile[] = []
  const places = [...options.files]
  let pending: PartitionChange[] = []
  const finishFile = async (file: DataFile): Promise<void> => {
    if (!(await rewrite(file, pending, options))) {
      kept.push(file)
      // What is written from here on lies behind the file that stays.
      await options.writer.cut()
    }
    pending = []
  }
  for await (const part of changes) {
    for (const change of part) {
      while (places.length > 0 && !belongsTo(change.change.key, places, options)) {
        await finishFile(places.shift()!)
      }
      if (places.length > 0) pending.push(change)
      else await writeNew(change, options)
    }
  }
  for (const file of places) await finishFile(file)
  return kept
}

/** Whether the key is the first remaining file's: before the next one begins, or behind a small last. */
function belongsTo(
  key: string,
  [first, second]: readonly DataFile[],
  { smallFileBytes }: PartitionMergeOptions,
): boolean {
  if (second !== undefined) return key < second.minKey
  return key <= first!.maxKey || first!.sizeBytes < smallFileBytes
}

/** A row behind all files. */
async function writeNew(
  { change }: PartitionChange,
  { writer, schema, counts }: PartitionMergeOptions,
): Promise<void> {
  const row = apply(null, change, schema)
  if (row === null) return
  counts.inserted += 1
  const wait = writer.write(row)
  if (wait !== undefined) await wait
}

/** Writes the file anew with the changes; false when none of them alters it. */
async function rewrite(
  file: DataFile,
  changes: readonly PartitionChange[],
  options: PartitionMergeOptions,
): Promise<boolean> {
  if (!(await alters(file, changes, options))) return false
  const { writer, counts } = options
  let next = 0
  const writeUpTo = async (key: string | null): Promise<void> => {
    for (; next < changes.length; next += 1) {
      const candidate = changes[next]!
      if (key !== null && candidate.change.key >= key) return
      await writeNew(candidate, options)
    }
  }
  let lastKey = ''
  for await (const rows of options.read(file)) {
    for (const row of rows) {
      assert(row.key > lastKey, 'a data file is not in key order', { file: file.path })
      // A key that is not read back as it was written would not be found, and be there twice.
      const isFirst = lastKey === ''
      assert(!isFirst || row.key === file.minKey, firstKeyDiffers, { file: file.path })
      lastKey = row.key
      if (next < changes.length && changes[next]!.change.key < row.key) await writeUpTo(row.key)
      const hit = changes[next]?.change.key === row.key ? changes[next]! : null
      if (hit !== null) {
        next += 1
        options.found?.add(row.key)
      }
      const stays = options.survives?.(row) ?? true
      if (hit === null && !stays) counts.deleted += 1
      const base = stays ? row : null
      const result = hit === null ? base : apply(base, hit.change, options.schema)
      if (hit !== null) count(counts, hit, result)
      if (result === null) continue
      const wait = writer.write(result)
      if (wait !== undefined) await wait
    }
  }
  assert(lastKey === file.maxKey, 'the last key of a data file is not its own', {
    file: file.path,
  })
  await writeUpTo(null)
  return true
}

const firstKeyDiffers = 'the first key of a data file is not its own'

function count(counts: MergeCounts, { isMove }: PartitionChange, result: StoredRow | null): void {
  if (result !== null) counts.updated += 1
  else if (isMove) counts.moved += 1
  else counts.deleted += 1
}

/** A truncate and an upsert always alter a file; deletes do only where a row is. */
async function alters(
  file: DataFile,
  changes: readonly PartitionChange[],
  { read, survives }: PartitionMergeOptions,
): Promise<boolean> {
  if (survives !== null || changes.some(({ change }) => change.kind !== 'delete')) return true
  const keys = new Set(changes.map(({ change }) => change.key))
  for (const key of keys) if (key < file.minKey || key > file.maxKey) keys.delete(key)
  if (keys.size === 0) return false
  for await (const rows of read(file)) if (rows.some(row => keys.has(row.key))) return true
  return false
}

/** What becomes of a row; null: it is gone. */
export function apply(
  row: StoredRow | null,
  change: NetChange,
  schema: TableSchema,
): StoredRow | null {
  if (change.kind === 'delete') return null
  const sent = alignValues(change, schema)
  const values = sent.map((value, index): Value => {
    if (value !== undefined) return value
    // A patch keeps what the row has; a row that is not there has nothing.
    return row === null ? null : row.values[index]!
  })
  return { key: change.key, values, mark: change.last }
}
