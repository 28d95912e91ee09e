/**
 * Avro types as the schemas of Connect that their converter made them from: the same readers of columns
 * (`connect-schema.ts`) then serve JSON and Avro. Which attributes carry what: Confluent's AvroData, which
 * Apicurio's converter follows.
 */
import type { AvroField, AvroType } from '../avro/avro-schema.ts'
import type { ConnectSchema } from './connect-schema.ts'

export function connectSchemaOf(type: AvroType): ConnectSchema {
  if (type.kind === 'union') {
    const [branch, ...others] = type.branches.filter(({ kind }) => kind !== 'null')
    const optional = others.length < type.branches.length - 1
    // A union of several types is none that Connect's converter writes for a column: nothing reads it.
    if (branch === undefined || others.length > 0) return { type: 'union', optional }
    return { ...connectSchemaOf(branch), optional }
  }
  const { attributes } = type
  const logical = attributes['connect.name'] ?? logicalNames[String(attributes.logicalType)]
  return {
    type: connectType(type),
    optional: false,
    ...(typeof logical === 'string' && { name: logical }),
    ...parametersOf(type),
    ...(type.kind === 'record' && { fields: type.fields.map(fieldOf) }),
    ...((type.kind === 'array' || type.kind === 'map') && { items: connectSchemaOf(type.items) }),
  }
}

function fieldOf({ name, type, doc, default: initial }: AvroField): ConnectSchema {
  const given = defaultOf(type) ?? initial
  const schema = connectSchemaOf(type)
  const isNone = given === undefined || given === null
  return {
    ...schema,
    field: name,
    ...(doc !== undefined && { doc }),
    // Bytes stand in Avro's JSON as text of one char each.
    ...(!isNone && {
      default:
        schema.type === 'bytes' && typeof given === 'string' ? Buffer.from(given, 'latin1') : given,
    }),
  }
}

/** `connect.default` stands in the type, the null of a union aside. */
function defaultOf(type: AvroType): unknown {
  if (type.kind !== 'union') return type.attributes['connect.default']
  return type.branches.map(branch => branch.attributes['connect.default']).find(one => one != null)
}

function connectType({ kind, attributes }: AvroType): string {
  const stated = attributes['connect.type']
  if (typeof stated === 'string' && kind !== 'record') return stated
  return connectTypes[kind] ?? kind
}

const connectTypes: Readonly<Record<string, string>> = {
  int: 'int32',
  long: 'int64',
  enum: 'string',
  fixed: 'bytes',
  record: 'struct',
}

/** For schemas that others than Connect wrote: Avro's own logical types. */
const logicalNames: Readonly<Record<string, string>> = {
  decimal: 'org.apache.kafka.connect.data.Decimal',
  date: 'org.apache.kafka.connect.data.Date',
  'time-millis': 'org.apache.kafka.connect.data.Time',
  'time-micros': 'io.debezium.time.MicroTime',
  'timestamp-millis': 'org.apache.kafka.connect.data.Timestamp',
  'timestamp-micros': 'io.debezium.time.MicroTimestamp',
  'local-timestamp-millis': 'org.apache.kafka.connect.data.Timestamp',
  'local-timestamp-micros': 'io.debezium.time.MicroTimestamp',
}

function parametersOf({ attributes }: AvroType): Pick<ConnectSchema, 'parameters'> {
  const stated = attributes['connect.parameters']
  const parameters: Record<string, string> = {}
  if (attributes.logicalType === 'decimal') {
    const { precision, scale } = attributes
    parameters.scale = typeof scale === 'number' ? String(scale) : '0'
    // Connect writes 64 where it knows none.
    if (typeof precision === 'number' && precision !== 64) {
      parameters['connect.decimal.precision'] = String(precision)
    }
  }
  if (typeof stated === 'object' && stated !== null) {
    for (const [name, value] of Object.entries(stated)) parameters[name] = String(value)
  }
  return Object.keys(parameters).length === 0 ? {} : { parameters }
}
