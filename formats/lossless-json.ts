/**
 * JSON with every integer exact: `JSON.parse` rounds those beyond 2^53 in silence. Most messages have
 * none but `ts_ns`, which nobody reads, so the exact and slower way is taken only when it is needed.
 */
import { toInteger } from '../model/value.ts'

const longIntegers = /[:,[]\s*-?(\d{16,})/g
const largestSafe = String(Number.MAX_SAFE_INTEGER)

/** As `JSON.parse`; an integer that is not exact as a number is a bigint. Throws SyntaxError. */
export function parseLossless(text: string): unknown {
  return hasLongInteger(text) ? JSON.parse(text, keepInteger as never) : JSON.parse(text)
}

function hasLongInteger(text: string): boolean {
  longIntegers.lastIndex = 0
  for (let found = longIntegers.exec(text); found !== null; found = longIntegers.exec(text)) {
    const digits = found[1]!
    const isSafe = digits.length === 16 && digits <= largestSafe
    if (!isSafe && !text.endsWith('"ts_ns"', found.index)) return true
  }
  return false
}

function keepInteger(_key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const source = context.source ?? ''
  return /^-?\d+$/.test(source) ? toInteger(BigInt(source)) : value
}
