/**
 * The commits of an embedded table. One file a commit, `_commits/<number>.json`, names all data files
 * of the table as of then, its schema, and how far it is applied: reading the newest one is reading
 * the table. A commit is made by giving a finished file its name, which fails when the number is
 * taken: two writers cannot both make it, and no reader ever sees half of one.
 */
import { join } from 'node:path'
import { StateError, WarehouseError } from '../../model/errors.ts'
import { fromJson, toJson } from '../../model/json.ts'
import type { PartitionBy } from '../../model/partition-by.ts'
import type { TruncatePoint } from '../../model/position.ts'
import type { FollowedSchema } from '../../model/schema-change.ts'
import type { TableSchema } from '../../model/table-schema.ts'
import { internSchema } from '../../model/table-schema.ts'
import type { FileSystem } from '../../runtime/file-system.ts'
import { writeWholeFile } from '../../runtime/file-system.ts'
import type { AppliedThrough } from '../warehouse.ts'

/** An ORC file. Within a partition the files have disjoint key ranges, in order. */
export interface DataFile {
  /** Relative to the folder of the table. */
  readonly path: string
  /** Name of the partition; empty in a table without partitions. */
  readonly partition: string
  readonly rowCount: number
  readonly sizeBytes: number
  /** Canonical keys of the first and the last row. */
  readonly minKey: string
  readonly maxKey: string
  /** Which of `fileSchemas` the file was written with. */
  readonly schema: number
}

export interface TableCommit {
  readonly number: number
  readonly table: string
  readonly applied: AppliedThrough
  /** Of the merger that made it. */
  readonly token: number
  readonly schema: TableSchema
  /** What else is known of its columns. Commits of versions before have none. */
  readonly followed?: Omit<FollowedSchema, 'schema'>
  readonly fileSchemas: readonly TableSchema[]
  readonly partitionBy: PartitionBy | null
  readonly files: readonly DataFile[]
  /** The newest truncate that is known by its point: rows from before it are gone for good. */
  readonly truncatedAt: TruncatePoint | null
  /** Files that left the table and stay for readers of older commits, with the time they left. */
  readonly removed: readonly { readonly path: string; readonly atMs: number }[]
}

const version = 1
export const commitsFolder = '_commits'
/** Older commits that stay, to look at. */
const keptCommits = 10

export class CommitLog {
  readonly #fileSystem: FileSystem
  readonly #folder: string

  /** `folder` is the table's. */
  constructor(fileSystem: FileSystem, folder: string) {
    this.#fileSystem = fileSystem
    this.#folder = join(folder, commitsFolder)
  }

  /** Null when there is no table. WarehouseError `warehouse-unreadable` when it is damaged. */
  async latest(): Promise<TableCommit | null> {
    for (let attempt = 0; ; attempt += 1) {
      const newest = (await this.#numbers()).at(-1)
      if (newest === undefined) return null
      // The name may be seen before it is durable. What was read must not be lost later.
      await this.#fileSystem.syncDirectory(this.#folder)
      const path = this.#path(newest)
      try {
        return parse(await this.#fileSystem.readFile(path), path)
      } catch (error) {
        // The writer removes old commits: one that is gone has a successor.
        const isGone = (await this.#fileSystem.stat(path)) === null
        if (!(error instanceof StateError) || !isGone || attempt >= 100) throw error
      }
    }
  }

  /**
   * False when the number is taken: another writer made it. `attempt` is like no other writer's: else
   * one could give the number to what another is still writing.
   */
  async append(commit: TableCommit, attempt: string): Promise<boolean> {
    await this.#fileSystem.makeDirectory(this.#folder)
    const path = this.#path(commit.number)
    const temporary = `${path}.${attempt}.tmp`
    await writeWholeFile(this.#fileSystem, temporary, Buffer.from(format(commit)))
    const isOurs = await this.#fileSystem.linkNew(temporary, path)
    await this.#fileSystem.syncDirectory(this.#folder)
    await this.#fileSystem.remove(temporary)
    return isOurs
  }

  /** Removes commits that nobody needs, and what a crash left. */
  async prune(current: number): Promise<void> {
    for (const number of await this.#numbers()) {
      if (number <= current - keptCommits) await this.#fileSystem.remove(this.#path(number))
    }
  }

  async sweep(): Promise<void> {
    const names = await this.#fileSystem.list(this.#folder)
    for (const name of names.filter(found => found.endsWith('.tmp'))) {
      await this.#fileSystem.remove(join(this.#folder, name))
    }
  }

  async #numbers(): Promise<number[]> {
    const names = await this.#fileSystem.list(this.#folder)
    return names.flatMap(name => {
      const match = /^(\d{20})\.json$/.exec(name)
      return match === null ? [] : [Number(match[1])]
    })
  }

  #path(number: number): string {
    return join(this.#folder, `${String(number).padStart(20, '0')}.json`)
  }
}

function format(commit: TableCommit): string {
  const files = commit.files.map(file => ({
    ...file,
    minKey: Buffer.from(file.minKey, 'latin1').toString('base64'),
    maxKey: Buffer.from(file.maxKey, 'latin1').toString('base64'),
  }))
  return `${toJson({ version, ...commit, files }, 1)}\n`
}

function parse(bytes: Buffer, path: string): TableCommit {
  let found: TableCommit & { readonly version: number }
  try {
    found = fromJson(bytes.toString('utf8')) as typeof found
  } catch (cause) {
    throw unreadable(path, 'it is not JSON', cause)
  }
  const { version: written, ...commit } = found
  if (written !== version) throw unreadable(path, `it has version ${written}, known is ${version}`)
  return {
    ...commit,
    schema: internSchema(commit.schema),
    fileSchemas: commit.fileSchemas.map(internSchema),
    files: commit.files.map(file => ({
      ...file,
      minKey: Buffer.from(file.minKey, 'base64').toString('latin1'),
      maxKey: Buffer.from(file.maxKey, 'base64').toString('latin1'),
    })),
  }
}

function unreadable(path: string, why: string, cause?: unknown): WarehouseError {
  return new WarehouseError('warehouse-unreadable', `cannot read the commit ${path}: ${why}`, {
    context: { file: path },
    cause,
  })
}
