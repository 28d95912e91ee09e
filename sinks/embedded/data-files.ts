/**
 * Reading and writing the data files of an embedded table. A file holds the columns of the schema that
 * it was written with and, behind them, Forager's own; rows are in key order. A reader sees every file
 * under the table's schema: a column that is newer than the file has what the source gave its old
 * rows, a column that was widened is read as the wider type.
 */
import { dirname, join } from 'node:path'
import type { ColumnType } from '../../model/column-type.ts'
import { assert } from '../../model/errors.ts'
import { encodeKey } from '../../model/key.ts'
import type { ChangeMark } from '../../model/net-change.ts'
import type { Column, TableSchema } from '../../model/table-schema.ts'
import { keyColumns } from '../../model/table-schema.ts'
import type { Value } from '../../model/value.ts'
import { widenValue } from '../../model/widening.ts'
import type { OrcStructType, OrcValue } from '../../orc/index.ts'
import type { FileSystem } from '../../runtime/file-system.ts'
import { shortName } from '../file-names.ts'
import { localStagingFiles } from '../local-staging-files.ts'
import { OrcFileWriter, readOrcRows } from '../orc-files.ts'
import { orcTypeOf } from '../orc-types.ts'
import type { DataFile } from './commit-log.ts'

/** Forager's own columns: where the row's last change came from. */
export const metaColumns: readonly { readonly name: string; readonly type: ColumnType }[] = [
  { name: '_forager_position', type: { kind: 'string' } },
  { name: '_forager_source_time', type: { kind: 'timestamptz' } },
]

/** A row of the table as it is: its canonical key and its values under the table's schema. */
export interface StoredRow {
  readonly key: string
  readonly values: readonly Value[]
  readonly mark: ChangeMark
}

/** About how large a data file becomes; the last one of a partition is smaller. */
export interface FileLimits {
  readonly targetBytes: number
  readonly targetRows: number
}

export async function* readDataFile(
  fileSystem: FileSystem,
  folder: string,
  file: DataFile,
  fileSchema: TableSchema,
  schema: TableSchema,
): AsyncGenerator<readonly StoredRow[]> {
  const keys = keyColumns(fileSchema)
  const keyPlaces = keys.map(column => fileSchema.columns.indexOf(column))
  const read = fileSchema === schema ? null : rowReader(fileSchema, schema)
  const width = fileSchema.columns.length
  for await (const rows of readOrcRows(localStagingFiles(fileSystem), join(folder, file.path))) {
    yield rows.map(row => {
      const values = row as readonly Value[]
      const key = encodeKey(
        keys,
        keyPlaces.map(place => values[place]!),
      )
      const sourceMs = Number(values[width + 1]) / 1000
      const mark = { position: String(values[width] ?? ''), sourceMs }
      return { key, values: read === null ? values.slice(0, width) : read(values), mark }
    })
  }
}

/** A row of the file as the table has it. */
function rowReader(
  fileSchema: TableSchema,
  schema: TableSchema,
): (row: readonly Value[]) => readonly Value[] {
  const readers = schema.columns.map((column): ((row: readonly Value[]) => Value) => {
    const place = fileSchema.columns.findIndex(({ id }) => id === column.id)
    if (place < 0) {
      const initial = column.initialDefault ?? null
      return () => initial
    }
    const { type } = fileSchema.columns[place]!
    if (type === column.type) return row => row[place]!
    return row => widenValue(row[place]!, type, column.type)
  })
  return row => readers.map(read => read(row))
}

interface OpenFile {
  readonly file: OrcFileWriter
  readonly path: string
  readonly minKey: string
  maxKey: string
}

/** Writes rows that come in key order to as many files as they need. */
export class DataFileWriter {
  readonly #fileSystem: FileSystem
  readonly #folder: string
  readonly #limits: FileLimits
  readonly #nextName: () => string
  readonly #schema: TableSchema
  readonly #schemaNumber: number
  readonly #written: DataFile[] = []
  readonly #partition: string
  /** For errors. */
  readonly #place: { readonly file: string }
  #open: OpenFile | null = null
  #lastKey = ''

  constructor(options: {
    fileSystem: FileSystem
    folder: string
    limits: FileLimits
    nextName: () => string
    schema: TableSchema
    schemaNumber: number
    partition: string
  }) {
    this.#fileSystem = options.fileSystem
    this.#folder = options.folder
    this.#limits = options.limits
    this.#nextName = options.nextName
    this.#schema = options.schema
    this.#schemaNumber = options.schemaNumber
    this.#partition = options.partition
    this.#place = { file: join(this.#folder, 'data', this.#partition) }
  }

  /** A promise when the row has to wait for the disk: await it before the next one. */
  write(row: StoredRow): Promise<void> | undefined {
    assert(row.key > this.#lastKey, 'two rows of one key, or out of order', this.#place)
    this.#lastKey = row.key
    if (this.#open === null) return this.#start(row)
    return this.#append(this.#open, row)
  }

  /** Ends the open file: a file that stays as it is lies behind it. */
  async cut(): Promise<void> {
    if (this.#open === null) return
    const { file, path, minKey, maxKey } = this.#open
    this.#open = null
    const { sizeBytes, rowCount } = await file.close()
    this.#written.push({
      path,
      partition: this.#partition,
      rowCount,
      sizeBytes,
      minKey,
      maxKey,
      schema: this.#schemaNumber,
    })
  }

  /** The files, durable with their names. */
  async close(): Promise<readonly DataFile[]> {
    await this.cut()
    const folders = new Set(this.#written.map(file => dirname(join(this.#folder, file.path))))
    for (const folder of folders) await this.#fileSystem.syncDirectory(folder)
    return this.#written
  }

  async #start(row: StoredRow): Promise<void> {
    const path = join('data', shortName(this.#partition), `${this.#nextName()}.orc`)
    await this.#fileSystem.makeDirectory(dirname(join(this.#folder, path)))
    const type = fileType(this.#schema.columns)
    const files = localStagingFiles(this.#fileSystem)
    const file = await OrcFileWriter.create(files, join(this.#folder, path), type)
    this.#open = { file, path, minKey: row.key, maxKey: row.key }
    await this.#append(this.#open, row)
  }

  #append(open: OpenFile, { key, values, mark }: StoredRow): Promise<void> | undefined {
    open.maxKey = key
    const row: OrcValue[] = [...values, mark.position, mark.sourceMs * 1000]
    const isStripeFull = open.file.writeRow(row)
    if (isStripeFull || open.file.rowCount >= this.#limits.targetRows) return this.#flush(open)
    return undefined
  }

  async #flush({ file }: OpenFile): Promise<void> {
    await file.flush()
    const isFull =
      file.sizeBytes >= this.#limits.targetBytes || file.rowCount >= this.#limits.targetRows
    if (isFull) await this.cut()
  }
}

function fileType(columns: readonly Column[]): OrcStructType {
  const fields = [...columns, ...metaColumns].map(({ name, type }) => {
    return { name, type: orcTypeOf(type) }
  })
  return { kind: 'struct', fields }
}
