import { describe, expect, it } from 'vitest'
import { DecodeError } from '../../../model/errors.ts'
import type { Texts } from './canal-messages.ts'
import {
  canalDecoder,
  canalLines,
  canalRecord,
  eventsOf,
  flat,
  shownRow,
  statement,
} from './canal-messages.ts'

type Options = Parameters<typeof canalDecoder>[0]

const decode = (message: unknown, options: Options = {}) =>
  canalDecoder(options).decode(canalRecord(message))

const events = (message: unknown, options: Options = {}) => eventsOf(decode(message, options))

/** Operation, key and row of each event. */
function shown(message: unknown, options: Options = {}): readonly (readonly unknown[])[] {
  return events(message, options).map(event => [
    event.op,
    event.key,
    shownRow(event, event.op === 'd' ? 'before' : 'after'),
  ])
}

function refuses(message: unknown, code: string, options: Options = {}): void {
  try {
    decode(message, options)
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError)
    expect(error).toMatchObject({ code, context: { topic: 'canal', partition: 0, offset: 0 } })
    return
  }
  expect.fail(`${JSON.stringify(message)} was taken`)
}

const row = (id: string, n: string | null, name: string | null = 'a'): Texts => ({ id, n, name })

describe('a message with rows', () => {
  it('is an event for each, in their order', () => {
    expect(shown(flat('INSERT', [row('1', '10'), row('2', null)]))).toEqual([
      ['c', { id: 1 }, row('1', '10')],
      ['c', { id: 2 }, row('2', null)],
    ])
    expect(shown(flat('DELETE', [row('2', '5'), row('1', '5')]))).toEqual([
      ['d', { id: 2 }, row('2', '5')],
      ['d', { id: 1 }, row('1', '5')],
    ])
  })

  it('has of an update the whole row before, whether or not what is in "old" changed', () => {
    // canal collects the names of changed columns over all rows: the second only changed its n.
    const message = flat('UPDATE', [
      [row('1', '10', 'b'), { name: 'a' }],
      [row('2', '11', 'b'), { name: 'b', n: '10' }],
    ])
    const [first, second] = events(message)
    expect([first!.op, second!.op]).toEqual(['u', 'u'])
    expect([first!.isBeforeWhole, second!.isBeforeWhole]).toEqual([true, true])
    expect(shownRow(first!, 'before')).toEqual(row('1', '10', 'a'))
    expect(shownRow(second!, 'before')).toEqual(row('2', '10', 'b'))
    expect(shownRow(second!, 'after')).toEqual(row('2', '11', 'b'))
  })

  it('tells when MySQL made the change, and nothing of where', () => {
    const [event] = events(flat('INSERT', [row('1', '1')], { es: 1_700_000_000_001 }))
    expect(event).toMatchObject({
      table: 'shop.orders',
      sourceMs: 1_700_000_000_001,
      position: null,
      snapshot: 'no',
      transaction: null,
      isInDoubt: true,
      origin: { topic: 'canal', partition: 0, offset: 0 },
    })
    const bare = { ...flat('INSERT', [row('1', '1')]), es: null }
    expect(events(bare)[0]!.sourceMs).toBe(1_600_000_000_000)
  })

  it('deletes the old key of a row before it inserts the new one', () => {
    const message = flat('UPDATE', [
      [row('3', '1'), { id: '2' }],
      [row('2', '5'), { id: '1', n: '1' }],
      [row('9', '7'), { id: '9', n: '6' }],
    ])
    expect(shown(message)).toEqual([
      ['d', { id: 2 }, row('2', '1')],
      ['c', { id: 3 }, row('3', '1')],
      ['d', { id: 1 }, row('1', '1')],
      ['c', { id: 2 }, row('2', '5')],
      ['u', { id: 9 }, row('9', '7')],
    ])
    expect(events(message).map(({ oldKey }) => oldKey)).toEqual([
      null,
      { id: 2 },
      null,
      { id: 1 },
      null,
    ])
    // The message came through the partition of the new keys alone.
    expect(decode(message)).toMatchObject({ isKeyOrdered: false })
    expect(decode(flat('UPDATE', [[row('1', '2'), { n: '1' }]]))).toMatchObject({
      isKeyOrdered: true,
    })
  })

  it('has no key when its table has none, and the configured one when there is', () => {
    const message = flat('UPDATE', [[row('1', '1', 'b'), { name: 'a' }]], { pkNames: null })
    expect(shown(message).map(([, key]) => key)).toEqual([null])
    const hints = { key: ['name', 'id'] }
    expect(shown(message, { hints })).toEqual([
      ['d', { name: 'a', id: 1 }, row('1', '1', 'a')],
      ['c', { name: 'b', id: 1 }, row('1', '1', 'b')],
    ])
    const keyed = flat('INSERT', [row('1', '1', 'b')])
    expect(decode(keyed, { hints })).toMatchObject({ isKeyOrdered: true })
    expect(decode(keyed, { hints: { key: ['name'] } })).toMatchObject({ isKeyOrdered: false })
  })

  it('of a table that nobody wants is not read', () => {
    const message = { ...flat('INSERT', [row('x', 'y')]), mysqlType: null }
    expect(decode(message, { hints: null })).toEqual({ kind: 'unwanted', table: 'shop.orders' })
    expect(decode(statement('TRUNCATE'), { hints: null }).kind).toBe('unwanted')
  })

  it('is read by the types that it brings, each time', () => {
    const decoder = canalDecoder()
    const typeOf = (type: string) => {
      const message = flat('INSERT', [row('1', '1')], {
        types: { id: type, n: 'int', name: 'text' },
      })
      return eventsOf(decoder.decode(canalRecord(message)))[0]!.schema
    }
    const first = typeOf('int(11)')
    expect(first.columns[0]!.type).toEqual({ kind: 'int' })
    expect(typeOf('bigint(20)').columns[0]!.type).toEqual({ kind: 'bigint' })
    expect(typeOf('int(11)')).toBe(first)
  })

  it('is read by the types that the operator states', () => {
    const hints = { types: { n: { kind: 'bigint' } as const, id: { kind: 'string' } as const } }
    const bare = { ...flat('INSERT', [{ id: '1', n: '2' }]), mysqlType: {} }
    expect(events(bare, { hints })[0]!.after).toEqual({ id: '1', n: 2 })
    const zero = flat('INSERT', [{ id: '0000-00-00' }], { types: { id: 'date' } })
    expect(events(zero, { hints })[0]!.key).toEqual({ id: '0000-00-00' })
    refuses(zero, 'value-invalid')
  })

  it('reads instants in the time zone of canal', () => {
    const message = flat('INSERT', [{ id: '1', at: '2024-01-01 08:00:00' }], {
      types: { id: 'int', at: 'timestamp' },
    })
    const connectorSettings = { 'user.timezone': 'Asia/Shanghai' }
    expect(shown(message)[0]![2]).toEqual({ id: '1', at: '2024-01-01 08:00:00' })
    expect(shown(message, { connectorSettings })[0]![2]).toEqual({
      id: '1',
      at: '2024-01-01 00:00:00',
    })
    expect(() => canalDecoder({ connectorSettings: { 'user.timezone': 'Nowhere' } })).toThrow(
      /Nowhere/,
    )
  })
})

