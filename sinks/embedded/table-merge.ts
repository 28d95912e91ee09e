/**
 * Applies net changes to all files of a table. Without partitions the changes stream through; with
 * them each change is sent to the partitions that it concerns: the row's new one, and those that it
 * may be leaving.
 */
import type { NetChange } from '../../model/net-change.ts'
import { alignValues } from '../../model/net-change.ts'
import type { PartitionBy } from '../../model/partition-by.ts'
import { partitionColumn, partitionOf } from '../../model/partition-by.ts'
import type { TableSchema } from '../../model/table-schema.ts'
import type { DataFile } from './commit-log.ts'
import type { DataFileWriter, StoredRow } from './data-files.ts'
import type { MergeCounts, PartitionChange } from './partition-merge.ts'
import { apply, mergePartition } from './partition-merge.ts'

export interface TableMergeOptions {
  readonly files: readonly DataFile[]
  readonly schema: TableSchema
  readonly partitionBy: PartitionBy | null
  readonly smallFileBytes: number
  readonly survives: ((row: StoredRow) => boolean) | null
  readonly read: (file: DataFile) => AsyncIterable<readonly StoredRow[]>
  readonly writerFor: (partition: string) => DataFileWriter
}

export interface TableMergeResult {
  /** All files of the table from now on, ordered by partition and key. */
  readonly files: readonly DataFile[]
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
}

export async function mergeTable(
  changes: AsyncIterable<readonly NetChange[]>,
  options: TableMergeOptions,
): Promise<TableMergeResult> {
  const counts: MergeCounts = { inserted: 0, updated: 0, deleted: 0, moved: 0 }
  const groups = groupByPartition(options.files)
  if (options.partitionBy === null) {
    const files = await mergeOne('', mapChanges(changes), groups.get('') ?? [], options, counts)
    return result(files, counts)
  }
  const routed = await route(changes, options.partitionBy, groups, options)
  const files: DataFile[] = []
  for (const partition of [...new Set([...groups.keys(), ...routed.keys()])].sort()) {
    const own = groups.get(partition) ?? []
    const parts = routed.get(partition)
    if (parts === undefined && options.survives === null) files.push(...own)
    else files.push(...(await mergeOne(partition, once(parts ?? []), own, options, counts)))
  }
  return result(files, counts)
}

function result(files: readonly DataFile[], counts: MergeCounts): TableMergeResult {
  // A row that moved was deleted where it was and inserted where it is: one row changed.
  const { moved, deleted } = counts
  return {
    files,
    inserted: counts.inserted - moved,
    updated: counts.updated + moved,
    deleted,
  }
}

async function mergeOne(
  partition: string,
  changes: AsyncIterable<readonly PartitionChange[]>,
  files: readonly DataFile[],
  { schema, read, smallFileBytes, survives, writerFor }: TableMergeOptions,
  counts: MergeCounts,
): Promise<readonly DataFile[]> {
  const writer = writerFor(partition)
  const kept = await mergePartition(changes, {
    files,
    schema,
    read,
    writer,
    survives,
    smallFileBytes,
    counts,
  })
  return [...kept, ...(await writer.close())].sort((a, b) => (a.minKey < b.minKey ? -1 : 1))
}

function groupByPartition(files: readonly DataFile[]): Map<string, DataFile[]> {
  const groups = new Map<string, DataFile[]>()
  for (const file of files) {
    const group = groups.get(file.partition) ?? []
    groups.set(file.partition, group)
    group.push(file)
  }
  return groups
}

/** Changes by the partition that they concern, in key order. Held in memory. */
async function route(
  changes: AsyncIterable<readonly NetChange[]>,
  partitionBy: PartitionBy,
  groups: ReadonlyMap<string, readonly DataFile[]>,
  options: TableMergeOptions,
): Promise<Map<string, PartitionChange[]>> {
  const all: NetChange[] = []
  for await (const part of changes) all.push(...part)
  if (all.length === 0) return new Map()
  const column = partitionColumn(partitionBy, options.schema)
  const place = options.schema.columns.indexOf(column)
  const found = await findRows(
    all.filter(change => change.kind === 'patch'),
    groups,
    options,
  )
  const routed = new Map<string, PartitionChange[]>()
  const send = (partition: string, change: PartitionChange): void => {
    const group = routed.get(partition) ?? []
    routed.set(partition, group)
    group.push(change)
  }
  for (const change of all) {
    const whole = completed(change, found.get(change.key) ?? null, options.schema)
    const leaves = candidates(change, groups)
    const value = whole.kind === 'delete' ? null : alignValues(whole, options.schema)[place]!
    const target = whole.kind === 'delete' ? null : partitionOf(partitionBy, column, value)
    if (target !== null) send(target, { change: whole, isMove: false })
    for (const partition of leaves) {
      if (partition === target) continue
      const leaving = { ...change, kind: 'delete' as const, row: null }
      send(partition, { change: leaving, isMove: target !== null })
    }
  }
  return routed
}

/** A patch as the whole row that it makes, so that it can move with all that is kept. */
function completed(change: NetChange, row: StoredRow | null, schema: TableSchema): NetChange {
  if (change.kind !== 'patch') return change
  const { values } = apply(row, change, schema)!
  return { ...change, kind: 'upsert', row: values, schema }
}

/** The partitions that may hold the row now. */
function candidates(
  change: NetChange,
  groups: ReadonlyMap<string, readonly DataFile[]>,
): readonly string[] {
  // A patch says nothing of where its row is: it has to be found in any case.
  if (change.leaves !== 'unknown' && change.kind !== 'patch') return change.leaves
  return [...groups].flatMap(([partition, files]) =>
    files.some(file => covers(file, change.key)) ? [partition] : [],
  )
}

async function findRows(
  patches: readonly NetChange[],
  groups: ReadonlyMap<string, readonly DataFile[]>,
  { read, survives }: TableMergeOptions,
): Promise<Map<string, StoredRow>> {
  const found = new Map<string, StoredRow>()
  if (patches.length === 0) return found
  const keys = new Set(patches.map(patch => patch.key))
  for (const file of [...groups.values()].flat()) {
    if (!patches.some(patch => covers(file, patch.key))) continue
    for await (const rows of read(file)) {
      for (const row of rows) {
        // A row that a truncate undoes has nothing that a patch could keep.
        if (keys.has(row.key) && (survives?.(row) ?? true)) found.set(row.key, row)
      }
    }
  }
  return found
}

function covers(file: DataFile, key: string): boolean {
  return file.minKey <= key && key <= file.maxKey
}

async function* mapChanges(
  changes: AsyncIterable<readonly NetChange[]>,
): AsyncGenerator<readonly PartitionChange[]> {
  for await (const part of changes) yield part.map(change => ({ change, isMove: false }))
}

async function* once<T>(value: T): AsyncGenerator<T> {
  await Promise.resolve()
  yield value
}
