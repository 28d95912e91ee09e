/**
 * The normal form: one spelling for each value, whoever wrote it.
 *
 * A database that prints its rows, a change event and the real program each spell the same value in
 * their own way: 2999.00 is "2999.00", base64 of two's complement, or "2999.00" again. Two rows are
 * equal here when every column has the same normal value (`Object.is`):
 *
 *   integer, boolean   bigint (false is 0n, true is 1n)
 *   decimal            text without an exponent and without trailing zeros: "2999", "-1.5"
 *   float32, float64   number (float32 rounded to 32 bits)
 *   date               "YYYY-MM-DD"
 *   timestamp          "YYYY-MM-DD HH:MM:SS[.ffffff]" in UTC, no trailing zeros
 *   time               bigint, signed microseconds
 *   binary             base64
 *   text, bits         text as it is; bits are zeros and ones, the highest first
 *   nested             JSON text without spaces
 *
 * This file knows nothing of Debezium; how events spell a value is in `column-types.ts`.
 */

export type Kind =
  | 'integer'
  | 'boolean'
  | 'decimal'
  | 'float32'
  | 'float64'
  | 'date'
  | 'timestamp'
  | 'time'
  | 'binary'
  | 'bits'
  | 'text'
  | 'nested'

export type NormalValue = bigint | number | string | null

/** Column name to normal value. A column that is not named is not known, which is not null. */
export type Row = Record<string, NormalValue>

/** A parsed JSON value in which every number written as an integer is a bigint. */
export type Json = null | boolean | bigint | number | string | Json[] | { [name: string]: Json }

type Reviver = (this: unknown, key: string, value: unknown, context: { source: string }) => unknown

const keepIntegers: Reviver = (_key, value, { source }) =>
  typeof value === 'number' && /^-?\d+$/.test(source) ? BigInt(source) : value

/** JSON.parse rounds integers beyond 2^53; the reviver's `source` is the text before rounding. */
export function parseExactly(text: string): Json {
  return JSON.parse(text, keepIntegers as (this: unknown, key: string, value: unknown) => unknown)
}

/**
 * The normal form of a value as a database or the real program prints it. Without a kind, text is
 * taken as it is, so a decimal or a timestamp needs its kind to be compared by value. A value that
 * does not fit its kind is not an error here: it is returned as text, and will differ.
 */
export function normalize(value: Json, kind?: Kind): NormalValue {
  if (value === null) return null
  switch (kind) {
    case 'integer':
    case 'boolean':
      return integerOf(value)
    case 'decimal':
      return decimalText(textOf(value))
    case 'float32':
      return Math.fround(Number(value))
    case 'float64':
      return Number(value)
    case 'timestamp':
      return timestampText(textOf(value))
    case 'time':
      return typeof value === 'bigint' ? value : timeMicroseconds(textOf(value))
    case 'nested':
      return typeof value === 'string' ? value : jsonText(value)
    case 'date':
    case 'binary':
    case 'bits':
    case 'text':
      return textOf(value)
    default:
      return unhinted(value)
  }
}

/** A printed row (a line of `final/` or of `forager rows`) in normal form. */
export function normalizeRow(line: string, kinds: ReadonlyMap<string, Kind> = new Map()): Row {
  const row: Row = {}
  for (const [column, value] of Object.entries(parseExactly(line) as Record<string, Json>)) {
    row[column] = normalize(value, kinds.get(column))
  }
  return row
}

/** The rows of one table are told apart by this text; it does not depend on the columns' order. */
export function keyText(row: Row, keyColumns: readonly string[]): string {
  return keyColumns
    .toSorted()
    .map(column => `${column}=${show(row[column] ?? null)}`)
    .join(',')
}

/** Integers bare and text quoted, so that 1 and "1" read differently. */
export function show(value: NormalValue | undefined): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

function unhinted(value: Exclude<Json, null>): NormalValue {
  if (typeof value === 'boolean') return value ? 1n : 0n
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value
  return typeof value === 'object' ? jsonText(value) : value
}

/** A value that should have been text, as text; an array or a struct will differ. */
function textOf(value: Exclude<Json, null>): string {
  return typeof value === 'object' ? jsonText(value) : String(value)
}

function integerOf(value: Exclude<Json, null>): NormalValue {
  const text = textOf(value)
  if (text === 'true' || text === 'false') return text === 'true' ? 1n : 0n
  const integral = decimalText(text)
  return /^-?\d+$/.test(integral) ? BigInt(integral) : text
}

