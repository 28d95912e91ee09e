/**
 * The text of values. `jsonText` is what `forager rows` prints: integers bare in all their digits,
 * decimals as strings at the column's scale, binary as base64, dates `YYYY-MM-DD`, timestamps
 * `YYYY-MM-DD HH:MM:SS[.ffffff]` in UTC without trailing zeros of the fraction.
 */
import type { ColumnType } from './column-type.ts'
import type { Value } from './value.ts'
import { unscaledText } from './value.ts'

/** One value as JSON text. `null` and a value that was not sent are both `null`. */
export function jsonText(type: ColumnType, value: Value | undefined): string {
  if (value === null || value === undefined) return 'null'
  switch (type.kind) {
    case 'boolean':
      return value ? 'true' : 'false'
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
    case 'ubigint':
      return (value as number | bigint).toString()
    case 'float':
      return floatText(value as number, Math.fround)
    case 'double':
      return floatText(value as number, identity)
    case 'array':
      return `[${(value as readonly Value[]).map(item => jsonText(type.element, item)).join(',')}]`
    default:
      return JSON.stringify(plainText(type, value))
  }
}

/** One value as a person reads it, without quotes; null is the empty string. */
export function plainText(type: ColumnType, value: Value | undefined): string {
  if (value === null || value === undefined) return ''
  switch (type.kind) {
    case 'decimal':
      return unscaledText(value as number | bigint, type.scale)
    case 'binary':
      return Buffer.from(value as Uint8Array).toString('base64')
    case 'date':
      return dateText(value as number)
    case 'timestamp':
    case 'timestamptz':
      return timestampText(value as number | bigint)
    case 'string':
    case 'varchar':
    case 'char':
      return value as string
    default:
      return jsonText(type, value)
  }
}

const identity = (value: number): number => value

/** The shortest decimal that reads back as the same float; JSON has no NaN or infinity. */
function floatText(value: number, round: (value: number) => number): string {
  if (!Number.isFinite(value)) return JSON.stringify(String(value))
  if (Object.is(value, -0)) return '-0.0'
  for (let digits = 1; round === Math.fround && digits <= 9; digits += 1) {
    const text = Number(value.toPrecision(digits))
    if (Math.fround(text) === value) return String(text)
  }
  return String(value)
}

/** Days since the epoch as `YYYY-MM-DD`; years before 1 and after 9999 carry a sign. */
export function dateText(days: number): string {
  const { year, month, day } = civilFromDays(days)
  return `${yearText(year)}-${pad(month, 2)}-${pad(day, 2)}`
}

/** `YYYY-MM`, the unit of time partitions. */
export function yearMonthText(days: number): string {
  const { year, month } = civilFromDays(days)
  return `${yearText(year)}-${pad(month, 2)}`
}

/** Microseconds since the epoch as `YYYY-MM-DD HH:MM:SS[.ffffff]`, in UTC. */
export function timestampText(micros: number | bigint): string {
  const [days, rest] = splitDays(micros)
  const seconds = Math.floor(rest / 1e6)
  const fraction = rest % 1e6
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const text = `${dateText(days)} ${clock.map(part => pad(part, 2)).join(':')}`
  return fraction === 0 ? text : `${text}.${pad(fraction, 6).replace(/0+$/, '')}`
}

const microsPerDay = 86_400_000_000

/** Whole days since the epoch, and the microseconds of that day. */
export function splitDays(micros: number | bigint): [number, number] {
  if (typeof micros === 'number') {
    const days = Math.floor(micros / microsPerDay)
    return [days, micros - days * microsPerDay]
  }
  const per = BigInt(microsPerDay)
  const floor = micros >= 0n ? micros / per : -((-micros + per - 1n) / per)
  return [Number(floor), Number(micros - floor * per)]
}

/** Proleptic Gregorian date of a day number, for every year that a double can count. */
export function civilFromDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthShifted = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * monthShifted + 2) / 5) + 1
  const month = monthShifted < 10 ? monthShifted + 3 : monthShifted - 9
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day }
}

/** The inverse of `civilFromDays`. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const shiftedYear = month <= 2 ? year - 1 : year
  const era = Math.floor(shiftedYear / 400)
  const yearOfEra = shiftedYear - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

function yearText(year: number): string {
  if (year < 0) return `-${pad(-year, 4)}`
  return year > 9999 ? `+${year}` : pad(year, 4)
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0')
}
