import { describe, expect, it } from 'vitest'
import type { Decoder } from '../../../formats/decoder.ts'
import { SchemaPending } from '../../../formats/decoder.ts'
import type { LogRecord } from '../../../model/change-event.ts'
import { parseColumnType } from '../../../model/column-type.ts'
import { DecodeError } from '../../../model/errors.ts'
import {
  changeOf,
  decoderOf,
  eventsOf,
  mariadb,
  postgres,
  recorded,
  recordOf,
  schemaChangeOf,
  withSchema,
} from '../samples.ts'

const kindOf = (value: unknown, topic = 't'): string =>
  decoderOf().decode(recordOf({ id: 1 }, value, { topic })).kind

const insert = changeOf({ op: 'c', after: { id: 1, name: 'a' } })

describe('every record of a connector is recognised', () => {
  it('by its form, with a schema and without', () => {
    const heartbeat = { ts_ms: 1 }
    const transaction = { status: 'BEGIN', id: '7', event_count: null, ts_ms: 1 }
    const message = { op: 'm', source: postgres, message: { prefix: 'p', content: '' } }
    for (const [kind, value] of [
      ['heartbeat', heartbeat],
      ['transaction', transaction],
      ['schema-change', schemaChangeOf(null)],
      ['schema-change', { ddl: 'DROP TABLE t', databaseName: 'demo', source: mariadb }],
      ['message', message],
    ] as const) {
      expect(kindOf(value)).toBe(kind)
      expect(kindOf({ schema: { type: 'struct' }, payload: value })).toBe(kind)
    }
    expect(kindOf(withSchema(insert))).toBe('changes')
  })

  it('a tombstone is a null value, in whichever wrapping', () => {
    expect(kindOf(null)).toBe('tombstone')
    expect(kindOf('null')).toBe('tombstone')
    expect(kindOf({ schema: null, payload: null })).toBe('tombstone')
  })

  it('ops in either case; anything else is an unknown op', () => {
    for (const op of ['c', 'C', 'u', 'R', 'd', 'T']) {
      const value = withSchema(changeOf({ op, before: { id: 1 }, after: { id: 1 } }))
      expect(kindOf(value)).toBe('changes')
    }
    for (const op of ['x', '', 'cu', 'create', null, 5]) {
      const value = withSchema({ ...insert, op })
      expect(() => kindOf(value)).toThrow(DecodeError)
      expect(() => kindOf(value)).toThrow(`the operation "${String(op)}" is not known`)
    }
  })

  it('what is none of Debezium’s is an error, and never passed over', () => {
    for (const value of [{}, { id: 1 }, { op: 'c' }, [], 5, 'text', { ts_ms: 1, foo: 2 }]) {
      expect(() => kindOf(value), JSON.stringify(value)).toThrow(DecodeError)
    }
    expect(() => kindOf('{"op":')).toThrow(/not JSON/)
    // A heartbeat with more than its time is known by its topic.
    expect(kindOf({ ts_ms: 1, foo: 2 }, '__debezium-heartbeat.m1')).toBe('heartbeat')
  })

  it('a source that names no table is an error of the message', () => {
    for (const source of [null, 5, 'x', {}, { table: null }, []]) {
      const value = withSchema({ ...insert, source })
      expect(() => kindOf(value), JSON.stringify(source)).toThrow(DecodeError)
    }
  })

  it('an error says where its message is', () => {
    try {
      decoderOf().decode(recordOf(null, '{', { topic: 'shop', partition: 2, offset: 77 }))
      expect.unreachable()
    } catch (error) {
      expect((error as DecodeError).code).toBe('message-not-json')
      expect((error as DecodeError).context).toEqual({ topic: 'shop', partition: 2, offset: 77 })
    }
  })
})

