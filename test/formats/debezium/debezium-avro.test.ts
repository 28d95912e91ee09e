/** Debezium in Avro: the short way against the long one, what is no row, and what is damaged. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { FileRegistry } from '../../../formats/avro/schema-registry.ts'
import { debeziumAvro } from '../../../formats/debezium/debezium-avro.ts'
import type { Decoder, DecoderOptions } from '../../../formats/decoder.ts'
import { SchemaAbsent } from '../../../formats/decoder.ts'
import { openRecordedSource } from '../../../log/recorded-source.ts'
import type { LogRecord } from '../../../model/change-event.ts'
import { EncodedEvent } from '../../../model/encoded-event.ts'
import { ForagerError } from '../../../model/errors.ts'
import { seededRandom } from '../../../runtime/random.ts'
import { decodedBy, textOf } from '../decoded-text.ts'
import { mariadb, recordOf } from '../samples.ts'
import { envelopeOf, framed, registryLines, registryOf } from './avro-samples.ts'

const fixtures = join(import.meta.dirname, '../../fixtures')
const recordings = ['mariadb/m3_avro_confluent', 'postgres/p3_avro_confluent'] as const

const options: DecoderOptions = {
  hintsOf: () => ({}),
  incarnation: '',
  connectorSettings: {},
}

async function recordsOf(path: string): Promise<readonly LogRecord[]> {
  const source = await openRecordedSource({ path: join(fixtures, `${path}.jsonl`) })
  const all = source.topics.map(({ name: topic }) =>
    source.read({ topic, partition: 0 }, 0, Number.POSITIVE_INFINITY),
  )
  return (await Promise.all(all)).flat()
}

describe.each(recordings)('recorded events of %s', path => {
  let registry: FileRegistry
  let records: readonly LogRecord[]
  beforeAll(async () => {
    registry = await registryOf(readFileSync(join(fixtures, `${path}.schemas.jsonl`), 'utf8'))
    records = await recordsOf(path)
  })

  const ways = (): { readonly short: Decoder; readonly long: Decoder } => ({
    short: debeziumAvro({ registry }).createDecoder(options),
    long: debeziumAvro({ registry, isDirect: false }).createDecoder(options),
  })

  it('are the same either way, and each is known', () => {
    const { short, long } = ways()
    let changes = 0
    let direct = 0
    // Twice: what is seen once goes the short way from then on.
    for (const record of [...records, ...records]) {
      const decoded = decodedBy(short, record)
      expect(textOf(decoded)).toBe(textOf(decodedBy(long, record)))
      if (decoded instanceof Error) throw decoded
      if (decoded.kind !== 'changes') continue
      changes += 1
      if (decoded.events[0] instanceof EncodedEvent) direct += 1
    }
    expect(changes).toBeGreaterThan(100)
    expect(direct / changes).toBeGreaterThan(0.5)
  })

  it('that are damaged are the same either way too: errors of Forager’s, or values', () => {
    const { short, long } = ways()
    for (const record of records) decodedBy(short, record)
    const random = seededRandom(7)
    const below = (count: number): number => Math.floor(random.next() * count)
    const changed = records.filter(({ value, key }) => value !== null && key !== null)
    let errors = 0
    for (let round = 0; round < 20_000; round += 1) {
      const record = changed[below(changed.length)]!
      const part = random.next() < 0.8 ? 'value' : 'key'
      const bytes = Buffer.from(record[part]!)
      // Behind the schema's id: another id is a registry's affair.
      for (let count = 1 + below(3); count > 0; count -= 1) {
        bytes[5 + below(Math.max(1, bytes.length - 5))] = below(256)
      }
      const cut = random.next() < 0.1 ? bytes.subarray(0, 5 + below(bytes.length - 5)) : bytes
      const damaged = { ...record, [part]: cut }
      const decoded = decodedBy(long, damaged)
      const shortly = decodedBy(short, damaged)
      if (!(decoded instanceof Error)) {
        expect(textOf(shortly)).toBe(textOf(decoded))
        continue
      }
      errors += 1
      expect(decoded).toBeInstanceOf(ForagerError)
      // What nobody reads is passed over by its length alone.
      if (shortly instanceof Error) expect(textOf(shortly)).toBe(textOf(decoded))
    }
    expect(errors).toBeGreaterThan(1000)
  })
})

const valueSchema = envelopeOf(
  mariadb,
  [
    { name: 'id', type: 'long' },
    { name: 'name', type: ['null', 'string'] },
    { name: 'raw', type: ['null', 'bytes'] },
  ],
  'm1.demo.user',
)
const keySchema = {
  type: 'record',
  name: 'Key',
  namespace: 'm1.demo.user',
  fields: [{ name: 'id', type: 'long' }],
}
const registryText = registryLines([valueSchema, keySchema])

interface Sides {
  readonly before?: unknown
  readonly after?: unknown
}

function changeOf(op: string, { before = null, after = null }: Sides, headers = {}): LogRecord {
  const { id } = (after ?? before) as { id: number }
  const value = framed(1, valueSchema, { before, after, source: mariadb, op })
  return recordOf(framed(2, keySchema, { id }), value, { headers })
}

const row = { id: 1, name: 'a', raw: Buffer.from([1, 2]) }

describe('a message in Avro', () => {
  const decoder = async (): Promise<Decoder> =>
    debeziumAvro({ registry: await registryOf(registryText) }).createDecoder(options)

  it('waits for a schema that was not fetched', async () => {
    const read = (): Promise<string> => Promise.resolve(registryText)
    const registry = new FileRegistry({ path: 'schemas', read })
    const waiting = debeziumAvro({ registry }).createDecoder(options)
    const record = changeOf('c', { after: row })
    // The schema of the value, then that of the key.
    for (const count of [1, 2]) {
      const absent = decodedBy(waiting, record)
      expect(absent, `fetch ${count}`).toBeInstanceOf(SchemaAbsent)
      await (absent as SchemaAbsent).fetch()
    }
    expect(waiting.decode(record).kind).toBe('changes')
  })

  it('splits a key that an update changed, and takes the old key of a header in JSON', async () => {
    const one = await decoder()
    one.decode(changeOf('c', { after: row }))
    const split = one.decode(changeOf('u', { before: row, after: { ...row, id: 2 } }))
    if (split.kind !== 'changes') throw new Error('it is a change')
    expect(split.events.map(({ op, key }) => [op, key])).toEqual([
      ['d', { id: 1 }],
      ['c', { id: 2 }],
    ])
    const half = one.decode(
      changeOf('c', { after: { ...row, id: 3 } }, { '__debezium.oldkey': '{"id":2}' }),
    )
    if (half.kind !== 'changes') throw new Error('it is a change')
    expect(half.events[0]?.oldKey).toEqual({ id: 2 })
  })

  it.each([
    ['a text', { name: '__debezium_unavailable_value' }, 'name'],
    ['bytes', { raw: Buffer.from('__debezium_unavailable_value') }, 'raw'],
  ])('leaves out %s that was not sent, in an update alone', async (_, change, column) => {
    const one = await decoder()
    const after = { ...row, ...change }
    const created = one.decode(changeOf('c', { after }))
    if (created.kind !== 'changes') throw new Error('it is a change')
    expect(created.events[0]?.after).toHaveProperty(column)
    const updated = one.decode(changeOf('u', { after }))
    if (updated.kind !== 'changes') throw new Error('it is a change')
    expect(updated.events[0]?.after).not.toHaveProperty(column)
  })

  it('reads the row before only when it is asked for', async () => {
    const one = await decoder()
    one.decode(changeOf('c', { after: row }))
    const deleted = one.decode(changeOf('d', { before: row }))
    if (deleted.kind !== 'changes') throw new Error('it is a change')
    const [event] = deleted.events
    expect(event).toBeInstanceOf(EncodedEvent)
    expect(event?.before).toEqual({ id: 1, name: 'a', raw: Buffer.from([1, 2]) })
  })

  it('in JSON is told to be JSON; a history of schemas is passed', async () => {
    const one = await decoder()
    const json = recordOf(framed(2, keySchema, { id: 1 }), { before: null, after: { id: 1 } })
    const error = decodedBy(one, json)
    expect((error as ForagerError).describe()).toMatch(/looks like JSON.*message-not-avro/)
    const history = recordOf(null, { source: {}, tableChanges: [] })
    expect(one.decode(history)).toEqual({ kind: 'schema-change', changes: [] })
  })

  it('that goes on behind its value is refused', async () => {
    const one = await decoder()
    const record = changeOf('c', { after: row })
    const longer = { ...record, value: Buffer.concat([record.value!, Buffer.from([0])]) }
    expect(() => one.decode(longer)).toThrow('1 bytes more than its schema tells')
  })
})
