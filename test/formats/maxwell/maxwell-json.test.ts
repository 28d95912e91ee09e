import { describe, expect, it } from 'vitest'
import type { Decoder } from '../../../formats/decoder.ts'
import type { LogRecord } from '../../../model/change-event.ts'
import {
  decoderOf,
  errorOf,
  eventsOf,
  lines,
  message,
  recorded,
  typesOf,
  withTypes,
} from '../maxwell-samples.ts'
import { recordOf } from '../samples.ts'

describe('what Maxwell sends', () => {
  it('is recognised, all of the recording', () => {
    const decoder = decoderOf()
    const kinds = lines.map(line => decoder.decode(recorded(line)).kind)
    expect(kinds.filter(kind => kind === 'schema-change')).toHaveLength(8)
    expect(kinds.filter(kind => kind === 'changes')).toHaveLength(38)
    expect(kinds).toHaveLength(46)
  })

  it('an insert, an update with the row before, a delete', () => {
    const decoder = decoderOf()
    const [insert] = eventsOf(decoder.decode(message('insert', '{"id":1,"a":"x","b":null}')))
    expect(insert).toMatchObject({
      table: 'd.t',
      op: 'c',
      key: { id: 1 },
      before: null,
      after: { id: 1, a: 'x', b: null },
      transaction: { id: '7', order: 0 },
      snapshot: 'no',
      sourceMs: 1_700_000_000_000,
      origin: { topic: 'maxwell', partition: 0, offset: 0 },
      isBeforeWhole: false,
      oldKey: null,
    })
    const changed = message('update', '{"id":1,"a":null,"b":2}', { old: '{"a":"x","b":null}' })
    expect(eventsOf(decoder.decode(changed))).toMatchObject([
      {
        op: 'u',
        key: { id: 1 },
        before: { id: 1, a: 'x', b: null },
        after: { id: 1, a: null, b: 2 },
        isBeforeWhole: true,
      },
    ])
    expect(eventsOf(decoder.decode(message('delete', '{"id":1,"a":null,"b":2}')))).toMatchObject([
      { op: 'd', key: { id: 1 }, before: { id: 1, a: null, b: 2 }, after: null },
    ])
  })

  it('an update that changed nothing has no "old"', () => {
    const [event] = eventsOf(decoderOf().decode(message('update', '{"id":1,"a":2}')))
    expect(event).toMatchObject({ op: 'u', before: { id: 1, a: 2 }, after: { id: 1, a: 2 } })
  })

  it('`before` proves nothing where the operator says so', () => {
    const decoder = decoderOf({ hints: { beforeImage: 'key' } })
    const update = message('update', '{"id":1,"a":2}', { old: '{"a":1}' })
    expect(eventsOf(decoder.decode(update))[0]!.isBeforeWhole).toBe(false)
  })

  it('a changed key is a delete and an insert, and has an order only in one partition', () => {
    const update = message('update', '{"id":2,"a":"x"}', { old: '{"id":1}' })
    const decoded = decoderOf().decode(update)
    expect(decoded).toMatchObject({
      isKeyOrdered: false,
      events: [
        { op: 'd', key: { id: 1 }, before: { id: 1, a: 'x' }, after: null, oldKey: null },
        { op: 'c', key: { id: 2 }, before: null, after: { id: 2, a: 'x' }, oldKey: { id: 1 } },
      ],
    })
    const same = message('update', '{"id":2,"a":"y"}', { old: '{"a":"x"}' })
    expect(decoderOf().decode(same)).toMatchObject({ isKeyOrdered: true })
  })

  it('rows of a bootstrap, and its frame', () => {
    const decoder = decoderOf()
    expect(decoder.decode(message('bootstrap-start', '{}'))).toEqual({ kind: 'message' })
    expect(decoder.decode(message('bootstrap-complete', '{}'))).toEqual({ kind: 'message' })
    const [event] = eventsOf(decoder.decode(message('bootstrap-insert', '{"id":1}')))
    const snapshot = 'incremental'
    expect(event).toMatchObject({ op: 'r', after: { id: 1 }, position: null, snapshot })
  })

  it('tables that nobody wants are not read, and no value is a tombstone', () => {
    const decoder = decoderOf({ hints: null })
    const record = message('insert', '{"id":1}')
    expect(decoder.decode(record)).toEqual({ kind: 'unwanted', table: 'd.t' })
    expect(decoder.decode({ ...record, value: null })).toEqual({ kind: 'tombstone' })
  })
})

