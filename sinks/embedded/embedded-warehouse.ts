/**
 * Tables in a local folder, without any server: ORC files and a log of commits a table
 * (`commit-log.ts`). An apply writes the files that change anew, then makes one commit that names all
 * files and the staged offset that they are applied through: data and progress in one atomic step.
 */
import { basename, join } from 'node:path'
import type { ReachPoint } from '../../model/crash-points.ts'
import { assert, StateError, WarehouseError } from '../../model/errors.ts'
import type { NetChange } from '../../model/net-change.ts'
import { partitionByText } from '../../model/partition-by.ts'
import type { TruncatePoint } from '../../model/position.ts'
import { isBeforeTruncate, newerTruncate } from '../../model/position.ts'
import { followedFrom } from '../../model/schema-change.ts'
import type { ApplyReceipt } from '../../model/staged-batch.ts'
import type { TableSchema } from '../../model/table-schema.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { FileSystem } from '../../runtime/file-system.ts'
import type { Random } from '../../runtime/random.ts'
import type {
  ApplyRequest,
  DescribedChanges,
  FailedChange,
  OpenedTable,
  Warehouse,
} from '../warehouse.ts'
import type { DataFile, TableCommit } from './commit-log.ts'
import { CommitLog } from './commit-log.ts'
import type { StoredRow } from './data-files.ts'
import { DataFileWriter, readDataFile } from './data-files.ts'
import { withOldRows } from './old-rows.ts'
import { tableFolder } from './table-folders.ts'
import { mergeTable } from './table-merge.ts'

export interface EmbeddedWarehouseOptions {
  readonly fileSystem: FileSystem
  readonly clock: Clock
  readonly random: Random
  readonly root: string
  /** About how large a data file becomes. */
  readonly targetFileBytes?: number
  readonly targetFileRows?: number
  /** How long files stay that left a table, for readers that began before. */
  readonly retainMs?: number
  readonly reach: ReachPoint
}

const defaultTargetFileBytes = 64 * 1024 * 1024
const defaultTargetFileRows = 1_000_000
const defaultRetainMs = 60_000

/** Of work without a turn for others. */
const maxSliceMs = 50

const alreadyApplied: ApplyReceipt = {
  outcome: 'already-applied',
  rowsInserted: 0,
  rowsUpdated: 0,
  rowsDeleted: 0,
  rowsSearched: 0,
}

export class EmbeddedWarehouse implements Warehouse {
  readonly name: string
  readonly isRemote = false
  readonly keeps = null
  readonly parallel = 1
  readonly #options: EmbeddedWarehouseOptions
  /** The newest commit of each table that was opened; null before its first. */
  readonly #tables = new Map<string, TableCommit | null>()
  /** Data files without a commit that an owner before may still commit, as paths in the table's folder. */
  readonly #doubtful = new Map<string, readonly string[]>()

  constructor(options: EmbeddedWarehouseOptions) {
    this.#options = options
    this.name = `embedded:${options.root}`
  }

  async open(table: string): Promise<OpenedTable | null> {
    const log = this.#log(table)
    const commit = await log.latest()
    await log.sweep()
    this.#doubtful.set(table, await this.#sweep(table, commit))
    this.#tables.set(table, commit)
    return openedOf(commit)
  }