describe('an event', () => {
  it('knows its table, place, time, transaction and snapshot', () => {
    const transaction = { id: 'file=1,pos=2', total_order: 3, data_collection_order: 1 }
    const value = withSchema(changeOf({ op: 'c', after: { id: 1, name: 'a' }, transaction }))
    const [event] = eventsOf(decoderOf(), recordOf({ id: 1 }, value, { partition: 3, offset: 9 }))
    expect(event).toMatchObject({
      table: 'demo.user',
      position: { text: 'mysql-bin.000001:12155:0@3307' },
      snapshot: 'no',
      transaction: { id: 'file=1,pos=2', order: 3 },
      origin: { topic: 'm1.demo.user', partition: 3, offset: 9 },
      sourceMs: 1_700_000_001_000,
      isInDoubt: true,
    })
  })

  it('of PostgreSQL is of its schema, of MariaDB of its database', () => {
    const table = (source: object) =>
      eventsOf(decoderOf(), recordOf({ id: 1 }, withSchema({ ...insert, source })))[0]!.table
    expect(table(mariadb)).toBe('demo.user')
    expect(table(postgres)).toBe('shop.user')
    expect(table({ ...mariadb, schema: '' })).toBe('demo.user')
  })

  it('of a source without a time has the time of its record', () => {
    const value = withSchema({ ...insert, source: { ...mariadb, ts_ms: null } })
    expect(eventsOf(decoderOf(), recordOf({ id: 1 }, value))[0]!.sourceMs).toBe(1_700_000_000_000)
  })

  it('a truncate has no row, no key and no columns', () => {
    const value = changeOf({ op: 't' })
    const [event] = eventsOf(decoderOf(), recordOf(null, value))
    expect(event).toMatchObject({ op: 't', key: null, before: null, after: null })
    expect(event!.schema).toEqual({ columns: [], key: [] })
  })

  it('of a table that nobody wants is not read at all', () => {
    const decoder = decoderOf({ hintsOf: table => (table === 'demo.user' ? {} : null) })
    const source = { ...mariadb, table: 'secret' }
    const value = withSchema({ ...insert, source, after: 'broken' })
    expect(decoder.decode(recordOf(null, value))).toEqual({
      kind: 'unwanted',
      table: 'demo.secret',
    })
  })

  it('big integers of a row are exact', () => {
    const fields = [{ type: 'int64', field: 'id' }]
    const text = JSON.stringify(withSchema(changeOf({ op: 'c', after: { id: 0 } }), fields))
    const value = text.replace('"after":{"id":0}', '"after":{"id":9223372036854775807}')
    expect(value).not.toBe(text)
    const [event] = eventsOf(decoderOf(), recordOf('{"id":9223372036854775807}', value))
    expect(event).toMatchObject({ key: { id: 2n ** 63n - 1n }, after: { id: 2n ** 63n - 1n } })
  })
})

