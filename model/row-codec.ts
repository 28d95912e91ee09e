/**
 * Rows as bytes, under a schema that is known to the reader:
 *
 *     form (0 whole, 1 partial) · [presence bits] · null bits · values in the order of the columns
 *
 * Presence and null bits take one bit a column, lowest first. A partial row holds only the columns
 * that were sent.
 */
import type { ByteReader, ByteWriter } from './bytes.ts'
import type { ColumnType } from './column-type.ts'
import { assert } from './errors.ts'
import type { TableSchema } from './table-schema.ts'
import type { Value } from './value.ts'

/** Values by column, in the order of a schema; `undefined` was not sent. */
export type RowValues = readonly (Value | undefined)[]

export function encodeValues(writer: ByteWriter, schema: TableSchema, values: RowValues): void {
  const columns = schema.columns
  assert(values.length === columns.length, 'a row has not one value for each of its columns')
  const isWhole = !values.includes(undefined)
  writer.byte(isWhole ? 0 : 1)
  if (!isWhole) writeBits(writer, values, value => value !== undefined)
  writeBits(writer, values, value => value === null)
  for (let index = 0; index < columns.length; index += 1) {
    const value = values[index]
    if (value !== null && value !== undefined) writeValue(writer, columns[index]!.type, value)
  }
}

export function decodeRow(reader: ByteReader, schema: TableSchema): RowValues {
  const columns = schema.columns
  const form = reader.byte()
  assert(form <= 1, () => `a row has the unknown form ${form}`)
  const present = form === 0 ? null : reader.raw((columns.length + 7) >> 3)
  const nulls = reader.raw((columns.length + 7) >> 3)
  const values: (Value | undefined)[] = []
  for (let index = 0; index < columns.length; index += 1) {
    if (present !== null && !hasBit(present, index)) values[index] = undefined
    else if (hasBit(nulls, index)) values[index] = null
    else values[index] = readValue(reader, columns[index]!.type)
  }
  return values
}

/**
 * The beginning of a whole row whose values follow one by one (`writeValue`). Returns the place of its
 * null bits, for `markNull`.
 */
export function beginRow(writer: ByteWriter, columns: number): number {
  writer.byte(0)
  const place = writer.length
  for (let start = 0; start < columns; start += 8) writer.byte(0)
  return place
}

export function markNull(writer: ByteWriter, place: number, index: number): void {
  writer.setBits(place + (index >> 3), 1 << (index & 7))
}

function writeBits(
  writer: ByteWriter,
  values: readonly (Value | undefined)[],
  test: (value: Value | undefined) => boolean,
): void {
  for (let start = 0; start < values.length; start += 8) {
    let bits = 0
    for (let bit = 0; bit < 8 && start + bit < values.length; bit += 1) {
      if (test(values[start + bit])) bits |= 1 << bit
    }
    writer.byte(bits)
  }
}

function hasBit(bits: Uint8Array, index: number): boolean {
  return ((bits[index >> 3]! >> (index & 7)) & 1) === 1
}

export function writeValue(writer: ByteWriter, type: ColumnType, value: Value): void {
  switch (type.kind) {
    case 'boolean':
      writer.byte(value ? 1 : 0)
      return
    case 'float':
    case 'double':
      writer.double(value as number)
      return
    case 'string':
    case 'varchar':
    case 'char':
      writer.text(value as string)
      return
    case 'binary':
      writer.blob(value as Uint8Array)
      return
    case 'array': {
      const items = value as readonly Value[]
      writer.count(items.length)
      for (const item of items) {
        writer.byte(item === null ? 0 : 1)
        if (item !== null) writeValue(writer, type.element, item)
      }
      return
    }
    default:
      writer.integer(value as number | bigint)
  }
}

function readValue(reader: ByteReader, type: ColumnType): Value {
  switch (type.kind) {
    case 'boolean':
      return reader.byte() === 1
    case 'float':
    case 'double':
      return reader.double()
    case 'string':
    case 'varchar':
    case 'char':
      return reader.text()
    case 'binary':
      return reader.blob()
    case 'array':
      return Array.from({ length: reader.count() }, () =>
        reader.byte() === 0 ? null : readValue(reader, type.element),
      )
    default:
      return reader.integer()
  }
}
