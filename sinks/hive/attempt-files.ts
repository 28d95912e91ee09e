/**
 * The folder of one attempt: `<table>/<token>-<attempt>-<random>/`, with one ORC file that holds what the
 * statement reads (`merge-sql.ts` says which columns). Staged files are never moved: they stay as they are
 * until the table's progress is committed.
 */

import { assert, WarehouseError } from '../../model/errors.ts'
import { decodeKey } from '../../model/key.ts'
import { alignValues, type NetChange } from '../../model/net-change.ts'
import type { PartitionBy } from '../../model/partition-by.ts'
import { partitionColumn, partitionOf, placeOfPartition } from '../../model/partition-by.ts'
import type { Column, TableSchema } from '../../model/table-schema.ts'
import { keyColumns } from '../../model/table-schema.ts'
import type { Value } from '../../model/value.ts'
import type {
  OrcField,
  OrcStructType,
  OrcType,
  OrcValue,
  OrcWriterOptions,
} from '../../orc/index.ts'
import type { Random } from '../../runtime/random.ts'
import { fileNameOf } from '../file-names.ts'
import { OrcFileWriter } from '../orc-files.ts'
import { orcTypeOf } from '../orc-types.ts'
import type { StagingFiles } from '../staging-files.ts'
import type { ApplyRequest } from '../warehouse.ts'
import type { BatchFacts } from './merge-sql.ts'
import { deleteOp, movedOp, oldKeyColumn, patchOp, upsertOp, wholeOp } from './merge-sql.ts'

export interface AttemptName {
  readonly table: string
  readonly token: number
  readonly attempt: number
}

export interface WrittenFile {
  readonly folder: string
  readonly file: string
  readonly sizeBytes: number
  readonly rowCount: number
}

export interface WrittenAttempt extends WrittenFile {
  readonly facts: BatchFacts
  /** Names of key columns that are null in some row. */
  readonly nullKeys: ReadonlySet<string>
}

export interface AttemptContent {
  readonly schema: TableSchema
  readonly partitionBy: PartitionBy | null
  readonly changes: AsyncIterable<readonly NetChange[]>
  /** The table is to hold nothing else: what a patch would keep, or a delete remove, is gone. */
  readonly isWhole: boolean
  /** Where a patch takes values from the row under its old key, as the request says: each row has columns for that. */
  readonly oldRows: ApplyRequest['oldRows']
}

type Compression = NonNullable<OrcWriterOptions['compression']>

const stripeBytes = 8 * 1024 * 1024
const fileName = 'changes.orc'
/** More partitions than these are not listed in the statement. */
const maxListedPlaces = 500

export class AttemptFiles {
  readonly #files: StagingFiles
  readonly #root: string
  readonly #random: Random
  readonly #compression: Compression

  constructor(options: {
    files: StagingFiles
    /** Below the root of staging. */
    root: string
    random: Random
    /** One that the version of Hive reads. */
    compression: Compression
  }) {
    this.#files = options.files
    this.#root = options.root
    this.#random = options.random
    this.#compression = options.compression
  }

  /** Removes folders of lower tokens, and of this token's attempts before. Never one of a higher token. */
  async sweep({ table, token, attempt }: AttemptName): Promise<void> {
    const folder = this.#folderOf(table)
    for (const name of await this.#files.list(folder)) {
      const [itsToken, itsAttempt] = name.split('-').map(Number)
      const isOlder = itsToken! < token || (itsToken === token && itsAttempt! < attempt)
      if (isOlder) await this.#files.remove(`${folder}/${name}`)
    }
  }

  async write(name: AttemptName, content: AttemptContent): Promise<WrittenAttempt> {
    const rows = new AttemptRows(content)
    const written = await this.#write(name, attemptType(content), async writer => {
      if (content.isWhole) writer.writeRow(rows.whole())
      let lastKey = ''
      for await (const part of content.changes) {
        for (const change of part) {
          assert(change.key > lastKey, 'an apply has two rows of one key', { table: name.table })
          lastKey = change.key
          for (const row of rows.of(change)) if (writer.writeRow(row)) await writer.flush()
        }
      }
    })
    const { facts, nullKeys } = rows
    return { ...written, facts, nullKeys }
  }

  /** One row: of each column what rows that are older than it have. */
  async writeDefaults(name: AttemptName, columns: readonly Column[]): Promise<WrittenFile> {
    const type: OrcStructType = { kind: 'struct', fields: columns.map(fieldOf) }
    return await this.#write(name, type, writer => {
      writer.writeRow(columns.map(({ initialDefault }) => initialDefault ?? null))
    })
  }

  /** Whether it is still there as it was written. */
  async isWhole({ file, sizeBytes }: WrittenFile): Promise<boolean> {
    return (await this.#files.stat(file))?.sizeBytes === sizeBytes
  }

  async remove({ folder }: WrittenFile): Promise<void> {
    await this.#files.remove(folder)
  }

  locationOf({ folder }: WrittenFile): string {
    return this.#files.locationOf(folder)
  }

  async #write(
    name: AttemptName,
    type: OrcStructType,
    writeRows: (writer: OrcFileWriter) => void | Promise<void>,
  ): Promise<WrittenFile> {
    const { token, attempt } = name
    const parent = this.#folderOf(name.table)
    // A request that is late must never make a folder again that another attempt has.
    const folder = `${parent}/${token}-${attempt}-${this.#random.id().slice(0, 8)}`
    const file = `${folder}/${fileName}`
    await this.#files.makeDirectory(folder)
    const writer = await OrcFileWriter.create(this.#files, file, type, {
      stripeBytes,
      compression: this.#compression,
      dictionaryThreshold: 0,
    })
    try {
      await writeRows(writer)
      const { sizeBytes, rowCount } = await writer.close()
      await this.#files.syncDirectory(folder)
      await this.#files.syncDirectory(parent)
      return { folder, file, sizeBytes, rowCount }
    } catch (error) {
      await writer.abort()
      throw error
    }
  }

  #folderOf(table: string): string {
    return `${this.#root}/${fileNameOf(table)}`
  }
}

