import { describe, expect, it } from 'vitest'
import { canalRows } from '../../../formats/canal/canal-rows.ts'
import { DecodeError } from '../../../model/errors.ts'
import { canalDecoder, canalRecord, eventsOf, shownRow, statement } from './canal-messages.ts'

type Options = Parameters<typeof canalDecoder>[0]

const decode = (message: unknown, options: Options = {}, key: unknown = { id: 1 }) =>
  canalDecoder(options, canalRows()).decode(canalRecord(message, 0, key))

function refuses(message: unknown, code: string, options: Options = {}, key?: unknown): void {
  try {
    decode(message, options, key)
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError)
    expect(error).toMatchObject({ code, context: { topic: 'canal', partition: 0, offset: 0 } })
    return
  }
  expect.fail(`${JSON.stringify(message)} was taken`)
}

const col = (name: string, val: string | null, type: string, update: unknown = false) => ({
  col: name,
  val,
  type,
  update,
})

const cols = [
  col('id', '1', 'bigint(20)'),
  col('price', '12.30', 'decimal(10,2)', true),
  col('kind', '2', "enum('a','b')"),
  col('note', null, 'text'),
]

const message = (event_type: unknown, rest: object = {}) => ({
  table: 'shop.orders',
  binlog_id: 'mysql-bin.000007:4711',
  event_type,
  exe_time: 1_700_000_000_000,
  cur_time: 1_700_000_000_500,
  cols,
  ...rest,
})

const row = { id: '1', price: '12.30', kind: 'b', note: null }

describe('a message of one row', () => {
  it.each([
    ['INSERT', 'c'],
    ['UPDATE', 'u'],
    ['DELETE', 'd'],
    ['insert', 'c'],
    ['Update', 'u'],
    [1, 'c'],
    ['2', 'u'],
    [3, 'd'],
  ])('%s is one change (%s)', (type, op) => {
    const decoded = decode(message(type))
    expect(decoded).toMatchObject({ kind: 'changes', isKeyOrdered: true })
    const [event, ...others] = eventsOf(decoded)
    expect(others).toEqual([])
    expect(event).toMatchObject({
      op,
      table: 'shop.orders',
      key: { id: 1 },
      position: null,
      sourceMs: 1_700_000_000_000,
      isBeforeWhole: op === 'd',
      oldKey: null,
    })
    expect(shownRow(event!, 'after')).toEqual(op === 'd' ? null : row)
    expect(shownRow(event!, 'before')).toEqual(op === 'd' ? row : null)
  })

  it('has the key that is configured, else that of its record', () => {
    const keyOf = (options: Options, key: unknown) =>
      eventsOf(decode(message('INSERT'), options, key))[0]!.key
    expect(keyOf({}, { kind: 'b', id: 1 })).toEqual({ kind: 'b', id: 1 })
    const hints = { key: ['id', 'kind'] }
    for (const key of [null, { id: 1 }, 'text', '17', '[]', '{}']) {
      expect(keyOf({ hints }, key)).toEqual({ id: 1, kind: 'b' })
    }
    expect(decode(message('INSERT'), { hints }, { id: 1 })).toMatchObject({ isKeyOrdered: true })
    expect(decode(message('INSERT'), { hints }, { price: 1 })).toMatchObject({
      isKeyOrdered: false,
    })
    expect(decode(message('INSERT'), { hints }, null)).toMatchObject({ isKeyOrdered: false })
  })

  it('needs one of them', () => {
    for (const key of [null, 'text', '17', '[]', '{}', Buffer.from([0xff])]) {
      refuses(message('INSERT'), 'key-missing', {}, key)
    }
    expect(() => decode(message('INSERT'), {}, null)).toThrow(/state `key`/)
    refuses(message('INSERT'), 'key-column-missing', {}, { no: 1 })
    refuses(message('INSERT'), 'key-column-missing', { hints: { key: ['no'] } })
  })

  it('whose key changed, or may have, is refused with advice: the old one is not known', () => {
    const changed = (update: unknown) =>
      message('UPDATE', { cols: [col('id', '1', 'int', update), cols[1]] })
    refuses(changed(true), 'row-missing')
    refuses(changed('true'), 'row-missing')
    refuses(changed(null), 'row-missing')
    expect(() => decode(changed(true))).toThrow(/canal-json/)
    expect(eventsOf(decode(changed('false')))).toHaveLength(1)
    // An insert has every column as changed.
    const inserted = message('INSERT', { cols: [col('id', '1', 'int', true)] })
    expect(eventsOf(decode(inserted))).toHaveLength(1)
  })

  it('that lacks a large column which MySQL did not log keeps it', () => {
    const decoder = canalDecoder({}, canalRows())
    const read = (type: string, columns: readonly object[]) =>
      eventsOf(decoder.decode(canalRecord(message(type, { cols: columns }), 0, { id: 1 })))[0]!
    read('INSERT', cols)
    const event = read('UPDATE', cols.slice(0, 3))
    expect(event.schema.columns).toHaveLength(4)
    expect(shownRow(event, 'after')).toEqual({ id: '1', price: '12.30', kind: 'b' })
  })

  it('of a table that nobody wants is not read', () => {
    expect(decode(message('INSERT', { cols: null }), { hints: null })).toEqual({
      kind: 'unwanted',
      table: 'shop.orders',
    })
  })

  it('takes the time of its record where it has none', () => {
    const timeOf = (exe_time: unknown) =>
      eventsOf(decode(message('INSERT', { exe_time })))[0]!.sourceMs
    expect(timeOf('1700000000001')).toBe(1_700_000_000_001)
    for (const time of [undefined, null, '', 'x', {}, -1, 1.5]) {
      expect(timeOf(time)).toBe(1_600_000_000_000)
    }
  })
})

