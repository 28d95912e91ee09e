/**
 * What it costs to decode a change event: events of W1 (`orders.ts`) as JSON without schemas, and as Avro
 * with the schema that Debezium registers for the table, in CPU microseconds a message. Beside them what
 * avsc, the library for Avro, needs for the same messages, with a resolver that reads no more than Forager
 * does, and what JSON.parse needs: neither makes an event of them.
 *
 *     node bench/decode.ts [messages] [rounds]
 */
import avsc from 'avsc'
import { FileRegistry } from '../formats/avro/schema-registry.ts'
import { debeziumAvro } from '../formats/debezium/debezium-avro.ts'
import { debeziumJson } from '../formats/debezium/debezium-json.ts'
import type { Decoder } from '../formats/decoder.ts'
import type { LogRecord } from '../model/change-event.ts'
import { parseColumnType } from '../model/column-type.ts'
import { parseDecimal } from '../model/value.ts'
import type { Order } from './orders.ts'
import { Orders } from './orders.ts'

const count = Number(process.argv[2] ?? 200_000)
const rounds = Number(process.argv[3] ?? 5)

const types = Object.fromEntries(
  Object.entries({
    id: 'bigint',
    uid: 'int',
    pid: 'int',
    status: 'string',
    note: 'string',
    amount: 'decimal(12,2)',
    created_at: 'bigint',
    updated_at: 'bigint',
  }).map(([name, type]) => [name, parseColumnType(type)]),
)

const optional = (type: unknown): unknown => ({ type: ['null', type], default: null })
const field = (name: string, type: unknown): object => ({ name, type })
const nullable = (name: string, type: unknown): object => ({ name, ...(optional(type) as object) })
const amount = {
  type: 'bytes',
  logicalType: 'decimal',
  precision: 12,
  scale: 2,
  'connect.name': 'org.apache.kafka.connect.data.Decimal',
  'connect.parameters': { scale: '2', 'connect.decimal.precision': '12' },
}
const micros = { type: 'long', 'connect.name': 'io.debezium.time.MicroTimestamp' }
const row = {
  type: 'record',
  name: 'Value',
  fields: [
    field('id', 'long'),
    field('uid', 'int'),
    field('pid', 'int'),
    nullable('status', 'string'),
    nullable('note', 'string'),
    nullable('amount', amount),
    nullable('created_at', micros),
    nullable('updated_at', micros),
  ],
}
const source = {
  type: 'record',
  name: 'Source',
  fields: [
    ...['version', 'connector', 'name'].map(name => field(name, 'string')),
    field('ts_ms', 'long'),
    nullable('snapshot', 'string'),
    field('db', 'string'),
    nullable('sequence', 'string'),
    nullable('ts_us', 'long'),
    nullable('ts_ns', 'long'),
    nullable('table', 'string'),
    field('server_id', 'long'),
    nullable('gtid', 'string'),
    field('file', 'string'),
    field('pos', 'long'),
    field('row', 'int'),
    nullable('thread', 'long'),
    nullable('query', 'string'),
  ],
}
const envelope = {
  type: 'record',
  name: 'Envelope',
  namespace: 'shop.orders',
  fields: [
    nullable('before', row),
    nullable('after', 'Value'),
    field('source', source),
    nullable('transaction', 'string'),
    field('op', 'string'),
    ...['ts_ms', 'ts_us', 'ts_ns'].map(name => nullable(name, 'long')),
  ],
}
const keySchema = { type: 'record', name: 'Key', namespace: 'shop.orders', fields: [row.fields[0]] }

/** Exact, as a number where it is safe. */
const long = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => {
    const value = bytes.readBigInt64LE()
    return Number.isSafeInteger(Number(value)) ? Number(value) : value
  },
  toBuffer: (value: number | bigint) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(BigInt(value))
    return bytes
  },
  fromJSON: Number,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'number' || typeof value === 'bigint',
  compare: (a: number, b: number) => Math.sign(a - b),
})
/** Each type of its own: a library of names belongs to one schema. */
function avscType(schema: unknown): avsc.Type {
  return avsc.Type.forSchema(schema as never, { registry: { long } as never })
}
const valueType = avscType(envelope)
const keyType = avscType(keySchema)

