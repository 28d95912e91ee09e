/**
 * Kafka Connect's schemas as the JSON converter embeds them: from a field's schema to a column and to
 * the function that reads its values. The names of logical types are Debezium's and Connect's.
 */

import { maxDecimalPrecision } from '../../model/column-type.ts'
import { DecodeError } from '../../model/errors.ts'
import { misfit } from '../../model/value.ts'
import type { Converter } from '../values/converter.ts'
import type { Convert } from '../values/debezium-values.ts'
import {
  bitsText,
  bytesOf,
  dateOf,
  decimalOf,
  integerOf,
  intervalOf,
  isScale,
  jsonTextOf,
  textOf,
  timestampOf,
  timeText,
  variableScaleText,
} from '../values/debezium-values.ts'
import { isoDate, isoInterval, isoTime, isoTimestamp, zonedTimestamp } from '../values/iso-times.ts'
import { floatingConverter, listConverter } from '../values/plain-converters.ts'
import {
  structuredDate,
  structuredElapsedTime,
  structuredInterval,
  structuredTime,
  structuredTimestamp,
  structuredZonedTimestamp,
} from '../values/structured-times.ts'

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

/** Nobody nests schemas deeper; what does would overflow the stack. */
const maxSchemaDepth = 64

/** Whether JSON is a schema, in all that is read of it. */
export function isConnectSchema(found: unknown, depth = 0): found is ConnectSchema {
  if (typeof found !== 'object' || found === null || depth > maxSchemaDepth) return false
  const { type, name, field, parameters, fields, items } = found as Record<string, unknown>
  return (
    typeof type === 'string' &&
    isTextOrAbsent(name) &&
    isTextOrAbsent(field) &&
    (parameters === undefined ||
      (isMembers(parameters) && Object.values(parameters).every(one => typeof one === 'string'))) &&
    (fields === undefined ||
      (Array.isArray(fields) && fields.every(one => isConnectSchema(one, depth + 1)))) &&
    (items === undefined || isConnectSchema(items, depth + 1))
  )
}

function isTextOrAbsent(found: unknown): boolean {
  return found === undefined || typeof found === 'string'
}

function isMembers(found: unknown): found is object {
  return typeof found === 'object' && found !== null && !Array.isArray(found)
}

const maxDepth = 32

/** Throws DecodeError `type-unsupported` for a type that Hive has no equal for. */
export function connectConverter(schema: ConnectSchema, depth = 0): Converter {
  const named = schema.name === undefined ? undefined : logicalTypes.get(ownName(schema.name))
  if (named !== undefined) return named(schema)
  const plain = plainTypes.get(schema.type)
  if (plain !== undefined) return plain
  if (schema.type === 'array' && schema.items !== undefined && depth < maxDepth) {
    return listConverter(connectConverter(schema.items, depth + 1))
  }
  throw unsupported(schema)
}

function unsupported({ type, name, parameters }: ConnectSchema): DecodeError {
  const own = [type, name, parameters === undefined ? undefined : JSON.stringify(parameters)]
  const shown = own.filter(part => part !== undefined).join(' ')
  return new DecodeError('type-unsupported', `Hive has no equal for the type ${shown}`)
}

/**
 * The name of a struct of time (`structured-times.ts`) goes on with its digits and its column, so that
 * Avro's records have names of their own: `StructuredTimestampPrecision6SourceColumn6474`.
 */
