import { describe, expect, it } from 'vitest'
import type { TableHints } from '../../../formats/decoder.ts'
import type { ChangeEvent } from '../../../model/change-event.ts'
import { parseColumnType } from '../../../model/column-type.ts'
import { DecodeError } from '../../../model/errors.ts'
import type { ChangeParts, Field } from '../samples.ts'
import {
  changeOf,
  decoderOf,
  eventsOf,
  idAndName,
  mariadb,
  postgres,
  recordOf,
  withSchema,
} from '../samples.ts'

const placeholder = '__debezium_unavailable_value'
const placeholderBase64 = Buffer.from(placeholder).toString('base64')

interface Given {
  readonly change: ChangeParts
  readonly key?: unknown
  readonly fields?: readonly Field[]
  readonly hints?: TableHints
  readonly headers?: Readonly<Record<string, unknown>>
  readonly settings?: Readonly<Record<string, string>>
}

function events({ change, key = { id: 1 }, fields = idAndName, hints = {}, ...rest }: Given) {
  const decoder = decoderOf({ hints, connectorSettings: rest.settings ?? {} })
  const value = withSchema(changeOf(change), fields)
  return eventsOf(decoder, recordOf(key, value, { headers: rest.headers ?? {} }))
}

function only(given: Given): ChangeEvent {
  const found = events(given)
  expect(found).toHaveLength(1)
  return found[0]!
}

const shown = (found: readonly ChangeEvent[]) =>
  found.map(({ op, key, before, after, oldKey }) => ({ op, key, before, after, oldKey }))

const row = (id: number, name: string | null = 'a') => ({ id, name })

describe('a row that changed', () => {
  it('has its key from the message, its rows typed, and its op', () => {
    for (const op of ['c', 'r'] as const) {
      const event = only({ change: { op, after: row(1) } })
      expect(event).toMatchObject({ op, key: { id: 1 }, before: null, after: row(1), oldKey: null })
    }
    const update = only({ change: { op: 'u', before: row(1, 'old'), after: row(1, null) } })
    expect(update).toMatchObject({ op: 'u', before: row(1, 'old'), after: row(1, null) })
    const gone = only({ change: { op: 'd', before: row(1) } })
    expect(gone).toMatchObject({ op: 'd', key: { id: 1 }, before: row(1), after: null })
  })

  it('has a key of several columns, in the order of the message’s key', () => {
    const fields: readonly Field[] = [
      { type: 'int32', field: 'line' },
      { type: 'string', field: 'order' },
      {
        type: 'bytes',
        field: 'n',
        name: 'org.apache.kafka.connect.data.Decimal',
        parameters: { scale: '0' },
      },
    ]
    const after = { line: 2, order: 'x', n: 'AQ==' }
    const event = only({
      change: { op: 'c', after },
      key: withSchema({ order: 'x', line: 2, n: 'AQ==' }),
      fields,
    })
    expect(event.schema.key).toEqual(['order', 'line', 'n'])
    expect(event.key).toEqual({ order: 'x', line: 2, n: 1 })
  })

  it('is whole before only where the source proves it', () => {
    const cases: readonly (readonly [unknown, TableHints, boolean])[] = [
      [mariadb, {}, true],
      [{ ...mariadb, connector: 'mysql' }, {}, true],
      [postgres, {}, false],
      [postgres, { beforeImage: 'full' }, true],
      [mariadb, { beforeImage: 'key' }, false],
      [{ ...mariadb, connector: 'oracle' }, {}, false],
    ]
    for (const [source, hints, expected] of cases) {
      const change = { op: 'u', before: row(1), after: row(1), source }
      expect(only({ change, hints }).isBeforeWhole).toBe(expected)
      expect(only({ change: { ...change, before: null }, hints }).isBeforeWhole).toBe(false)
    }
  })

  it('the field of a router in the key is no column', () => {
    const event = only({
      change: { op: 'c', after: row(1) },
      key: { id: 1, __dbz__physicalTableIdentifier: 'm4.demo.user' },
    })
    expect(event.key).toEqual({ id: 1 })
    expect(event.schema.key).toEqual(['id'])
  })

  it('without a message key has none, and the schema has none', () => {
    for (const key of [null, 'null', { schema: null, payload: null }]) {
      const event = only({ change: { op: 'c', after: row(1) }, key })
      expect(event.key).toBeNull()
      expect(event.schema.key).toEqual([])
    }
  })
})

