/** What `auto` makes of messages: recorded ones of every format, mixed topics, and what tells nothing. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { auto } from '../../formats/auto.ts'
import type { SchemaRegistry } from '../../formats/avro/schema-registry.ts'
import { FileRegistry } from '../../formats/avro/schema-registry.ts'
import { canalJson } from '../../formats/canal/canal-json.ts'
import { debeziumAvro } from '../../formats/debezium/debezium-avro.ts'
import { debeziumFlat } from '../../formats/debezium/debezium-flat.ts'
import { debeziumJson } from '../../formats/debezium/debezium-json.ts'
import type { Decoded, Decoder, DecoderOptions, Format } from '../../formats/decoder.ts'
import { parseTopicMemory, SchemaAbsent, SchemaPending } from '../../formats/decoder.ts'
import { maxwellJson } from '../../formats/maxwell/maxwell-json.ts'
import { openRecordedSource } from '../../log/recorded-source.ts'
import type { LogRecord } from '../../model/change-event.ts'
import { ForagerError } from '../../model/errors.ts'
import { seededRandom } from '../../runtime/random.ts'
import { formatNotes } from '../../scripts/formats/format-notes.ts'
import { flat } from './canal/canal-messages.ts'
import { decodedBy, textOf } from './decoded-text.ts'
import { message as maxwell } from './maxwell-samples.ts'
import { changeOf, mariadb, recordOf, schemaChangeOf, withSchema } from './samples.ts'

const fixtures = join(import.meta.dirname, '../fixtures')

function optionsOf(
  onRecognised: (topic: string, format: string) => void = () => undefined,
): DecoderOptions {
  return { hintsOf: () => ({}), incarnation: '', connectorSettings: {}, onRecognised }
}

async function recordsOf(path: string): Promise<readonly LogRecord[]> {
  const source = await openRecordedSource({ path: join(fixtures, path) })
  const all = source.topics.map(({ name: topic }) =>
    source.read({ topic, partition: 0 }, 0, Number.POSITIVE_INFINITY),
  )
  return (await Promise.all(all)).flat()
}

/** As the runtime does: what is missing is fetched, or learned. */
async function decodeAll(format: Format, records: readonly LogRecord[], options = optionsOf()) {
  const decoder = format.createDecoder(options)
  const learned = new Set<string>()
  const learn = (topic: string): void => {
    if (learned.has(topic)) return
    learned.add(topic)
    for (const record of records) if (record.topic === topic) decoder.learn(record)
  }
  const texts: string[] = []
  for (const record of records) {
    for (const topic of decoder.schemaTopics) learn(topic)
    let decoded = decodedBy(decoder, record)
    for (let tries = 0; tries < 4; tries += 1) {
      if (decoded instanceof SchemaAbsent) await decoded.fetch()
      else if (decoded instanceof SchemaPending) learn(decoded.topic)
      else break
      decoded = decodedBy(decoder, record)
    }
    texts.push(textOf(decoded))
  }
  return texts
}

const registryOf = (path: string): SchemaRegistry =>
  new FileRegistry({
    path,
    read: () => Promise.resolve(readFileSync(join(fixtures, path), 'utf8')),
  })

const recordings: readonly { path: string; format: (registry: SchemaRegistry) => Format }[] = [
  { path: 'mariadb/m1_json_schema_true.jsonl', format: () => debeziumJson() },
  { path: 'mariadb/m2_json_schema_false_friendly_modes.jsonl', format: () => debeziumJson() },
  { path: 'mariadb/m3_avro_confluent.jsonl', format: registry => debeziumAvro({ registry }) },
  { path: 'mariadb/m4_single_topic_router.jsonl', format: () => debeziumJson() },
  { path: 'mariadb/m5_unwrapped_flat.jsonl', format: () => debeziumFlat() },
  { path: 'mariadb/m6_mysql_connector_on_mariadb.jsonl', format: () => debeziumJson() },
  { path: 'postgres/p1_json_schema_true.jsonl', format: () => debeziumJson() },
  { path: 'postgres/p2_json_schema_false_friendly_modes.jsonl', format: () => debeziumJson() },
  { path: 'postgres/p3_avro_confluent.jsonl', format: registry => debeziumAvro({ registry }) },
  { path: 'postgres/p4_single_topic_router.jsonl', format: () => debeziumJson() },
  { path: 'canal/canal117_flat_message_FULL.jsonl', format: () => canalJson() },
  { path: 'maxwell/maxwell_1.22.6.jsonl', format: () => maxwellJson() },
]

