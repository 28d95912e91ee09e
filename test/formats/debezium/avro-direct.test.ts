/** Debezium in Avro, the short way: what one schema of rows does not tell, and the long way sees. */
import { describe, expect, it } from 'vitest'
import { debeziumAvro } from '../../../formats/debezium/debezium-avro.ts'
import type { Decoder } from '../../../formats/decoder.ts'
import type { ChangeEvent, LogRecord } from '../../../model/change-event.ts'
import { EncodedEvent } from '../../../model/encoded-event.ts'
import { decodedBy, textOf } from '../decoded-text.ts'
import { mariadb, recordOf } from '../samples.ts'
import { envelopeOf, framed, registryLines, registryOf } from './avro-samples.ts'

const sqlserver = {
  connector: 'sqlserver',
  name: 's1',
  db: 'one',
  schema: 'dbo',
  table: 'orders',
  snapshot: 'false',
  ts_ms: 1,
  commit_lsn: '00000027:00000758:0005',
  change_lsn: '00000027:00000758:0003',
}

const keyOf = (names: readonly string[]) => ({
  type: 'record',
  name: 'Key',
  fields: names.map(name => ({ name, type: name.startsWith('__dbz__') ? 'string' : 'long' })),
})

const columns = [
  { name: 'id', type: 'long' },
  { name: 'line', type: 'long' },
  { name: 'note', type: ['null', 'string'] },
]

const router = '__dbz__physicalTableIdentifier'
const schemas: readonly unknown[] = [
  envelopeOf(mariadb, columns),
  envelopeOf(sqlserver, columns),
  keyOf(['id']),
  keyOf(['id', 'line']),
  keyOf(['line', 'id']),
  keyOf(['id', router]),
]

const row = { id: 1, line: 2, note: 'a' }

interface Given {
  readonly key?: number
  readonly source?: object
  readonly op?: string
  readonly before?: object | null
  readonly after?: object | null
}

function changeOf({ key = 2, source = mariadb, op = 'c', before = null, after = row }: Given) {
  const value = { before, after, source, op }
  const keyed = { ...row, ...after, [router]: 'a.b.c' }
  const envelope = 'connector' in source && source.connector === 'sqlserver' ? 1 : 0
  const part = (index: number, given: unknown) => framed(index + 1, schemas[index], given)
  return recordOf(part(key, keyed), part(envelope, value))
}

async function decoders(): Promise<{ readonly short: Decoder; readonly long: Decoder }> {
  const registry = await registryOf(registryLines(schemas))
  const options = { hintsOf: () => ({}), incarnation: '', connectorSettings: {} }
  return {
    short: debeziumAvro({ registry }).createDecoder(options),
    long: debeziumAvro({ registry, isDirect: false }).createDecoder(options),
  }
}

/** What both ways make of the last record, once they have seen those before it. */
async function lastOf(records: readonly LogRecord[]) {
  const { short, long } = await decoders()
  const found = records.map(record => [decodedBy(short, record), decodedBy(long, record)] as const)
  const [shortly, atLength] = found.at(-1)!
  expect(textOf(shortly)).toBe(textOf(atLength))
  return shortly
}

function eventOf(decoded: Awaited<ReturnType<typeof lastOf>>): ChangeEvent {
  if (decoded instanceof Error) throw decoded
  if (decoded.kind !== 'changes') throw new Error('it is a change')
  return decoded.events[0]!
}