const orders = new Orders('w1')
const json: LogRecord[] = []
const avro: LogRecord[] = []
for (let offset = 0; offset < count; offset += 1) {
  const { key, value } = orders.change(220 / 300)
  const base = { topic: 'shop.orders', partition: 0, offset, timestampMs: 0, headers: [] }
  json.push({ ...base, key: Buffer.from(key), value: Buffer.from(value) })
  const message = JSON.parse(value) as Record<'before' | 'after', Order | null>
  const avroMessage = { ...message, before: avroRow(message.before), after: avroRow(message.after) }
  avro.push({
    ...base,
    key: framed(2, keyType.toBuffer(JSON.parse(key))),
    value: framed(1, valueType.toBuffer(avroMessage)),
  })
}

function avroRow(order: Order | null): unknown {
  if (order === null) return null
  const unscaled = BigInt(parseDecimal(order.amount, { precision: 12, scale: 2 }))
  const hex = unscaled.toString(16)
  const even = hex.padStart(hex.length + (hex.length % 2), '0')
  const bytes = Buffer.from(even, 'hex')
  return { ...order, amount: bytes[0]! >= 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes }
}

function framed(id: number, body: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(id, 1)
  return Buffer.concat([head, body])
}

const schemas = [envelope, keySchema].map((schema, index) => {
  return JSON.stringify({ id: index + 1, schema: JSON.stringify(schema) })
})
const registry = new FileRegistry({
  path: 'bench',
  read: () => Promise.resolve(schemas.join('\n')),
})
for (const id of [1, 2]) await registry.fetch(id)
const formats = {
  'debezium-json': { format: debeziumJson(), hints: { types }, records: json },
  'debezium-avro': {
    format: debeziumAvro({ registry }),
    hints: {},
    records: avro,
  },
}

/** What Forager reads of a message: all of the row after, of the row before the key, the place. */
function avscReads(): () => void {
  const wanted = structuredClone(envelope) as typeof envelope
  const read = [
    'connector',
    'name',
    'ts_ms',
    'snapshot',
    'db',
    'table',
    'server_id',
    'gtid',
    'file',
    'pos',
    'row',
  ]
  const sourceField = {
    ...source,
    fields: source.fields.filter(one => read.includes((one as { name: string }).name)),
  }
  wanted.fields = [nullable('after', row), field('source', sourceField), field('op', 'string')]
  const type = avscType(wanted)
  const resolver = type.createResolver(valueType)
  return () => {
    for (const record of avro) {
      type.fromBuffer(record.value!.subarray(5) as Buffer, resolver)
      keyType.fromBuffer(record.key!.subarray(5) as Buffer)
    }
  }
}

function jsonReads(): () => void {
  return () => {
    for (const record of json) {
      JSON.parse((record.value as Buffer).toString('utf8'))
      JSON.parse((record.key as Buffer).toString('utf8'))
    }
  }
}

function decodes(decoder: Decoder, records: readonly LogRecord[]): () => void {
  return () => {
    for (const record of records) {
      if (decoder.decode(record).kind !== 'changes') throw new Error('a message is no change')
    }
  }
}

const ways: [string, () => void][] = [
  ...Object.entries(formats).map(([name, { format, hints, records }]): [string, () => void] => {
    const options = { hintsOf: () => hints, incarnation: '', connectorSettings: {} }
    return [name, decodes(format.createDecoder(options), records)]
  }),
  ['avsc alone, projected', avscReads()],
  ['JSON.parse alone', jsonReads()],
]
const figures = new Map(ways.map(([name]) => [name, [] as number[]]))
for (let round = 0; round <= rounds; round += 1) {
  for (const [name, run] of ways) {
    const before = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(before)
    // The first round warms up.
    if (round > 0) figures.get(name)!.push((user + system) / count)
  }
}
console.log(`CPU microseconds a message, min/median/max of ${rounds}, ${count} messages`)
for (const [name, all] of figures) {
  all.sort((a, b) => a - b)
  const shown = [all[0]!, all[Math.floor(all.length / 2)]!, all.at(-1)!]
  console.log(`${name.padEnd(24)}${shown.map(one => one.toFixed(2)).join(' / ')}`)
}
