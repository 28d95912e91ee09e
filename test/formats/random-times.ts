/** Dates and times for `random-columns.ts`, from their parts to each way that Debezium has to write them. */
import type { Dice, Profile, RandomColumn } from './random-columns.ts'
import { pad, quoted } from './random-columns.ts'

interface Parts {
  readonly year: number
  readonly month: number
  readonly day: number
  /** Seconds of the day. */
  readonly seconds: number
  readonly micros: number
}

function partsOf(dice: Dice, digits: number): Parts {
  const year = dice.isOnce(8) ? dice.of([1, 1582, 1969, 1970, 9999]) : 1 + dice.below(9999)
  const month = 1 + dice.below(12)
  const day = 1 + dice.below([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]!)
  const isWhole = dice.isOnce(3)
  const micros = isWhole ? 0 : dice.below(10 ** digits) * 10 ** (6 - digits)
  return { year, month, day, seconds: dice.below(86_400), micros }
}

const dateText = ({ year, month, day }: Parts): string =>
  `${pad(year, 4)}-${pad(month)}-${pad(day)}`

function clockText(seconds: number, micros: number): string {
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const fraction = micros === 0 ? '' : `.${pad(micros, 6).replace(/0+$/, '')}`
  return `${clock.map(part => pad(part)).join(':')}${fraction}`
}

/** Days since 1970, by JavaScript's calendar. */
function daysOf({ year, month, day }: Parts): number {
  return new Date(0).setUTCFullYear(year, month - 1, day) / 86_400_000
}

const microsOf = (parts: Parts): bigint =>
  (BigInt(daysOf(parts)) * 86_400n + BigInt(parts.seconds)) * 1_000_000n + BigInt(parts.micros)

const dateStruct = ({ year, month, day }: Parts) => ({ year, month, day, specialValue: null })

const clockStruct = ({ seconds, micros }: Parts) => ({
  hour: Math.floor(seconds / 3600),
  minute: Math.floor(seconds / 60) % 60,
  second: seconds % 60,
  picoseconds: micros * 1_000_000,
})

const debezium = (type: string, name: string) => ({ type, name: `io.debezium.time.${name}` })
const connect = (type: string, name: string) => ({
  type,
  name: `org.apache.kafka.connect.data.${name}`,
})

function date({ time }: Profile): RandomColumn {
  const form = { isostring: 'IsoDate', structured: 'StructuredDate' }[time]
  const field =
    time === 'structured'
      ? debezium('struct', 'StructuredDate')
      : form === undefined
        ? debezium('int32', 'Date')
        : debezium('string', form)
  return {
    field,
    column: { typeName: 'DATE' },
    stated: 'date',
    cell: dice => {
      const parts = partsOf(dice, 0)
      const shown = quoted(dateText(parts))
      if (time === 'isostring') return { json: quoted(`${dateText(parts)}Z`), shown }
      if (time === 'structured') return { json: JSON.stringify(dateStruct(parts)), shown }
      return { json: String(daysOf(parts)), shown }
    },
  }
}

/** Which form a column of so many digits has; `adaptive` is that of the digits. */
function unitOf(time: string, digits: number): 'millis' | 'micros' | 'nanos' {
  if (time === 'connect') return 'millis'
  if (time === 'nanoseconds') return 'nanos'
  return time === 'microseconds' || digits > 3 ? 'micros' : 'millis'
}

function inUnit(micros: bigint, unit: 'millis' | 'micros' | 'nanos', extra: number): string {
  if (unit === 'millis') return String(micros / 1000n)
  return unit === 'micros' ? String(micros) : String(micros * 1000n + BigInt(extra))
}

function timestamp(digits: 3 | 6, profile: Profile): RandomColumn {
  const { time } = profile
  const unit = unitOf(time, digits)
  const names = { millis: 'Timestamp', micros: 'MicroTimestamp', nanos: 'NanoTimestamp' }
  const fields: Readonly<Record<string, RandomColumn['field']>> = {
    connect: connect('int64', 'Timestamp'),
    isostring: debezium('string', 'IsoTimestamp'),
    structured: debezium('struct', `StructuredTimestampPrecision${digits}SourceColumn6364`),
  }
  return {
    field: fields[time] ?? debezium('int64', names[unit]),
    column: { typeName: 'DATETIME', length: digits },
    stated: `timestamp(${digits})`,
    cell: dice => {
      // Nanoseconds of 64 bits reach from 1677 to 2262.
      const found = partsOf(dice, time === 'connect' ? 3 : digits)
      const parts = unit === 'nanos' ? { ...found, year: 1700 + (found.year % 500) } : found
      const local = `${dateText(parts)} ${clockText(parts.seconds, parts.micros)}`
      const shown = quoted(local)
      if (time === 'isostring') return { json: quoted(`${local.replace(' ', 'T')}Z`), shown }
      if (time === 'structured') {
        return { json: JSON.stringify({ ...dateStruct(parts), ...clockStruct(parts) }), shown }
      }
      return { json: inUnit(microsOf(parts), unit, dice.below(1000)), shown }
    },
  }
}

