/**
 * How a change event spells the values of one column, and what the column's default is.
 *
 * There are two sources of that knowledge: the Connect schema inside the event (converters with
 * `schemas.enable`), or the connector's schema-change events together with its settings. Both end
 * in the same `ColumnType`. The Connect names are those of `io.debezium.time`, `io.debezium.data`
 * and `org.apache.kafka.connect.data`; the column types are those of MariaDB.
 */
import {
  dateText,
  epochText,
  floorDivide,
  type Json,
  type Kind,
  type NormalValue,
  normalize,
  scaledText,
} from './normal-form.ts'

export interface ColumnType {
  readonly kind: Kind
  /** From the event's form; never called with null. */
  readonly decode: (value: Json) => NormalValue
  /** What rows of before the column have in it. */
  readonly defaultValue: NormalValue
}

/** All columns of a table at one point of its log. */
export type Shape = ReadonlyMap<string, ColumnType>

/** The connector's configuration, as in `m2.json`. */
export type ConnectorSettings = Readonly<Record<string, string>>

/** A column as Debezium's schema-change events describe it. */
export interface DeclaredColumn {
  readonly name: string
  readonly typeName: string
  readonly length?: bigint | number | null
  readonly scale?: bigint | number | null
  readonly defaultValueExpression?: string | null
}

interface ConnectField {
  readonly field: string
  readonly type: string
  readonly name?: string
  readonly parameters?: Readonly<Record<string, string>>
  readonly default?: Json
}

type Reading = Pick<ColumnType, 'kind' | 'decode'>

const asPrinted = (kind: Kind): Reading => ({ kind, decode: value => normalize(value, kind) })

const days: Reading = { kind: 'date', decode: value => dateText(value as bigint) }

/** Microseconds are the count `times` a thousand for milliseconds, `over` one for nanoseconds. */
const timestamp = (times: bigint, over = 1n): Reading => ({
  kind: 'timestamp',
  decode: value => epochText(floorDivide((value as bigint) * times, over)),
})

const time = (times: bigint, over = 1n): Reading => ({
  kind: 'time',
  decode: value => floorDivide((value as bigint) * times, over),
})

const decimal = (scale: number): Reading => ({
  kind: 'decimal',
  decode: value => scaledText(twosComplement(value as string), scale),
})

const variableScaleDecimal: Reading = {
  kind: 'decimal',
  decode: value => {
    const { scale, value: bytes } = value as { scale: bigint; value: string }
    return scaledText(twosComplement(bytes), Number(scale))
  },
}

const bits = (length: number): Reading => ({
  kind: 'bits',
  decode: value =>
    littleEndian(value as string)
      .toString(2)
      .padStart(length, '0'),
})

/** With `decimal.handling.mode` precise an unsigned bigint is a decimal of scale 0. */
const integerFromBytes: Reading = {
  kind: 'integer',
  decode: value => twosComplement(value as string),
}

/** With `bigint.unsigned.handling.mode` long the upper half of the range arrives negative. */
const unsignedLong: Reading = {
  kind: 'integer',
  decode: value => BigInt.asUintN(64, value as bigint),
}

const logicalTypes: Readonly<Record<string, Reading>> = {
  'io.debezium.time.Date': days,
  'org.apache.kafka.connect.data.Date': days,
  'io.debezium.time.Time': time(1000n),
  'org.apache.kafka.connect.data.Time': time(1000n),
  'io.debezium.time.MicroTime': time(1n),
  'io.debezium.time.NanoTime': time(1n, 1000n),
  'io.debezium.time.Timestamp': timestamp(1000n),
  'org.apache.kafka.connect.data.Timestamp': timestamp(1000n),
  'io.debezium.time.MicroTimestamp': timestamp(1n),
  'io.debezium.time.NanoTimestamp': timestamp(1n, 1000n),
  'io.debezium.time.ZonedTimestamp': asPrinted('timestamp'),
  'io.debezium.time.ZonedTime': asPrinted('time'),
  'io.debezium.data.VariableScaleDecimal': variableScaleDecimal,
}

const baseKinds: Readonly<Record<string, Kind>> = {
  int8: 'integer',
  int16: 'integer',
  int32: 'integer',
  int64: 'integer',
  boolean: 'boolean',
  float: 'float32',
  double: 'float64',
  string: 'text',
  bytes: 'binary',
}

