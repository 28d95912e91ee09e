/**
 * Dates, times and amounts of time as structs of their parts: `time.precision.mode=structured`. The struct
 * holds what the database has, also what is no day of a calendar: MySQL's zero dates (`month` or `day` 0)
 * become null, as they are in the other modes; infinity becomes Hive's first or last moment.
 * Fractions of a second are `picoseconds`; the first versions had `nanos`.
 */
import type { ColumnType } from '../../model/column-type.ts'
import { DecodeError } from '../../model/errors.ts'
import { checkInteger, misfit, toInteger } from '../../model/value.ts'
import {
  checkDay,
  checkMoment,
  dayNumber,
  firstDay,
  firstMoment,
  lastDay,
  lastMoment,
  secondsOf,
  timeText,
} from './debezium-values.ts'
import { intervalMicros, momentOf } from './iso-times.ts'

type Parts = Readonly<Record<string, unknown>>

/** Whether the value may be one of them. */
export function isStruct(json: unknown): json is Parts {
  return (
    typeof json === 'object' &&
    json !== null &&
    !Array.isArray(json) &&
    !(json instanceof Uint8Array)
  )
}

export function structuredDate(json: unknown): number | null {
  const type: ColumnType = { kind: 'date' }
  const parts = partsOf(json, type, 'day')
  const infinity = infinityOf(parts, json, type)
  if (infinity !== 0) return infinity > 0 ? lastDay : firstDay
  return daysOf(parts, json, type)
}

/** Local date and time; with an offset the moment. */
export function structuredTimestamp(
  json: unknown,
  type: ColumnType = { kind: 'timestamp' },
): number | bigint | null {
  const parts = partsOf(json, type, 'hour')
  const infinity = infinityOf(parts, json, type)
  if (infinity !== 0) return infinity > 0 ? lastMoment : firstMoment
  const days = daysOf(parts, json, type)
  if (days === null) return null
  const part = (name: string): number => partOf(parts, name, json, type)
  const clock = secondsOf(part('hour'), part('minute'), part('second'))
  if (clock === null) throw misfit(type, json)
  const offset = type.kind === 'timestamptz' ? offsetOf(parts, json, type) : 0
  return checkMoment(momentOf(days * 86_400 + clock - offset, fractionOf(parts, json, type)))
}

export function structuredZonedTimestamp(json: unknown): number | bigint | null {
  return structuredTimestamp(json, { kind: 'timestamptz' })
}

/** A time of day; with an offset that of UTC. */
export function structuredTime(json: unknown): string {
  const type: ColumnType = { kind: 'string' }
  const parts = partsOf(json, type, 'hour')
  const part = (name: string): number => partOf(parts, name, json, type)
  const [hour, minute, second] = [part('hour'), part('minute'), part('second')]
  const clock = hour === 24 ? 86_400 : secondsOf(hour, minute, second)
  if (clock === null || (hour === 24 && minute + second > 0)) throw misfit(type, json)
  const offset = hasOffset(parts) ? offsetOf(parts, json, type) : 0
  const inUtc = offset === 0 ? clock : (clock - offset + 2 * 86_400) % 86_400
  return timeText(inUtc * 1e6 + fractionOf(parts, json, type), 1)
}

/** MySQL's TIME: an amount of hours, minutes and seconds. */
export function structuredElapsedTime(json: unknown): string {
  return timeText(structuredInterval(json), 1)
}

/** Microseconds; see `isoInterval` for what a month is. */
export function structuredInterval(json: unknown): number | bigint {
  const type: ColumnType = { kind: 'bigint' }
  const parts = partsOf(json, type, 'hours')
  const part = (name: string): bigint => BigInt(partOf(parts, name, json, type))
  const seconds = part('hours') * 3600n + part('minutes') * 60n + part('seconds')
  const micros = intervalMicros({
    months: part('years') * 12n + part('months'),
    days: part('days'),
    micros: seconds * 1_000_000n + BigInt(fractionOf(parts, json, type)),
  })
  return checkInteger(type, toInteger(micros))
}

/** `part` is one that such a struct always has, if only with null. */
function partsOf(json: unknown, type: ColumnType, part: string): Parts {
  if (isStruct(json) && Object.hasOwn(json, part)) return json
  throw misfit(type, json)
}

/** A part that is null or absent is 0. */
function partOf(parts: Parts, name: string, json: unknown, type: ColumnType): number {
  const part = parts[name] ?? 0
  if (typeof part === 'number' && Number.isSafeInteger(part)) return part
  throw misfit(type, json)
}

function infinityOf({ specialValue }: Parts, json: unknown, type: ColumnType): -1 | 0 | 1 {
  if (specialValue === null || specialValue === undefined) return 0
  if (specialValue === 'POSITIVE_INFINITY') return 1
  if (specialValue === 'NEGATIVE_INFINITY') return -1
  throw misfit(type, json)
}

/** Null for a zero date. */
function daysOf(parts: Parts, json: unknown, type: ColumnType): number | null {
  const [year, month, day] = ['year', 'month', 'day'].map(name => partOf(parts, name, json, type))
  if (month === 0 || day === 0) return null
  const days = dayNumber(year!, month!, day!)
  if (days === null) throw misfit(type, json)
  return checkDay(days, json)
}

/** Microseconds within the second; what is finer is cut. */
function fractionOf(parts: Parts, json: unknown, type: ColumnType): number {
  const nanos = partOf(parts, 'nanos', json, type)
  const micros = Math.floor(partOf(parts, 'picoseconds', json, type) / 1e6 + nanos / 1000)
  if (Math.abs(micros) >= 1e6) throw misfit(type, json)
  return micros
}

function hasOffset({ offsetSeconds, zoneId }: Parts): boolean {
  return (offsetSeconds ?? null) !== null || (zoneId ?? null) !== null
}

function offsetOf(parts: Parts, json: unknown, type: ColumnType): number {
  if ((parts.offsetSeconds ?? null) !== null) return partOf(parts, 'offsetSeconds', json, type)
  if ((parts.zoneId ?? null) === null || parts.zoneId === 'Z' || parts.zoneId === 'UTC') return 0
  if (typeof parts.zoneId !== 'string') throw misfit(type, json)
  throw new DecodeError(
    'value-invalid',
    `a time in the zone ${parts.zoneId} comes without its offset: have the connector send ` +
      'another time.precision.mode',
  )
}
