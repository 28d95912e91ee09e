/**
 * Types of MySQL's and MariaDB's columns as schema-change events give them, for messages without
 * embedded schemas. How a value is written depends on settings of the connector that no message
 * tells (`decimal.handling.mode` and so on). Where a value can only mean one thing it is read so;
 * where it can mean two, `source.connector` must say, and until then it is an error.
 */

import type { ColumnType } from '../../model/column-type.ts'
import { maxDecimalPrecision } from '../../model/column-type.ts'
import { DecodeError } from '../../model/errors.ts'
import type { Value } from '../../model/value.ts'
import { checkInteger, misfit, parseDecimal } from '../../model/value.ts'
import type { ConnectorSettings } from '../connector-settings.ts'
import type { Converter } from '../values/converter.ts'
import {
  binaryIn,
  bitsText,
  decimalOf,
  integerOf,
  jsonTextOf,
  textOf,
  unscaledOf,
  unsignedOf,
  variableScaleText,
} from '../values/debezium-values.ts'
import { floatingConverter, listConverter } from '../values/plain-converters.ts'
import {
  anyDate,
  anyTime,
  anyTimestamp,
  anyZonedTimestamp,
  unitsPerMicroOf,
} from '../values/temporal-values.ts'
import { geometryNames } from './mysql-geometry.ts'

/** A column of `tableChanges[].table.columns`. */
export interface DatabaseColumn {
  readonly name: string
  readonly typeName: string
  readonly length?: number | null
  readonly scale?: number | null
  readonly optional?: boolean | null
  readonly comment?: string | null
  readonly defaultValueExpression?: string | null
}

/** Throws DecodeError `type-unsupported` for a type that is not known. */
export function databaseConverter(column: DatabaseColumn, settings: ConnectorSettings): Converter {
  const [name = '', ...words] = column.typeName.toUpperCase().split(' ')
  const make = types[name]
  if (make === undefined) {
    throw new DecodeError('type-unsupported', `Hive has no equal for the type ${column.typeName}`)
  }
  return make(column, settings, words.includes('UNSIGNED'))
}

/** As a connector that writes a `long` for it sees it: above 2^63 it is negative. */
export function isUnsignedBigint({ typeName }: DatabaseColumn): boolean {
  const [name = '', ...words] = typeName.toUpperCase().split(' ')
  return name === 'SERIAL' || (['BIGINT', 'INT8'].includes(name) && words.includes('UNSIGNED'))
}

type Make = (column: DatabaseColumn, settings: ConnectorSettings, unsigned: boolean) => Converter

const text: Make = () => ({ type: { kind: 'string' }, convert: textOf, plain: 'text' })

/** Signed and unsigned; the unsigned one needs the next wider type. */
function integer(
  signed: 'smallint' | 'int' | 'bigint',
  unsigned: 'smallint' | 'int' | 'bigint',
): Make {
  return (_column, _settings, isUnsigned) => {
    const type = { kind: isUnsigned ? unsigned : signed }
    return {
      type,
      // A converter may make booleans of TINYINT(1): the column keeps its type.
      convert: json => (typeof json === 'boolean' ? Number(json) : integerOf(type, json)),
      plain: 'integer',
    }
  }
}

const bigint: Make = (_column, settings, isUnsigned) => {
  if (!isUnsigned) {
    const type = { kind: 'bigint' } as const
    return { type, convert: json => integerOf(type, json), plain: 'integer' }
  }
  const type = { kind: 'ubigint' } as const
  const isPrecise = settings['bigint.unsigned.handling.mode'] === 'precise'
  return {
    type,
    plain: 'integer',
    convert: json => {
      // `precise` sends a Decimal; `long` sends what lies above 2^63 as a negative number.
      if (typeof json === 'string') return checkInteger(type, unscaledOf(json))
      const integer = integerOf(isPrecise ? type : { kind: 'bigint' }, json)
      return unsignedOf(integer)
    },
  }
}

const decimal: Make = (column, settings) => {
  const precision = column.length ?? 10
  const scale = column.scale ?? 0
  const mode = settings['decimal.handling.mode']
  if (mode === 'double') return floating('double')(column, settings, false)
  if (precision > maxDecimalPrecision) {
    const convert = (json: unknown): Value =>
      typeof json === 'number' || typeof json === 'bigint'
        ? String(json)
        : isDecimalText(json, scale, mode)
          ? textOf(json)
          : variableScaleText({ scale, value: json })
    return { type: { kind: 'string' }, convert }
  }
  const type = { kind: 'decimal', precision, scale } as const
  return {
    type,
    ...(mode === undefined || mode === 'string' ? { plain: 'decimal' } : {}),
    convert: json => {
      if (typeof json === 'number' || typeof json === 'bigint')
        return parseDecimal(String(json), type)
      return isDecimalText(json, scale, mode)
        ? parseDecimal(textOf(json), type)
        : decimalOf(json, type)
    },
  }
}

