/**
 * Reading Debezium's JSON forms of single values. Each function takes what `JSON.parse` gave and
 * returns the value in its one form, or throws DecodeError `value-invalid`.
 */
import { toBuffer } from '../model/bytes.ts'
import type { ColumnType } from '../model/column-type.ts'
import { DecodeError } from '../model/errors.ts'
import type { Value } from '../model/value.ts'
import { checkInteger, misfit, rescale, toInteger, unscaledText } from '../model/value.ts'
import { civilFromDays, daysFromCivil } from '../model/value-text.ts'

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
  if (typeof scale !== 'number') throw misfit({ kind: 'string' }, json)
  const unscaled = unscaledOf(value)
  return scale >= 0
    ? unscaledText(unscaled, scale)
    : (BigInt(unscaled) * 10n ** BigInt(-scale)).toString()
}

/** What `bit varying` without a length says of its length. */
const anyLength = 2 ** 31 - 1

/** Bits come as bytes, the lowest first; they are kept as text of 0 and 1, the highest first. */
export function bitsText(json: unknown, length: number): string {
  const bytes = [...bytesOf(json)].reverse()
  const bits = bytes.map(byte => byte.toString(2).padStart(8, '0')).join('')
  return length === anyLength ? bits : bits.slice(-length).padStart(length, '0')
}

/**
 * A time of day or an amount of time, which Hive has no type for, as `[-]HH:MM:SS[.ffffff]`. MySQL's
 * TIME is negative or longer than a day.
 */
export function timeText(json: unknown, unitsPerMicro: number): string {
  const micros = toMicros(json, unitsPerMicro)
  const magnitude = Math.abs(Number(micros))
  const seconds = Math.floor(magnitude / 1e6)
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const clock = parts.map(part => String(part).padStart(2, '0')).join(':')
  const fraction = magnitude % 1e6
  const digits = String(fraction).padStart(6, '0').replace(/0+$/, '')
  return `${micros < 0 ? '-' : ''}${clock}${fraction === 0 ? '' : `.${digits}`}`
}

/** PostgreSQL's infinity, in microseconds and in nanoseconds, as its connector sends it. */
const positiveInfinities: readonly unknown[] = [9_223_372_036_825_200_000n, 2n ** 63n - 1n]
const negativeInfinities: readonly unknown[] = [-9_223_372_036_832_400_000n, -(2n ** 63n)]
/** Hive's last and first moments stand for it: they compare as infinity would. */
const lastMoment = 253_402_300_799_999_999n
const firstMoment = -62_135_596_800_000_000n

export function timestampOf(json: unknown, unitsPerMicro: number): number | bigint {
  if (positiveInfinities.includes(json)) return lastMoment
  if (negativeInfinities.includes(json)) return firstMoment
  return toMicros(json, unitsPerMicro)
}

function toMicros(json: unknown, unitsPerMicro: number): number | bigint {
  if (typeof json !== 'bigint' && !(typeof json === 'number' && Number.isInteger(json))) {
    throw misfit({ kind: 'timestamp' }, json)
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

const zoned =
  /^([+-]?\d{4,9})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?(?::?\d\d)?)( BC)?$/

/** ISO 8601 with an offset, as microseconds since the epoch. */
export function zonedTimestamp(json: unknown): number | bigint {
  if (json === 'infinity') return lastMoment
  if (json === '-infinity') return firstMoment
  const match = typeof json === 'string' ? zoned.exec(json) : null
  if (match === null) throw misfit({ kind: 'timestamptz' }, json)
  const [, year, month, day, hour, minute, second = '0', fraction = '', zone, era] = match
  const civilYear = era === undefined ? Number(year) : 1 - Number(year)
  const days = dayNumber(civilYear, Number(month), Number(day))
  const clock = secondsOf(Number(hour), Number(minute), Number(second))
  const offset = zoneSeconds(zone!)
  if (days === null || clock === null || offset === null)
    throw misfit({ kind: 'timestamptz' }, json)
  const seconds = days * 86_400 + clock - offset
  const micros = Number(fraction.padEnd(6, '0').slice(0, 6))
  const total = seconds * 1e6 + micros
  return Number.isSafeInteger(total)
    ? total
    : toInteger(BigInt(seconds) * 1_000_000n + BigInt(micros))
}

/** Days since the epoch; null when there is no such day: 30 February, or MySQL's zero date. */
export function dayNumber(year: number, month: number, day: number): number | null {
  const days = daysFromCivil(year, month, day)
  const civil = civilFromDays(days)
  return civil.month === month && civil.day === day ? days : null
}

function secondsOf(hours: number, minutes: number, seconds: number): number | null {
  return hours < 24 && minutes < 60 && seconds < 60 ? hours * 3600 + minutes * 60 + seconds : null
}

/** East of Greenwich; null beyond the 18 hours that ISO 8601 has in Java. */
function zoneSeconds(zone: string): number | null {
  if (zone === 'Z') return 0
  const digits = zone.slice(1).replaceAll(':', '').padEnd(6, '0')
  const [hours, minutes, seconds] = [0, 2, 4].map(start => Number(digits.slice(start, start + 2)))
  const offset = hours! <= 18 ? secondsOf(hours!, minutes!, seconds!) : null
  return zone[0] === '-' && offset !== null ? -offset : offset
}