function ownName(name: string): string {
  return name.startsWith('io.debezium.time.Structured')
    ? name.replace(/SourceColumn[0-9a-f]*$/, '').replace(/Precision\d+$/, '')
    : name
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
const as = (kind: 'string' | 'timestamp' | 'timestamptz', convert: Convert): Converter => ({
  type: { kind },
  convert,
})
const date = (convert: Convert): Converter => ({ type: { kind: 'date' }, convert })
const days: Converter = { ...date(dateOf), plain: 'integer' }
const interval = (convert: Convert): Converter => ({ type: { kind: 'bigint' }, convert })
const plainTypes: ReadonlyMap<string, Converter> = new Map(
  Object.entries({
    int8: integer('tinyint'),
    int16: integer('smallint'),
    int32: integer('int'),
    int64: integer('bigint'),
    float: floatingConverter('float'),
    float32: floatingConverter('float'),
    double: floatingConverter('double'),
    float64: floatingConverter('double'),
    boolean: {
      type: { kind: 'boolean' },
      convert: value => {
        if (typeof value === 'boolean') return value
        throw misfit({ kind: 'boolean' }, value)
      },
    },
    string: text,
    // Hive's own maps and structs would tie the table to each of their members.
    map: json,
    struct: json,
    bytes: { type: { kind: 'binary' }, convert: bytesOf },
  }),
)

const milli = 1 / 1000
const micro = 1
const nano = 1000

type Make = (schema: ConnectSchema) => Converter

const logicalTypes: ReadonlyMap<string, Make> = new Map(
  Object.entries<Make>({
    'io.debezium.time.Date': () => days,
    'org.apache.kafka.connect.data.Date': () => days,
    'io.debezium.time.Time': () => time(milli),
    'org.apache.kafka.connect.data.Time': () => time(milli),
    'io.debezium.time.MicroTime': () => time(micro),
    'io.debezium.time.NanoTime': () => time(nano),
    'io.debezium.time.Timestamp': () => timestamp(milli),
    'org.apache.kafka.connect.data.Timestamp': () => timestamp(milli),
    'io.debezium.time.MicroTimestamp': () => timestamp(micro),
    'io.debezium.time.NanoTimestamp': () => timestamp(nano),
    'io.debezium.time.IsoDate': () => date(isoDate),
    'io.debezium.time.IsoTime': () => as('string', isoTime),
    'io.debezium.time.IsoTimestamp': () => as('timestamp', isoTimestamp),
    'io.debezium.time.ZonedTime': () => as('string', isoTime),
    'io.debezium.time.ZonedTimestamp': () => as('timestamptz', zonedTimestamp),
    'io.debezium.time.StructuredDate': () => date(structuredDate),
    'io.debezium.time.StructuredTime': () => as('string', structuredTime),
    'io.debezium.time.StructuredTimestamp': () => as('timestamp', structuredTimestamp),
    'io.debezium.time.StructuredZonedTime': () => as('string', structuredTime),
    'io.debezium.time.StructuredZonedTimestamp': () => as('timestamptz', structuredZonedTimestamp),
    'io.debezium.time.StructuredDuration': structuredDuration,
    'io.debezium.time.Interval': () => interval(isoInterval),
    'io.debezium.time.MicroDuration': () => ({
      ...interval(value => intervalOf(value, micro)),
      plain: 'integer',
    }),
    'io.debezium.time.NanoDuration': () => interval(value => intervalOf(value, nano)),
    'io.debezium.time.Year': () => integer('int'),
    'org.apache.kafka.connect.data.Decimal': decimalConverter,
    'io.debezium.data.VariableScaleDecimal': () => ({
      type: { kind: 'string' },
      convert: variableScaleText,
    }),
    'io.debezium.data.Bits': schema => {
      const length = Number(schema.parameters?.length ?? 1)
      if (!(Number.isInteger(length) && length >= 1)) throw unsupported(schema)
      return { type: { kind: 'string' }, convert: value => bitsText(value, length) }
    },
    'io.debezium.data.Enum': () => text,
    'io.debezium.data.EnumSet': () => text,
    'io.debezium.data.Json': () => text,
    'io.debezium.data.Xml': () => text,
    'io.debezium.data.Uuid': () => text,
    'io.debezium.data.Ltree': () => text,
    'io.debezium.data.Tsvector': () => text,
  }),
)

/** Names of logical types, for the documentation. */
export const logicalTypeNames: readonly string[] = [...logicalTypes.keys()]

/** MySQL's TIME is shown as the time of day that it nearly always is, an interval as microseconds. */
function structuredDuration({ parameters }: ConnectSchema): Converter {
  return parameters?.['io.debezium.time.duration.kind'] === 'elapsed-time'
    ? as('string', structuredElapsedTime)
    : interval(structuredInterval)
}

function decimalConverter(schema: ConnectSchema): Converter {
  const scale = Number(schema.parameters?.scale ?? 0)
  const precision = Number(schema.parameters?.['connect.decimal.precision'] ?? maxDecimalPrecision)
  if (!(isScale(scale) && Number.isInteger(precision) && precision >= 1)) throw unsupported(schema)
  if (precision > maxDecimalPrecision || scale > precision || scale < 0) {
    // Hive's decimal ends at 38 digits: the exact number is kept as text.
    return { type: { kind: 'string' }, convert: value => variableScaleText({ scale, value }) }
  }
  const type = { kind: 'decimal', precision, scale } as const
  return { type, convert: value => decimalOf(value, type), plain: 'unscaled' }
}