describe('a column that an update left out', () => {
  const insert = message('insert', '{"id":1,"a":"x","doc":"long"}')
  const update = message('update', '{"id":1,"a":"y"}', { old: '{"a":"x"}' })
  const only = (decoder: Decoder, record: LogRecord) => {
    const [event, ...others] = eventsOf(decoder.decode(record))
    expect(others).toEqual([])
    return event!
  }

  it('was not sent, where a row of the table was inserted with it', () => {
    const decoder = decoderOf()
    decoder.decode(insert)
    const event = only(decoder, update)
    expect(event.after).toEqual({ id: 1, a: 'y' })
    expect(typesOf(event.schema)).toEqual({ id: 'bigint', a: 'string', doc: 'string' })
    expect(event.isBeforeWhole).toBe(false)
  })

  it('is known by what is kept beside the offset, over a restart', () => {
    const [first, second, third] = [decoderOf(), decoderOf(), decoderOf()]
    first.decode(insert)
    expect(first.memory).toBe('')
    first.decode(update)
    second.restore(first.memory)
    expect(typesOf(only(second, update).schema)).toHaveProperty('doc')
    expect(typesOf(only(third, update).schema)).not.toHaveProperty('doc')
  })

  it('and that a row was inserted without, or a schema change dropped, is gone', () => {
    const decoder = decoderOf()
    decoder.decode(insert)
    decoder.decode(message('insert', '{"id":2,"a":"x"}'))
    expect(typesOf(only(decoder, update).schema)).not.toHaveProperty('doc')
    decoder.decode(insert)
    decoder.decode(message('table-alter', '{}'))
    expect(typesOf(only(decoder, update).schema)).not.toHaveProperty('doc')
  })

  it('and that changed is null', () => {
    const decoder = decoderOf()
    decoder.decode(insert)
    const event = only(decoder, message('update', '{"id":1,"a":"x"}', { old: '{"doc":"long"}' }))
    expect(event.after).toEqual({ id: 1, a: 'x', doc: null })
    expect(event.before).toEqual({ id: 1, a: 'x', doc: 'long' })
  })

  it('is an error where it is of the key', () => {
    const decoder = decoderOf()
    decoder.decode(insert)
    const keyless = message('update', '{"a":"y"}', { old: '{"id":1}' })
    expect(errorOf(() => decoder.decode(keyless))).toMatchObject({
      code: 'key-column-missing',
      context: { column: 'id' },
    })
  })

  it.each([
    ['Maxwell is said to send no nulls', { connectorSettings: { output_nulls: 'false' } }],
    ['changes are ordered by position', { ordering: 'position' }],
  ] as const)('is null where %s', (_title, options) => {
    const decoder = decoderOf(options)
    decoder.decode(insert)
    expect(typesOf(only(decoder, update).schema)).not.toHaveProperty('doc')
  })
})

describe('positions', () => {
  const positionOf = (fields: Readonly<Record<string, unknown>>, incarnation = '') =>
    eventsOf(decoderOf({ incarnation }).decode(message('insert', '{"id":1}', fields)))[0]!.position

  it('are the place of the rows event and the row in its transaction', () => {
    expect(positionOf({ position: 'mysql-bin.000012:4711', xoffset: 3, server_id: 5 })).toEqual({
      connector: 'maxwell',
      name: 'maxwell',
      server: '5',
      log: 'mysql-bin',
      order: [12, 4711, 3],
      transaction: null,
      gtid: null,
      isSnapshot: false,
      text: 'mysql-bin.000012:4711:3@5',
    })
    expect(positionOf({ position: 'a.b.1:4', gtid: 'u:1' }, 'new')).toMatchObject({
      name: 'maxwell@new',
      server: null,
      log: 'a.b',
      order: [1, 4, 0],
      gtid: 'u:1',
    })
  })

  it('the last row of a transaction has no number, and follows the others', () => {
    const last = positionOf({ position: 'b.1:9', commit: true })!
    const other = positionOf({ position: 'b.1:9', xoffset: 1_000_000 })!
    expect(last.order[2]!).toBeGreaterThan(Number(other.order[2]))
    expect(last.text).toBe('b.1:9:commit')
  })

  it('are none where the message does not tell', () => {
    expect(positionOf({})).toBeNull()
    expect(positionOf({ position: 'nowhere' })).toBeNull()
    expect(positionOf({ position: 17 })).toBeNull()
  })

  it('rise through the whole recording', () => {
    const decoder = decoderOf()
    const orders = lines
      .map(line => decoder.decode(recorded(line)))
      .flatMap(decoded => (decoded.kind === 'changes' ? decoded.events.slice(0, 1) : []))
      .map(({ position }) => position!.order.map(Number))
    for (const [index, order] of orders.entries()) {
      const before = orders[index - 1]
      if (before === undefined) continue
      const place = order.findIndex((part, at) => part !== before[at])
      expect(order[place]!).toBeGreaterThan(before[place]!)
    }
  })
})