describe('recorded events', () => {
  it.each(recordings)('of $path are recognised, and read as their format does', async given => {
    const { path } = given
    const registry = registryOf(path.replace('.jsonl', '.schemas.jsonl'))
    const records = await recordsOf(path)
    const named = given.format(registry)
    const found = new Map<string, string>()
    const options = optionsOf((topic, format) => {
      // Once for each topic.
      expect(found.has(topic)).toBe(false)
      found.set(topic, format)
    })
    const format = auto({ registry: named.name === 'debezium-avro' ? registry : null })
    expect(await decodeAll(format, records, options)).toEqual(await decodeAll(named, records))
    expect(new Set(found.values())).toEqual(new Set([named.name]))
    expect(found.size).toBeGreaterThan(0)
  })
})

const canalRow = {
  table: 'shop.orders',
  binlog_id: 7,
  event_type: 'INSERT',
  exe_time: 1,
  cols: [{ col: 'id', val: '1', type: 'bigint(20)', update: true }],
}
const flatRow = { id: 1, name: 'a', __deleted: 'false', __op: 'c' }
const row = { id: 1, name: 'a' }

/** Of each format one change of the topic `t.demo.user`. */
const samples: Readonly<Record<string, LogRecord>> = Object.fromEntries(
  Object.entries({
    'debezium-json': recordOf({ id: 1 }, withSchema(changeOf({ op: 'c', after: row }))),
    'debezium-flat': recordOf({ id: 1 }, flatRow, { topic: 't.demo.user' }),
    'canal-json': recordOf(null, flat('INSERT', [{ id: '1', n: '1' }])),
    'canal-rows': recordOf({ id: 1 }, canalRow),
    'maxwell-json': maxwell('insert', '{"id":1}'),
  }).map(([name, record]) => [name, { ...record, topic: 't.demo.user' }]),
)
const hints = {
  types: { id: { kind: 'int' }, name: { kind: 'string' } },
  key: ['id'],
} as const

function decoderOf(found: string[] = [], memory = ''): Decoder {
  const options = optionsOf((_topic, format) => found.push(format))
  const decoder = auto({ registry: null }).createDecoder({ ...options, hintsOf: () => hints })
  decoder.restore(memory)
  return decoder
}