describe('a column that MySQL did not log', () => {
  const types = { id: 'int', n: 'int', doc: 'text', at: 'datetime', label: "enum('text','b')" }
  const whole = flat('INSERT', [{ id: '1', n: '1', doc: 'x', label: '1' }], { types })
  const partial = flat('UPDATE', [[{ id: '1', n: '2', label: '1' }, { n: '1' }]], { types })

  it('is not sent, when it is a large one that the table had before', () => {
    const decoder = canalDecoder()
    decoder.decode(canalRecord(whole))
    expect(decoder.memory).toBe('')
    const [event] = eventsOf(decoder.decode(canalRecord(partial)))
    expect(shownRow(event!, 'after')).toEqual({ id: '1', n: '2', label: 'text' })
    expect(event!.schema.columns.map(({ name }) => name)).toEqual(['id', 'n', 'label', 'doc'])
    expect(event!.isBeforeWhole).toBe(false)
    // A decoder that goes on there reads the same.
    const next = canalDecoder()
    next.restore(decoder.memory)
    expect(eventsOf(next.decode(canalRecord(partial)))).toEqual([event])
    expect(next.memory).toBe(decoder.memory)
  })

  it('is gone, when the table was altered or has rows without it', () => {
    for (const between of [
      statement('ALTER'),
      flat('INSERT', [{ id: '2', n: '1', label: '1' }], { types }),
    ]) {
      const decoder = canalDecoder()
      for (const message of [whole, partial, between]) decoder.decode(canalRecord(message))
      const [event] = eventsOf(decoder.decode(canalRecord(partial)))
      expect(event!.schema.columns.map(({ name }) => name)).toEqual(['id', 'n', 'label'])
      expect(event!.isBeforeWhole).toBe(true)
    }
  })

  it('keeps only so much of it in mind', () => {
    const decoder = canalDecoder()
    for (let number = 0; number < 100; number += 1) {
      const table = `table_${number}`
      decoder.decode(canalRecord({ ...whole, table }))
      decoder.decode(canalRecord({ ...partial, table }))
    }
    expect(decoder.memory.length).toBeGreaterThan(500)
    expect(decoder.memory.length).toBeLessThanOrEqual(1000)
  })

  it('is not sent, when other rows of the message have it', () => {
    const message = flat(
      'UPDATE',
      [
        [
          { id: '1', n: '2', doc: 'x' },
          { n: '1', doc: 'y' },
        ],
        [{ id: '2', n: '2' }, { n: '1' }],
      ],
      { types },
    )
    expect(shown(message).map(([, , after]) => after)).toEqual([
      { id: '1', n: '2', doc: 'x' },
      { id: '2', n: '2' },
    ])
  })

  it('is an error, when it is one of the key', () => {
    const minimal = flat('UPDATE', [[{ n: '2' }, {}]])
    refuses(minimal, 'key-column-missing')
    refuses(flat('UPDATE', [[{ n: '2' }, {}]], { pkNames: null }), 'key-column-missing', {
      hints: { key: ['id'] },
    })
    const other = flat('UPDATE', [
      [row('1', '1'), {}],
      [{ n: '1' }, {}],
    ])
    refuses(other, 'key-column-missing')
  })
})

