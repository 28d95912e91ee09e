/**
 * Values of MySQL and MariaDB as canal and Maxwell write them: text, typed by the type of the column as
 * `SHOW CREATE TABLE` has it. The types of columns are those of `debezium-column-types.ts`, and so are
 * the forms of values: the same change gives the same row, whichever tool carried it.
 *
 * A date with a zero in it (`0000-00-00`, `2024-05-00`) is no date that Hive has: it is read as null, as
 * Debezium sends it for a column that may be null. The bounds of integers are MySQL's own.
 */
import type { ColumnType } from '../../model/column-type.ts'
import { isSameType, isText } from '../../model/column-type.ts'
import { DecodeError } from '../../model/errors.ts'
import type { StatedType } from '../../model/stated-type.ts'
import { columnTypeOf } from '../../model/stated-type.ts'
import type { Value } from '../../model/value.ts'
import {
  checkInteger,
  checkText,
  misfit,
  parseDecimal,
  toInteger,
  unscaledText,
} from '../../model/value.ts'
import type { Converter } from '../values/converter.ts'
import type { Convert } from '../values/debezium-values.ts'
import { bytesOf, dayNumber, jsonTextOf, textOf } from '../values/debezium-values.ts'
import { statedConverter } from '../values/stated-types.ts'
import { databaseConverter } from './debezium-column-types.ts'
import { geometryNames, geometryText } from './mysql-geometry.ts'
import type { MySqlType } from './mysql-type.ts'
import { instantsIn } from './time-zone.ts'

/** How a tool writes what is no number, no text and no time. */
export interface MySqlTextForm {
  /** `latin1`: each byte is a character. */
  readonly binary: 'latin1' | 'base64'
  /** Values of ENUM and SET: by their places in the type (a number, bits), or as their labels. */
  readonly choices: 'number' | 'label'
  /** MySQL's own bytes, written like other bytes, or text (WKT) that is kept as it is. */
  readonly geometry: 'bytes' | 'text'
  /** In which a TIMESTAMP is written. */
  readonly timeZone: string
}

/**
 * Reads values of the type; `given` is the type that the operator wants instead of the usual one.
 * Throws DecodeError `type-unsupported` for a type that Hive has no equal for.
 */
export function mysqlTextConverter(
  type: MySqlType,
  form: MySqlTextForm,
  given: StatedType | null = null,
): Converter {
  // A column that must be null, whatever it is.
  if (given?.kind === 'fail') return statedConverter(given)
  const stated = given === null ? null : columnTypeOf(given)
  const make = makes[type.name]
  if (make === undefined && stated === null) {
    throw new DecodeError('type-unsupported', `Hive has no equal for the type ${type.name}`)
  }
  const own = make === undefined ? null : ownConverter(type, form, make)
  if (stated === null || (own !== null && isSameType(own.type, stated))) return own!
  return { type: stated, convert: json => convertAs(stated, json, own) }
}

type Make = (type: MySqlType, form: MySqlTextForm, columnType: ColumnType) => Convert

function ownConverter(type: MySqlType, form: MySqlTextForm, make: Make): Converter {
  const { name, length, scale, isUnsigned } = type
  const typeName = isUnsigned ? `${name} UNSIGNED` : name
  const { type: columnType } = databaseConverter({ name: '', typeName, length, scale }, {})
  const convert = make(type, form, columnType)
  return { type: columnType, convert, ...(make === text ? { plain: 'text' as const } : {}) }
}

/** Each text in its one sense: `1234` is a number here, where Debezium may mean base64. */
function convertAs(stated: ColumnType, json: unknown, own: Converter | null): Value {
  if (isText(stated)) return checkText(stated, textAs(json, own))
  if (own !== null && isTimestamp(stated) && isTimestamp(own.type)) return own.convert(json)
  switch (stated.kind) {
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
    case 'ubigint':
      return checkInteger(stated, integerIn(stated, json))
    case 'decimal':
      return parseDecimal(numberText(stated, json), stated)
    case 'float':
    case 'double':
      return floatingOf(stated, json)
    case 'boolean':
      return booleanOf(json)
    case 'date':
      return dateOf(json)
    case 'timestamp':
    case 'timestamptz':
      return microsOf(stated, json, seconds => seconds)
    default:
      throw misfit(stated, json)
  }
}

function isTimestamp({ kind }: ColumnType): boolean {
  return kind === 'timestamp' || kind === 'timestamptz'
}

/** What the tool wrote; of bytes base64, as everywhere. */
function textAs(json: unknown, own: Converter | null): string {
  if (own?.type.kind === 'string') return textOf(own.convert(json))
  if (own?.type.kind === 'binary') {
    return Buffer.from(own.convert(json) as Uint8Array).toString('base64')
  }
  if (typeof json === 'string') return json
  return typeof json === 'bigint' ? json.toString() : jsonTextOf(json)
}

const text: Make = () => textOf

