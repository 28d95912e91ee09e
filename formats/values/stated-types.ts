/**
 * Reading values by a type that the operator states (`columns.types`): every form in which a
 * connector may send a value of that type and which cannot be mistaken. What numbers of times count
 * depends on `time.precision.mode`, in its `adaptive` form on the digits of the column as well.
 */
import { toBuffer } from '../../model/bytes.ts'
import type { ColumnType } from '../../model/column-type.ts'
import { columnTypeText } from '../../model/column-type.ts'
import { DecodeError } from '../../model/errors.ts'
import type { StatedType } from '../../model/stated-type.ts'
import { columnTypeOf, statedTypeText } from '../../model/stated-type.ts'
import type { Value } from '../../model/value.ts'
import { checkInteger, checkText, misfit, parseDecimal, toInteger } from '../../model/value.ts'
import type { ConnectorSettings } from '../connector-settings.ts'
import type { Converter } from './converter.ts'
import {
  binaryIn,
  bitsText,
  decimalOf,
  integerOf,
  jsonTextOf,
  timestampOf,
  timeText,
  unitOfInfinity,
  unscaledOf,
  unsignedOf,
  variableScaleText,
} from './debezium-values.ts'
import { isoTimestamp } from './iso-times.ts'
import { isStruct, structuredTimestamp, structuredZonedTimestamp } from './structured-times.ts'
import { anyDate, anyInterval, anyTime, unitsPerMicroOf } from './temporal-values.ts'

interface StatedOptions {
  /** Whether a whole number below 0 is an unsigned one that was written as a `long`. */
  readonly isUnsignedLong: boolean
  readonly settings?: ConnectorSettings
}

/** Throws DecodeError `value-invalid` that names this type, whatever form the value was read by. */
export function statedConverter(
  stated: StatedType,
  options: StatedOptions = { isUnsignedLong: true },
): Converter {
  const type = columnTypeOf(stated)
  if (stated !== type) return { type, convert: json => ownForm(stated, json, options) }
  const plain = plainForms[type.kind]
  return {
    type,
    convert: json => convertAs(type, json, options),
    ...(plain === undefined ? {} : { plain }),
  }
}

/** A timestamp is not among them: its number may count milliseconds or microseconds; nor is text of a length. */
const plainForms: Partial<Record<ColumnType['kind'], NonNullable<Converter['plain']>>> = {
  tinyint: 'integer',
  smallint: 'integer',
  int: 'integer',
  bigint: 'integer',
  ubigint: 'integer',
  date: 'integer',
  decimal: 'decimal',
  string: 'text',
}

/** A value of a type that Hive does not have by this name. */
function ownForm(stated: StatedType, json: unknown, options: StatedOptions): Value {
  switch (stated.kind) {
    case 'sized-timestamp':
      return timestampAs({ kind: 'timestamp' }, json, options, stated.digits)
    case 'time':
      return timeAs(json, options, stated.digits)
    case 'interval':
      return anyInterval(json)
    case 'bit':
      return bitsText(json, stated.length)
    default:
      throw new DecodeError(
        'value-invalid',
        `the column is stated to have no values (${statedTypeText(stated)}), and here it has one`,
      )
  }
}