  async look(table: string): Promise<OpenedTable | null> {
    return openedOf(await this.#log(table).latest())
  }

  /** The columns are part of what an apply commits. */
  evolve(): Promise<readonly FailedChange[]> {
    return Promise.resolve([])
  }

  describeChanges(): DescribedChanges {
    return { statements: [], impossible: [] }
  }

  /** There is nothing to execute: the first commit is the table. */
  describeTable(): readonly string[] {
    return []
  }

  async apply(request: ApplyRequest): Promise<ApplyReceipt> {
    const { table, through, token } = request
    const before = this.#tables.get(table)
    assert(before !== undefined, 'a table is applied to before it was opened', { table })
    const applied = before?.applied ?? null
    if (applied?.topicId === through.topicId && through.offset <= applied.offset) {
      return alreadyApplied
    }
    assert(request.after?.offset === applied?.offset, 'an apply does not follow the one before', {
      table,
    })
    if (before !== null && token < before.token) {
      throw new StateError('task-fenced', `the table has a merger with token ${before.token}`, {
        context: { table },
      })
    }
    const { commit, receipt } = await this.#merge(request, before)
    this.#options.reach('apply.files-written')
    if (!(await this.#log(table).append(commit, this.#options.random.id()))) {
      throw new WarehouseError('warehouse-conflict', `commit ${commit.number} exists already`, {
        context: { table },
      })
    }
    this.#options.reach('apply.committed')
    this.#tables.set(table, commit)
    await this.#removeExpired(table, before, commit)
    await this.#removeDoubtful(table, commit)
    return receipt
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  async #merge(
    request: ApplyRequest,
    before: TableCommit | null,
  ): Promise<{ commit: TableCommit; receipt: ApplyReceipt }> {
    const { schema, ...followed } = request.followed
    const partitionBy = before === null ? request.partitionBy : samePartitions(request, before)
    const fileSchemas = [...new Set([...(before?.fileSchemas ?? []), schema])]
    const number = (before?.number ?? 0) + 1
    const folder = this.#folder(request.table)
    const { truncate } = request
    const files = truncate === 'all' ? [] : (before?.files ?? [])
    const known = before?.truncatedAt ?? null
    const truncatedAt = typeof truncate === 'string' ? known : newest(known, truncate)
    let name = 0
    const nextName = (): string => `${number}-${name++}-${this.#options.random.id().slice(0, 8)}`
    const given = withoutTruncated(request.changes, truncatedAt)
    const read = (file: DataFile) => this.#read(folder, file, fileSchemas, schema)
    // The table was freed of rows from before the truncate that it knows already.
    const survives =
      truncatedAt === null || truncatedAt === known
        ? null
        : (row: StoredRow) => !isBeforeTruncate(row.mark, truncatedAt)
    const reading = { files, schema, read, survives }
    const changes = withOldRows(given, reading, request.oldRows)
    const merged = await mergeTable(changes, {
      ...reading,
      partitionBy,
      smallFileBytes: this.#targetBytes() / 8,
      writerFor: partition =>
        new DataFileWriter({
          fileSystem: this.#options.fileSystem,
          folder,
          limits: {
            targetBytes: this.#targetBytes(),
            targetRows: this.#options.targetFileRows ?? defaultTargetFileRows,
          },
          nextName,
          schema,
          schemaNumber: fileSchemas.indexOf(schema),
          partition,
        }),
    })
    for (const { path } of merged.discarded) {
      await this.#options.fileSystem.remove(join(folder, path))
    }
    const commit = compactSchemas({
      number,
      table: request.table,
      applied: request.through,
      token: request.token,
      schema,
      followed,
      fileSchemas,
      partitionBy,
      files: merged.files,
      truncatedAt,
      removed: this.#removed(before, merged.files),
    })
    const truncated = truncate === 'all' ? rowsIn(before?.files ?? []) : 0
    const receipt = {
      outcome: 'applied' as const,
      rowsInserted: merged.inserted,
      rowsUpdated: merged.updated,
      rowsDeleted: merged.deleted + truncated,
      rowsSearched: merged.searched,
    }
    return { commit, receipt }
  }

  async *#read(
    folder: string,
    file: DataFile,
    fileSchemas: readonly TableSchema[],
    schema: TableSchema,
  ): AsyncGenerator<readonly StoredRow[]> {
    const { fileSystem, clock } = this.#options
    const own = fileSchemas[file.schema]!
    let sliceStart = clock.monotonic()
    for await (const rows of readDataFile(fileSystem, folder, file, own, schema)) {
      yield rows
      // Few changes may rewrite a large table: heartbeats get their turn between its rows.
      if (clock.monotonic() - sliceStart < maxSliceMs) continue
      await clock.yield()
      sliceStart = clock.monotonic()
    }
  }

  /** Files that left the table just now, and those that left it not long ago. */
  #removed(before: TableCommit | null, files: readonly DataFile[]): TableCommit['removed'] {
    if (before === null) return []
    const now = this.#options.clock.now()
    const retainMs = this.#options.retainMs ?? defaultRetainMs
    const kept = new Set(files.map(file => file.path))
    const left = before.files.filter(file => !kept.has(file.path))
    return [
      ...before.removed.filter(({ atMs }) => now - atMs < retainMs),
      ...left.map(({ path }) => ({ path, atMs: now })),
    ]
  }