describe('rows of one schema', () => {
  it('whose key got a column have that key: the schema of the rows is the same', async () => {
    const event = eventOf(await lastOf([changeOf({}), changeOf({}), changeOf({ key: 3 })]))
    expect(event.schema.key).toEqual(['id', 'line'])
    expect(event.key).toEqual({ id: 1, line: 2 })
  })

  it('whose key is in another order have it in that order', async () => {
    const event = eventOf(await lastOf([changeOf({ key: 3 }), changeOf({ key: 4 })]))
    expect(event.schema.key).toEqual(['line', 'id'])
  })

  it('are keyed without what a router added to the key', async () => {
    const event = eventOf(await lastOf([changeOf({ key: 5 }), changeOf({ key: 5 })]))
    expect(event.key).toEqual({ id: 1 })
  })

  it('of two databases of SQL Server are refused', async () => {
    const [one, two] = ['one', 'two'].map(db => changeOf({ source: { ...sqlserver, db } }))
    const error = await lastOf([one!, one!, two!])
    expect(error).toMatchObject({ code: 'target-shared' })
  })

  it('have no null before an update of SQL Server that may not have logged the value', async () => {
    const before = { ...row, note: null }
    const given = { source: sqlserver, op: 'u', before }
    const event = eventOf(await lastOf([changeOf({ source: sqlserver }), changeOf(given)]))
    expect(event.before).toEqual({ id: 1, line: 2 })
  })
})

describe('the source block', () => {
  const source = (changed: object) => ({ ...mariadb, ...changed })

  it.each([
    ['is of another length', [{ gtid: '0-1-1234' }, { gtid: '' }, { gtid: '0-1-8' }]],
    ['grows at its end', [{ row: 63 }, { row: 64 }, { row: 5 }]],
    ['grows in its middle', [{ pos: 8191 }, { pos: 8192 }, { pos: 2 ** 40 }, { pos: 4 }]],
    ['becomes another table', [{ table: 'usex' }, { table: 'orders' }, { table: 'user' }]],
    ['moves to another log', [{ file: 'mysql-bin.000002' }, { server_id: 3308 }, {}]],
    ['is of a snapshot', [{ snapshot: 'first' }, { snapshot: 'last' }, { snapshot: 'false' }]],
  ])('that %s is read anew', async (_, changes) => {
    const records = [{}, {}, ...changes].map(changed => changeOf({ source: source(changed) }))
    for (let end = 2; end <= records.length; end += 1) {
      const last = source([{}, {}, ...changes][end - 1]!)
      const { position, snapshot, table } = eventOf(await lastOf(records.slice(0, end)))
      expect(position).toMatchObject({ gtid: last.gtid, server: String(last.server_id) })
      expect(position!.text).toBe(`${last.file}:${last.pos}:${last.row}@${last.server_id}`)
      expect(table).toBe(`demo.${last.table}`)
      expect(snapshot).toBe(last.snapshot === 'false' ? 'no' : snapshot)
    }
  })

  it('is read anew after one that was cut off', async () => {
    const whole = changeOf({ source: source({ pos: 99, gtid: '0-1-12345' }) })
    const cut = { ...whole, value: whole.value!.subarray(0, whole.value!.length - 12) }
    const { short, long } = await decoders()
    decodedBy(short, changeOf({}))
    decodedBy(short, changeOf({}))
    expect(decodedBy(short, cut)).toMatchObject({ code: 'message-not-avro' })
    expect(textOf(decodedBy(short, whole))).toBe(textOf(decodedBy(long, whole)))
  })
})

describe('a text of an update', () => {
  const unsent = '__debezium_unavailable_value'
  const update = (note: string) => changeOf({ op: 'u', before: row, after: { ...row, note } })

  it('as long as the one that stands for a value that was not sent is data', async () => {
    const note = 'x'.repeat(unsent.length)
    const event = eventOf(await lastOf([changeOf({}), update('b'), update(note)]))
    expect(event).toBeInstanceOf(EncodedEvent)
    expect(event.after).toEqual({ ...row, note })
  })

  it('that stands for a value that was not sent is none', async () => {
    const given = changeOf({ op: 'u', after: { ...row, note: unsent } })
    const event = eventOf(await lastOf([changeOf({}), update('b'), given]))
    expect(event.after).toEqual({ id: 1, line: 2 })
  })

  it('that is not UTF-8 is refused', async () => {
    const bad = update('ab')
    const value = Buffer.from(bad.value!)
    value[value.lastIndexOf('ab')] = 0xff
    const error = await lastOf([changeOf({}), update('b'), { ...bad, value }])
    expect(error).toMatchObject({ code: 'message-not-avro' })
  })
})