describe('a message without rows', () => {
  it.each([
    ['CREATE', true, 'schema-change'],
    ['ALTER', true, 'schema-change'],
    ['ERASE', true, 'schema-change'],
    ['RENAME', true, 'schema-change'],
    ['CINDEX', true, 'schema-change'],
    ['DINDEX', true, 'schema-change'],
    ['QUERY', true, 'schema-change'],
    ['QUERY', false, 'message'],
    ['GTID', false, 'transaction'],
    ['XACOMMIT', false, 'transaction'],
    ['XAROLLBACK', false, 'transaction'],
    ['MHEARTBEAT', false, 'heartbeat'],
  ])('%s (DDL: %s) is counted as %s', (type, isDdl, kind) => {
    const changes = kind === 'schema-change' ? { changes: [] } : {}
    expect(decode(statement(type, { isDdl }))).toEqual({ kind, ...changes })
  })

  it('may truncate a table', () => {
    const decoded = decode(statement('TRUNCATE'))
    expect(decoded).toMatchObject({ kind: 'changes', isKeyOrdered: true })
    expect(eventsOf(decoded)).toMatchObject([
      {
        op: 't',
        table: 'shop.orders',
        key: null,
        position: null,
        schema: { columns: [], key: [] },
      },
    ])
  })

  it('may be a tombstone', () => {
    expect(decode(null)).toEqual({ kind: 'tombstone' })
  })
})