/** `2999.00` has a point, which base64 never has; without a fraction only the setting can tell. */
function isDecimalText(json: unknown, scale: number, mode: string | undefined): boolean {
  if (mode !== undefined) return mode === 'string'
  if (typeof json !== 'string') throw new DecodeError('value-invalid', 'a decimal is not text')
  if (scale > 0 || /[.-]/.test(json)) return /[.-]/.test(json)
  if (/^\d+$/.test(json) && json.length % 4 === 0) throw ambiguous('decimal.handling.mode', json)
  return /^\d+$/.test(json)
}

const floating = (kind: 'float' | 'double'): Make => {
  return () => floatingConverter(kind)
}

/** FLOAT(24) to FLOAT(53) are doubles; FLOAT(7,4) is not. */
const float: Make = (column, settings) => {
  const isDouble = (column.length ?? 0) >= 24 && (column.scale ?? null) === null
  return floating(isDouble ? 'double' : 'float')(column, settings, false)
}

const binary: Make = (_column, settings) => ({
  type: { kind: 'binary' },
  convert: json => binaryIn(settings['binary.handling.mode'], json),
})

const date: Make = () => ({ type: { kind: 'date' }, convert: anyDate, plain: 'integer' })

const milli = 1 / 1000

function fixedUnit(settings: ConnectorSettings): number | undefined {
  return unitsPerMicroOf[settings['time.precision.mode'] ?? '']
}

/** DATETIME(0–3) is sent in milliseconds, DATETIME(4–6) in microseconds, unless a mode says other. */
const datetime: Make = (column, settings) => {
  const isMicro = (column.length ?? 0) > 3
  const unit = fixedUnit(settings) ?? (isMicro ? 1 : milli)
  return { type: { kind: 'timestamp' }, convert: json => anyTimestamp(json, unit) }
}

/** TIME is sent in microseconds; with `connect` in milliseconds. */
const time: Make = (_column, settings) => {
  const unit = fixedUnit(settings) ?? 1
  return { type: { kind: 'string' }, convert: json => anyTime(json, unit) }
}

function ambiguous(setting: string, json: unknown): DecodeError {
  return new DecodeError(
    'value-ambiguous',
    `the value ${String(json)} can be read in two ways: state what the connector has for ${setting}`,
  )
}

const bit: Make = column => {
  const length = column.length ?? 1
  if (length > 1) return { type: { kind: 'string' }, convert: json => bitsText(json, length) }
  const type: ColumnType = { kind: 'boolean' }
  return {
    type,
    convert: json => {
      if (typeof json === 'boolean') return json
      throw misfit(type, json)
    },
  }
}

const boolean: Make = (column, settings) => integer('smallint', 'smallint')(column, settings, false)
const geometry: Make = () => ({ type: { kind: 'string' }, convert: jsonTextOf })

/** `LONG VARBINARY` is a blob. */
const long: Make = (column, settings, isUnsigned) => {
  return (/VARBINARY/i.test(column.typeName) ? binary : text)(column, settings, isUnsigned)
}

const vector: Make = () => listConverter(floatingConverter('float'))

const types: Readonly<Record<string, Make>> = {
  BOOL: boolean,
  BOOLEAN: boolean,
  TINYINT: integer('smallint', 'smallint'),
  INT1: integer('smallint', 'smallint'),
  SMALLINT: integer('smallint', 'int'),
  INT2: integer('smallint', 'int'),
  MEDIUMINT: integer('int', 'int'),
  INT3: integer('int', 'int'),
  MIDDLEINT: integer('int', 'int'),
  INT: integer('int', 'bigint'),
  INT4: integer('int', 'bigint'),
  INTEGER: integer('int', 'bigint'),
  BIGINT: bigint,
  INT8: bigint,
  SERIAL: (column, settings) => bigint(column, settings, true),
  DECIMAL: decimal,
  DEC: decimal,
  NUMERIC: decimal,
  FIXED: decimal,
  FLOAT: float,
  FLOAT4: floating('float'),
  FLOAT8: floating('double'),
  DOUBLE: floating('double'),
  REAL: floating('double'),
  CHAR: text,
  CHARACTER: text,
  NATIONAL: text,
  NCHAR: text,
  VARCHAR: text,
  NVARCHAR: text,
  TINYTEXT: text,
  TEXT: text,
  MEDIUMTEXT: text,
  LONGTEXT: text,
  LONG: long,
  ENUM: text,
  SET: text,
  JSON: text,
  UUID: text,
  INET4: text,
  INET6: text,
  BINARY: binary,
  VARBINARY: binary,
  TINYBLOB: binary,
  BLOB: binary,
  MEDIUMBLOB: binary,
  LONGBLOB: binary,
  DATE: date,
  TIME: time,
  DATETIME: datetime,
  TIMESTAMP: () => ({ type: { kind: 'timestamptz' }, convert: anyZonedTimestamp }),
  YEAR: (column, settings) => integer('int', 'int')(column, settings, false),
  BIT: bit,
  ...Object.fromEntries(geometryNames.map(name => [name, geometry])),
  GEOMCOLLECTION: geometry,
  VECTOR: vector,
}

/** Names of types, for the documentation. */
export const databaseTypeNames: readonly string[] = Object.keys(types)
