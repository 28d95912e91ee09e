/**
 * Values as databases write them in text, read to their one form (`model/column-type.ts`). Both sides of a
 * comparison are read here, so that one value has one form whoever wrote it.
 */
import { dayNumber } from '../../formats/values/debezium-values.ts'
import { zonedTimestamp } from '../../formats/values/iso-times.ts'
import type { ColumnType } from '../../model/column-type.ts'
import type { Value } from '../../model/value.ts'
import { checkInteger, misfit, parseDecimal, toInteger } from '../../model/value.ts'

/** Throws DecodeError `value-invalid`. */
export function valueOfText(type: ColumnType, text: string): Value {
  switch (type.kind) {
    case 'boolean':
      return booleanOf(text)
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
    case 'ubigint':
      if (!/^[+-]?\d+$/.test(text)) throw misfit(type, text)
      return checkInteger(type, toInteger(BigInt(text)))
    case 'decimal':
      return parseDecimal(text, type)
    case 'float':
    case 'double':
      return floatOf(type, text)
    case 'date':
      return dateOf(text)
    case 'timestamp':
    case 'timestamptz':
      return momentOf(text)
    case 'array':
      return arrayOf(type.element, text)
    case 'binary':
      return Buffer.from(text, 'base64')
    default:
      return text
  }
}

const trueTexts = ['t', 'true', '1']
const falseTexts = ['f', 'false', '0']

function booleanOf(text: string): boolean {
  if (trueTexts.includes(text)) return true
  if (falseTexts.includes(text)) return false
  throw misfit({ kind: 'boolean' }, text)
}

function floatOf(type: ColumnType, text: string): number {
  const value = Number(text)
  if (text.trim() === '' || (Number.isNaN(value) && text !== 'NaN')) throw misfit(type, text)
  return type.kind === 'float' ? Math.fround(value) : value
}

/** `YYYY-MM-DD`, perhaps with ` BC`. */
export function dateOf(text: string): number {
  const match = /^([+-]?\d{4,})-(\d\d)-(\d\d)( BC)?$/.exec(text)
  const [, year, month, day, era] = match ?? []
  const civilYear = era === undefined ? Number(year) : 1 - Number(year)
  const days = match === null ? null : dayNumber(civilYear, Number(month), Number(day))
  if (days === null) throw misfit({ kind: 'date' }, text)
  return days
}

/** `YYYY-MM-DD HH:MM:SS[.f]`, perhaps with an offset; without one it is in UTC. */
export function momentOf(text: string): number | bigint {
  if (text === 'infinity' || text === '-infinity') return zonedTimestamp(text)
  const match = /^(\S+)[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(UTC|Z|[+-][\d:]+)?( BC)?$/.exec(text)
  if (match === null) throw misfit({ kind: 'timestamp' }, text)
  const [, day, clock, zone = 'Z', era = ''] = match
  return zonedTimestamp(`${day}T${clock}${zone === 'UTC' ? 'Z' : zone}${era}`)
}

/** JSON; numbers and times in it as text or as they are. */
function arrayOf(element: ColumnType, text: string): Value {
  const items: unknown = JSON.parse(text, keepNumber)
  if (!Array.isArray(items)) throw misfit({ kind: 'array', element }, text)
  return items.map((item: unknown) => itemOf(element, item))
}

function itemOf(element: ColumnType, item: unknown): Value {
  if (item === null) return null
  if (Array.isArray(item) && element.kind === 'array') {
    return item.map((one: unknown) => itemOf(element.element, one))
  }
  if (typeof item !== 'string' && typeof item !== 'boolean') {
    throw misfit({ kind: 'array', element }, item)
  }
  return valueOfText(element, String(item))
}

/** All digits of it. */
function keepNumber(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' ? (context?.source ?? String(value)) : value
}

/** `12:30:00.500000` as Forager writes it: without zeros that say nothing. */
export function timeOf(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

/** `time.precision.mode: connect` has no more than milliseconds. */
export function toMillis(micros: number | bigint): number | bigint {
  if (typeof micros === 'number') return Math.floor(micros / 1000) * 1000
  const rest = ((micros % 1000n) + 1000n) % 1000n
  return toInteger(micros - rest)
}
