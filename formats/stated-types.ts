/**
 * Reading values by a type that the operator states (`columns.types`): every form in which a
 * connector may send a value of that type and which cannot be mistaken.
 */
import { toBuffer } from '../model/bytes.ts'
import type { ColumnType } from '../model/column-type.ts'
import { columnTypeText } from '../model/column-type.ts'
import { DecodeError } from '../model/errors.ts'
import { checkInteger, misfit, parseDecimal, toInteger } from '../model/value.ts'
import type { Converter } from './connect-schema.ts'
import {
  bytesOf,
  dayNumber,
  decimalOf,
  integerOf,
  jsonTextOf,
  timestampOf,
  unscaledOf,
  unsignedOf,
  variableScaleText,
  zonedTimestamp,
} from './debezium-values.ts'

interface StatedOptions {
  /** Whether a whole number below 0 is an unsigned one that was written as a `long`. */
  readonly isUnsignedLong: boolean
}

/** Throws DecodeError `value-invalid` that names this type, whatever form the value was read by. */
export function statedConverter(
  type: ColumnType,
  options: StatedOptions = { isUnsignedLong: true },
): Converter {
  const plain = plainForms[type.kind]
  return {
    type,
    convert: json => convertAs(type, json, options),
    ...(plain === undefined ? {} : { plain }),
  }
}

/** A timestamp is not among them: its number may count milliseconds or microseconds. */
const plainForms: Partial<Record<ColumnType['kind'], NonNullable<Converter['plain']>>> = {
  tinyint: 'integer',
  smallint: 'integer',
  int: 'integer',
  bigint: 'integer',
  ubigint: 'integer',
  date: 'integer',
  decimal: 'decimal',
  string: 'text',
  varchar: 'text',
  char: 'text',
}

function convertAs(
  type: ColumnType,
  json: unknown,
  options: StatedOptions,
): ReturnType<Converter['convert']> {
  switch (type.kind) {
    case 'boolean':
      return booleanOf(json)
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
      return integerAs(type, json)
    case 'ubigint':
      return integerAs(type, options.isUnsignedLong ? unsignedIn(json) : json)
    case 'decimal':
      return decimalAs(type, isOfUbigint(type) && options.isUnsignedLong ? unsignedIn(json) : json)
    case 'float':
    case 'double':
      return doubleAs(type, json)
    case 'string':
    case 'varchar':
    case 'char':
      return textAs(json)
    case 'binary':
      return bytesOf(json)
    case 'date':
      return dateAs(type, json)
    case 'timestamp':
    case 'timestamptz':
      return timestampAs(type, json)
    case 'array':
      if (!Array.isArray(json)) throw misfit(type, json)
      return json.map((item: unknown) =>
        item === null ? null : convertAs(type.element, item, options),
      )
  }
}

function booleanOf(json: unknown): boolean {
  if (typeof json === 'boolean') return json
  if (json === 0 || json === 1) return json === 1
  if (json === '0' || json === '1') return json === '1'
  throw misfit({ kind: 'boolean' }, json)
}

/** What is read by way of another type is refused in the name of the stated one. */
function readAs<T>(type: ColumnType, json: unknown, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const isMisfit = error instanceof DecodeError && error.code === 'value-invalid'
    throw isMisfit ? misfit(type, json) : error
  }
}

function integerAs(type: ColumnType, json: unknown): number | bigint {
  if (typeof json === 'boolean') return Number(json)
  if (json instanceof Uint8Array) return readUnscaled(type, json)
  if (typeof json !== 'string') return integerOf(type, json)
  if (/^-?\d+$/.test(json)) return checkInteger(type, toInteger(BigInt(json)))
  // An unsigned bigint comes as a Decimal with `bigint.unsigned.handling.mode=precise`.
  return readUnscaled(type, json)
}

function readUnscaled(type: ColumnType, json: unknown): number | bigint {
  return readAs(type, json, () => checkInteger(type, unscaledOf(json)))
}

/** A column of Hive for unsigned bigints: signed ones have 19 digits at most. */
function isOfUbigint({ precision, scale }: DecimalType): boolean {
  return precision === 20 && scale === 0
}

function unsignedIn(json: unknown): unknown {
  const isWhole = typeof json === 'bigint' || (typeof json === 'number' && Number.isInteger(json))
  return isWhole && json >= -(2n ** 63n) ? unsignedOf(json) : json
}

type DecimalType = Extract<ColumnType, { kind: 'decimal' }>

function decimalAs(type: DecimalType, json: unknown): number | bigint {
  if (typeof json === 'number' || typeof json === 'bigint') return parseDecimal(String(json), type)
  const fromBytes = () => readAs(type, json, () => decimalOf(json, type))
  if (json instanceof Uint8Array) return fromBytes()
  if (typeof json === 'object' && json !== null) {
    return readAs(type, json, () => parseDecimal(variableScaleText(json), type))
  }
  if (typeof json !== 'string') throw misfit(type, json)
  if (/[.-]/.test(json)) return parseDecimal(json, type)
  // With a scale the text has a point; without a point it is Connect's Decimal in base64.
  if (type.scale > 0) return fromBytes()
  if (/^\d+$/.test(json) && json.length % 4 === 0) {
    throw new DecodeError(
      'value-ambiguous',
      `the value ${json} may be a number or base64: have the connector send decimals as strings ` +
        `with a scale, or state ${columnTypeText({ kind: 'string' })}`,
    )
  }
  return /^\d+$/.test(json) ? parseDecimal(json, type) : fromBytes()
}

function doubleAs(type: ColumnType, json: unknown): number {
  const value = typeof json === 'string' && json.trim() !== '' ? Number(json) : json
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'number' && (!Number.isNaN(value) || json === 'NaN')) return value
  throw misfit(type, json)
}

function textAs(json: unknown): string {
  if (json instanceof Uint8Array) return toBuffer(json).toString('base64')
  return typeof json === 'string' ? json : jsonTextOf(json)
}

function dateAs(type: ColumnType, json: unknown): number | bigint {
  if (typeof json !== 'string') return readAs(type, json, () => integerOf({ kind: 'int' }, json))
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(json)
  const days =
    match === null ? null : dayNumber(Number(match[1]), Number(match[2]), Number(match[3]))
  if (days === null) throw misfit(type, json)
  return days
}

/** Text in ISO form, or a number in the unit that fits: see the bands below. */
function timestampAs(type: ColumnType, json: unknown): number | bigint {
  if (typeof json === 'string') return readAs(type, json, () => instantOf(json))
  const magnitude = Math.abs(Number(json))
  if (magnitude === 0) return 0
  const inUnits = (perMicro: number) => readAs(type, json, () => timestampOf(json, perMicro))
  if (magnitude >= 1e11 && magnitude < 7.3e12) return inUnits(1 / 1000)
  if (magnitude >= 2.54e14 && magnitude < 2.6e17) return inUnits(1)
  if (magnitude >= 2.6e17) return inUnits(1000)
  throw new DecodeError(
    'value-ambiguous',
    `the value ${String(json)} may count milliseconds or microseconds; have the connector embed ` +
      'schemas or send text (`time.precision.mode=isostring`)',
  )
}

function instantOf(text: string): number | bigint {
  if (text === 'infinity' || text === '-infinity') return zonedTimestamp(text)
  const iso = text.includes('T') ? text : text.replace(' ', 'T')
  return zonedTimestamp(/(Z|[+-]\d\d(:?\d\d)?)$/.test(iso.slice(11)) ? iso : `${iso}Z`)
}
