/**
 * A table as it should be, kept the naive way: a map from id to values. Beside it what is needed to put
 * random batches to a warehouse and to say what must come of them.
 */

import { encodeKey } from '../../../model/key.ts'
import type { NetChange } from '../../../model/net-change.ts'
import type { PartitionBy } from '../../../model/partition-by.ts'
import type { Position, TruncatePoint } from '../../../model/position.ts'
import type { Column, TableSchema } from '../../../model/table-schema.ts'
import { internSchema, keyColumns, unionSchema } from '../../../model/table-schema.ts'
import type { Value } from '../../../model/value.ts'

const id = { id: 'c1', name: 'id', nullable: false } as const
const text: Column = { id: 'c2', name: 'text', type: { kind: 'string' }, nullable: true }
const month: Column = { id: 'c3', name: 'month', type: { kind: 'string' }, nullable: true }
const amount = { id: 'c4', name: 'amount', nullable: true } as const
const note: Column = {
  id: 'c5',
  name: 'note',
  type: { kind: 'varchar', length: 20 },
  nullable: false,
  initialDefault: 'by default',
}
const extra: Column = { id: 'c6', name: 'extra', type: { kind: 'double' }, nullable: true }
const smallId: Column = { ...id, type: { kind: 'int' } }
const wideId: Column = { ...id, type: { kind: 'bigint' } }
const shortAmount: Column = { ...amount, type: { kind: 'decimal', precision: 10, scale: 2 } }
const longAmount: Column = { ...amount, type: { kind: 'decimal', precision: 12, scale: 4 } }

/** The schema of the source as it changes: columns come, become wider, stand elsewhere, go. */
export const schemas: readonly TableSchema[] = [
  [smallId, text, month, shortAmount],
  [smallId, text, month, shortAmount, note],
  [extra, smallId, text, month, shortAmount, note],
  [wideId, text, month, longAmount, note, extra],
  [wideId, month, longAmount, note, extra],
].map(columns => internSchema({ columns, key: ['id'] }))

export const partitionByMonth: PartitionBy = { column: 'month', unit: 'value' }

/** What a test says of one change; the model knows the rest. */
export interface GivenChange {
  readonly id: number
  readonly kind: 'upsert' | 'patch' | 'delete'
  readonly text: string | null
  readonly month: string | null
  /** In ten-thousandths; only whole hundredths fit the short type. */
  readonly hundredths: number
  readonly note: string
  /** Which columns a patch sends. */
  readonly mask: number
  /** What the source says of where the row was. */
  readonly leaves: 'right' | 'unknown' | 'wrong'
  /** Under an older schema, as of a task that lags. */
  readonly lag: number
}

/** By column id. A column that is absent is newer than the row. */
type ModelRow = { readonly values: ReadonlyMap<string, Value>; readonly place: number }

export class ModelTable {
  readonly #partitionBy: PartitionBy | null
  #rows = new Map<number, ModelRow>()
  /** Columns that the table has, in its order. */
  schema: TableSchema | null = null
  /** Rows up to this place in the source's log are truncated. */
  #truncatedAt = -1
  #place = 0

  constructor(partitionBy: PartitionBy | null) {
    this.#partitionBy = partitionBy
  }

  get size(): number {
    return this.#rows.size
  }

