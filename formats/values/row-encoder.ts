/**
 * Values of a row from JSON to the form in which the row travels (`row-codec.ts`), without becoming
 * objects where their usual form tells what they are; see `Converter.plain`.
 */
import { ByteWriter } from '../../model/bytes.ts'
import { beginRow, markNull, writeValue } from '../../model/row-codec.ts'
import type { Value } from '../../model/value.ts'
import type { Replaced } from '../decoder.ts'
import type { Shape } from '../json/json-bytes.ts'
import {
  closeBrace,
  comma,
  decimalAt,
  integerAt,
  openBrace,
  parseAt,
  skipInteger,
  skipNull,
  skipPlainText,
  skipToken,
  skipValue,
} from '../json/json-bytes.ts'
import type { Converter } from './converter.ts'
import { firstDay, lastDay } from './debezium-values.ts'
import { infinitiesIn, replaced } from './replaced-values.ts'
import { isUnsent, unsentLengths } from './unsent-value.ts'

/** `shape`: the object has other members than were expected; `value`: a value has to be looked at. */
export type Refusal = 'shape' | 'value'

export class RowEncoder {
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

  /** `isUpdate`: only then a value can be left out that was not sent. */
  encode(
    bytes: Uint8Array,
    start: number,
    row: { readonly shape: Shape; readonly columns: readonly Converter[] },
    isUpdate: boolean,
  ): Uint8Array | Refusal {
    const { shape, columns } = row
    const writer = this.#writer
    writer.reset()
    this.#infinities = 0
    const nulls = beginRow(writer, columns.length)
    let at = start
    for (let index = 0; index < columns.length; index += 1) {
      if (bytes[at] !== (index === 0 ? openBrace : comma)) return 'shape'
      const from = skipToken(bytes, at + 1, shape[index]!)
      if (from < 0) return 'shape'
      at = skipNull(bytes, from)
      if (at > 0) {
        markNull(writer, nulls, index)
        continue
      }
      at = this.#encodeValue(columns[index]!, bytes, from, isUpdate)
      if (at < 0) return 'value'
    }
    return bytes[at] === closeBrace ? writer.handOut() : 'shape'
  }

  #encodeValue(column: Converter, bytes: Uint8Array, start: number, isUpdate: boolean): number {
    const { plain, type } = column
    const textEnd = skipPlainText(bytes, start)
    if (plain === 'integer') {
      const end = skipInteger(bytes, start)
      const value = end < 0 ? 0 : integerAt(bytes, start, end)
      if (end > 0 && holds(column, value)) {
        this.#writer.integer(value)
        return end
      }
    }
    const isSent = !isUpdate || !this.#unsentLengths.includes(textEnd - start - 2)
    if (textEnd > 0 && isSent && plain === 'text') {
      this.#writer.blobOf(bytes, start + 1, textEnd - 1)
      return textEnd
    }
    if (textEnd > 0 && isSent && plain === 'decimal' && type.kind === 'decimal') {
      const value = decimalAt(bytes, start + 1, textEnd - 1, type.scale)
      if (Math.abs(value) < 10 ** type.precision) {
        this.#writer.integer(value)
        return textEnd
      }
    }
    const end = skipValue(bytes, start)
    const found = converted(column, bytes, start, end, isUpdate ? this.#unsent : null)
    if (found === undefined || found.value === null) return -1
    this.#infinities += infinitiesIn(found.given, found.value)
    writeValue(this.#writer, type, found.value)
    return end
  }
}

/** A value of a key; undefined when the column's rule refuses it. */
export function keyValueAt(
  converter: Converter,
  bytes: Uint8Array,
  start: number,
  end: number,
): Value | undefined {
  if (converter.plain === 'integer' && skipInteger(bytes, start) === end) {
    const value = integerAt(bytes, start, end)
    if (holds(converter, value)) return value
  }
  return converted(converter, bytes, start, end, null)?.value
}

/** Whether the type of the column has the number. */
export function holds({ type }: Converter, value: number): boolean {
  switch (type.kind) {
    case 'tinyint':
      return value >= -0x80 && value < 0x80
    case 'smallint':
      return value >= -0x8000 && value < 0x8000
    case 'date':
      // Beyond Hive's years a number may stand for infinity.
      return value >= firstDay && value <= lastDay
    case 'int':
      return value >= -0x8000_0000 && value < 0x8000_0000
    case 'ubigint':
      return value >= 0
    default:
      return true
  }
}

/** By the column's own rule; undefined when it refuses, or nothing was sent: see the long way. */
function converted(
  { convert }: Converter,
  bytes: Uint8Array,
  start: number,
  end: number,
  unsent: string | null,
): { readonly given: unknown; readonly value: Value } | undefined {
  if (end < 0) return undefined
  try {
    const json = parseAt(bytes, start, end)
    if (json === undefined || (unsent !== null && isUnsent(json, unsent))) return undefined
    return { given: json, value: json === null ? null : convert(json) }
  } catch {
    return undefined
  }
}
