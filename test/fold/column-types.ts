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
  readonly items?: Omit<ConnectField, 'field'>
  readonly type: string
  readonly name?: string
  readonly parameters?: Readonly<Record<string, string>>
  readonly default?: Json
}

type Reading = Pick<ColumnType, 'kind' | 'decode'>

const asPrinted = (kind: Kind): Reading => ({ kind, decode: value => normalize(value, kind) })

/** What stands for PostgreSQL's infinity, in the events and in a table of Hive. */
const infinities: ReadonlyMap<Json, string> = new Map<Json, string>([
  [-622_191_234n, '9999-12-31'],
  [-2_147_472_692n, '9999-12-31'],
  [9_223_372_036_825_200_000n, '9999-12-31 23:59:59.999999'],
  ['infinity', '9999-12-31 23:59:59.999999'],
  ['-infinity', '0001-01-01 00:00:00'],
])

const days: Reading = {
  kind: 'date',
  decode: value => infinities.get(value) ?? dateText(value as bigint),
}

/** Microseconds are the count `times` a thousand for milliseconds, `over` one for nanoseconds. */
const timestamp = (times: bigint, over = 1n): Reading => ({
  kind: 'timestamp',
  decode: value => {
    const micros = floorDivide((value as bigint) * times, over)
    return infinities.get(micros) ?? epochText(micros)
  },
})

const instant: Reading = {
  kind: 'timestamp',
  decode: value => infinities.get(value) ?? normalize(value, 'timestamp'),
}

/** PnYnMnDTnHnMnS, each part with a sign of its own; a month has a twelfth of 365.25 days. */
const interval: Reading = {
  kind: 'integer',
  decode: value => {
    const [years, months, dayCount, hours, minutes, seconds] = (value as string)
      .split(/[A-Z]+/)
      .filter(Boolean)
      .map(Number) as [number, number, number, number, number, number]
    const allHours = ((years * 12 + months) * 30.4375 + dayCount) * 24 + hours
    return BigInt(Math.round(((allHours * 60 + minutes) * 60 + seconds) * 1e6))
  },
}

/** A list prints decimals as text with every digit of their scale, and moments as text. */
function list(element: (value: Json) => string): Reading {
  return {
    kind: 'nested',
    decode: value =>
      `[${(value as Json[]).map(one => (one === null ? null : element(one))).join(',')}]`,
  }
}

const decimalList = (scale: number): Reading =>
  list(value => {
    const digits = String(twosComplement(value as string)).padStart(scale + 1, '0')
    return `"${digits.slice(0, -scale)}.${digits.slice(-scale)}"`
  })

const momentList = (times: bigint): Reading =>
  list(value => `"${epochText((value as bigint) * times)}"`)

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
  'io.debezium.time.ZonedTimestamp': instant,
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

function readingOfField({ type, name = '', parameters, items }: ConnectField): Reading {
  if (items?.name === 'org.apache.kafka.connect.data.Decimal') {
    return decimalList(Number(items.parameters?.scale))
  }
  if (items?.name === 'io.debezium.time.MicroTimestamp') return momentList(1n)
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
  const ofPostgres = postgresReading(type, column, settings)
  if (ofPostgres !== undefined) return ofPostgres
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

/** By PostgreSQL's own long names, which MariaDB does not have. */
function postgresReading(
  type: string,
  { scale, length }: DeclaredColumn,
  settings: ConnectorSettings,
): Reading | undefined {
  const isFriendly = isMillisecondsOnly(settings)
  const isText = settings['decimal.handling.mode'] === 'string'
  const millis = isFriendly || Number(length ?? 6) <= 3
  switch (type) {
    case 'NUMERIC':
      return scale === undefined && !isText ? variableScaleDecimal : undefined
    case 'NUMERIC[]':
      return isText ? asPrinted('nested') : decimalList(Number(scale))
    case 'TIMESTAMP WITHOUT TIME ZONE':
      return timestamp(millis ? 1000n : 1n)
    case 'TIMESTAMP WITHOUT TIME ZONE[]':
      return momentList(isFriendly ? 1000n : 1n)
    case 'TIMESTAMP WITH TIME ZONE':
      return instant
    case 'TIME WITHOUT TIME ZONE':
      return time(millis ? 1000n : 1n)
    case 'TIME WITH TIME ZONE':
      return asPrinted('time')
    case 'INTERVAL':
      return settings['interval.handling.mode'] === 'string' ? interval : asPrinted('integer')
    case 'BIT VARYING':
      return bits(Number(length))
    default:
      return postgresKinds[type] === undefined ? undefined : asPrinted(postgresKinds[type])
  }
}

const postgresKinds: Readonly<Record<string, Kind>> = {
  BOOLEAN: 'boolean',
  REAL: 'float32',
  'DOUBLE PRECISION': 'float64',
  BYTEA: 'binary',
  'INTEGER[]': 'nested',
  'TEXT[]': 'nested',
  HSTORE: 'nested',
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