  ids(): Set<number> {
    return new Set(this.#rows.keys())
  }

  /** The partition that a row lies in; null when there is no row. */
  partitionOf(rowId: number): string | null {
    const row = this.#rows.get(rowId)
    if (row === undefined) return null
    if (this.#partitionBy === null) return ''
    return `month=${(row.values.get('c3') as string | null) ?? '__HIVE_DEFAULT_PARTITION__'}`
  }

  /** The rows in the order of their ids, as a reader must see them, and where each was changed last. */
  lines(): string[] {
    return [...this.#rows]
      .sort(([a], [b]) => a - b)
      .map(([, { values, place }]) => {
        const shown = this.schema!.columns.map(column => {
          const value = values.get(column.id)
          return value === undefined ? (column.initialDefault ?? null) : atScale(column, value)
        })
        return lineOf(shown, positionText(place))
      })
  }

  /** The next place in the source's log: a truncate that comes now. */
  point(place = this.#place): TruncatePoint {
    return pointAt(place)
  }

  get place(): number {
    return this.#place
  }

  /** Applies a batch, and says what a warehouse must be given for it to do the same. */
  apply(
    given: readonly GivenChange[],
    schemaNumber: number,
    truncate: 'none' | 'all' | TruncatePoint,
  ): { readonly changes: readonly NetChange[]; readonly schema: TableSchema } {
    const ordered = [...given].sort((a, b) => a.id - b.id)
    const changes = ordered.map(one => this.#change(one, schemaNumber))
    const schema = changes.map(change => change.schema).reduce(unionSchema, schemas[schemaNumber]!)
    this.schema = this.schema === null ? schema : unionSchema(this.schema, schema)
    if (truncate === 'all') this.#rows.clear()
    else if (truncate !== 'none') this.#truncate(Number(truncate.position.order[1]))
    for (const [index, change] of changes.entries()) this.#applyOne(ordered[index]!, change)
    return { changes, schema }
  }

  #truncate(place: number): void {
    this.#truncatedAt = Math.max(this.#truncatedAt, place)
    for (const [rowId, row] of this.#rows) {
      if (row.place <= this.#truncatedAt) this.#rows.delete(rowId)
    }
  }

  #change(given: GivenChange, schemaNumber: number): NetChange {
    const schema = schemas[Math.max(0, schemaNumber - given.lag)]!
    const row = schema.columns.map((column, index) => {
      const isSent =
        given.kind !== 'patch' || column.name === 'id' || (given.mask >> index) % 2 === 1
      return isSent ? valueOfColumn(column, given) : undefined
    })
    this.#place += 1
    return {
      kind: given.kind,
      key: encodeKey(keyColumns(schema), [given.id]),
      row: given.kind === 'delete' ? null : row,
      schema,
      leaves: this.#partitionBy === null ? [] : this.#leaves(given),
      last: { position: positionText(this.#place), sourceMs: this.#place },
    }
  }

  #leaves({ id: rowId, leaves }: GivenChange): NetChange['leaves'] {
    if (leaves === 'unknown') return 'unknown'
    const here = this.partitionOf(rowId)
    if (leaves === 'right') return here === null ? [] : [here]
    return ['month=2024-02', 'month=elsewhere'].filter(partition => partition !== here)
  }

  #applyOne(given: GivenChange, change: NetChange): void {
    const place = change.last.sourceMs
    if (place <= this.#truncatedAt) return
    if (change.kind === 'delete') {
      this.#rows.delete(given.id)
      return
    }
    const before = change.kind === 'patch' ? this.#rows.get(given.id)?.values : undefined
    const values = new Map(before)
    const row = change.row as readonly (Value | undefined)[]
    for (const [index, column] of change.schema.columns.entries()) {
      const value = row[index]
      if (value !== undefined) values.set(column.id, unscaled(column, value))
    }
    if (change.kind === 'patch' && before === undefined) {
      // A patch of a row that is not there: what it does not send is null.
      for (const column of this.schema!.columns) {
        if (!values.has(column.id)) values.set(column.id, null)
      }
    }
    this.#rows.set(given.id, { values, place })
  }
}

function valueOfColumn({ name, type }: Column, given: GivenChange): Value {
  switch (name) {
    case 'id':
      return given.id
    case 'text':
      return given.text
    case 'month':
      return given.month
    case 'amount':
      return type.kind === 'decimal' && type.scale === 4 ? given.hundredths * 100 : given.hundredths
    case 'note':
      return given.note
    default:
      return given.hundredths / 8
  }
}

/** Amounts are kept in ten-thousandths, whatever type they came as. */
function unscaled({ type }: Column, value: Value): Value {
  return type.kind === 'decimal' && type.scale === 2 && value !== null ? Number(value) * 100 : value
}

function atScale({ type }: Column, value: Value): Value {
  return type.kind === 'decimal' && type.scale === 2 && value !== null ? Number(value) / 100 : value
}

export function lineOf(values: readonly Value[], position: string): string {
  return JSON.stringify([...values, position])
}

function positionText(place: number): string {
  return `bin.000001:${place}:0@1`
}

export function pointAt(place: number): TruncatePoint {
  const position: Position = {
    connector: 'mysql',
    name: 'shop',
    server: '1',
    log: 'bin',
    order: [1, place, 0],
    transaction: null,
    gtid: null,
    isSnapshot: false,
    text: positionText(place),
  }
  return { position, sourceMs: place }
}