function attemptType({ schema, oldRows }: AttemptContent): OrcStructType {
  const oldKeys = oldRows === undefined ? [] : keyColumns(schema)
  return {
    kind: 'struct',
    fields: [
      { name: '__forager_op', type: { kind: 'byte' } },
      { name: '__forager_sent', type: { kind: 'string' } },
      { name: '__forager_search', type: { kind: 'boolean' } },
      { name: '__forager_place', type: { kind: 'string' } },
      ...schema.columns.map(fieldOf),
      ...oldKeys.map((column, place) => ({ ...fieldOf(column), name: oldKeyColumn(place) })),
    ],
  }
}

function fieldOf({ name, type }: Column): OrcField {
  return { name: name.toLowerCase(), type: readableType(orcTypeOf(type)) }
}

/** Hive 4.0 reads no file with an instant in it: its value in UTC has the same form as a timestamp's. */
function readableType(type: OrcType): OrcType {
  if (type.kind === 'timestamp_instant') return { kind: 'timestamp' }
  return type.kind === 'list' ? { kind: 'list', element: readableType(type.element) } : type
}

/** From net changes to the rows of the file, and what kinds of them there are. */
class AttemptRows {
  readonly #content: AttemptContent
  readonly #keyPlaces: readonly number[]
  readonly #partitionPlace: number
  readonly #places = new Set<string>()
  readonly nullKeys = new Set<string>()
  #areAllPlacesKnown = true
  readonly #counts = { upserts: 0, patches: 0, moves: 0, deletes: 0, searches: 0 }
  /** Of a row that is no patch with an old key. */
  readonly #noOldKey: readonly null[]

  constructor(content: AttemptContent) {
    this.#content = content
    const { schema, partitionBy } = content
    this.#noOldKey = content.oldRows === undefined ? [] : schema.key.map(() => null)
    const placeOf = (name: string): number => schema.columns.findIndex(one => one.name === name)
    this.#keyPlaces = schema.key.map(placeOf)
    this.#partitionPlace =
      partitionBy === null || schema.columns.length === 0
        ? -1
        : placeOf(partitionColumn(partitionBy, schema).name)
  }

