/**
 * Reading values by a type that the operator states (`columns.types`): every form in which a
 * connector may send a value of that type and which cannot be mistaken.
 */
import type { ColumnType } from '../model/column-type.ts'
import { columnTypeText } from '../model/column-type.ts'
import { DecodeError } from '../model/errors.ts'
import { checkInteger, misfit, parseDecimal, toInteger } from '../model/value.ts'
import type { Converter } from './connect-schema.ts'
import {
  binaryFromBase64,
  dayNumber,
  decimalFromBase64,
  integerOf,
  jsonTextOf,
  textOf,
  timestampOf,
  unscaledFromBase64,
  variableScaleText,
  zonedTimestamp,
} from './debezium-values.ts'

export function statedConverter(type: ColumnType): Converter {
  return { type, convert: json => convertAs(type, json) }
}

function convertAs(type: ColumnType, json: unknown): ReturnType<Converter['convert']> {
  switch (type.kind) {
    case 'boolean':
      return booleanOf(json)
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
    case 'ubigint':
      return integerAs(type, json)
    case 'decimal':
      return decimalAs(type, json)
    case 'float':
    case 'double':
      return doubleAs(type, json)
    case 'string':
    case 'varchar':
    case 'char':
      return textAs(json)
    case 'binary':
      return binaryFromBase64(json)
    case 'date':
      return typeof json === 'string' ? dateAs(json) : integerOf({ kind: 'int' }, json)
    case 'timestamp':
    case 'timestamptz':
      return timestampAs(json)
    case 'array':
      if (!Array.isArray(json)) throw misfit(type, json)
      return json.map((item: unknown) => (item === null ? null : convertAs(type.element, item)))
  }
}

function booleanOf(json: unknown): boolean {
  if (typeof json === 'boolean') return json
  if (json === 0 || json === 1) return json === 1
  if (json === '0' || json === '1') return json === '1'
  throw misfit({ kind: 'boolean' }, json)
}

function integerAs(type: ColumnType, json: unknown): number | bigint {
  if (typeof json === 'boolean') return Number(json)
  if (typeof json !== 'string') return integerOf(type, json)
  if (/^-?\d+$/.test(json)) return checkInteger(type, toInteger(BigInt(json)))
  // An unsigned bigint comes as a Decimal with `bigint.unsigned.handling.mode=precise`.
  return checkInteger(type, unscaledFromBase64(json))
}

function decimalAs(
  type: { readonly precision: number; readonly scale: number },
  json: unknown,
): number | bigint {
  if (typeof json === 'number' || typeof json === 'bigint') return parseDecimal(String(json), type)
  if (typeof json === 'object' && json !== null) {
    return parseDecimal(variableScaleText(json), type)
  }
  const text = textOf(json)
  if (/[.-]/.test(text)) return parseDecimal(text, type)
  // With a scale the text has a point; without a point it is Connect's Decimal in base64.
  if (type.scale > 0) return decimalFromBase64(text, type)
  if (/^\d+$/.test(text) && text.length % 4 === 0) {
    throw new DecodeError(
      'value-ambiguous',
      `the value ${text} may be a number or base64: have the connector send decimals as strings ` +
        `with a scale, or state ${columnTypeText({ kind: 'string' })}`,
    )
  }
  return /^\d+$/.test(text) ? parseDecimal(text, type) : decimalFromBase64(text, type)
}

function doubleAs(type: ColumnType, json: unknown): number {
  const value = typeof json === 'string' && json.trim() !== '' ? Number(json) : json
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'number' && (!Number.isNaN(value) || json === 'NaN')) return value
  throw misfit(type, json)
}

function textAs(json: unknown): string {
  if (typeof json === 'string') return json
  return typeof json === 'bigint' ? json.toString() : jsonTextOf(json)
}

function dateAs(text: string): number {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)
  const days =
    match === null ? null : dayNumber(Number(match[1]), Number(match[2]), Number(match[3]))
  if (days === null) throw misfit({ kind: 'date' }, text)
  return days
}

/** Text in ISO form, or a number in the unit that fits: see the bands below. */
function timestampAs(json: unknown): number | bigint {
  if (json === 'infinity' || json === '-infinity') return zonedTimestamp(json)
  if (typeof json === 'string') {
    const iso = json.includes('T') ? json : json.replace(' ', 'T')
    return zonedTimestamp(/(Z|[+-]\d\d(:?\d\d)?)$/.test(iso.slice(11)) ? iso : `${iso}Z`)
  }
  const magnitude = Math.abs(Number(json))
  if (magnitude === 0) return 0
  if (magnitude >= 1e11 && magnitude < 7.3e12) return timestampOf(json, 1 / 1000)
  if (magnitude >= 2.54e14 && magnitude < 2.6e17) return timestampOf(json, 1)
  if (magnitude >= 2.6e17) return timestampOf(json, 1000)
  throw new DecodeError(
    'value-ambiguous',
    `the value ${String(json)} may count milliseconds or microseconds; have the connector embed ` +
      'schemas or send text (`time.precision.mode=isostring`)',
  )
}