/** "0012.50" is "12.5", "1e3" is "1000" and "-0.0" is "0"; what is not a number stays. */
export function decimalText(text: string): string {
  const parts = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text)
  if (parts === null || `${parts[2]}${parts[3]}` === '') return text
  const [, sign, whole = '', fraction = '', exponent = '0'] = parts
  const unscaled = BigInt(`${whole}${fraction}`) * (sign === '-' ? -1n : 1n)
  return scaledText(unscaled, fraction.length - Number(exponent))
}

/** unscaled × 10^-scale as decimal text. */
export function scaledText(unscaled: bigint, scale: number): string {
  if (scale <= 0) return String(unscaled * 10n ** BigInt(-scale))
  const sign = unscaled < 0n ? '-' : ''
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  const fraction = digits.slice(-scale).replace(/0+$/, '')
  return sign + digits.slice(0, -scale) + (fraction === '' ? '' : `.${fraction}`)
}

const microsecondsPerDay = 86_400_000_000n

/** Rounds towards minus infinity, as times before 1970 need; BigInt division goes towards zero. */
export function floorDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor
  return dividend % divisor < 0n ? quotient - 1n : quotient
}

/** Days since 1970. Beyond what Date can print (PostgreSQL's infinity) the number itself shows. */
export function dateText(days: bigint): string {
  const date = new Date(Number(days) * 86_400_000)
  if (Number.isNaN(date.getTime())) return `day ${days}`
  // ISO 8601 as JavaScript writes it has six digits in such years; the program has as many as it needs.
  return date
    .toISOString()
    .replace(/T.*/, '')
    .replace(/^([+-])0{0,2}(\d{4,})/, '$1$2')
}

/** Microseconds since 1970. */
export function epochText(microseconds: bigint): string {
  const days = floorDivide(microseconds, microsecondsPerDay)
  const inDay = microseconds - days * microsecondsPerDay
  const pad = (value: bigint, width: number) => String(value).padStart(width, '0')
  const seconds = inDay / 1_000_000n
  const clock = [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n].map(part => pad(part, 2))
  const fraction = pad(inDay % 1_000_000n, 6).replace(/0+$/, '')
  return `${dateText(days)} ${clock.join(':')}${fraction === '' ? '' : `.${fraction}`}`
}

const timestampPattern =
  /^(\d{4,}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(?:\.(\d{1,6})\d*)?(Z|[+-]\d\d(?::?\d\d)?)?$/

/**
 * A timestamp without an offset is only respelled and never becomes a number, because zero dates
 * ("2024-00-15 00:00:00") are no day of a calendar. With an offset it is moved to UTC.
 */
function timestampText(text: string): string {
  const parts = timestampPattern.exec(text)
  if (parts === null) return text
  const [, date, minutes, seconds = ':00', fraction = '', offset = 'Z'] = parts
  const digits = fraction.replace(/0+$/, '')
  const local = `${date} ${minutes}${seconds}${digits === '' ? '' : `.${digits}`}`
  if (/^(Z|[+-]00(:?00)?)$/.test(offset)) return local
  const midnight = BigInt(Date.parse(`${date}T00:00:00Z`)) * 1000n
  const clock = timeMicroseconds(`${minutes}${seconds}.${fraction.padEnd(6, '0')}`)
  return epochText(midnight + (clock as bigint) - offsetMicroseconds(offset))
}

/** "[-]HH:MM:SS[.ffffff]" with any number of hours; an offset, if there is one, is taken off. */
function timeMicroseconds(text: string): bigint | string {
  const parts = /^(-?)(\d+):(\d\d):(\d\d)(?:\.(\d{1,6})\d*)?(Z|[+-]\d\d(?::?\d\d)?)?$/.exec(text)
  if (parts === null) return text
  const [, sign, hours, minutes, seconds, fraction = '', offset = 'Z'] = parts
  const whole = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)
  const microseconds = BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, '0'))
  return (sign === '-' ? -microseconds : microseconds) - offsetMicroseconds(offset)
}

function offsetMicroseconds(offset: string): bigint {
  if (offset === 'Z') return 0n
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(3).replace(':', '') || '0')
  return BigInt(offset.startsWith('-') ? -minutes : minutes) * 60_000_000n
}

function jsonText(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`
  if (typeof value === 'bigint') return String(value)
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const fields = Object.entries(value).map(
    ([name, field]) => `${JSON.stringify(name)}:${jsonText(field)}`,
  )
  return `{${fields.join(',')}}`
}
