/**
 * Results as HiveServer2 sends them: columns of values with a bit for each null (TCLIService.thrift,
 * TRowSet, since protocol V6), turned into rows. Numbers stay exact: 64 bits as bigint, decimals,
 * dates, timestamps and what is compound as the text that Hive writes.
 */

export type HiveValue = null | boolean | number | bigint | string | Uint8Array

export type HiveRow = readonly HiveValue[]

export interface HiveColumn {
  readonly name: string
  /** Hive's name of the type without its parameters: `bigint`, `decimal`, `array`. */
  readonly type: string
}

/** A part of a result. */
export interface HiveRows {
  readonly columns: readonly HiveColumn[]
  readonly rows: readonly HiveRow[]
}

/** Eight bytes within a buffer, big end first: what Thrift's library makes of an i64. */
export interface Int64 {
  readonly buffer: Buffer
  readonly offset: number
}

interface ColumnOf<T> {
  readonly values: readonly T[]
  /** Bit i of byte i / 8, low bit first; it may be shorter than the values when the last ones are not null. */
  readonly nulls: Uint8Array
}

/** Exactly one is there. */
export interface ResultColumn {
  readonly boolVal?: ColumnOf<boolean> | null
  readonly byteVal?: ColumnOf<number> | null
  readonly i16Val?: ColumnOf<number> | null
  readonly i32Val?: ColumnOf<number> | null
  readonly i64Val?: ColumnOf<Int64> | null
  readonly doubleVal?: ColumnOf<number> | null
  readonly stringVal?: ColumnOf<string> | null
  readonly binaryVal?: ColumnOf<Uint8Array> | null
}

export function rowsOf(columns: readonly ResultColumn[]): HiveRow[] {
  const decoded = columns.map(valuesOf)
  const rowCount = decoded[0]?.length ?? 0
  return Array.from({ length: rowCount }, (_, row) => decoded.map(values => values[row] ?? null))
}

function valuesOf(column: ResultColumn): HiveValue[] {
  if (column.i64Val) {
    return withNulls(column.i64Val, ({ buffer, offset }) => buffer.readBigInt64BE(offset))
  }
  // A value is a view on the whole answer, and would keep all of it.
  if (column.binaryVal) return withNulls(column.binaryVal, bytes => Uint8Array.from(bytes))
  const plain =
    column.stringVal ??
    column.i32Val ??
    column.doubleVal ??
    column.boolVal ??
    column.i16Val ??
    column.byteVal
  return plain ? withNulls<HiveValue>(plain, value => value) : []
}

function withNulls<T>(
  { values, nulls }: ColumnOf<T>,
  decode: (value: T) => HiveValue,
): HiveValue[] {
  return values.map((value, index) => {
    const bits = nulls[index >> 3] ?? 0
    return (bits & (1 << (index & 7))) === 0 ? decode(value) : null
  })
}

/** In the order of TTypeId. */
const typeNames = [
  'boolean',
  'tinyint',
  'smallint',
  'int',
  'bigint',
  'float',
  'double',
  'string',
  'timestamp',
  'binary',
  'array',
  'map',
  'struct',
  'uniontype',
  'user-defined',
  'decimal',
  'void',
  'date',
  'varchar',
  'char',
  'interval_year_month',
  'interval_day_time',
  'timestamp with local time zone',
]

export interface ColumnDescription {
  readonly columnName: string
  readonly position: number
  readonly typeDesc: {
    readonly types: readonly { readonly primitiveEntry?: { readonly type: number } | null }[]
  }
}

/** In the order of the values. `select *` names columns `table.column`: the table is left out. */
export function columnsOf(descriptions: readonly ColumnDescription[]): HiveColumn[] {
  return descriptions
    .toSorted((a, b) => a.position - b.position)
    .map(({ columnName, typeDesc }) => ({
      name: columnName.slice(columnName.lastIndexOf('.') + 1),
      type: typeNames[typeDesc.types[0]?.primitiveEntry?.type ?? -1] ?? 'unknown',
    }))
}