/** By the bytes that it takes. */
function integer(bytes: number): Make {
  return ({ isUnsigned }, _form, columnType) => {
    const half = 2n ** BigInt(bytes * 8 - 1)
    const [least, most] = isUnsigned ? [0n, 2n * half - 1n] : [-half, half - 1n]
    return json => {
      const value = typeof json === 'boolean' ? Number(json) : integerIn(columnType, json)
      if (value < least || value > most) throw misfit(columnType, json)
      return value
    }
  }
}

function integerIn(type: ColumnType, json: unknown): number | bigint {
  if (typeof json === 'string') {
    if (!/^[+-]?\d{1,65}$/.test(json)) throw misfit(type, json)
    // A sum with 0 makes 0 of -0.
    return json.length <= 15 ? Number(json) + 0 : toInteger(BigInt(json.replace(/^\+/, '')))
  }
  if (typeof json === 'bigint' || Number.isSafeInteger(json)) return json as number | bigint
  throw misfit(type, json)
}

/** A number of JSON that may have lost digits is refused. */
function numberText(type: ColumnType, json: unknown): string {
  if (typeof json === 'string' && json.length <= 512) return json
  if (typeof json === 'bigint') return json.toString()
  if (typeof json === 'number' && json.toString().replace(/\D/g, '').length <= 15) {
    return json.toString()
  }
  throw misfit(type, json)
}

const decimal: Make = ({ length, scale }, _form, columnType) => {
  if (columnType.kind === 'decimal')
    return json => parseDecimal(numberText(columnType, json), columnType)
  // Hive's decimal ends at 38 digits, MySQL's at 65: the exact number is kept as text.
  const wide = { precision: length ?? 65, scale: scale ?? 0 }
  return json => unscaledText(parseDecimal(numberText(columnType, json), wide), wide.scale)
}

function floatingOf(type: ColumnType, json: unknown): number {
  if (typeof json === 'number') return json
  if (typeof json === 'bigint') return Number(json)
  // Java's form: `1.0E10`.
  if (typeof json === 'string' && /^[+-]?\d+(?:\.\d*)?(?:E[+-]?\d+)?$/i.test(json)) {
    const value = Number(json)
    if (Number.isFinite(value)) return value
  }
  throw misfit(type, json)
}

const floating: Make = (_type, _form, columnType) => json => floatingOf(columnType, json)

function booleanOf(json: unknown): boolean {
  if (typeof json === 'boolean') return json
  if (json === '0' || json === 0) return false
  if (json === '1' || json === 1) return true
  throw misfit({ kind: 'boolean' }, json)
}

/** Bits as text, the highest first. */
const bit: Make = ({ length }) => {
  const count = length ?? 1
  if (count === 1) return booleanOf
  const type = { kind: 'string' } as const
  return json => {
    const value = integerIn(type, json)
    if (value < 0 || value >= 2n ** BigInt(count)) throw misfit(type, json)
    return value.toString(2).padStart(count, '0')
  }
}

const binary: Make = ({ name, length }, form, columnType) => {
  const read = form.binary === 'latin1' ? binaryFromLatin1 : bytesOf
  if (name !== 'BINARY') return read
  // The binlog has it without the zeros at its end.
  const size = length ?? 1
  return json => {
    const bytes = read(json)
    if (bytes.length > size) throw misfit(columnType, json)
    return bytes.length === size ? bytes : Buffer.concat([bytes], size)
  }
}

/** Throws DecodeError `value-invalid` where something is no byte. */
function binaryFromLatin1(json: unknown): Uint8Array {
  // oxlint-disable-next-line no-control-regex: each byte is a character here.
  if (typeof json !== 'string' || /[^\0-\xff]/.test(json)) throw misfit({ kind: 'binary' }, json)
  return Buffer.from(json, 'latin1')
}

const geometry: Make = ({ name }, form) => {
  if (form.geometry === 'text') return textOf
  const read = form.binary === 'latin1' ? binaryFromLatin1 : bytesOf
  return json => geometryText(read(json), name === 'POINT')
}

const choice: Make = ({ labels }, form) => {
  return json => {
    if (form.choices === 'label') return textOf(json)
    const isPlace = typeof json !== 'string' || /^\d+$/.test(json)
    if (!isPlace && labels.includes(json)) return json
    const place = Number(isPlace ? integerIn({ kind: 'string' }, json) : -1)
    // Place 0 is the empty text that MySQL keeps for a value that was none of the labels.
    const label = place === 0 ? '' : labels[place - 1]
    if (label === undefined) throw noLabel(json, labels)
    return label
  }
}

const set: Make = ({ labels }, form) => {
  return json => {
    if (form.choices === 'label') {
      return Array.isArray(json) ? json.map(textOf).join(',') : textOf(json)
    }
    const bits = json === '' ? 0n : BigInt(integerIn({ kind: 'string' }, json))
    if (bits < 0n || bits >= 2n ** BigInt(labels.length)) throw noLabel(json, labels)
    return labels.filter((_label, place) => (bits >> BigInt(place)) % 2n === 1n).join(',')
  }
}

