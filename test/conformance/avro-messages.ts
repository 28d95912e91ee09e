/** Messages in Avro as Debezium's converter writes them, encoded by avsc. */
import avsc from 'avsc'
import type { Field } from '../formats/samples.ts'

/** Longs of all 64 bits, from bigints. */
const long = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(value)
    return bytes
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (one: bigint, other: bigint) => Number(one - other),
})

function longOf(schema: unknown): avsc.Type | undefined {
  const isLong = schema === 'long' || (schema as { readonly type?: unknown }).type === 'long'
  return isLong ? long : undefined
}

const types = new WeakMap<object, avsc.Type>()

/** In Confluent's wire format. */
export function framed(id: number, schema: object, value: unknown): Buffer {
  const known = types.get(schema)
  const type = known ?? avsc.Type.forSchema(schema as never, { typeHook: longOf as never })
  types.set(schema, type)
  const head = Buffer.alloc(5)
  head.writeUInt32BE(id, 1)
  return Buffer.concat([head, type.toBuffer(value)])
}

const primitives: Readonly<Record<string, string>> = {
  int8: 'int',
  int16: 'int',
  int32: 'int',
  int64: 'long',
  float: 'float',
  double: 'double',
  boolean: 'boolean',
  string: 'string',
  bytes: 'bytes',
}

/** A field of Connect's as Confluent's AvroData writes it: what Avro does not have stands beside. */
export function avroField(field: Field): object {
  const { field: name, optional } = field
  const type = avroType(field)
  return optional === true ? { name, type: ['null', type], default: null } : { name, type }
}

function avroType({ type, name, parameters, items }: Omit<Field, 'field'>): unknown {
  if (type === 'array') return { type: 'array', items: ['null', avroType(items as Field)] }
  const isNarrow = type === 'int8' || type === 'int16'
  if (name === undefined && !isNarrow) return primitives[type]
  return {
    type: primitives[type],
    ...(isNarrow ? { 'connect.type': type } : {}),
    ...(name === undefined ? {} : { 'connect.name': name, 'connect.version': 1 }),
    ...(parameters === undefined ? {} : { 'connect.parameters': parameters }),
    ...(name?.endsWith('.Decimal') === true
      ? {
          logicalType: 'decimal',
          scale: Number(parameters?.scale),
          precision: decimalPrecision(parameters),
        }
      : {}),
  }
}

function decimalPrecision(parameters: Field['parameters']): number {
  return Number(parameters?.['connect.decimal.precision'] ?? 64)
}

/** A value for the encoder, from Connect's JSON; longs as bigints. */
export function avroValue({ type, items }: Omit<Field, 'field'>, json: string): unknown {
  if (json === 'null') return null
  if (type === 'int64') return BigInt(json)
  const value = JSON.parse(json) as unknown
  if (type === 'bytes') return Buffer.from(value as string, 'base64')
  if (type !== 'array') return value
  return elementsOf(json).map(element => avroValue(items as Field, element))
}

/** The elements of a JSON list without lists in it, as they are written. */
function elementsOf(json: string): readonly string[] {
  return json.slice(1, -1).match(/"(?:[^"\\]|\\.)*"|[^,]+/g) ?? []
}
