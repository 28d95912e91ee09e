/**
 * Values of a row from Avro to the form in which the row travels (`row-codec.ts`), as `row-encoder.ts` does
 * it for JSON: without becoming objects where their usual form tells what they are; see `Converter.plain`.
 * Whole numbers look the same in both forms, and are copied.
 */
import { ByteWriter } from '../../model/bytes.ts'
import { DecodeError } from '../../model/errors.ts'
import { beginRow, markNull, writeValue } from '../../model/row-codec.ts'
import type { Value } from '../../model/value.ts'
import type { AvroCursor } from '../avro/avro-reader.ts'
import { damaged, readAvro } from '../avro/avro-reader.ts'
import type { AvroType } from '../avro/avro-schema.ts'
import type { Replaced } from '../decoder.ts'
import type { Converter } from '../values/converter.ts'
import { infinitiesIn, replaced } from '../values/replaced-values.ts'
import { holds } from '../values/row-encoder.ts'
import { isUnsent, unsentLengths } from '../values/unsent-value.ts'

export interface AvroColumn {
  readonly type: AvroType
  /** Its place in a union with null; -1 when there is no union. */
  readonly branch: number
  readonly converter: Converter
  /** Integers of so many bytes are values of the column as they stand there. */
  readonly maxCopiedBytes: number
}

export function avroColumnOf(type: AvroType, branch: number, converter: Converter): AvroColumn {
  const isPlain = converter.plain === 'integer' && isInteger(type)
  return { type, branch, converter, maxCopiedBytes: isPlain ? heldBytes(converter) : 0 }
}

/** How many bytes an integer may have, seven bits in each, that is surely of the column's type. */
function heldBytes({ type }: Converter): number {
  switch (type.kind) {
    case 'tinyint':
      return 1
    case 'smallint':
    case 'date':
      return 2
    case 'int':
      return 4
    case 'ubigint':
      return 0
    default:
      return 8
  }
}

export class AvroRowEncoder {
  /** Rows lie side by side in large buffers: one each would cost more than its bytes. */
  readonly #writer = new ByteWriter(64 * 1024)
  /** The text that stands for what was not sent. */
  readonly #unsent: string
  /** How long it may be, in bytes. */
  readonly #unsentLengths: readonly number[]
  #infinities = 0

  constructor(unsent: string) {
    this.#unsent = unsent
    this.#unsentLengths = unsentLengths(unsent)
  }

  /** Of the row that was encoded last: a row with a zero date is not encoded here. */
  get replaced(): Replaced | undefined {
    return replaced(0, this.#infinities)
  }

  /**
   * The row that begins there; null when a value has to be looked at. `isUpdate`: only then a value can be
   * left out that was not sent. Throws DecodeError `message-not-avro`.
   */
  encode(cursor: AvroCursor, columns: readonly AvroColumn[], isUpdate: boolean): Uint8Array | null {
    const writer = this.#writer
    writer.reset()
    this.#infinities = 0
    const nulls = beginRow(writer, columns.length)
    for (let index = 0; index < columns.length; index += 1) {
      const column = columns[index]!
      const { branch, maxCopiedBytes } = column
      if (branch >= 0 && !isThere(branch, cursor)) {
        markNull(writer, nulls, index)
        continue
      }
      const end =
        maxCopiedBytes > 0 ? writer.integerOf(cursor.bytes, cursor.at, maxCopiedBytes) : -1
      if (end > 0) cursor.at = end
      else if (!this.#encodeValue(cursor, column, isUpdate)) return null
    }
    return writer.handOut()
  }

  #encodeValue(cursor: AvroCursor, { type, converter }: AvroColumn, isUpdate: boolean): boolean {
    const { plain } = converter
    if (plain === 'text' && type.kind === 'string') return this.#encodeText(cursor, isUpdate)
    if (plain === 'unscaled' && type.kind === 'bytes') {
      const value = unscaled(cursor, converter)
      if (value !== null) {
        this.#writer.integer(value)
        return true
      }
    }
    const given = isInteger(type) ? cursor.integer() : readAvro(type, cursor)
    if (plain === 'integer' && typeof given === 'number' && holds(converter, given)) {
      this.#writer.integer(given)
      return true
    }
    if (isUpdate && isUnsent(given, this.#unsent)) return false
    const value = converted(converter, given)
    if (value === undefined || value === null) return false
    this.#infinities += infinitiesIn(given, value)
    writeValue(this.#writer, converter.type, value)
    return true
  }

  #encodeText(cursor: AvroCursor, isUpdate: boolean): boolean {
    const length = cursor.length()
    const { bytes, at: start } = cursor
    const end = start + length
    cursor.at = end
    if (isUpdate && this.#unsentLengths.includes(length)) {
      if (isUnsent(bytes.toString('utf8', start, end), this.#unsent)) return false
    }
    return this.#writer.textOf(bytes, start, end)
  }
}

/** Whether a union of null and one type has a value, which then follows. */
export function isThere(branch: number, cursor: AvroCursor): boolean {
  const given = cursor.integer()
  if (given !== 0 && given !== 1) throw damaged(`a union of 2 has no branch ${given}`)
  return given === branch
}

export function isInteger({ kind }: AvroType): boolean {
  return kind === 'long' || kind === 'int'
}

/** A decimal of a few bytes, which are passed; null when it has to be looked at. */
function unscaled(cursor: AvroCursor, { type }: Converter): number | null {
  const { bytes, at } = cursor
  const length = bytes[at]! >> 1
  // Up to six bytes, whose length takes one.
  if (bytes[at]! > 12 || length === 0 || type.kind !== 'decimal') return null
  if (at + length >= bytes.length) return null
  let value = (bytes[at + 1]! << 24) >> 24
  for (let index = 2; index <= length; index += 1) value = value * 256 + bytes[at + index]!
  if (Math.abs(value) >= 10 ** type.precision) return null
  cursor.at = at + 1 + length
  return value
}

/** By the column's own rule; undefined when it refuses: the long way says why. */
export function converted({ convert }: Converter, given: unknown): Value | undefined {
  try {
    return given === null ? null : convert(given)
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}