describe('a bad message', () => {
  const good = flat('INSERT', [row('1', '1')])
  const update = flat('UPDATE', [[row('1', '2'), { n: '1' }]])

  it.each([
    ['no JSON', '{"data":[', 'message-not-json'],
    ['no object', '[1]', 'message-unknown'],
    ['another format’s', { op: 'c', after: {} }, 'message-unknown'],
    ['of an unknown type', { ...good, type: 'MERGE' }, 'op-unknown'],
    ['of a type that objects inherit', { ...good, type: 'constructor' }, 'op-unknown'],
    ['a statement in place of rows', statement('INSERT', { isDdl: false }), 'row-missing'],
    ['no rows', { ...good, data: [] }, 'row-missing'],
    ['a row that is none', { ...good, data: ['x'] }, 'message-unknown'],
    ['a row that is null', { ...good, data: [null] }, 'message-unknown'],
    ['no types', { ...good, mysqlType: null }, 'type-unknown'],
    ['a column without a type', { ...good, mysqlType: { id: 'int' } }, 'type-unknown'],
    ['an empty type', { ...good, mysqlType: { id: 'int', n: '', name: 'text' } }, 'type-unknown'],
    [
      'a type of another world',
      { ...good, mysqlType: { id: 'int', n: 'vector(3)', name: 'text' } },
      'type-unsupported',
    ],
    ['names that are none', { ...good, pkNames: [1] }, 'message-unknown'],
    ['an update without the rows before', { ...update, old: null }, 'row-missing'],
    ['an update with too few of them', { ...update, old: [] }, 'row-missing'],
    ['an update with one that is null', { ...update, old: [null] }, 'message-unknown'],
    ['a value that does not fit', flat('INSERT', [row('1', 'x')]), 'value-invalid'],
    ['one in the row before', flat('UPDATE', [[row('1', '2'), { n: 'x' }]]), 'value-invalid'],
    ['one in the second row', flat('INSERT', [row('1', '1'), row('x', '1')]), 'value-invalid'],
    ['an object for a value', { ...good, data: [{ id: '1', n: {}, name: 'a' }] }, 'value-invalid'],
  ])('is refused: %s', (_what, message, code) => {
    refuses(message, code)
  })

  it('names its table and column', () => {
    expect(() => decode(flat('INSERT', [row('1', 'x')]))).toThrow(
      expect.objectContaining({
        context: { topic: 'canal', partition: 0, offset: 0, table: 'shop.orders', column: 'n' },
      }),
    )
  })

  it('is refused where a column has the name of what all objects have', () => {
    const types = { id: 'int', constructor: 'int' }
    const named = flat('INSERT', [{ id: '1', constructor: '5' }], { types })
    expect(shown(named)[0]![2]).toEqual({ id: '1', constructor: '5' })
    const lacking = { ...named, data: [{ id: '1' }], pkNames: ['constructor'] }
    refuses(lacking, 'row-missing')
    refuses(JSON.stringify(named).replaceAll('constructor', '__proto__'), 'type-unsupported')
  })
})

describe('the recording', () => {
  it('has each of its messages recognised', () => {
    const decoder = canalDecoder()
    const counts: Record<string, number> = {}
    for (const { value } of canalLines) {
      const decoded = decoder.decode(canalRecord(value))
      const kinds = decoded.kind === 'changes' ? decoded.events.map(({ op }) => op) : [decoded.kind]
      for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1
    }
    expect(counts).toEqual({ message: 32, c: 22, u: 12, d: 6, t: 1, 'schema-change': 8 })
  })

  it('has every type as Debezium’s rows have it', () => {
    const line = canalLines.find(({ value }) => value!.includes('"table":"all_types"'))!
    const [event] = events(line.value)
    const types = Object.fromEntries(
      event!.schema.columns.map(({ name, type }) => [name, type.kind]),
    )
    expect(types).toEqual({
      id: 'int',
      c_bool: 'smallint',
      c_tiny: 'smallint',
      c_utiny: 'smallint',
      c_small: 'smallint',
      c_med: 'int',
      c_int: 'int',
      c_uint: 'bigint',
      c_big: 'bigint',
      c_ubig: 'ubigint',
      c_dec102: 'decimal',
      c_dec3810: 'decimal',
      c_float: 'float',
      c_double: 'double',
      c_char: 'string',
      c_varchar: 'string',
      c_text: 'string',
      c_longtext: 'string',
      c_blob: 'binary',
      c_bin: 'binary',
      c_varbin: 'binary',
      c_date: 'date',
      c_time: 'string',
      c_time6: 'string',
      c_dt0: 'timestamp',
      c_dt3: 'timestamp',
      c_dt6: 'timestamp',
      c_ts: 'timestamptz',
      c_ts6: 'timestamptz',
      c_year: 'int',
      c_enum: 'string',
      c_set: 'string',
      c_json: 'string',
      c_bit1: 'boolean',
      c_bit8: 'string',
      c_bit20: 'string',
      c_def: 'int',
      c_geo: 'string',
    })
  })
})
