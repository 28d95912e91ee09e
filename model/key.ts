/**
 * Canonical key bytes: the identity of a row, as a binary string (one char a byte). They encode the
 * logical value, so that `int`, `bigint` and `decimal(20,0)` of one number are equal and a row stays
 * in its partition when its key column is widened. Their byte order is the order of the keys:
 *
 *     null      00
 *     boolean   as the numbers 0 and 1
 *     number    20 ± n · n bytes of the whole part · digits of the fraction in pairs, each + 1 · 00
 *     text      02 · UTF-8, 00 as 00 FF · 00          binary  01 · likewise
 *     double    40 · 8 bytes, sign bit turned, or all bits turned when negative
 *
 * The whole part is the floor; a negative one is stored as its complement, so that bytes ascend.
 */
import { toBuffer } from './bytes.ts'
import type { ColumnType } from './column-type.ts'
import { assert, DecodeError } from './errors.ts'
import type { Column } from './table-schema.ts'
import type { Value } from './value.ts'
import { powerOfTen, toInteger } from './value.ts'

const tagBinary = 0x01
const tagText = 0x02
const tagZero = 0x20
const tagDouble = 0x40
const escapedZero = '\x00\xff'

/** The canonical key of a row. `values` are those of the key columns, in order. */
export function encodeKey(columns: readonly Column[], values: readonly Value[]): string {
  let key = ''
  for (let index = 0; index < columns.length; index += 1) {
    key += encodeComponent(columns[index]!, values[index]!)
  }
  return key
}

function encodeComponent(column: Column, value: Value): string {
  if (value === null) return '\x00'
  switch (column.type.kind) {
    case 'boolean':
      return encodeNumber(value ? 1 : 0, 0)
    case 'string':
    case 'varchar':
    case 'char':
      return encodeBytes(tagText, Buffer.from(value as string, 'utf8'))
    case 'binary':
      return encodeBytes(tagBinary, value as Uint8Array)
    case 'float':
      // Whether it came as the text 0.1 or as the four bytes of it.
      return encodeDouble(Math.fround(value as number))
    case 'double':
      return encodeDouble(value as number)
    case 'array':
      throw new DecodeError('type-unsupported', `column ${column.name} is an array: not a key`)
    case 'decimal':
      return encodeNumber(value as number | bigint, column.type.scale)
    default:
      return encodeNumber(value as number | bigint, 0)
  }
}

function encodeNumber(unscaled: number | bigint, scale: number): string {
  if (scale === 0) return `${encodeWhole(unscaled)}\x00`
  const unit = powerOfTen(scale)
  const big = BigInt(unscaled)
  const rest = ((big % unit) + unit) % unit
  const whole = (big - rest) / unit
  let digits = rest.toString().padStart(scale, '0')
  if (digits.length % 2 === 1) digits += '0'
  digits = digits.replace(/(00)+$/, '')
  let fraction = ''
  for (let index = 0; index < digits.length; index += 2) {
    fraction += String.fromCharCode(Number(digits.slice(index, index + 2)) + 1)
  }
  return `${encodeWhole(toInteger(whole))}${fraction}\x00`
}

function encodeWhole(value: number | bigint): string {
  if (typeof value === 'number' && value >= 0 && value < 0x1_0000_0000) {
    if (value === 0) return '\x20'
    if (value < 0x100) return String.fromCharCode(tagZero + 1, value)
    if (value < 0x1_0000) return String.fromCharCode(tagZero + 2, value >> 8, value & 0xff)
    if (value < 0x100_0000) {
      return String.fromCharCode(tagZero + 3, value >> 16, (value >> 8) & 0xff, value & 0xff)
    }
    return String.fromCharCode(
      tagZero + 4,
      value >>> 24,
      (value >>> 16) & 0xff,
      (value >>> 8) & 0xff,
      value & 0xff,
    )
  }
  const big = BigInt(value)
  if (big === 0n) return '\x20'
  const magnitude = big < 0n ? -big : big
  const size = Math.ceil(magnitude.toString(16).length / 2)
  const stored = big < 0n ? (1n << BigInt(8 * size)) - 1n + big : big
  const hex = stored.toString(16).padStart(size * 2, '0')
  const tag = String.fromCharCode(big < 0n ? tagZero - size : tagZero + size)
  return tag + Buffer.from(hex, 'hex').toString('latin1')
}

