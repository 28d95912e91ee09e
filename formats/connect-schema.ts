/**
 * Kafka Connect's schemas as the JSON converter embeds them: from a field's schema to a column and to
 * the function that reads its values. The names of logical types are Debezium's and Connect's.
 */
import type { ColumnType } from '../model/column-type.ts'
import { maxDecimalPrecision } from '../model/column-type.ts'
import { DecodeError } from '../model/errors.ts'
import type { Value } from '../model/value.ts'
import { misfit } from '../model/value.ts'
import type { Convert } from './debezium-values.ts'
import {
  bitsText,
  bytesOf,
  decimalOf,
  integerOf,
  jsonTextOf,
  textOf,
  timestampOf,
  timeText,
  variableScaleText,
  zonedTimestamp,
} from './debezium-values.ts'

/** A schema of Connect, as far as it is read here. */
export interface ConnectSchema {
  readonly type: string
  readonly optional?: boolean
  readonly name?: string
  readonly field?: string
  readonly doc?: string
  readonly default?: unknown
  readonly parameters?: Readonly<Record<string, string>>
  readonly fields?: readonly ConnectSchema[]
  readonly items?: ConnectSchema
}

export interface Converter {
  readonly type: ColumnType
  /** From JSON to the column's value; null is not passed in. Throws DecodeError `value-invalid`. */
  readonly convert: Convert
  /**
   * The usual form of its values, which says without `convert` what they are: text as it is, a whole
   * number that the type can hold, a text of digits with as many behind the point as the type has, the
   * unscaled integer of such digits as bytes.
   */
  readonly plain?: 'text' | 'integer' | 'decimal' | 'unscaled'
}

/** Throws DecodeError `type-unsupported` for a type that Hive has no equal for. */
export function connectConverter(schema: ConnectSchema): Converter {
  const named = schema.name === undefined ? undefined : logicalTypes.get(schema.name)
  if (named !== undefined) return named(schema)
  const plain = plainTypes.get(schema.type)
  if (plain !== undefined) return plain
  if (schema.type === 'array' && schema.items !== undefined) return arrayConverter(schema.items)
  const name = schema.name === undefined ? '' : ` ${schema.name}`
  throw new DecodeError('type-unsupported', `Hive has no equal for the type ${schema.type}${name}`)
}

function arrayConverter(items: ConnectSchema): Converter {
  const element = connectConverter(items)
  return {
    type: { kind: 'array', element: element.type },
    convert: json => {
      if (!Array.isArray(json)) throw misfit({ kind: 'array', element: element.type }, json)
      return json.map((item: unknown): Value => (item === null ? null : element.convert(item)))
    },
  }
}

function integer(kind: 'tinyint' | 'smallint' | 'int' | 'bigint'): Converter {
  const type = { kind }
  return { type, convert: json => integerOf(type, json), plain: 'integer' }
}

const text: Converter = { type: { kind: 'string' }, convert: textOf, plain: 'text' }
const json: Converter = { type: { kind: 'string' }, convert: jsonTextOf }
const timestamp = (unitsPerMicro: number): Converter => ({
  type: { kind: 'timestamp' },
  convert: value => timestampOf(value, unitsPerMicro),
  ...(unitsPerMicro === 1 ? { plain: 'integer' } : {}),
})
const time = (unitsPerMicro: number): Converter => ({
  type: { kind: 'string' },
  convert: value => timeText(value, unitsPerMicro),
})
const date = {
  type: { kind: 'date' },
  convert: (value: unknown) => integerOf({ kind: 'int' }, value),
  plain: 'integer',
} as const
const floating = (kind: 'float' | 'double'): Converter => ({
  type: { kind },
  convert: value => {
    if (typeof value === 'number') return value
    if (typeof value === 'bigint') return Number(value)
    // JSON has no NaN or infinity: the converter writes them as text.
    if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value)
    throw misfit({ kind }, value)
  },
})

const plainTypes: ReadonlyMap<string, Converter> = new Map(
  Object.entries({
    int8: integer('tinyint'),
    int16: integer('smallint'),
    int32: integer('int'),
    int64: integer('bigint'),
    float: floating('float'),
    float32: floating('float'),
    double: floating('double'),
    float64: floating('double'),
    boolean: {
      type: { kind: 'boolean' },
      convert: value => {
        if (typeof value === 'boolean') return value
        throw misfit({ kind: 'boolean' }, value)
      },
    },
    string: text,
    bytes: { type: { kind: 'binary' }, convert: bytesOf },
  }),
)

const milli = 1 / 1000
const micro = 1
const nano = 1000

type Make = (schema: ConnectSchema) => Converter

const logicalTypes: ReadonlyMap<string, Make> = new Map(
  Object.entries<Make>({
    'io.debezium.time.Date': () => date,
    'org.apache.kafka.connect.data.Date': () => date,
    'io.debezium.time.Time': () => time(milli),
    'org.apache.kafka.connect.data.Time': () => time(milli),
    'io.debezium.time.MicroTime': () => time(micro),
    'io.debezium.time.NanoTime': () => time(nano),
    'io.debezium.time.Timestamp': () => timestamp(milli),
    'org.apache.kafka.connect.data.Timestamp': () => timestamp(milli),
    'io.debezium.time.MicroTimestamp': () => timestamp(micro),
    'io.debezium.time.NanoTimestamp': () => timestamp(nano),
    'io.debezium.time.ZonedTimestamp': () => ({
      type: { kind: 'timestamptz' },
      convert: zonedTimestamp,
    }),
    'io.debezium.time.ZonedTime': () => text,
    'io.debezium.time.Interval': () => text,
    'io.debezium.time.MicroDuration': () => integer('bigint'),
    'io.debezium.time.NanoDuration': () => integer('bigint'),
    'io.debezium.time.Year': () => integer('int'),
    'org.apache.kafka.connect.data.Decimal': decimalConverter,
    'io.debezium.data.VariableScaleDecimal': () => ({
      type: { kind: 'string' },
      convert: variableScaleText,
    }),
    'io.debezium.data.Bits': schema => {
      const length = Number(schema.parameters?.length ?? 1)
      return { type: { kind: 'string' }, convert: value => bitsText(value, length) }
    },
    'io.debezium.data.Enum': () => text,
    'io.debezium.data.EnumSet': () => text,
    'io.debezium.data.Json': () => text,
    'io.debezium.data.Xml': () => text,
    'io.debezium.data.Uuid': () => text,
    'io.debezium.data.Ltree': () => text,
    'io.debezium.data.Tsvector': () => text,
    // Hive has no geometry: the struct of coordinates and WKB is kept as JSON.
    'io.debezium.data.geometry.Geometry': () => json,
    'io.debezium.data.geometry.Geography': () => json,
    'io.debezium.data.geometry.Point': () => json,
  }),
)

function decimalConverter(schema: ConnectSchema): Converter {
  const scale = Number(schema.parameters?.scale ?? 0)
  const precision = Number(schema.parameters?.['connect.decimal.precision'] ?? maxDecimalPrecision)
  if (precision > maxDecimalPrecision || scale > precision || scale < 0) {
    // Hive's decimal ends at 38 digits: the exact number is kept as text.
    return { type: { kind: 'string' }, convert: value => variableScaleText({ scale, value }) }
  }
  const type = { kind: 'decimal', precision, scale } as const
  return { type, convert: value => decimalOf(value, type), plain: 'unscaled' }
}
