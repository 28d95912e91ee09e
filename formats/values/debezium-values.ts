/**
 * Reading Debezium's JSON forms of single values. Each function takes what `JSON.parse` gave and
 * returns the value in its one form, or throws DecodeError `value-invalid`.
 */
import { toBuffer } from '../../model/bytes.ts'
import type { ColumnType } from '../../model/column-type.ts'
import { DecodeError } from '../../model/errors.ts'
import type { Value } from '../../model/value.ts'
import { checkInteger, misfit, rescale, toInteger, unscaledText } from '../../model/value.ts'
import { civilFromDays, daysFromCivil } from '../../model/value-text.ts'

export type Convert = (json: unknown) => Value

export function textOf(json: unknown): string {
  if (typeof json === 'string') return json
  throw misfit({ kind: 'string' }, json)
}

const maxDepth = 200

/**
 * What Hive has no type for, as JSON text: members in their order, integers with every digit, bytes in
 * base64, and numbers that JSON does not have as text.
 */
export function jsonTextOf(value: unknown, depth = 0): string {
  if (depth > maxDepth) {
    throw new DecodeError('value-invalid', `a value is nested deeper than ${maxDepth} levels`)
  }
  if (value instanceof Uint8Array) return `"${toBuffer(value).toString('base64')}"`
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number' && !Number.isFinite(value)) return `"${value}"`
  if (Array.isArray(value)) {
    return `[${value.map((item: unknown) => jsonTextOf(item, depth + 1)).join()}]`
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null)
  const members = Object.entries(value).map(
    ([name, member]) => `${JSON.stringify(name)}:${jsonTextOf(member, depth + 1)}`,
  )
  return `{${members.join()}}`
}

export function integerOf(type: ColumnType, json: unknown): number | bigint {
  if (typeof json === 'bigint' || (typeof json === 'number' && Number.isInteger(json))) {
    return checkInteger(type, json)
  }
  throw misfit(type, json)
}

/** `bigint.unsigned.handling.mode=long` writes what lies above 2^63 as a negative number. */
export function unsignedOf(long: number | bigint): number | bigint {
  return long < 0 ? toInteger(2n ** 64n + BigInt(long)) : long
}

const base64 = /^[A-Za-z0-9+/]*={0,2}$/

/** Bytes: JSON has them in base64, other forms of Connect as they are. */
export function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value
  if (typeof value === 'string' && base64.test(value)) return Buffer.from(value, 'base64')
  throw misfit({ kind: 'binary' }, value)
}

/** Bytes as `binary.handling.mode` has them; they are bytes, or base64, when it is not told. */
export function binaryIn(mode: string | undefined, json: unknown): Uint8Array {
  if (typeof json !== 'string' || mode === undefined) return bytesOf(json)
  if (mode === 'hex') {
    if (/^(?:[0-9a-fA-F]{2})*$/.test(json)) return Buffer.from(json, 'hex')
    throw misfit({ kind: 'binary' }, json)
  }
  return bytesOf(mode === 'base64-url-safe' ? json.replaceAll('-', '+').replaceAll('_', '/') : json)
}