function encodeBytes(tag: number, bytes: Uint8Array): string {
  const text = toBuffer(bytes).toString('latin1')
  return `${String.fromCharCode(tag)}${text.replaceAll('\x00', escapedZero)}\x00`
}

function encodeDouble(value: number): string {
  const bytes = Buffer.allocUnsafe(9)
  bytes[0] = tagDouble
  // −0 and 0 are one key, and so is every NaN.
  bytes.writeDoubleBE(value === 0 ? 0 : Number.isNaN(value) ? Number.NaN : value, 1)
  const isNegative = bytes[1]! >= 0x80
  for (let index = 1; index < 9; index += 1) {
    bytes[index] = isNegative ? bytes[index]! ^ 0xff : bytes[index]! ^ (index === 1 ? 0x80 : 0)
  }
  return bytes.toString('latin1')
}

/** The values of the key columns, in order: the inverse of `encodeKey`. */
export function decodeKey(columns: readonly Column[], key: string): Value[] {
  const cursor = { key, position: 0 }
  const values = columns.map(column => decodeComponent(cursor, column.type))
  assert(cursor.position === key.length, 'a key has more bytes than its columns')
  return values
}

interface Cursor {
  readonly key: string
  position: number
}

function decodeComponent(cursor: Cursor, type: ColumnType): Value {
  const tag = takeByte(cursor)
  if (tag === 0) return null
  if (tag === tagText || tag === tagBinary) {
    const bytes = Buffer.from(takeEscaped(cursor), 'latin1')
    return tag === tagText ? bytes.toString('utf8') : bytes
  }
  if (tag === tagDouble) return decodeDouble(cursor)
  const whole = decodeWhole(cursor, tag)
  const fraction = takeFraction(cursor)
  if (type.kind === 'boolean') return whole === 1
  if (type.kind !== 'decimal' || type.scale === 0) return whole
  const digits = fraction.padEnd(type.scale, '0').slice(0, type.scale)
  return toInteger(BigInt(whole) * powerOfTen(type.scale) + BigInt(digits))
}

/** Some bytes, as they are in the key. */
function take(cursor: Cursor, count: number): string {
  const end = cursor.position + count
  assert(end <= cursor.key.length, 'a key ends in the middle')
  const taken = cursor.key.slice(cursor.position, end)
  cursor.position = end
  return taken
}

function takeByte(cursor: Cursor): number {
  return take(cursor, 1).charCodeAt(0)
}

function takeEscaped(cursor: Cursor): string {
  let text = ''
  for (;;) {
    const end = cursor.key.indexOf('\x00', cursor.position)
    assert(end >= 0, 'a key ends in the middle')
    text += cursor.key.slice(cursor.position, end)
    cursor.position = end + 1
    if (cursor.key.charCodeAt(end + 1) !== 0xff) return text
    text += '\x00'
    cursor.position += 1
  }
}

function decodeWhole(cursor: Cursor, tag: number): number | bigint {
  const size = Math.abs(tag - tagZero)
  const hex = Buffer.from(take(cursor, size), 'latin1').toString('hex')
  const stored = size === 0 ? 0n : BigInt(`0x${hex}`)
  return toInteger(tag < tagZero ? stored - (1n << BigInt(8 * size)) + 1n : stored)
}

function takeFraction(cursor: Cursor): string {
  let digits = ''
  for (;;) {
    const byte = takeByte(cursor)
    if (byte === 0) return digits
    digits += String(byte - 1).padStart(2, '0')
  }
}

function decodeDouble(cursor: Cursor): number {
  const bytes = Buffer.from(take(cursor, 8), 'latin1')
  const isNegative = bytes[0]! < 0x80
  for (let index = 0; index < 8; index += 1) {
    bytes[index] = isNegative ? bytes[index]! ^ 0xff : bytes[index]! ^ (index === 0 ? 0x80 : 0)
  }
  return bytes.readDoubleBE(0)
}