function errorOf(action: () => unknown): ForagerError {
  try {
    action()
  } catch (error) {
    if (error instanceof ForagerError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

const names = Object.keys(samples)

describe('an example of docs/formats.md', () => {
  const examples = Object.entries(formatNotes).flatMap(([name, { example }]) =>
    example === undefined ? [] : [[name, example] as const],
  )

  it.each(examples)('of %s is recognised', (name, example) => {
    const found: string[] = []
    decodedBy(decoderOf(found), recordOf({ id: 1 }, example, { topic: 'db1.shop.orders' }))
    expect(found).toEqual([name])
  })
})

describe('a topic', () => {
  it.each(names)('of %s is recognised by its first row', name => {
    const found: string[] = []
    expect(decoderOf(found).decode(samples[name]!).kind).toBe('changes')
    expect(found).toEqual([name])
  })

  it.each(
    names.flatMap(first =>
      names.filter(name => name !== first).map(name => [first, name] as const),
    ),
  )('of %s in which a message is of %s: an error names both', (first, second) => {
    const decoder = decoderOf()
    decoder.decode(samples[first]!)
    const error = errorOf(() => decoder.decode({ ...samples[second]!, offset: 9 }))
    expect(error).toMatchObject({
      code: 'format-unclear',
      context: { topic: 't.demo.user', offset: 9 },
    })
    expect(error.message).toContain(first)
    expect(error.message).toContain(second)
    expect(decoder.decode(samples[first]!).kind).toBe('changes')
  })

  it('has its own format: others have theirs', () => {
    const found: string[] = []
    const decoder = decoderOf(found)
    for (const name of names) {
      const topic = `${name}.demo.user`
      expect(decoder.decode({ ...samples[name]!, topic }).kind).toBe('changes')
    }
    expect(found).toEqual(names)
  })

  it.each(names)('of %s is known again after a restart, before its first row', name => {
    const before = decoderOf()
    expect(before.memoryOf!('t.demo.user')).toBe('')
    before.decode(samples[name]!)
    const memory = before.memoryOf!('t.demo.user')
    expect(memory.length).toBeLessThan(200)
    expect(before.memoryOf!('another')).toBe('')
    const found: string[] = []
    const after = decoderOf(found, memory)
    expect(found).toEqual([name])
    expect(after.memoryOf!('t.demo.user')).toBe(memory)
    const tombstone = recordOf({ id: 1 }, null, { topic: 't.demo.user' })
    const kind = name === 'debezium-flat' ? 'changes' : 'tombstone'
    expect(after.decode(tombstone).kind).toBe(kind)
  })

  it('leaves to a format that is named later what that one learned', () => {
    const before = decoderOf()
    before.decode(samples['debezium-flat']!)
    const memory = before.memoryOf!('t.demo.user')
    expect(parseTopicMemory(memory)).toMatchObject({ format: 'debezium-flat', memory: '' })
    expect(parseTopicMemory('[["m1","adaptive"]]')).toBe(null)
    expect(parseTopicMemory('{"others":"","renamed":[]}')).toBe(null)
  })

  it('that was read with a named format is not read on with another one', () => {
    const error = errorOf(() => decoderOf([], '[["m1","adaptive"]]'))
    expect(error.describe()).toMatch(/name it again.*config-invalid/)
  })
})

const source = { ...mariadb, name: 't' }

describe('messages that several formats have', () => {
  it.each<readonly [string, Decoded['kind'], unknown]>([
    ['a tombstone', 'tombstone', null],
    [
      'a tombstone with a schema',
      'tombstone',
      { schema: { type: 'struct', fields: [] }, payload: null },
    ],
    ['a heartbeat', 'heartbeat', { ts_ms: 1 }],
    [
      'a frame of a transaction',
      'transaction',
      { status: 'BEGIN', id: '7', event_count: null, data_collections: null, ts_ms: 1 },
    ],
    ['a schema change', 'schema-change', schemaChangeOf([])],
    ['a logical message', 'message', { op: 'm', ts_ms: 1, source, message: { prefix: 'p' } }],
  ])('%s decides nothing', (_title, kind, value) => {
    const found: string[] = []
    const decoder = decoderOf(found)
    expect(decoder.decode(recordOf(null, value, { topic: 't.demo.user' })).kind).toBe(kind)
    expect(found).toEqual([])
    expect(decoder.memoryOf!('t.demo.user')).toBe('')
    for (const name of names) {
      const other = decoderOf()
      other.decode(recordOf(null, value, { topic: 't.demo.user' }))
      expect(other.decode(samples[name]!).kind).toBe('changes')
    }
  })

  it('a tombstone that may have deleted a flattened row makes its topic an error, after a restart too', () => {
    const decoder = decoderOf()
    decoder.decode(recordOf({ id: 7 }, null, { topic: 't.demo.user' }))
    const again = decoderOf([], decoder.memoryOf!('t.demo.user'))
    for (const one of [decoder, again]) {
      const error = errorOf(() => one.decode(samples['debezium-flat']!))
      expect(error).toMatchObject({ code: 'format-unclear' })
      expect(error.message).toContain('`format: debezium-flat`')
    }
    const found: string[] = []
    const other = decoderOf(found, decoder.memoryOf!('t.demo.user'))
    expect(other.decode(samples['debezium-json']!).kind).toBe('changes')
    expect(found).toEqual(['debezium-json'])
  })
})

describe('what cannot be told for certain', () => {
  it.each<readonly [string, unknown, RegExp]>([
    ['a row without added fields', { id: 1, name: 'a' }, /flattened.*\(debezium-flat\)/],
    [
      'an object like canal’s, with fields that the transform adds',
      { ...flat('DELETE', []), __deleted: 'true' },
      /of debezium-flat and canal-json/,
    ],
    ['a number', 7, /no object of JSON/],
    ['a list', [flatRow], /no object of JSON/],
    ['text that is no JSON', 'id=1', /not JSON/],
    ['Avro without a registry', Buffer.from([0, 0, 0, 0, 1, 2]), /source\.registry/],
  ])('%s is an error', (_title, value, message) => {
    const found: string[] = []
    const decoder = decoderOf(found)
    const record = recordOf({ id: 1 }, value, { topic: 't.demo.user', offset: 3 })
    const error = errorOf(() => decoder.decode(record))
    expect(error.message).toMatch(message)
    expect(error.context).toMatchObject({ topic: 't.demo.user', offset: 3 })
    expect(found).toEqual([])
    // It did not decide anything.
    expect(decoder.decode(samples['canal-rows']!).kind).toBe('changes')
  })

  it('a row with Debezium’s schema of its topic is flattened, and with another schema unclear', () => {
    const schema = (name: string) => ({
      schema: { type: 'struct', name, fields: [{ type: 'int32', field: 'id' }] },
      payload: { id: 1 },
    })
    const found: string[] = []
    const at = { topic: 't-1.demo.user' }
    decoderOf(found).decode(recordOf({ id: 1 }, schema('t_1.demo.user.Value'), at))
    expect(found).toEqual(['debezium-flat'])
    const other = recordOf({ id: 1 }, schema('demo.user'), at)
    expect(errorOf(() => decoderOf().decode(other)).code).toBe('format-unclear')
  })

  it('a schema that the registry lacks: nothing is recognised', async () => {
    const registry = registryOf('mariadb/m3_avro_confluent.schemas.jsonl')
    const found: string[] = []
    const decoder = auto({ registry }).createDecoder(optionsOf((_t, format) => found.push(format)))
    const absent = decodedBy(decoder, recordOf(null, Buffer.from([0, 0x7f, 0, 0, 1, 2])))
    if (!(absent instanceof SchemaAbsent)) throw new Error('it waits for a schema')
    await expect(absent.fetch()).rejects.toMatchObject({ code: 'schema-missing' })
    expect(found).toEqual([])
  })
})

describe('damaged messages', () => {
  it('are errors of Forager’s, or values', () => {
    const random = seededRandom(5)
    const below = (count: number): number => Math.floor(random.next() * count)
    const counts = { values: 0, errors: 0 }
    for (let round = 0; round < 5000; round += 1) {
      const record = samples[names[below(names.length)]!]!
      const bytes = Buffer.from(record.value!)
      for (let count = 1 + below(3); count > 0; count -= 1) bytes[below(bytes.length)] = below(256)
      const value = random.next() < 0.1 ? bytes.subarray(0, below(bytes.length)) : bytes
      const decoder = decoderOf()
      if (random.next() < 0.5) decoder.decode(samples[names[below(names.length)]!]!)
      const decoded = decodedBy(decoder, { ...record, value })
      if (decoded instanceof SchemaPending) continue
      if (decoded instanceof Error) expect(decoded).toBeInstanceOf(ForagerError)
      counts[decoded instanceof Error ? 'errors' : 'values'] += 1
    }
    expect(counts.errors).toBeGreaterThan(250)
    expect(counts.values).toBeGreaterThan(250)
  })
})