/** Two's complement, big endian, as Connect's Decimal sends it: the unscaled integer. */
export function unscaledOf(json: unknown): number | bigint {
  const bytes = toBuffer(bytesOf(json))
  if (bytes.length === 0) throw new DecodeError('value-invalid', 'a decimal has no bytes')
  if (bytes.length <= 6) return bytes.readIntBE(0, bytes.length)
  return toInteger(BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`)))
}

export function decimalOf(
  json: unknown,
  type: { readonly precision: number; readonly scale: number },
): number | bigint {
  return rescale(unscaledOf(json), type.scale, type)
}

/** `{scale, value}`: the exact number as text. */
export function variableScaleText(json: unknown): string {
  const { scale, value } = (json ?? {}) as { scale?: unknown; value?: unknown }
  if (!isScale(scale)) throw misfit({ kind: 'string' }, json)
  const unscaled = unscaledOf(value)
  const zeros = scale < 0 ? -scale : scale - digitsOf(unscaled)
  if (zeros > maxZeros) throw misfit({ kind: 'string' }, json)
  return scale >= 0
    ? unscaledText(unscaled, scale)
    : (BigInt(unscaled) * 10n ** BigInt(-scale)).toString()
}

/** What a message does not have becomes no part of a row in any amount: a few bytes would be megabytes. */
const maxZeros = 1000

function digitsOf(unscaled: number | bigint): number {
  return unscaled.toString().length
}

/** PostgreSQL's numbers have the most digits: so many before the point, and behind it. */
export function isScale(scale: unknown): scale is number {
  return Number.isInteger(scale) && Number(scale) >= -131_072 && Number(scale) <= 16_383
}

/** What `bit varying` without a length says of its length. */
const anyLength = 2 ** 31 - 1

/** Bits come as bytes, the lowest first; they are kept as text of 0 and 1, the highest first. */
export function bitsText(json: unknown, length: number): string {
  const bytes = [...bytesOf(json)].reverse()
  const bits = bytes.map(byte => byte.toString(2).padStart(8, '0')).join('')
  if (length === anyLength) return bits
  const isWhole = length <= bits.length + maxZeros && !bits.slice(0, -length).includes('1')
  if (!isWhole) throw misfit({ kind: 'string' }, json)
  return bits.slice(-length).padStart(length, '0')
}

/**
 * A time of day or an amount of time, which Hive has no type for, as `[-]HH:MM:SS[.ffffff]`. MySQL's
 * TIME is negative or longer than a day.
 */
export function timeText(json: unknown, unitsPerMicro: number): string {
  const micros = toMicros(json, unitsPerMicro, { kind: 'string' })
  const magnitude = Math.abs(Number(micros))
  if (magnitude > Number.MAX_SAFE_INTEGER) throw misfit({ kind: 'string' }, json)
  const seconds = Math.floor(magnitude / 1e6)
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const clock = parts.map(part => String(part).padStart(2, '0')).join(':')
  const fraction = magnitude % 1e6
  const digits = String(fraction).padStart(6, '0').replace(/0+$/, '')
  return `${micros < 0 ? '-' : ''}${clock}${fraction === 0 ? '' : `.${digits}`}`
}

/** Hive's first and last days and moments stand for infinity: they compare as it would. */
export const lastDay = 2_932_896
export const firstDay = -719_162
export const lastMoment = 253_402_300_799_999_999n
export const firstMoment = -62_135_596_800_000_000n

/**
 * PostgreSQL's infinity, as its connector sends it, by units per microsecond. Nanoseconds do not reach it:
 * there it is the largest number.
 */
const infinities: ReadonlyMap<number, readonly [negative: bigint, positive: bigint]> = new Map([
  [1 / 1000, [-9_223_372_036_832_400n, 9_223_372_036_825_200n]],
  [1, [-9_223_372_036_832_400_000n, 9_223_372_036_825_200_000n]],
  [1000, [-(2n ** 63n), 2n ** 63n - 1n]],
])

/** Microseconds; infinity is Hive's first or last moment. */
export function timestampOf(json: unknown, unitsPerMicro: number): number | bigint {
  const [negative, positive] = infinities.get(unitsPerMicro) ?? []
  if (json === positive) return lastMoment
  if (json === negative) return firstMoment
  return checkMicros(toMicros(json, unitsPerMicro, { kind: 'timestamp' }), json)
}

/** Of 64 bits: 292,000 years, which no database exceeds. */
function checkMicros(micros: number | bigint, json: unknown): number | bigint {
  if (micros >= -(2n ** 63n) && micros < 2n ** 63n) return micros
  throw misfit({ kind: 'timestamp' }, json)
}

/** The unit in which the number is infinity; undefined when it is not. */
export function unitOfInfinity(json: unknown): number | undefined {
  if (typeof json !== 'bigint') return undefined
  return [...infinities.keys()].find(unit => infinities.get(unit)!.includes(json))
}

/** A moment that was read from a calendar's form of infinity is the first or the last. */
export function checkMoment(micros: number | bigint): number | bigint {
  return timestampOf(micros, 1)
}

/**
 * PostgreSQL's infinite dates overflow on their way through the connector. What arrives was recorded from
 * snapshots and from the log for infinity; the same way leads to the two for minus infinity. The last pair
 * is what they are before a 32-bit integer cuts them (`isostring`).
 */
const infiniteDays: ReadonlyMap<number, number> = new Map([
  [-622_191_234, lastDay],
  [-2_147_472_692, lastDay],
  [106_751_991_166, lastDay],
  [-625_821_272, firstDay],
  [-2_147_472_691, firstDay],
  [106_748_361_128, firstDay],
])
/** From 4714-11-24 BC to 5874897-12-31: PostgreSQL's, and so any database's. */
const calendar = [-2_440_588, 2_145_031_948] as const

/** Days since the epoch. */
export function dateOf(json: unknown): number {
  return checkDay(Number(integerOf({ kind: 'bigint' }, json)), json)
}

export function checkDay(days: number, json: unknown): number {
  const infinity = infiniteDays.get(days)
  if (infinity !== undefined) return infinity
  if (days < calendar[0] || days > calendar[1]) throw misfit({ kind: 'date' }, json)
  return days
}

/** Whether the number is infinity, of dates or of moments in any unit. */
export function isInfiniteNumber(json: unknown): boolean {
  return typeof json === 'number' ? infiniteDays.has(json) : unitOfInfinity(json) !== undefined
}

/** An amount of time, in microseconds. */
export function intervalOf(json: unknown, unitsPerMicro: number): number | bigint {
  const type: ColumnType = { kind: 'bigint' }
  return checkInteger(type, toMicros(json, unitsPerMicro, type))
}

function toMicros(json: unknown, unitsPerMicro: number, type: ColumnType): number | bigint {
  if (typeof json !== 'bigint' && !(typeof json === 'number' && Number.isInteger(json))) {
    throw misfit(type, json)
  }
  if (unitsPerMicro === 1) return json
  if (unitsPerMicro < 1) {
    const micros = Number(json) * 1000
    return Number.isSafeInteger(micros) ? micros : toInteger(BigInt(json) * 1000n)
  }
  const units = BigInt(json)
  const divisor = BigInt(unitsPerMicro)
  if (units % divisor === 0n) return toInteger(units / divisor)
  // Some sources have nanoseconds; the table keeps microseconds, and the earlier one.
  return toInteger((units - (((units % divisor) + divisor) % divisor)) / divisor)
}

/** Days since the epoch; null when there is no such day: 30 February, or MySQL's zero date. */
export function dayNumber(year: number, month: number, day: number): number | null {
  const days = daysFromCivil(year, month, day)
  const civil = civilFromDays(days)
  return civil.month === month && civil.day === day ? days : null
}

/** Seconds of a day; null when no clock shows it. */
export function secondsOf(hours: number, minutes: number, seconds: number): number | null {
  const isOnClock =
    hours >= 0 && minutes >= 0 && seconds >= 0 && hours < 24 && minutes < 60 && seconds < 60
  return isOnClock ? hours * 3600 + minutes * 60 + seconds : null
}