function noLabel(json: unknown, labels: readonly string[]): DecodeError {
  const message = `the value ${String(json).slice(0, 60)} stands for none of the ${labels.length} labels`
  return new DecodeError('value-invalid', `${message} that the type of its column has`)
}

function dateOf(json: unknown): number | null {
  const match = typeof json === 'string' ? /^(\d{4})-(\d\d)-(\d\d)$/.exec(json) : null
  if (match === null) throw misfit({ kind: 'date' }, json)
  return daysOf({ kind: 'date' }, json, match)
}

/** Null where the year, the month or the day is zero. */
function daysOf(type: ColumnType, json: unknown, parts: RegExpExecArray): number | null {
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])]
  if (year === 0 || month === 0 || day === 0) return null
  const days = dayNumber(year, month, day)
  if (days === null) throw misfit(type, json)
  return days
}

const moment = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/

function microsOf(
  type: ColumnType,
  json: unknown,
  toInstant: (wallSeconds: number) => number,
): number | bigint | null {
  const match = typeof json === 'string' ? moment.exec(json) : null
  if (match === null) throw misfit(type, json)
  const days = daysOf(type, json, match)
  const [hours, minutes, seconds] = [Number(match[4]), Number(match[5]), Number(match[6])]
  if (hours > 23 || minutes > 59 || seconds > 59) throw misfit(type, json)
  if (days === null) return null
  const instant = toInstant(days * 86_400 + hours * 3600 + minutes * 60 + seconds)
  const fraction = Number((match[7] ?? '').padEnd(6, '0'))
  const micros = instant * 1e6 + fraction
  return Number.isSafeInteger(micros)
    ? micros
    : toInteger(BigInt(instant) * 1_000_000n + BigInt(fraction))
}

const datetime: Make = (_type, _form, columnType) => json =>
  microsOf(columnType, json, seconds => seconds)

const timestamp: Make = (_type, { timeZone }, columnType) => {
  const toInstant = instantsIn(timeZone)
  return json => microsOf(columnType, json, toInstant)
}

/** `-838:59:59.000000`, without the zeros at the end of the fraction. */
const time: Make = (_type, _form, columnType) => json => {
  const match =
    typeof json === 'string' ? /^(-?)(\d{2,3}:[0-5]\d:[0-5]\d)(?:\.(\d{1,6}))?$/.exec(json) : null
  if (match === null) throw misfit(columnType, json)
  const fraction = (match[3] ?? '').replace(/0+$/, '')
  const amount = fraction === '' ? match[2]! : `${match[2]}.${fraction}`
  return /[1-9]/.test(amount) ? `${match[1]}${amount}` : '00:00:00'
}

const year: Make = (_type, _form, columnType) => json => {
  const value = integerIn(columnType, json)
  if (value < 0 || value > 2155) throw misfit(columnType, json)
  return value
}

/** canal writes a change of a part (`JSON_SET(…)`) where MySQL logs only that. */
const json: Make = (_type, _form, columnType) => value => {
  if (typeof value !== 'string') return jsonTextOf(value)
  if (!/^\s*(?:[[{"\d-]|true|false|null|$)/.test(value)) throw misfit(columnType, value)
  return value
}

/** Types that MariaDB logs as bytes, which a tool that does not know them makes no text of. */
const pattern = (expected: RegExp): Make => {
  return (_type, _form, columnType) => value => {
    if (typeof value === 'string' && expected.test(value)) return value
    throw misfit(columnType, value)
  }
}

const makes: Readonly<Record<string, Make>> = {
  BOOL: integer(1),
  BOOLEAN: integer(1),
  TINYINT: integer(1),
  SMALLINT: integer(2),
  MEDIUMINT: integer(3),
  INT: integer(4),
  INTEGER: integer(4),
  BIGINT: integer(8),
  SERIAL: (type, form, columnType) => integer(8)({ ...type, isUnsigned: true }, form, columnType),
  DECIMAL: decimal,
  FLOAT: floating,
  DOUBLE: floating,
  REAL: floating,
  CHAR: text,
  NCHAR: text,
  VARCHAR: text,
  NVARCHAR: text,
  TINYTEXT: text,
  TEXT: text,
  MEDIUMTEXT: text,
  LONGTEXT: text,
  LONG: text,
  ENUM: choice,
  SET: set,
  JSON: json,
  UUID: pattern(/^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/),
  INET4: pattern(/^\d{1,3}(?:\.\d{1,3}){3}$/),
  INET6: pattern(/^[0-9A-Fa-f:.]{2,45}$/),
  BINARY: binary,
  VARBINARY: binary,
  TINYBLOB: binary,
  BLOB: binary,
  MEDIUMBLOB: binary,
  LONGBLOB: binary,
  DATE: () => dateOf,
  TIME: time,
  DATETIME: datetime,
  TIMESTAMP: timestamp,
  YEAR: year,
  BIT: bit,
  ...Object.fromEntries(geometryNames.map(name => [name, geometry])),
}
