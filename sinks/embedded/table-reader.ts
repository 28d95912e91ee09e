/** Reading an embedded table as of its newest commit, in key order, while others write it. */
import { WarehouseError } from '../../model/errors.ts'
import type { TableSchema } from '../../model/table-schema.ts'
import type { FileSystem } from '../../runtime/file-system.ts'
import type { DataFile, TableCommit } from './commit-log.ts'
import { CommitLog } from './commit-log.ts'
import type { StoredRow } from './data-files.ts'
import { readDataFile } from './data-files.ts'
import { tableFolder } from './table-folders.ts'

export interface EmbeddedTable {
  readonly commit: TableCommit
  readonly schema: TableSchema
  readonly rowCount: number
  readonly sizeBytes: number
  /** All rows in key order, under the table's schema. */
  readonly rows: () => AsyncIterable<readonly StoredRow[]>
}

/** WarehouseError `table-not-found` when there is none. */
export async function openTable(
  fileSystem: FileSystem,
  root: string,
  table: string,
): Promise<EmbeddedTable> {
  const folder = tableFolder(root, table)
  const commit = await new CommitLog(fileSystem, folder).latest()
  if (commit === null) {
    throw new WarehouseError('table-not-found', `there is no table ${table}`, {
      context: { table, file: folder },
    })
  }
  return {
    commit,
    schema: commit.schema,
    rowCount: commit.files.reduce((sum, file) => sum + file.rowCount, 0),
    sizeBytes: commit.files.reduce((sum, file) => sum + file.sizeBytes, 0),
    rows: () => mergeByKey(partitionStreams(fileSystem, folder, commit)),
  }
}

/** Within a partition the files follow each other; across partitions the keys interleave. */
function partitionStreams(
  fileSystem: FileSystem,
  folder: string,
  commit: TableCommit,
): AsyncIterator<readonly StoredRow[]>[] {
  const partitions = new Map<string, DataFile[]>()
  for (const file of commit.files) {
    const files = partitions.get(file.partition) ?? []
    partitions.set(file.partition, files)
    files.push(file)
  }
  return [...partitions.values()].map(files => {
    const ordered = files.toSorted((a, b) => (a.minKey < b.minKey ? -1 : 1))
    return readInTurn(fileSystem, folder, ordered, commit)
  })
}

async function* readInTurn(
  fileSystem: FileSystem,
  folder: string,
  files: readonly DataFile[],
  { fileSchemas, schema }: TableCommit,
): AsyncGenerator<readonly StoredRow[]> {
  for (const file of files) {
    yield* readDataFile(fileSystem, folder, file, fileSchemas[file.schema]!, schema)
  }
}

async function* mergeByKey(
  streams: readonly AsyncIterator<readonly StoredRow[]>[],
): AsyncGenerator<readonly StoredRow[]> {
  const heads = await Promise.all(
    streams.map(async stream => ({ stream, rows: await nextRows(stream), index: 0 })),
  )
  for (;;) {
    const open = heads.filter(head => head.rows.length > 0)
    const [first, second] = open.toSorted((a, b) =>
      a.rows[a.index]!.key < b.rows[b.index]!.key ? -1 : 1,
    )
    if (first === undefined) return
    // All rows of the least stream that come before the next stream's first one.
    const bound = second?.rows[second.index]?.key
    const start = first.index
    do first.index += 1
    while (
      first.index < first.rows.length &&
      (bound === undefined || first.rows[first.index]!.key < bound)
    )
    yield first.rows.slice(start, first.index)
    if (first.index < first.rows.length) continue
    first.rows = await nextRows(first.stream)
    first.index = 0
  }
}

async function nextRows(
  stream: AsyncIterator<readonly StoredRow[]>,
): Promise<readonly StoredRow[]> {
  for (;;) {
    const next = await stream.next()
    if (next.done === true) return []
    if (next.value.length > 0) return next.value
  }
}
