/** How rows of a table are read, and their keys: by the converters of their columns. Errors name the column. */
import { DecodeError } from '../../model/errors.ts'
import type { StatedType } from '../../model/stated-type.ts'
import type { TableSchema } from '../../model/table-schema.ts'
import type { Row, Value } from '../../model/value.ts'
import { parseDecimal } from '../../model/value.ts'
import type { TableHints } from '../decoder.ts'
import { DecimalText } from '../json/lossless-json.ts'
import type { Converter } from './converter.ts'

type JsonRow = Readonly<Record<string, unknown>>

export interface RowReader {
  readonly schema: TableSchema
  readonly convert: ReadonlyMap<string, Converter>
}

/** A column may be called `constructor`. */
export function statedType({ types }: TableHints, name: string): StatedType | undefined {
  return types !== undefined && Object.hasOwn(types, name) ? types[name] : undefined
}

/** No database has more in a table (MySQL 4,096, PostgreSQL 1,600); a message may name any number. */
const maxColumns = 10_000

/** Rows are objects: a value of this name would be no column of theirs. Throws DecodeError. */
export function checkColumnName(name: string): void {
  if (name !== '__proto__') return
  throw new DecodeError('type-unsupported', `no column is called ${name}`)
}

/** Throws DecodeError for columns that no table has. */
export function checkColumnNames(names: readonly string[]): void {
  for (const name of names) checkColumnName(name)
  if (names.length <= maxColumns) return
  const message = `a table has at most ${maxColumns} columns, and the message has ${names.length}`
  throw new DecodeError('type-unsupported', message)
}

export function readRow(
  json: JsonRow | null,
  reader: RowReader,
  isSent: (name: string, value: unknown) => boolean = () => true,
): Row | null {
  if (json === null) return null
  const row: Record<string, Value> = {}
  for (const column of reader.schema.columns) {
    const value = json[column.name]
    // A column that was not sent may be called `constructor`, which every object has.
    if (value === undefined || typeof value === 'function') continue
    if (!isSent(column.name, value)) continue
    row[column.name] = value === null ? null : convert(reader, column.name, value)
  }
  return row
}

function convert(reader: RowReader, name: string, json: unknown): Value {
  try {
    return reader.convert.get(name)!.convert(json)
  } catch (error) {
    throw error instanceof DecodeError ? error.at({ column: name }) : error
  }
}

/** Connect's own header converter writes a decimal as a number; messages have it in another form. */
function convertHeader(reader: RowReader, name: string, json: unknown): Value {
  const text = json instanceof DecimalText ? json.text : json
  const { type } = reader.convert.get(name)!
  const isNumber =
    json instanceof DecimalText || typeof json === 'number' || typeof json === 'bigint'
  if (type.kind === 'decimal' && isNumber) return parseDecimal(String(text), type)
  return convert(reader, name, json instanceof DecimalText ? Number(text) : json)
}

/** The key in a header, with its numbers exact: `parseExact`. */
export function readHeaderKey(json: JsonRow, reader: RowReader): Row | null {
  return readKey(json, reader, convertHeader)
}

export function readKey(json: JsonRow | null, reader: RowReader, read = convert): Row | null {
  if (json === null) return null
  const entries = reader.schema.key.map(name => {
    const value = json[name]
    if (value === undefined) {
      throw new DecodeError('key-column-missing', `the key has no column ${name}`, {
        context: { column: name },
      })
    }
    return [name, value === null ? null : read(reader, name, value)] as const
  })
  return Object.fromEntries(entries)
}

export function keyOf(row: Row | null, reader: RowReader): Row | null {
  if (row === null || reader.schema.key.length === 0) return null
  const entries = reader.schema.key.map(name => {
    const value = row[name]
    if (value === undefined) {
      throw new DecodeError(
        'key-column-missing',
        `the row has no value for the key column ${name}`,
        {
          context: { column: name },
        },
      )
    }
    return [name, value] as const
  })
  return Object.fromEntries(entries)
}

export function isSameKey(a: Row, b: Row): boolean {
  return Object.entries(a).every(([name, value]) => {
    const other = b[name]
    return value instanceof Uint8Array && other instanceof Uint8Array
      ? Buffer.compare(value, other) === 0
      : value === other
  })
}
