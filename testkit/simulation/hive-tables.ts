/**
 * What a statement of `sinks/hive` does to the rows of a table: Hive's part, for SQL that this project
 * generates and for no other. A statement sees the rows of its snapshot and the file of its attempt; what
 * comes of it are rows that go, by their row id, and rows that come (Hive Transactions, "MERGE").
 */
import { assert } from '../../model/errors.ts'
import type { Value } from '../../model/value.ts'
import {
  deleteOp,
  movedOp,
  oldKeyColumn,
  patchOp,
  upsertOp,
  wholeOp,
} from '../../sinks/hive/merge-sql.ts'
import type { HiveColumn } from '../../sinks/hive/target-table.ts'
import { converted } from './hive-values.ts'

/** A row of a transactional table. */
export interface TableRow {
  /** ROW__ID: a row that is changed gets another one. */
  readonly id: number
  /** The value of its partition, as text; null in a table without. */
  readonly place: string | null
  /** As they were written. */
  readonly values: Readonly<Record<string, Value>>
  /** Types of that time, by column. */
  readonly types: ColumnTypes
}

export type ColumnTypes = Readonly<Record<string, string>>

/** A row as its statement reads or writes it. */
type ReadRow = Omit<TableRow, 'types'>

/** A row of the file of an attempt, by the names of its columns. */
export type BatchRow = Readonly<Record<string, Value>>

/** What a statement comes to. */
export interface Delta {
  readonly gone: readonly ReadRow[]
  readonly come: readonly Omit<ReadRow, 'id'>[]
}

export interface StatementInput {
  readonly sql: string
  readonly snapshot: readonly ReadRow[]
  readonly batch: readonly BatchRow[]
  readonly isPartitioned: boolean
}

/** By the first words of the statement. */
export function deltaOf(input: StatementInput): Delta {
  const { sql } = input
  if (sql.startsWith('INSERT INTO')) return appended(input)
  if (sql.startsWith('DELETE FROM')) return emptied(input)
  return isBackFill(sql) ? backFilled(input) : merged(input)
}

/** Whether it gives old rows the defaults of new columns. */
export function isBackFill(sql: string): boolean {
  return / IS NULL\b/.test(onOf(sql)) && !onOf(sql).includes('ROW__ID')
}

const own = /^__forager_/
const opColumn = '__forager_op'

function isOp(row: BatchRow, op: number): boolean {
  return Number(row[opColumn]) === op
}

/** Columns of the source, in the order of `__forager_sent`. */
function valuesOf(row: BatchRow): Record<string, Value> {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !own.test(name)))
}

function appended({ batch, isPartitioned }: StatementInput): Delta {
  const rows = batch.filter(row => isOp(row, upsertOp))
  return { gone: [], come: rows.map(row => newRow(row, isPartitioned)) }
}

function emptied({ batch, snapshot }: StatementInput): Delta {
  return { gone: batch.some(row => isOp(row, wholeOp)) ? snapshot : [], come: [] }
}

function newRow(row: BatchRow, isPartitioned: boolean): Omit<ReadRow, 'id'> {
  return { place: isPartitioned ? placeOf(row) : null, values: valuesOf(row) }
}

function placeOf(row: BatchRow): string | null {
  const place = row.__forager_place ?? null
  assert(place === null || typeof place === 'string', 'a place is a text')
  return place
}

/** `ON t.a IS NULL OR t.b IS NULL`: rows that lack a value get that of the only row of the file. */
function backFilled({ sql, snapshot, batch }: StatementInput): Delta {
  const [row] = batch
  if (row === undefined) return { gone: [], come: [] }
  const names = onOf(sql)
    .matchAll(/t\.`(\w+)` IS NULL/g)
    .map(([, name]) => name!)
    .toArray()
  const gone = snapshot.filter(({ values }) => names.some(name => isNull(values[name])))
  const come = gone.map(({ place, values }) => {
    const filled = names.map(name => [name, isNull(values[name]) ? row[name]! : values[name]!])
    return { place, values: { ...values, ...Object.fromEntries(filled) } }
  })
  return { gone, come }
}

function isNull(value: Value | undefined): boolean {
  return value === null || value === undefined
}

function onOf(sql: string): string {
  return /^ON (.*)$/m.exec(sql)?.[1] ?? ''
}

function merged(input: StatementInput): Delta {
  const { sql, snapshot, batch, isPartitioned } = input
  const keys = onOf(sql)
    .matchAll(/t\.`(\w+)` (?:=|<=>) s\.`(\w+)`/g)
    .flatMap(([, name, other]) => (name === other ? [name!] : []))
    .toArray()
  assert(keys.length > 0, 'a MERGE compares its key', { file: sql.slice(0, 200) })
  const merge = new Merge(snapshot, keys, isPartitioned)
  const isWhole = batch.some(row => isOp(row, wholeOp))
  for (const row of batch) {
    if (isOp(row, upsertOp)) merge.upsert(row)
    else if (isOp(row, patchOp)) merge.patch(row)
    else if (isOp(row, movedOp)) merge.move(row)
    else if (isOp(row, deleteOp)) merge.delete(row)
  }
  if (isWhole) merge.leaveNothingElse(batch.filter(row => isOp(row, upsertOp)))
  return merge
}

