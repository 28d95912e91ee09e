/**
 * JSON where it lies, byte by byte, for messages whose shape is known: members in an order that was seen
 * before, without white space. Each function returns where what it read ends, or -1 when it is not as
 * expected; then `JSON.parse` says what it is.
 */
import { isUtf8 } from 'node:buffer'
import { toBuffer } from '../../model/bytes.ts'
import { parseLossless } from './lossless-json.ts'

export const quote = 0x22
export const comma = 0x2c
export const openBrace = 0x7b
export const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d
const backslash = 0x5c
const minus = 0x2d
const zero = 0x30
const nine = 0x39

/** The bytes of `"name":`, by member. */
export type Shape = readonly Buffer[]

/** Behind the token; -1 when something else stands there. */
export function skipToken(bytes: Uint8Array, start: number, token: Uint8Array): number {
  for (let index = 0; index < token.length; index += 1) {
    if (bytes[start + index] !== token[index]) return -1
  }
  return start + token.length
}

/** `start` is behind the opening quote. */
function skipText(bytes: Uint8Array, start: number): number {
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at]!
    if (byte === quote) return at + 1
    if (byte === backslash) at += 1
  }
  return -1
}

/** Behind the value, whatever it is. What is passed over is not checked. */
export function skipValue(bytes: Uint8Array, start: number): number {
  const first = bytes[start]
  if (first === quote) return skipText(bytes, start + 1)
  if (first === openBrace || first === openBracket) return skipRest(bytes, start + 1)
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at]!
    if (byte === comma || byte === closeBrace || byte === closeBracket) return at > start ? at : -1
  }
  return -1
}

/** Behind the end of the object or list that was entered before `start`. */
export function skipRest(bytes: Uint8Array, start: number): number {
  let depth = 1
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at]!
    if (byte === quote) {
      at = skipText(bytes, at + 1) - 1
      if (at < 0) return -1
    } else if (byte === openBrace || byte === openBracket) {
      depth += 1
    } else if (byte === closeBrace || byte === closeBracket) {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
  return -1
}

export function skipNull(bytes: Uint8Array, start: number): number {
  return bytes[start] === 0x6e &&
    bytes[start + 1] === 0x75 &&
    bytes[start + 2] === 0x6c &&
    bytes[start + 3] === 0x6c
    ? start + 4
    : -1
}

/** A text that is its own bytes: without escapes, control characters and what is no UTF-8. */
export function skipPlainText(bytes: Uint8Array, start: number): number {
  if (bytes[start] !== quote) return -1
  let all = 0
  for (let at = start + 1; at < bytes.length; at += 1) {
    const byte = bytes[at]!
    if (byte === quote) {
      return all < 0x80 || isUtf8(bytes.subarray(start + 1, at)) ? at + 1 : -1
    }
    if (byte === backslash || byte < 0x20) return -1
    all |= byte
  }
  return -1
}

/** Behind a whole number that is exact as a number; what it is, `integerAt` tells. */
export function skipInteger(bytes: Uint8Array, start: number): number {
  let at = bytes[start] === minus ? start + 1 : start
  const first = at
  while (bytes[at]! >= zero && bytes[at]! <= nine) at += 1
  const digits = at - first
  // No fraction, no exponent, no leading zero (nor minus zero), and not beyond 2^53.
  const isPlain = isEnd(bytes[at]) && (bytes[first] !== zero || (digits === 1 && first === start))
  const isExact = digits <= 15 || (digits === 16 && bytes[first]! < nine)
  return isPlain && isExact && digits > 0 ? at : -1
}

/** The whole number that lies there; see `skipInteger`. */
export function integerAt(bytes: Uint8Array, start: number, end: number): number {
  const isNegative = bytes[start] === minus
  let value = 0
  for (let at = isNegative ? start + 1 : start; at < end; at += 1) {
    value = value * 10 + bytes[at]! - zero
  }
  return isNegative ? -value : value
}

/** The unscaled integer of a text like "-12.30" with just `scale` digits behind its point; else NaN. */
export function decimalAt(bytes: Uint8Array, start: number, end: number, scale: number): number {
  const isNegative = bytes[start] === minus
  const first = isNegative ? start + 1 : start
  const point = end - scale - 1
  if (scale === 0 || point <= first || end - first > 16 || bytes[point] !== 0x2e) return Number.NaN
  let value = 0
  for (let at = first; at < end; at += 1) {
    if (at === point) continue
    const byte = bytes[at]!
    if (byte < zero || byte > nine) return Number.NaN
    value = value * 10 + byte - zero
  }
  // A number has no minus zero, and an unscaled integer neither.
  return isNegative && value !== 0 ? -value : value
}

/** The names of an object's members, in order, and where the object ends; null when it is not plain. */
export function shapeOf(
  bytes: Buffer,
  start: number,
): { readonly shape: Shape; readonly names: readonly string[]; readonly end: number } | null {
  if (bytes[start] !== openBrace) return null
  const shape: Buffer[] = []
  const names: string[] = []
  let at = start + 1
  if (bytes[at] === closeBrace) return { shape, names, end: at + 1 }
  for (;;) {
    const end = skipPlainText(bytes, at)
    if (end < 0 || bytes[end] !== 0x3a) return null
    names.push(bytes.toString('utf8', at + 1, end - 1))
    shape.push(Buffer.from(bytes.subarray(at, end + 1)))
    const next = skipValue(bytes, end + 1)
    if (next < 0) return null
    if (bytes[next] === closeBrace) return { shape, names, end: next + 1 }
    if (bytes[next] !== comma) return null
    at = next + 1
  }
}

function isEnd(byte: number | undefined): boolean {
  return byte === comma || byte === closeBrace || byte === closeBracket
}

/** What `JSON.parse` makes of it; undefined when it is not JSON. */
export function parseAt(bytes: Uint8Array, start: number, end: number): unknown {
  try {
    return parseLossless(toBuffer(bytes).toString('utf8', start, end))
  } catch {
    return undefined
  }
}