describe('the key', () => {
  const keyOf = (parts: Readonly<Record<string, unknown>>, data = '{"id":1,"No":2}') => {
    const record = message('insert', data, { primary_key_columns: undefined, ...parts })
    return eventsOf(decoderOf().decode(record))[0]!.schema.key
  }

  it('is told by the message, or by Kafka’s key in either form, in lower case', () => {
    const start = { database: 'd', table: 't' }
    expect(keyOf({ primary_key_columns: ['No', 'id'] })).toEqual(['No', 'id'])
    expect(keyOf({ key: { ...start, 'pk.no': 2, 'pk.id': 1 } })).toEqual(['No', 'id'])
    expect(keyOf({ key: ['d', 't', [{ id: 1 }, { no: 2 }]] })).toEqual(['id', 'No'])
    expect(keyOf({ key: { ...start, _uuid: '941ed6c6' } })).toEqual([])
    expect(keyOf({ key: ['d', 't', []] })).toEqual([])
  })

  it('of a table that has none is null', () => {
    const record = message('insert', '{"a":1}', { primary_key_columns: [] })
    expect(eventsOf(decoderOf().decode(record))[0]!.key).toBeNull()
  })

  it.each([[null], ['text'], [{ database: 'x', table: 't', 'pk.id': 1 }], [['d', 'u', []]], [{}]])(
    'is an error with advice where nothing tells: %j',
    key => {
      const error = errorOf(() => keyOf({ key }))
      expect(error).toMatchObject({ code: 'key-missing', context: { table: 'd.t' } })
      expect(String(error)).toContain('output_primary_key_columns')
    },
  )

  it('that the operator states may be another, which orders nothing', () => {
    const decoder = decoderOf({ hints: { key: ['a'] } })
    const decoded = decoder.decode(message('insert', '{"id":1,"a":"x"}'))
    expect(decoded).toMatchObject({ isKeyOrdered: false, events: [{ key: { a: 'x' } }] })
    const wider = decoderOf({ hints: { key: ['a', 'id'] } })
    expect(wider.decode(message('insert', '{"id":1,"a":"x"}'))).toMatchObject({
      isKeyOrdered: true,
      events: [{ key: { a: 'x', id: 1 } }],
    })
  })

  it('must be in the row, and have a value that Hive has', () => {
    const missing = message('insert', '{"a":1}')
    expect(errorOf(() => decoderOf().decode(missing))).toMatchObject({
      code: 'key-column-missing',
      context: { table: 'd.t', column: 'id' },
    })
    const zero = message('insert', '{"id":"0000-00-00"}')
    const decoder = decoderOf({ hints: withTypes({ id: 'date' }) })
    expect(errorOf(() => decoder.decode(zero))).toMatchObject({
      code: 'value-invalid',
      context: { column: 'id' },
    })
  })
})

describe('bad messages', () => {
  it.each([
    ['no JSON', '{"database":', 'message-not-json'],
    ['so deep that it cannot be read', `{"data":${'['.repeat(200_000)}1.5`, 'message-not-json'],
    ['no object', '[1]', 'message-unknown'],
    ['null', 'null', 'message-unknown'],
    ['of another tool', '{"before":null,"after":{}}', 'message-unknown'],
    ['of no known type', '{"database":"d","table":"t","type":"constructor"}', 'op-unknown'],
    ['without a row', '{"database":"d","table":"t","type":"insert"}', 'message-unknown'],
    ['with a list', '{"database":"d","table":"t","type":"insert","data":[]}', 'message-unknown'],
    [
      'with no old row',
      '{"database":"d","table":"t","type":"update","data":{},"old":1}',
      'message-unknown',
    ],
    [
      'encrypted',
      '{"database":"d","table":"t","type":"insert","data":{"encrypted":{}}}',
      'message-unknown',
    ],
    [
      'a row that Maxwell gave up',
      '{"database":"d","table":"t","type":"insert","reason":"too large","data":{"id":1}}',
      'row-missing',
    ],
  ])('%s', (_title, value, code) => {
    const record = recordOf(null, value, { topic: 'maxwell', offset: 9 })
    expect(errorOf(() => decoderOf().decode(record))).toMatchObject({
      code,
      context: { topic: 'maxwell', offset: 9 },
    })
  })
})
