/**
 * Applies net changes to all files of a table. Without partitions the changes stream through; with
 * them each change is sent to the partitions that it concerns: the row's new one, and those that it
 * may be leaving.
 *
 * What a change says of where its row was (`leaves`) is where the source had it. The table may have it
 * elsewhere: a change between was skipped or filtered, a transform changed the column, the column's
 * type was altered. So a row that is not found where it should be is looked for in all partitions.
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
  /** Rows that were not where their change said, and were looked for by key. */
  readonly searched: number
  /** Written on the way and written anew: no commit names them. */
  readonly discarded: readonly DataFile[]
}

export async function mergeTable(
  changes: AsyncIterable<readonly NetChange[]>,
  options: TableMergeOptions,
): Promise<TableMergeResult> {
  const counts: MergeCounts = { inserted: 0, updated: 0, deleted: 0, moved: 0 }
  const groups = groupByPartition(options.files)
  if (options.partitionBy === null) {
    const own = groups.get('') ?? []
    const files = await mergeOne('', mapChanges(changes), own, { ...options, found: null }, counts)
    return result(files, counts)
  }
  const { routed, hinted } = await route(changes, options.partitionBy, groups, options)
  const found = new Set<string>()
  const merged = new Map<string, readonly DataFile[]>()
  for (const partition of [...new Set([...groups.keys(), ...routed.keys()])].sort()) {
    const own = groups.get(partition) ?? []
    const parts = routed.get(partition)
    const isUntouched = parts === undefined && options.survives === null
    merged.set(
      partition,
      isUntouched
        ? own
        : await mergeOne(partition, once(parts ?? []), own, { ...options, found }, counts),
    )
  }
  const missed = hinted.filter(({ change }) => !found.has(change.key))
  const search = await searchMissed(missed, merged, options, counts)
  return result([...merged.values()].flat(), counts, search)
}

function result(
  files: readonly DataFile[],
  counts: MergeCounts,
  search: Pick<TableMergeResult, 'searched' | 'discarded'> = { searched: 0, discarded: [] },
): TableMergeResult {
  // A row that moved was deleted where it was and inserted where it is: one row changed.
  const { moved, deleted } = counts
  return {
    files,
    inserted: counts.inserted - moved,
    updated: counts.updated + moved,
    deleted,
    ...search,
  }
}

/** A change that says where its row was, and the partitions that were looked into for that. */
interface HintedChange {
  readonly change: NetChange
  readonly tried: readonly string[]
}

/**
 * Looks for rows in all partitions but those that were tried, and takes them out. `merged` are the
 * files after all else is done, by partition; it is brought up to date.
 */
async function searchMissed(
  missed: readonly HintedChange[],
  merged: Map<string, readonly DataFile[]>,
  options: TableMergeOptions,
  counts: MergeCounts,
): Promise<Pick<TableMergeResult, 'searched' | 'discarded'>> {
  const routed = new Map<string, PartitionChange[]>()
  let searched = 0
  for (const { change, tried } of missed) {
    const places = candidates(change.key, merged).filter(place => !tried.includes(place))
    if (places.length > 0) searched += 1
    for (const partition of places) sendTo(routed, partition, leaving(change))
  }
  const discarded: DataFile[] = []
  for (const [partition, parts] of routed) {
    const own = merged.get(partition)!
    // Rows that a truncate undid are gone by now.
    const rest = { ...options, survives: null, found: null }
    const files = await mergeOne(partition, once(parts), own, rest, counts)
    merged.set(partition, files)
    discarded.push(...own.filter(file => !files.includes(file) && !options.files.includes(file)))
  }
  return { searched, discarded }
}

function sendTo(
  routed: Map<string, PartitionChange[]>,
  partition: string,
  change: PartitionChange,
): void {
  const group = routed.get(partition) ?? []
  routed.set(partition, group)
  group.push(change)
}

/** What a change does where its row is not to be any more. */
function leaving(change: NetChange): PartitionChange {
  const isMove = change.kind !== 'delete'
  return { change: { ...change, kind: 'delete', row: null }, isMove }
}

async function mergeOne(
  partition: string,
  changes: AsyncIterable<readonly PartitionChange[]>,
  files: readonly DataFile[],
  options: TableMergeOptions & { readonly found: Set<string> | null },
  counts: MergeCounts,
): Promise<readonly DataFile[]> {
  const { schema, read, smallFileBytes, survives, found } = options
  const writer = options.writerFor(partition)
  const kept = await mergePartition(changes, {
    files,
    schema,
    read,
    writer,
    survives,
    smallFileBytes,
    counts,
    found,
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
): Promise<{ readonly routed: Map<string, PartitionChange[]>; readonly hinted: HintedChange[] }> {
  const all: NetChange[] = []
  for await (const part of changes) all.push(...part)
  const routed = new Map<string, PartitionChange[]>()
  const hinted: HintedChange[] = []
  if (all.length === 0) return { routed, hinted }
  const column = partitionColumn(partitionBy, options.schema)
  const place = options.schema.columns.indexOf(column)
  const patches = all.filter(({ kind }) => kind === 'patch')
  const found = await findRows(new Set(patches.map(({ key }) => key)), options)
  for (const change of all) {
    const whole = completed(change, found.get(change.key) ?? null, options.schema)
    // A patch says nothing of where its row is: it has to be found in any case.
    const isHinted = change.leaves !== 'unknown' && change.kind !== 'patch'
    const leaves = isHinted ? (change.leaves as readonly string[]) : candidates(change.key, groups)
    const value = whole.kind === 'delete' ? null : alignValues(whole, options.schema)[place]!
    const target = whole.kind === 'delete' ? [] : [partitionOf(partitionBy, column, value)]
    for (const partition of target) sendTo(routed, partition, { change: whole, isMove: false })
    for (const partition of leaves) {
      if (!target.includes(partition)) sendTo(routed, partition, leaving(change))
    }
    if (isHinted) hinted.push({ change, tried: [...leaves, ...target] })
  }
  return { routed, hinted }
}

/** A patch as the whole row that it makes, so that it can move with all that is kept. */
export function completed(
  change: NetChange,
  row: StoredRow | null,
  schema: TableSchema,
): NetChange {
  if (change.kind !== 'patch') return change
  const { values } = apply(row, change, schema)!
  return { ...change, kind: 'upsert', row: values, schema }
}

/** The partitions that may hold the row of the key, by the key ranges of their files. */
function candidates(
  key: string,
  groups: ReadonlyMap<string, readonly DataFile[]>,
): readonly string[] {
  return [...groups].flatMap(([partition, files]) =>
    files.some(file => covers(file, key)) ? [partition] : [],
  )
}

/** The rows of the table under these keys. */
export async function findRows(
  keys: ReadonlySet<string>,
  { files, read, survives }: Pick<TableMergeOptions, 'files' | 'read' | 'survives'>,
): Promise<Map<string, StoredRow>> {
  const found = new Map<string, StoredRow>()
  for (const file of files) {
    if (!keys.values().some(key => covers(file, key))) continue
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