/** The shape in an envelope's schema; undefined when the event has no `after` in its schema. */
export function shapeOfEnvelope(schema: Json): Shape | undefined {
  const { fields } = schema as unknown as { fields: (ConnectField & { fields?: ConnectField[] })[] }
  const columns = fields.find(({ field }) => field === 'after')?.fields
  if (columns === undefined) return undefined
  return new Map(
    columns.map(column => {
      const reading = readingOfField(column)
      const unset = column.default === undefined || column.default === null
      const defaultValue = unset ? null : reading.decode(column.default)
      return [column.field, { ...reading, defaultValue }]
    }),
  )
}

function readingOfField({ type, name = '', parameters }: ConnectField): Reading {
  if (name === 'org.apache.kafka.connect.data.Decimal') return decimal(Number(parameters?.scale))
  if (name === 'io.debezium.data.Bits') return bits(Number(parameters?.length))
  return logicalTypes[name] ?? asPrinted(baseKinds[type] ?? 'nested')
}

/** The shape that a schema-change event declares. */
export function shapeOfColumns(
  columns: readonly DeclaredColumn[],
  settings: ConnectorSettings,
): Shape {
  return new Map(
    columns.map(column => {
      const reading = readingOfColumn(column, settings)
      const expression = column.defaultValueExpression ?? null
      return [column.name, { ...reading, defaultValue: normalize(expression, reading.kind) }]
    }),
  )
}

function readingOfColumn(column: DeclaredColumn, settings: ConnectorSettings): Reading {
  const declared = column.typeName.toUpperCase()
  const length = Number(column.length ?? 0)
  const type = declared.replace(/ (UNSIGNED|SIGNED|ZEROFILL).*/, '')
  if (type === 'BIGINT' && declared.includes('UNSIGNED')) return unsignedBigint(settings)
  if (type === 'TINYINT' && length === 1 && hasBooleanConverter(settings)) {
    return asPrinted('boolean')
  }
  switch (type) {
    case 'DECIMAL':
    case 'NUMERIC':
      return (settings['decimal.handling.mode'] ?? 'precise') === 'precise'
        ? decimal(Number(column.scale ?? 0))
        : asPrinted('decimal')
    case 'DATE':
      return days
    case 'TIME':
      return isMillisecondsOnly(settings) ? time(1000n) : time(1n)
    case 'DATETIME':
      return isMillisecondsOnly(settings) || length <= 3 ? timestamp(1000n) : timestamp(1n)
    case 'BIT':
      return length <= 1 ? asPrinted('boolean') : bits(length)
    default:
      return asPrinted(mariadbKinds[type] ?? 'text')
  }
}

/** MariaDB's TIMESTAMP is text with a zone in every `time.precision.mode`. */
const mariadbKinds: Readonly<Record<string, Kind>> = {
  TINYINT: 'integer',
  SMALLINT: 'integer',
  MEDIUMINT: 'integer',
  INT: 'integer',
  INTEGER: 'integer',
  BIGINT: 'integer',
  YEAR: 'integer',
  FLOAT: 'float32',
  DOUBLE: 'float64',
  TIMESTAMP: 'timestamp',
  BINARY: 'binary',
  VARBINARY: 'binary',
  TINYBLOB: 'binary',
  BLOB: 'binary',
  MEDIUMBLOB: 'binary',
  LONGBLOB: 'binary',
  POINT: 'nested',
  GEOMETRY: 'nested',
}

function unsignedBigint(settings: ConnectorSettings): Reading {
  const mode = settings['bigint.unsigned.handling.mode'] ?? 'long'
  return mode === 'precise' ? integerFromBytes : unsignedLong
}

/** The mode `connect` has milliseconds only, whatever the column's precision is. */
function isMillisecondsOnly(settings: ConnectorSettings): boolean {
  return settings['time.precision.mode'] === 'connect'
}

function hasBooleanConverter(settings: ConnectorSettings): boolean {
  const names = (settings.converters ?? '').split(',').map(name => name.trim())
  return names.some(name => settings[`${name}.type`]?.endsWith('.TinyIntOneToBooleanConverter'))
}

function twosComplement(base64: string): bigint {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length === 0) return 0n
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`))
}

function littleEndian(base64: string): bigint {
  const bytes = Buffer.from(base64, 'base64').reverse()
  return bytes.length === 0 ? 0n : BigInt(`0x${bytes.toString('hex')}`)
}