function convertAs(type: ColumnType, json: unknown, options: StatedOptions): Value {
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
      return decimalAs(
        type,
        isOfUbigint(type) && options.isUnsignedLong ? unsignedIn(json) : json,
        options,
      )
    case 'float':
    case 'double':
      return doubleAs(type, json)
    case 'string':
    case 'varchar':
    case 'char':
      return checkText(type, textAs(json))
    case 'binary':
      return binaryIn(options.settings?.['binary.handling.mode'], json)
    case 'date':
      return readAs(type, json, () => anyDate(json))
    case 'timestamp':
    case 'timestamptz':
      return timestampAs(type, json, options)
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

/** NaN and infinity as `decimal.handling.mode` writes them, `string` and `double`. */
const specialNumbers: Readonly<Record<string, number>> = {
  NAN: Number.NaN,
  NaN: Number.NaN,
  POSITIVE_INFINITY: Number.POSITIVE_INFINITY,
  Infinity: Number.POSITIVE_INFINITY,
  NEGATIVE_INFINITY: Number.NEGATIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
}

/** A decimal with a scale of its own. */
function isNumberStruct(json: unknown): boolean {
  return (
    isStruct(json) &&
    Object.keys(json).sort().join() === 'scale,value' &&
    typeof json.scale === 'number'
  )
}

function isSpecial(json: unknown): json is string {
  return typeof json === 'string' && Object.hasOwn(specialNumbers, json)
}

function decimalAs(type: DecimalType, json: unknown, { settings }: StatedOptions): number | bigint {
  if (isSpecial(json)) {
    throw new DecodeError(
      'value-invalid',
      `no ${columnTypeText(type)} is ${json}: state double or string for the column`,
    )
  }
  if (typeof json === 'number' || typeof json === 'bigint') return parseDecimal(String(json), type)
  const fromBytes = () => readAs(type, json, () => decimalOf(json, type))
  if (json instanceof Uint8Array) return fromBytes()
  if (typeof json === 'object' && json !== null) {
    return readAs(type, json, () => parseDecimal(variableScaleText(json), type))
  }
  if (typeof json !== 'string') throw misfit(type, json)
  const mode = settings?.['decimal.handling.mode']
  if (mode === 'precise') return fromBytes()
  if (mode === 'string' || /[.-]/.test(json)) return parseDecimal(json, type)
  // With a scale the text has a point; without a point it is Connect's Decimal in base64.
  if (type.scale > 0) return fromBytes()
  if (/^\d+$/.test(json) && json.length % 4 === 0) {
    throw new DecodeError(
      'value-ambiguous',
      `the value ${json} may be a number or base64: state what the connector has for ` +
        `decimal.handling.mode, or state ${columnTypeText({ kind: 'string' })}`,
    )
  }
  return /^\d+$/.test(json) ? parseDecimal(json, type) : fromBytes()
}

function doubleAs(type: ColumnType, json: unknown): number {
  if (isSpecial(json)) return specialNumbers[json]!
  const value = typeof json === 'string' && json.trim() !== '' ? Number(json) : json
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'number' && !Number.isNaN(value)) return value
  throw misfit(type, json)
}

function textAs(json: unknown): string {
  if (json instanceof Uint8Array) return toBuffer(json).toString('base64')
  if (typeof json === 'string') return json
  return isNumberStruct(json) ? variableScaleText(json) : jsonTextOf(json)
}

/**
 * Text in ISO form, a struct, or a number: in the unit of the mode, which in the `adaptive` ones has as
 * many digits as the column needs; of a column whose digits are not stated, in the unit that fits.
 */
function timestampAs(
  type: ColumnType,
  json: unknown,
  { settings }: StatedOptions,
  digits?: number,
): Value {
  if (typeof json === 'string') {
    // Databases write a space where ISO 8601 has a T.
    return readAs(type, json, () => isoTimestamp(json.replace(/^(\S{10,}) (?=\d)/, '$1T')))
  }
  if (isStruct(json)) {
    return type.kind === 'timestamptz' ? structuredZonedTimestamp(json) : structuredTimestamp(json)
  }
  if (typeof json !== 'number' && typeof json !== 'bigint') throw misfit(type, json)
  const inUnits = (perMicro: number) => readAs(type, json, () => timestampOf(json, perMicro))
  const unit = unitOf(settings, digits) ?? unitOfInfinity(json)
  if (unit !== undefined) return inUnits(unit)
  const magnitude = Math.abs(Number(json))
  if (magnitude === 0) return inUnits(1)
  if (magnitude >= 1e11 && magnitude < 7.3e12) return inUnits(1 / 1000)
  if (magnitude >= 2.54e14 && magnitude < 2.6e17) return inUnits(1)
  if (magnitude >= 2.6e17) return inUnits(1000)
  throw ambiguousUnit('timestamp', json)
}

/** A number below a day in milliseconds may as well count microseconds. */
function timeAs(json: unknown, { settings }: StatedOptions, digits?: number): Value {
  const isNumber = typeof json === 'number' || typeof json === 'bigint'
  const unit = unitOf(settings, digits)
  if (!isNumber || unit !== undefined) return anyTime(json, unit ?? 1)
  if (json <= 0 || json > 86_400_000) return timeText(json, 1)
  throw ambiguousUnit('time', json)
}

/** Units of a number per microsecond; undefined when it depends on digits that are not stated. */
function unitOf(settings: ConnectorSettings | undefined, digits?: number): number | undefined {
  const mode = settings?.['time.precision.mode']
  const fixed = mode === undefined ? undefined : unitsPerMicroOf[mode]
  if (fixed !== undefined || mode === undefined || digits === undefined) return fixed
  if (digits <= 3) return 1 / 1000
  return digits <= 6 ? 1 : 1000
}

function ambiguousUnit(kind: 'time' | 'timestamp', json: unknown): DecodeError {
  return new DecodeError(
    'value-ambiguous',
    `the value ${String(json)} may count milliseconds or microseconds: state what the connector has ` +
      `for time.precision.mode, and where that is adaptive ${kind}(3) or ${kind}(6) for the column`,
  )
}