  async #removeExpired(
    table: string,
    before: TableCommit | null,
    commit: TableCommit,
  ): Promise<void> {
    const retained = new Set(commit.removed.map(file => file.path))
    const expired = (before?.removed ?? []).filter(file => !retained.has(file.path))
    for (const { path } of expired) {
      await this.#options.fileSystem.remove(join(this.#folder(table), path))
    }
    await this.#log(table).prune(commit.number)
  }

  /**
   * Removes data files that no commit names: an owner before wrote them and did not commit. A file
   * begins with the number of the commit that it is for. While that number is free the owner may only
   * have been slow, and would commit files that are gone: they stay until the number is taken. Resolves
   * to the paths of these.
   */
  async #sweep(table: string, commit: TableCommit | null): Promise<readonly string[]> {
    const { fileSystem } = this.#options
    const named = new Set([...(commit?.files ?? []), ...(commit?.removed ?? [])].map(f => f.path))
    const folder = this.#folder(table)
    const found = await dataFilesIn(fileSystem, join(folder, 'data'))
    const unnamed = found.map(path => join('data', path)).filter(path => !named.has(path))
    const isDecided = (path: string): boolean => commitNumberOf(path) <= (commit?.number ?? 0)
    for (const path of unnamed.filter(isDecided)) await fileSystem.remove(join(folder, path))
    return unnamed.filter(path => !isDecided(path))
  }

  /** The number is taken by this commit now. */
  async #removeDoubtful(table: string, commit: TableCommit): Promise<void> {
    const doubtful = this.#doubtful.get(table) ?? []
    const isDecided = (path: string): boolean => commitNumberOf(path) <= commit.number
    for (const path of doubtful.filter(isDecided)) {
      await this.#options.fileSystem.remove(join(this.#folder(table), path))
    }
    this.#doubtful.set(
      table,
      doubtful.filter(path => !isDecided(path)),
    )
  }

  #log(table: string): CommitLog {
    return new CommitLog(this.#options.fileSystem, this.#folder(table))
  }

  #folder(table: string): string {
    return tableFolder(this.#options.root, table)
  }

  #targetBytes(): number {
    return this.#options.targetFileBytes ?? defaultTargetFileBytes
  }
}

function openedOf(commit: TableCommit | null): OpenedTable | null {
  if (commit === null) return null
  const { schema, followed = {}, applied } = commit
  const known = { ...followedFrom(schema), ...followed }
  return { through: applied, followed: known, others: new Set() }
}

/** Of the commit that a data file was written for. */
function commitNumberOf(path: string): number {
  return Number(basename(path).split('-')[0])
}

/** Paths of the data files in a folder and in the partitions below it. */
async function dataFilesIn(fileSystem: FileSystem, folder: string): Promise<readonly string[]> {
  const isDataFile = (name: string): boolean => /^\d+-\d+-[0-9a-f]+\.orc$/.test(name)
  const names = await fileSystem.list(folder)
  const found = names.filter(isDataFile)
  for (const partition of names.filter(name => name.includes('='))) {
    const inside = await fileSystem.list(join(folder, partition))
    found.push(...inside.filter(isDataFile).map(name => join(partition, name)))
  }
  return found
}

function samePartitions({ table, partitionBy }: ApplyRequest, before: TableCommit) {
  const [was, is] = [before.partitionBy, partitionBy].map(one =>
    one === null ? 'nothing' : partitionByText(one),
  )
  if (was === is) return before.partitionBy
  throw new WarehouseError(
    'partitioning-changed',
    `the table is partitioned by ${was}, and the configuration says ${is}`,
    { context: { table } },
  )
}

function newest(known: TruncatePoint | null, given: TruncatePoint): TruncatePoint {
  return known === null ? given : newerTruncate(known, given)
}

/** Changes without those that a truncate has undone. */
async function* withoutTruncated(
  changes: AsyncIterable<readonly NetChange[]>,
  truncate: TruncatePoint | null,
): AsyncGenerator<readonly NetChange[]> {
  for await (const part of changes) {
    yield truncate === null ? part : part.filter(({ last }) => !isBeforeTruncate(last, truncate))
  }
}

function rowsIn(files: readonly DataFile[]): number {
  return files.reduce((sum, file) => sum + file.rowCount, 0)
}

/** Schemas that no file has any more are left out. */
function compactSchemas(commit: TableCommit): TableCommit {
  const used = [...new Set(commit.files.map(file => file.schema))].sort((a, b) => a - b)
  return {
    ...commit,
    fileSchemas: used.map(number => commit.fileSchemas[number]!),
    files: commit.files.map(file => ({ ...file, schema: used.indexOf(file.schema) })),
  }
}