/** `SELECT count(*)` of rows of the file that have neither an old row nor their own. */
export function countLacking(
  sql: string,
  snapshot: readonly ReadRow[],
  batch: readonly BatchRow[],
): number {
  const keys = sql
    .matchAll(/n\.`(\w+)` = s\.`(\w+)`/g)
    .map(([, name]) => name!)
    .toArray()
  const merge = new Merge(snapshot, keys, false)
  return batch.filter(row => isOp(row, movedOp) && merge.lacks(row)).length
}

class Merge implements Delta {
  readonly come: Omit<ReadRow, 'id'>[] = []
  readonly #gone = new Set<ReadRow>()
  readonly #snapshot: readonly ReadRow[]
  readonly #keys: readonly string[]
  readonly #isPartitioned: boolean

  constructor(snapshot: readonly ReadRow[], keys: readonly string[], isPartitioned: boolean) {
    this.#snapshot = snapshot
    this.#keys = keys
    this.#isPartitioned = isPartitioned
  }

  get gone(): readonly ReadRow[] {
    return [...this.#gone]
  }

  upsert(row: BatchRow): void {
    const place = this.#isPartitioned ? placeOf(row) : null
    const found = this.#found(row)
    const there = found.filter(one => one.place === place)
    for (const one of there) this.#change(one, place, { ...one.values, ...valuesOf(row) })
    if (there.length === 0) this.come.push({ place, values: valuesOf(row) })
    this.#search(row, found, place)
  }

  /** With partitions it is completed from the row that is found by its key, and may move with it. */
  patch(row: BatchRow): void {
    const found = this.#found(row)
    const sent = String(row.__forager_sent)
    const given = Object.entries(valuesOf(row)).filter((_, index) => sent[index] === '1')
    const isMoving = row.__forager_search === true
    for (const one of found) {
      const place = isMoving ? placeOf(row) : one.place
      this.#change(one, place, { ...one.values, ...Object.fromEntries(given) })
    }
    if (found.length === 0) this.come.push({ place: placeOf(row), values: valuesOf(row) })
  }

  /** What was not sent is the old row's; where that is gone, it is the row's own. */
  move(row: BatchRow): void {
    const place = this.#isPartitioned ? placeOf(row) : null
    const found = this.#found(row)
    const base = this.#oldRow(row) ?? found[0]
    const sent = String(row.__forager_sent)
    const given = Object.entries(valuesOf(row)).filter((_, index) => sent[index] === '1')
    const values = { ...base?.values, ...Object.fromEntries(given) }
    const there = found.filter(one => one.place === place)
    for (const one of there) this.#change(one, place, values)
    if (there.length === 0) this.come.push({ place, values })
    this.#search(row, found, place)
  }

  /** Whether there is neither the old row nor its own. */
  lacks(row: BatchRow): boolean {
    return this.#oldRow(row) === undefined && this.#found(row).length === 0
  }

  #oldRow(row: BatchRow): ReadRow | undefined {
    const old = this.#keys.map((name, place) => [name, row[oldKeyColumn(place)]!] as const)
    return this.#found(Object.fromEntries(old))[0]
  }

  delete(row: BatchRow): void {
    const isAnywhere = !this.#isPartitioned || row.__forager_search === true
    for (const one of this.#found(row)) {
      if (isAnywhere || one.place === placeOf(row)) this.#gone.add(one)
    }
  }

  /** Rows of the snapshot that the batch does not have go. */
  leaveNothingElse(rows: readonly BatchRow[]): void {
    const kept = new Set(
      rows.map(row => `${this.#keyOf(row)} ${this.#isPartitioned ? placeOf(row) : null}`),
    )
    for (const one of this.#snapshot) {
      if (!kept.has(`${this.#keyOf(one.values)} ${one.place}`)) this.#gone.add(one)
    }
  }

  #search(row: BatchRow, found: readonly ReadRow[], place: string | null): void {
    if (row.__forager_search !== true) return
    for (const one of found) if (one.place !== place) this.#gone.add(one)
  }

  #change(one: ReadRow, place: string | null, values: ReadRow['values']): void {
    this.#gone.add(one)
    this.come.push({ place, values })
  }

  #found(row: BatchRow): readonly ReadRow[] {
    const key = this.#keyOf(row)
    return this.#snapshot.filter(({ values }) => this.#keyOf(values) === key)
  }

  #keyOf(values: BatchRow): string {
    return this.#keys.map(name => String(values[name] ?? null)).join('\u0000')
  }
}

/** A row's values as the columns have them that the table has by now. What is of no column stays as it is. */
export function readRow(row: TableRow, types: ColumnTypes): TableRow {
  if (row.types === types) return row
  return { ...row, values: castRow(row.values, row.types, types), types }
}

export function castRow(values: BatchRow, from: ColumnTypes, to: ColumnTypes): BatchRow {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const [own, wanted] = [from[name], to[name]]
      const isKnown = own !== undefined && wanted !== undefined
      return [name, isKnown ? converted(value, own, wanted) : value]
    }),
  )
}

export function typesOf(columns: readonly HiveColumn[]): ColumnTypes {
  return Object.fromEntries(columns.map(({ name, type }) => [name, type]))
}

/** `  \`a\` int COMMENT 'x',` of a list of columns. */
export function parseColumns(text: string): HiveColumn[] {
  return text
    .matchAll(/`(\w+)` ([a-z]+(?:\([\d,]+\))?)/g)
    .map(([, name, type]): HiveColumn => ({ name: name!, type: type! }))
    .toArray()
}