/** MySQL's TIME has the same form for any digits; PostgreSQL's is `time(digits)`. */
function clock(profile: Profile): RandomColumn {
  const { time } = profile
  const unit = unitOf(time, 6)
  const names = { millis: 'Time', micros: 'MicroTime', nanos: 'NanoTime' }
  const fields: Readonly<Record<string, RandomColumn['field']>> = {
    connect: connect('int32', 'Time'),
    isostring: debezium('string', 'IsoTime'),
    structured: debezium('struct', 'StructuredTime'),
  }
  return {
    field: fields[time] ?? debezium('int64', names[unit]),
    column: { typeName: 'TIME', length: 6 },
    stated: 'time(6)',
    cell: dice => {
      const parts = partsOf(dice, time === 'connect' ? 3 : 6)
      const shown = quoted(clockText(parts.seconds, parts.micros))
      if (time === 'isostring') return { json: quoted(`${shown.slice(1, -1)}Z`), shown }
      if (time === 'structured') return { json: JSON.stringify(clockStruct(parts)), shown }
      const micros = BigInt(parts.seconds) * 1_000_000n + BigInt(parts.micros)
      return { json: inUnit(micros, unit, dice.below(1000)), shown }
    },
  }
}

const instant: RandomColumn = {
  field: debezium('string', 'ZonedTimestamp'),
  column: { typeName: 'TIMESTAMP', length: 6 },
  stated: 'timestamptz',
  cell: dice => {
    const found = partsOf(dice, 6)
    // Far from the ends of the calendar, so that an offset does not leave it.
    const parts = { ...found, year: 1000 + (found.year % 8000) }
    const minutes = dice.isOnce(3) ? 0 : dice.below(36 * 60) - 18 * 60
    const moment = new Date(0)
    moment.setUTCFullYear(parts.year, parts.month - 1, parts.day)
    moment.setUTCSeconds(parts.seconds - minutes * 60)
    const [day = '', time = ''] = moment.toISOString().split(/[T.]/)
    const fraction = clockText(0, parts.micros).slice('00:00:00'.length)
    const zone = `${minutes < 0 ? '-' : '+'}${pad(Math.floor(Math.abs(minutes) / 60))}:${pad(Math.abs(minutes) % 60)}`
    const local = `${dateText(parts)}T${clockText(parts.seconds, parts.micros)}`
    return {
      json: quoted(`${local}${minutes === 0 ? 'Z' : zone}`),
      shown: quoted(`${day} ${time}${fraction}`),
    }
  },
}

function interval({ interval: mode }: Profile): RandomColumn {
  return {
    field: mode === 'numeric' ? debezium('int64', 'MicroDuration') : debezium('string', 'Interval'),
    stated: 'interval',
    cell: dice => {
      const [years, months, days] = [dice.below(200) - 100, dice.below(12), dice.below(60) - 30]
      const [hours, minutes, seconds] = [dice.below(48) - 24, dice.below(60), dice.below(60)]
      const micros = dice.isOnce(3) ? 0 : dice.below(1_000_000)
      const fraction = clockText(0, micros).slice('00:00:00'.length)
      const shown = String(
        BigInt(years * 12 + months) * 2_629_800_000_000n +
          BigInt(((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000_000n +
          BigInt(micros),
      )
      const iso = `P${years}Y${months}M${days}DT${hours}H${minutes}M${seconds}${fraction}S`
      return { json: mode === 'numeric' ? shown : quoted(iso), shown }
    },
  }
}

const year: RandomColumn = {
  field: debezium('int32', 'Year'),
  column: { typeName: 'YEAR' },
  stated: 'int',
  cell: dice => {
    const json = String(1901 + dice.below(255))
    return { json, shown: json }
  },
}

export function timeColumns(profile: Profile): readonly RandomColumn[] {
  return [
    date(profile),
    timestamp(3, profile),
    timestamp(6, profile),
    clock(profile),
    instant,
    interval(profile),
    year,
  ]
}