describe('another message', () => {
  it('without a table is dropped and counted', () => {
    const { table: _, ...nameless } = message('INSERT')
    for (const one of [nameless, { ...nameless, table: null }, { ...nameless, table: '' }]) {
      expect(decode(one, {}, null)).toEqual({ kind: 'no-table' })
    }
  })

  it('that is none of this form is refused, not dropped', () => {
    expect(() => decode({ before: null, after: { id: 1 } }, {}, null)).toThrow('none of rows')
  })

  it('is counted by what it is', () => {
    for (const type of ['CREATE', 'alter', 'ERASE', 'RENAME', 'CINDEX', 'QUERY', 4, '11']) {
      expect(decode(message(type, { cols: null }))).toEqual({
        kind: 'schema-change',
        changes: [],
      })
    }
    expect(decode(null)).toEqual({ kind: 'tombstone' })
  })

  it('may truncate a table', () => {
    expect(eventsOf(decode(message('TRUNCATE', { cols: null })))).toMatchObject([
      { op: 't', table: 'shop.orders', key: null },
    ])
  })

  it.each([
    ['no JSON', '{', 'message-not-json'],
    ['no object', '"x"', 'message-unknown'],
    ['a table that is no name', message('INSERT', { table: 7 }), 'message-unknown'],
    ['an unknown type', message('MERGE'), 'op-unknown'],
    ['a number beyond them', message(99), 'op-unknown'],
    ['no type', message(undefined), 'op-unknown'],
    ['no columns', message('INSERT', { cols: [] }), 'row-missing'],
    ['columns that are none', message('INSERT', { cols: 'x' }), 'row-missing'],
    ['a column that is null', message('INSERT', { cols: [null] }), 'message-unknown'],
    ['a column without a name', message('INSERT', { cols: [{ val: '1' }] }), 'message-unknown'],
    ['a column twice', message('INSERT', { cols: [...cols, cols[0]] }), 'message-unknown'],
    [
      'a column without a type',
      message('INSERT', { cols: [{ col: 'id', val: '1' }] }),
      'type-unknown',
    ],
    [
      'a value that does not fit',
      message('INSERT', { cols: [col('id', 'x', 'int')] }),
      'value-invalid',
    ],
    ['a flat message', { ...statement('INSERT'), table: 'orders' }, 'op-unknown'],
  ])('is refused: %s', (_what, bad, code) => {
    refuses(bad, code)
  })
})