  get facts(): BatchFacts {
    const isListed = this.#areAllPlacesKnown && this.#places.size <= maxListedPlaces
    const places = isListed ? [...this.#places].sort() : null
    return { ...this.#counts, places }
  }

  /** Says that the table is to hold nothing else. */
  whole(): readonly OrcValue[] {
    const values = this.#content.schema.columns.map(() => null)
    return [wholeOp, null, false, null, ...values, ...this.#noOldKey]
  }

  *of(change: NetChange): Generator<readonly OrcValue[]> {
    const { isWhole, oldRows } = this.#content
    const isMoved = change.movedFrom !== undefined
    // After all else is gone there is no old row.
    if (isMoved && isWhole && oldRows === 'all') throw oldRowGone()
    const isPlaced = isMoved && !isWhole && this.#isPlaced(change)
    if (isPlaced) yield this.#moved(change, change.movedFrom!)
    else for (const row of this.#rowsOf(change)) yield [...row, ...this.#noOldKey]
  }

  *#rowsOf(change: NetChange): Generator<readonly OrcValue[]> {
    const { isWhole } = this.#content
    if (change.kind === 'delete') {
      if (!isWhole) yield* this.#deletes(change)
      return
    }
    const values = alignValues(change, this.#content.schema)
    this.#noteNulls(values)
    // After all else is gone there is nothing that a patch would keep.
    if (change.kind === 'patch' && !isWhole) yield this.#patch(values)
    else
      yield* this.#upsert(
        change,
        values.map(value => value ?? null),
      )
  }

  /** Whether it says where its row is to be. Who resumes the table accepts that it is where the row under its key is, or nowhere. */
  #isPlaced(change: NetChange): boolean {
    const { schema, partitionBy, oldRows } = this.#content
    if (partitionBy === null) return true
    if (alignValues(change, schema)[this.#partitionPlace] !== undefined) return true
    if (oldRows === 'if-there') return false
    throw new WarehouseError(
      'old-row-missing',
      `a row changed its key, and the column that says its partition (${partitionBy.column}) was not sent`,
    )
  }

  /** Its sent columns say where it is to be: wherever else it is, it goes. */
  #moved(change: NetChange, oldKey: string): readonly OrcValue[] {
    this.#counts.moves += 1
    const { schema, partitionBy } = this.#content
    const values = alignValues(change, schema)
    this.#noteNulls(values)
    const sent = sentOf(values)
    const given = values.map(value => value ?? null)
    const old = decodeKey(keyColumns(schema), oldKey)
    if (partitionBy === null) return [movedOp, sent, false, null, ...given, ...old]
    this.#search()
    const place = this.#note(placeOfPartition(this.#partitionOf(given)))
    return [movedOp, sent, true, place, ...given, ...old]
  }

  *#upsert(change: NetChange, values: readonly Value[]): Generator<readonly OrcValue[]> {
    this.#counts.upserts += 1
    const { partitionBy, isWhole } = this.#content
    if (partitionBy === null) {
      yield [upsertOp, null, false, null, ...values]
      return
    }
    const name = this.#partitionOf(values)
    const place = this.#note(placeOfPartition(name))
    const isSearched = change.leaves === 'unknown' && !isWhole
    if (isSearched) this.#search()
    yield [upsertOp, null, isSearched, place, ...values]
    if (change.leaves === 'unknown' || isWhole) return
    for (const leaf of change.leaves) {
      if (leaf !== name) yield this.#deleteFrom(placeOfPartition(leaf), change)
    }
  }

  #patch(values: readonly (Value | undefined)[]): readonly OrcValue[] {
    this.#counts.patches += 1
    const sent = sentOf(values)
    const given = values.map(value => value ?? null)
    if (this.#content.partitionBy === null) return [patchOp, sent, false, null, ...given]
    const isMoving = values[this.#partitionPlace] !== undefined
    // Where its row is now is found by the statement.
    this.#areAllPlacesKnown = false
    if (isMoving) this.#search()
    const place = isMoving ? placeOfPartition(this.#partitionOf(given)) : null
    return [patchOp, sent, isMoving, place, ...given]
  }

  *#deletes(change: NetChange): Generator<readonly OrcValue[]> {
    if (this.#content.partitionBy === null) {
      this.#counts.deletes += 1
      yield [deleteOp, null, false, null, ...this.#keyValues(change)]
    } else if (change.leaves === 'unknown') {
      this.#counts.deletes += 1
      this.#search()
      yield [deleteOp, null, true, null, ...this.#keyValues(change)]
    } else for (const leaf of change.leaves) yield this.#deleteFrom(placeOfPartition(leaf), change)
  }

  #deleteFrom(place: string, change: NetChange): readonly OrcValue[] {
    this.#counts.deletes += 1
    return [deleteOp, null, false, this.#note(place), ...this.#keyValues(change)]
  }

  #noteNulls(values: readonly (Value | undefined)[]): void {
    for (const place of this.#keyPlaces) {
      if (values[place] !== null) continue
      this.nullKeys.add(this.#content.schema.columns[place]!.name.toLowerCase())
    }
  }

  #search(): void {
    this.#counts.searches += 1
    this.#areAllPlacesKnown = false
  }

  #note(place: string): string {
    if (this.#places.size <= maxListedPlaces) this.#places.add(place)
    return place
  }

  #partitionOf(values: readonly Value[]): string {
    const column = this.#content.schema.columns[this.#partitionPlace]!
    return partitionOf(this.#content.partitionBy!, column, values[this.#partitionPlace]!)
  }

  #keyValues(change: NetChange): readonly Value[] {
    const { schema } = this.#content
    const values = schema.columns.map((): Value => null)
    const keys = decodeKey(keyColumns(schema), change.key)
    for (const [index, place] of this.#keyPlaces.entries()) values[place] = keys[index]!
    this.#noteNulls(values)
    return values
  }
}

/** For each column whether it was sent. */
function sentOf(values: readonly (Value | undefined)[]): string {
  return values.map(value => (value === undefined ? '0' : '1')).join('')
}

function oldRowGone(): WarehouseError {
  return new WarehouseError(
    'old-row-missing',
    'a row changed its key, not all of its values were sent, and its table was emptied before',
  )
}