describe('what is missing', () => {
  it('the row of an op, or its key column, is an error that names it', () => {
    const insert = { op: 'c', after: row(1) }
    for (const op of ['c', 'r', 'u']) expect(() => events({ change: { op } })).toThrow(/no "after"/)
    expect(() => events({ change: { op: 'd' }, key: null })).toThrow(/no "before"/)
    expect(() => events({ change: insert, key: { uuid: 'x' } })).toThrow(/key column uuid/)
    expect(() => events({ change: insert, key: [1] })).toThrow(DecodeError)
    expect(() => events({ change: insert, key: 5 })).toThrow(/not an object/)
    expect(() => events({ change: insert, key: 'not json' })).toThrow(/not JSON/)
    const other = { ...insert, after: { name: 'a' } }
    expect(() => events({ change: other, hints: { key: ['id'] } })).toThrow(/key column id/)
  })

  it('a row that is no row of columns is refused, and never becomes a row of nulls', () => {
    for (const after of ['{"id":1}', 5, [1], true]) {
      expect(() => events({ change: { op: 'c', after } })).toThrow(/"after"/)
      expect(() => events({ change: { op: 'd', before: after } })).toThrow(/"before"/)
    }
  })

  it('a value of the wrong kind names its column', () => {
    try {
      events({ change: { op: 'c', after: { id: 'x', name: 'a' } } })
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(DecodeError)
      expect((error as DecodeError).context).toMatchObject({ column: 'id', table: 'demo.user' })
    }
  })

  it('a delete needs no row when the message has the key', () => {
    const event = only({ change: { op: 'd' }, key: { id: 7 } })
    expect(event).toMatchObject({ op: 'd', key: { id: 7 }, before: null, isBeforeWhole: false })
  })
})

describe('a configured key', () => {
  const hints = { key: ['name'] }

  it('is taken from the row, whatever the message key is', () => {
    expect(only({ change: { op: 'c', after: row(1, 'n') }, hints }).key).toEqual({ name: 'n' })
    expect(only({ change: { op: 'd', before: row(1, 'n') }, hints }).key).toEqual({ name: 'n' })
    expect(only({ change: { op: 'c', after: row(1, 'n') }, key: null, hints }).key).toEqual({
      name: 'n',
    })
  })

  it('of a delete without a row is taken from the message, or the delete is refused', () => {
    const change = { op: 'd' }
    expect(only({ change, key: { id: 7, name: 'n' }, hints }).key).toEqual({ name: 'n' })
    // Otherwise nothing says which row is gone.
    expect(() => events({ change, key: { id: 7 }, hints })).toThrow(/column name .* whole row/)
  })

  it('of a delete or an update asks for the whole row before, unless the message key has it', () => {
    const source = postgres
    const [gone, changed] = [
      { op: 'd', before: row(1, ''), source },
      { op: 'u', after: row(1, 'new'), source },
    ]
    for (const change of [gone, changed]) {
      for (const key of [{ id: 1 }, null]) {
        expect(() => events({ change, key, hints })).toThrow(/"before" of a change with op/)
      }
      // The source is said to be whole, and has nothing all the same.
      const full = { ...hints, beforeImage: 'full' } as const
      expect(() => events({ change: { ...change, before: null }, hints: full })).toThrow(
        DecodeError,
      )
      expect(events({ change, hints: { key: ['id'] } })).toHaveLength(1)
    }
    expect(() => events({ change: gone, hints: { key: ['id', 'name'] } })).toThrow(DecodeError)
  })

  it('that changes under a message key that does not is a delete and an insert', () => {
    const change = { op: 'u', before: row(1, 'old'), after: row(1, 'new') }
    expect(shown(events({ change, hints }))).toEqual([
      { op: 'd', key: { name: 'old' }, before: row(1, 'old'), after: null, oldKey: null },
      {
        op: 'c',
        key: { name: 'new' },
        before: null,
        after: row(1, 'new'),
        oldKey: { name: 'old' },
      },
    ])
  })

  it('is compared by value: equal bytes are the same key', () => {
    const fields: readonly Field[] = [{ type: 'bytes', field: 'b' }, ...idAndName]
    const before = { b: 'AP8=', ...row(1, 'old') }
    const given = { fields, hints: { key: ['b'] }, key: { id: 1 } }
    const same = { op: 'u', before, after: { ...before, name: 'new' } }
    expect(events({ ...given, change: same })).toHaveLength(1)
    const other = { op: 'u', before, after: { ...before, b: 'AP4=' } }
    expect(events({ ...given, change: other })).toHaveLength(2)
  })
})

it('an unsigned bigint that was written as a long is itself again, in the key and the row', () => {
  const fields: readonly Field[] = [{ type: 'int64', field: 'id' }]
  for (const type of ['ubigint', 'decimal(20,0)']) {
    const hints = { types: { id: parseColumnType(type) } }
    const change = { op: 'u', before: { id: -1 }, after: { id: -1 } }
    const event = only({ change, key: { id: -1 }, fields, hints })
    const id = 18_446_744_073_709_551_615n
    expect(event).toMatchObject({ key: { id }, before: { id }, after: { id } })
  }
})

