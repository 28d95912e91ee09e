/**
 * Dates, times and amounts of time as ISO 8601 text: `time.precision.mode=isostring`, types with a zone,
 * and `interval.handling.mode=string`. Whatever is no such text is DecodeError `value-invalid`.
 */
import type { ColumnType } from '../../model/column-type.ts'
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

const date: ColumnType = { kind: 'date' }
const text: ColumnType = { kind: 'string' }

const datePattern = String.raw`([+-]?\d{4,9})-(\d\d)-(\d\d)`
const zonePattern = String.raw`(Z|[+-]\d\d(?::?\d\d)?(?::?\d\d)?)`
const isoDates = new RegExp(`^${datePattern}${zonePattern}?( BC)?$`)
const isoMoments = new RegExp(
  String.raw`^${datePattern}T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,12}))?)?${zonePattern}?( BC)?$`,
)
const isoTimes = new RegExp(
  String.raw`^(-?)(\d{2,3}):(\d\d)(?::(\d\d)(?:\.(\d{1,12}))?)?${zonePattern}?$`,
)

/** `2024-02-29Z`: days since the epoch. */
export function isoDate(json: unknown): number {
  if (json === 'infinity') return lastDay
  if (json === '-infinity') return firstDay
  const match = typeof json === 'string' ? isoDates.exec(json) : null
  const days = match === null ? null : dayNumber(yearOf(match[1], match[5]), +match[2]!, +match[3]!)
  if (days === null) throw misfit(date, json)
  return checkDay(days, json)
}

/** `2024-02-29T12:34:56.789012Z`, without an offset in UTC: microseconds since the epoch. */
export function isoTimestamp(json: unknown): number | bigint {
  return isoMoment(json, { kind: 'timestamp' }, 'Z')
}

/** A moment, with its offset. */
export function zonedTimestamp(json: unknown): number | bigint {
  return isoMoment(json, { kind: 'timestamptz' }, null)
}

/** `unzoned` is the zone of text that has none; null: it is refused. */
function isoMoment(json: unknown, type: ColumnType, unzoned: string | null): number | bigint {
  if (json === 'infinity') return lastMoment
  if (json === '-infinity') return firstMoment
  const match = typeof json === 'string' ? isoMoments.exec(json) : null
  const zone = match?.[8] ?? unzoned
  if (match === null || zone === null) throw misfit(type, json)
  const [, year, month, day, hour, minute, second = '0', fraction = '', , era] = match
  const days = dayNumber(yearOf(year, era), Number(month), Number(day))
  const clock = secondsOf(Number(hour), Number(minute), Number(second))
  const offset = zoneSeconds(zone)
  if (days === null || clock === null || offset === null) throw misfit(type, json)
  return checkMoment(momentOf(days * 86_400 + clock - offset, microsOf(fraction)))
}

/** `12:34:56.789012`, with an offset in UTC, as `[-]HH:MM:SS[.ffffff]`. */
export function isoTime(json: unknown): string {
  const match = typeof json === 'string' ? isoTimes.exec(json) : null
  if (match === null) throw misfit(text, json)
  const [, sign, hours, minutes, seconds = '0', fraction = '', zone = 'Z'] = match
  const offset = zoneSeconds(zone)
  if (Number(minutes) > 59 || Number(seconds) > 59 || offset === null) throw misfit(text, json)
  const clock = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  const inUtc = offset === 0 ? clock : (clock - offset + 2 * 86_400) % 86_400
  const micros = inUtc * 1e6 + microsOf(fraction)
  return timeText(sign === '-' ? -micros : micros, 1)
}

const amount = String.raw`([+-]?\d{1,18})`
const isoDurations = new RegExp(
  `^([+-]?)P(?:${amount}Y)?(?:${amount}M)?(?:${amount}W)?(?:${amount}D)?` +
    `(?:T(?:${amount}H)?(?:${amount}M)?(?:([+-]?)(\\d{1,18})(?:\\.(\\d{1,12}))?S)?)?$`,
)

/**
 * `P1Y2M3DT4H5M6.789S` as microseconds. A month is a twelfth of 365.25 days, as it is to Debezium itself
 * in `interval.handling.mode=numeric`.
 */
export function isoInterval(json: unknown): number | bigint {
  const match = typeof json === 'string' && json.length > 2 ? isoDurations.exec(json) : null
  if (match === null) throw misfit({ kind: 'bigint' }, json)
  const [, sign, years, months, weeks, days, hours, minutes, secondsSign, seconds, fraction] = match
  const big = (digits: string | undefined): bigint => BigInt(digits ?? 0)
  const wholeSeconds = big(seconds) * 1_000_000n + BigInt(microsOf(fraction ?? ''))
  const micros = intervalMicros({
    months: big(years) * 12n + big(months),
    days: big(weeks) * 7n + big(days),
    micros:
      (big(hours) * 3600n + big(minutes) * 60n) * 1_000_000n +
      (secondsSign === '-' ? -wholeSeconds : wholeSeconds),
  })
  return checkInteger({ kind: 'bigint' }, toInteger(sign === '-' ? -micros : micros))
}

const microsPerDay = 86_400_000_000n
/** Of 30.4375 days. */
const microsPerMonth = (microsPerDay * 304_375n) / 10_000n

export function intervalMicros(parts: {
  readonly months: bigint
  readonly days: bigint
  readonly micros: bigint
}): bigint {
  return parts.months * microsPerMonth + parts.days * microsPerDay + parts.micros
}

/** From whole seconds and microseconds within the second. */
export function momentOf(seconds: number, micros: number): number | bigint {
  const total = seconds * 1e6 + micros
  return Number.isSafeInteger(total)
    ? total
    : toInteger(BigInt(seconds) * 1_000_000n + BigInt(micros))
}

/** The digits of a fraction of a second, cut to microseconds. */
function microsOf(fraction: string): number {
  return Number(fraction.padEnd(6, '0').slice(0, 6))
}

function yearOf(year: string | undefined, era: string | undefined): number {
  return era === undefined ? Number(year) : 1 - Number(year)
}

/** East of Greenwich; null beyond the 18 hours that ISO 8601 has in Java. */
function zoneSeconds(zone: string): number | null {
  if (zone === 'Z') return 0
  const digits = zone.slice(1).replaceAll(':', '').padEnd(6, '0')
  const [hours, minutes, seconds] = [0, 2, 4].map(start => Number(digits.slice(start, start + 2)))
  const offset = hours! <= 18 ? secondsOf(hours!, minutes!, seconds!) : null
  return zone[0] === '-' && offset !== null ? -offset : offset
}