describe('types without an embedded schema', () => {
  const columns = [
    { name: 'id', typeName: 'INT', length: 11, optional: false },
    { name: 'name', typeName: 'VARCHAR', length: 20, optional: true },
  ]
  const added = [...columns, { name: 'n', typeName: 'BIGINT', defaultValueExpression: '7' }]
  const learn = (decoder: Decoder, change: unknown): void =>
    decoder.learn(recordOf(null, change, { topic: 'm1' }))
  const rowAt = (pos: number, after: object): LogRecord =>
    recordOf({ id: 1 }, changeOf({ op: 'c', after, source: { ...mariadb, pos } }))

  it('wait for the schema change that tells them', () => {
    const decoder = decoderOf()
    const record = rowAt(500, { id: 1, name: 'a' })
    let pending: unknown
    try {
      decoder.decode(record)
    } catch (error) {
      pending = error
    }
    expect(pending).toBeInstanceOf(SchemaPending)
    expect(pending).toMatchObject({ table: 'demo.user', topic: 'm1' })
    expect(String(pending)).toContain('no type for id, name')
    expect([...decoder.schemaTopics]).toEqual(['m1'])
    learn(decoder, schemaChangeOf(columns, { ...mariadb, pos: 4 }))
    expect(eventsOf(decoder, record)[0]!.after).toEqual({ id: 1, name: 'a' })
  })

  it('are those of the row’s own position', () => {
    const decoder = decoderOf()
    learn(decoder, schemaChangeOf(columns, { ...mariadb, pos: 4 }))
    learn(decoder, schemaChangeOf(added, { ...mariadb, pos: 600 }))
    const before = eventsOf(decoder, rowAt(500, { id: 1, name: 'a' }))[0]!
    expect(before.schema.columns.map(({ name }) => name)).toEqual(['id', 'name'])
    const after = eventsOf(decoder, rowAt(700, { id: 1, name: 'a', n: 2 }))[0]!
    expect(after.schema.columns.map(({ name }) => name)).toEqual(['id', 'name', 'n'])
    expect(after.schema.columns[2]!.initialDefault).toBe(7)
  })

  it('a column that no change has told of yet makes the row wait, and is named', () => {
    const decoder = decoderOf()
    learn(decoder, schemaChangeOf(columns, { ...mariadb, pos: 4 }))
    const record = rowAt(700, { id: 1, name: 'a', n: 2 })
    expect(() => decoder.decode(record)).toThrow(SchemaPending)
    expect(() => decoder.decode(record)).toThrow(/no type for n/)
    learn(decoder, schemaChangeOf(added, { ...mariadb, pos: 600 }))
    expect(eventsOf(decoder, record)[0]!.after).toEqual({ id: 1, name: 'a', n: 2 })
  })

  it('that the operator states for every column need no schema change', () => {
    const types = { id: parseColumnType('bigint'), name: parseColumnType('string') }
    const decoder = decoderOf({ hints: { types } })
    const [event] = eventsOf(decoder, rowAt(500, { id: 1, name: 'a' }))
    expect(event!.schema.columns.map(({ type }) => type.kind)).toEqual(['bigint', 'string'])
    expect(decoder.schemaTopics.size).toBe(0)
    const more = rowAt(500, { id: 1, name: 'a', n: 2, m: 3 })
    expect(() => decoder.decode(more)).toThrow(SchemaPending)
    expect(() => decoder.decode(more)).toThrow(/no type for n, m$/)
  })

  it('a table whose name has points and quotes is found by its id', () => {
    const decoder = decoderOf()
    const source = { ...mariadb, pos: 4 }
    learn(decoder, schemaChangeOf(columns, source, '"demo"."a.b""c"'))
    const own = { ...mariadb, pos: 500, table: 'a.b"c' }
    const record = recordOf({ id: 1 }, changeOf({ op: 'c', after: { id: 1 }, source: own }))
    expect(eventsOf(decoder, record)[0]!.table).toBe('demo.a.b"c')
  })

  it('what is no schema change is not learned, and does no harm', () => {
    const decoder = decoderOf()
    for (const value of [
      null,
      { ts_ms: 1 },
      { source: mariadb },
      { tableChanges: [] },
      5,
      'null',
    ]) {
      expect(() => learn(decoder, value)).not.toThrow()
    }
    expect(() => decoder.decode(rowAt(500, { id: 1 }))).toThrow(SchemaPending)
  })

  it('what rows have shown of the connector’s times is kept over a restart', () => {
    const time = [...columns, { name: 't', typeName: 'DATETIME', length: 6 }]
    const make = (memory: string): Decoder => {
      const decoder = decoderOf()
      decoder.restore(memory)
      learn(decoder, schemaChangeOf(time, { ...mariadb, pos: 4 }))
      return decoder
    }
    const first = make('')
    expect(first.memory).toBe('')
    const shows = rowAt(500, { id: 1, name: 'a', t: 1_709_210_096_789 })
    expect(eventsOf(first, shows)[0]!.after).toMatchObject({ t: 1_709_210_096_789_000 })
    const either = rowAt(501, { id: 1, name: 'a', t: 86_400_000 })
    expect(eventsOf(make(''), either)[0]!.after).toMatchObject({ t: 86_400_000 })
    expect(eventsOf(make(first.memory), either)[0]!.after).toMatchObject({ t: 86_400_000_000 })
  })
})

describe('recorded events', () => {
  it.each([
    'mariadb/m1_json_schema_true.jsonl',
    'mariadb/m2_json_schema_false_friendly_modes.jsonl',
    'mariadb/m4_single_topic_router.jsonl',
    'postgres/p1_json_schema_true.jsonl',
  ])('all of %s are recognised', file => {
    const decoder = decoderOf()
    const records = recorded(file)
    const prefix = records[0]!.topic.replace(/.*\./, '')
    for (const record of records) if (record.topic === prefix) decoder.learn(record)
    const kinds = new Map<string, number>()
    const ops = new Map<string, number>()
    for (const record of records) {
      const decoded = decoder.decode(record)
      kinds.set(decoded.kind, (kinds.get(decoded.kind) ?? 0) + 1)
      if (decoded.kind !== 'changes') continue
      for (const { op, after, schema, key, table } of decoded.events) {
        ops.set(op, (ops.get(op) ?? 0) + 1)
        if (op === 't') continue
        expect(key === null).toBe(/op_log/.test(table))
        for (const name of Object.keys(after ?? {})) {
          expect(schema.columns.some(column => column.name === name)).toBe(true)
        }
      }
    }
    const expected = ['changes', 'tombstone', 'heartbeat']
    // Where all tables share a topic, transactions were not recorded.
    if (!file.includes('single_topic')) expected.push('transaction')
    if (file.startsWith('mariadb')) expected.push('schema-change')
    for (const kind of expected) {
      expect([kind, kinds.get(kind) ?? 0]).not.toEqual([kind, 0])
    }
    for (const op of ['c', 'u', 'd', 'r', 't']) expect([op, ops.get(op) ?? 0]).not.toEqual([op, 0])
    expect(kinds.get('unwanted')).toBeUndefined()
    expect([...kinds.values()].reduce((sum, count) => sum + count, 0)).toBe(records.length)
  })
})