describe('a changed key', () => {
  it('comes as a delete and an insert, and each knows its half', () => {
    const gone = only({
      change: { op: 'd', before: row(1) },
      headers: { '__debezium.newkey': { id: 2 } },
    })
    expect(gone).toMatchObject({ op: 'd', key: { id: 1 }, oldKey: null })
    const made = only({
      change: { op: 'c', after: row(2) },
      key: { id: 2 },
      headers: { '__debezium.oldkey': withSchema({ id: 1 }) },
    })
    expect(made).toMatchObject({ op: 'c', key: { id: 2 }, oldKey: { id: 1 } })
  })

  it('is told in a header by Connect itself: decimals as numbers, texts with their control characters', () => {
    const decimal = (field: string, scale: string): Field => ({
      type: 'bytes',
      field,
      name: 'org.apache.kafka.connect.data.Decimal',
      parameters: { scale, 'connect.decimal.precision': '38' },
    })
    const fields: readonly Field[] = [
      decimal('id', '0'),
      decimal('price', '4'),
      { type: 'double', field: 'ratio' },
      { type: 'string', field: 'name' },
    ]
    const key = { id: 'AQ==', price: 'AQ==', ratio: 1, name: 'b' }
    const header =
      '{"id":18446744073709551615,"price":-1234567890123456.7891,"ratio":0.5,"name":"a\tb \\"q\\""}'
    const sent = recordOf(key, withSchema(changeOf({ op: 'c', after: key }), fields))
    const headers = [{ key: '__debezium.oldkey', value: Buffer.from(header) }]
    const [made] = eventsOf(decoderOf(), { ...sent, headers })
    expect(made!.oldKey).toEqual({
      id: 18_446_744_073_709_551_615n,
      price: -12_345_678_901_234_567_891n,
      ratio: 0.5,
      name: 'a\tb "q"',
    })
  })

  it('in one update of a source that is whole before is split', () => {
    const change = { op: 'u', before: row(1), after: row(2) }
    expect(shown(events({ change, key: { id: 2 } }))).toEqual([
      { op: 'd', key: { id: 1 }, before: row(1), after: null, oldKey: null },
      { op: 'c', key: { id: 2 }, before: null, after: row(2), oldKey: { id: 1 } },
    ])
  })

  it('is not made up from a row before that is not whole', () => {
    // DEFAULT identity: what is not of the key is a filler.
    const change = { op: 'u', before: row(0), after: row(1), source: postgres }
    expect(events({ change })).toHaveLength(1)
  })
})

describe('a value that was not sent', () => {
  const fields: readonly Field[] = [
    { type: 'int32', field: 'id' },
    { type: 'string', field: 'big', optional: true },
    { type: 'bytes', field: 'blob', optional: true },
    { type: 'array', field: 'list', optional: true, items: { type: 'string' } },
  ]
  const unsent = { id: 1, big: placeholder, blob: placeholderBase64, list: [placeholder] }
  const update = { op: 'u', after: unsent, source: postgres }

  it('is left out of an update, in each type’s own form', () => {
    expect(only({ change: update, fields }).after).toEqual({ id: 1 })
  })

  it('the same text in an insert or a snapshot is data', () => {
    for (const op of ['c', 'r']) {
      expect(only({ change: { ...update, op }, fields }).after).toEqual({
        id: 1,
        big: placeholder,
        blob: Buffer.from(placeholder),
        list: [placeholder],
      })
    }
  })

  it('is left out of the insert half of a changed key', () => {
    const given = {
      change: { ...update, op: 'c' },
      fields,
      headers: { '__debezium.oldkey': { id: 9 } },
    }
    expect(only(given)).toMatchObject({ after: { id: 1 }, oldKey: { id: 9 } })
  })

  it('is data where the whole row before has another value for it', () => {
    const before = { id: 1, big: 'old', blob: null, list: [placeholder] }
    const change = { ...update, before, source: mariadb }
    expect(only({ change, fields }).after).toEqual({ id: 1, big: placeholder })
  })

  it('is not data where the row before is not whole: a filler proves nothing', () => {
    // Replica identity by an index: what is NOT NULL and not of the index is filled with a zero value.
    const before = { id: 0, big: '', blob: '', list: [] }
    expect(only({ change: { ...update, before }, fields }).after).toEqual({ id: 1 })
  })

  it('has the text that the connector was told', () => {
    const settings = { 'unavailable.value.placeholder': 'GONE' }
    const after = { id: 1, big: 'GONE', blob: placeholderBase64, list: ['GONE'] }
    const event = only({ change: { ...update, after }, fields, settings })
    expect(event.after).toEqual({ id: 1, blob: Buffer.from(placeholder) })
  })

  it('null and a longer list with the text in it are values', () => {
    const after = { id: 1, big: null, blob: '', list: [placeholder, placeholder] }
    expect(only({ change: { ...update, after }, fields }).after).toEqual({
      id: 1,
      big: null,
      blob: Buffer.alloc(0),
      list: [placeholder, placeholder],
    })
  })
})
