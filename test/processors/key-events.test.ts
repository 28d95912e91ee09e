import { describe, expect, it } from 'vitest'
import type { ChangeEvent } from '../../model/change-event.ts'
import { InvariantError, ProcessingError } from '../../model/errors.ts'
import { decodeKey, encodeKey } from '../../model/key.ts'
import { netChangeValues } from '../../model/net-change.ts'
import type { PartitionBy } from '../../model/partition-by.ts'
import { keyColumns } from '../../model/table-schema.ts'
import type { Value } from '../../model/value.ts'
import { keyEvent } from '../../processors/key-events.ts'
import { schemaOf } from '../model/samples.ts'
import { binlogAt, eventOf, users } from './samples.ts'

const bySex: PartitionBy = { column: 'sex', unit: 'value' }
const before = { id: 1, name: 'old', sex: 'F' }

function keyed(parts: Partial<ChangeEvent>, partitionBy: PartitionBy | null = null) {
  const change = keyEvent(eventOf(parts), partitionBy)
  return { ...change, row: netChangeValues(change) }
}

describe('the net change of an event', () => {
  it('is an upsert of the whole row for an insert and a snapshot, null where nothing was sent', () => {
    for (const op of ['c', 'r'] as const) {
      expect(keyed({ op, after: { id: 1, sex: 'M' } })).toMatchObject({
        kind: 'upsert',
        row: [1, null, 'M'],
      })
    }
  })

  it('is an upsert for an update with all columns, and a patch with what was sent for one without', () => {
    expect(keyed({ op: 'u' })).toMatchObject({ kind: 'upsert', row: [1, 'a', 'M'] })
    expect(keyed({ op: 'u', after: { id: 1, sex: null } })).toMatchObject({
      kind: 'patch',
      row: [1, undefined, null],
    })
  })

  it('is a delete without a row, whatever was before', () => {
    expect(keyed({ op: 'd', before })).toMatchObject({ kind: 'delete', row: null })
    expect(keyed({ op: 'd' })).toMatchObject({ kind: 'delete', row: null })
  })

  it('has the canonical key, from the columns in the order of the key', () => {
    const schema = schemaOf({ line: 'smallint', order: 'string' }, ['order', 'line'])
    const row = { line: 2, order: 'x' }
    const { key } = keyed({ schema, key: row, after: row })
    expect(key).toBe(encodeKey(keyColumns(schema), ['x', 2]))
    expect(decodeKey(keyColumns(schema), key)).toEqual(['x', 2])
  })

  it('a key that widened is the same key', () => {
    const wide = schemaOf({ id: 'bigint', name: 'string', sex: 'string' })
    expect(keyed({ schema: wide }).key).toBe(keyed({}).key)
  })

  it('a key column that is null is a key', () => {
    const key = keyed({ key: { id: null }, after: { id: null, name: 'a', sex: null } }).key
    expect(decodeKey(keyColumns(users), key)).toEqual([null])
  })

  it('carries its place and time', () => {
    const { last } = keyed({ position: binlogAt(7), sourceMs: 42 })
    expect(last).toEqual({ position: binlogAt(7).text, sourceMs: 42 })
    expect(keyed({}).last.position).toBe('')
  })

  it('a truncate, an event without a key and a change without a row are never keyed', () => {
    expect(() => keyed({ op: 't' })).toThrow(InvariantError)
    expect(() => keyed({ key: null })).toThrow(InvariantError)
    expect(() => keyed({ op: 'u', after: null })).toThrow(InvariantError)
  })

  it('a row that does not fit its columns harms no row that follows', () => {
    const bad = { id: 1, name: 7 as unknown as string, sex: 'M' }
    expect(() => keyed({ after: bad })).toThrow()
    expect(keyed({ after: { id: 2, name: 'b', sex: 'F' } }).row).toEqual([2, 'b', 'F'])
  })
})

describe('a value that was not sent with a changed key', () => {
  it('is refused: there is no row under the new key that could keep it', () => {
    const event = {
      op: 'c' as const,
      after: { id: 2, sex: 'M' },
      key: { id: 2 },
      oldKey: { id: 1 },
    }
    expect(() => keyed(event)).toThrow(ProcessingError)
    try {
      keyed({ ...event, origin: { topic: 'shop', partition: 1, offset: 9 } })
    } catch (error) {
      expect(error).toMatchObject({
        code: 'value-not-sent',
        context: { topic: 'shop', partition: 1, offset: 9, table: 'demo.user', column: 'name' },
      })
    }
  })

  it('is that of the row under the old key, where the message tells of the other half and its place is known', () => {
    const half = {
      op: 'c',
      after: { id: 2, sex: 'M' },
      key: { id: 2 },
      oldKey: { id: 1 },
      otherKey: { id: 1 },
    } as const
    expect(keyed({ ...half, position: binlogAt(7) })).toMatchObject({
      kind: 'patch',
      row: [2, undefined, 'M'],
    })
    const position = binlogAt(7, { order: [null, 7n] })
    expect(() => keyed({ ...half, position })).toThrow(ProcessingError)
  })

  it('is no matter where all was sent, null too', () => {
    const after = { id: 2, name: null, sex: 'M' }
    expect(keyed({ after, key: { id: 2 }, oldKey: { id: 1 } })).toMatchObject({ kind: 'upsert' })
  })
})

describe('a row that cannot be divided as its table is', () => {
  const origin = { topic: 'shop', partition: 1, offset: 9 }

  it('is refused before anything of it is staged, when there is no such column', () => {
    expect(() => keyed({ origin }, { column: 'nowhere', unit: 'value' })).toThrow(
      expect.objectContaining({
        code: 'partition-column-missing',
        context: { ...origin, table: 'demo.user', column: 'nowhere' },
      }),
    )
  })

  it('is refused when the column has no months, or its text none', () => {
    const byMonth: PartitionBy = { column: 'at', unit: 'year_month' }
    const keyedAs = (type: string, at: Value) => () =>
      keyed(
        { origin, schema: schemaOf({ id: 'int', at: type as 'int' }), after: { id: 1, at } },
        byMonth,
      )
    expect(keyedAs('int', 7)).toThrow(expect.objectContaining({ code: 'partition-column-missing' }))
    expect(keyedAs('string', 'some day')).toThrow(
      expect.objectContaining({ code: 'value-invalid', context: expect.objectContaining(origin) }),
    )
    expect(keyedAs('string', '2026-01-02')().kind).toBe('upsert')
    expect(keyedAs('string', null)().kind).toBe('upsert')
  })
})

describe('an update that has only what was changed', () => {
  it('is a patch, though its schema has no more columns', () => {
    const whole = { op: 'u', schema: schemaOf({ id: 'int' }), after: { id: 1 } } as const
    expect(keyed(whole).kind).toBe('upsert')
    expect(keyed({ ...whole, isPatch: true }).kind).toBe('patch')
    expect(keyed({ ...whole, op: 'c', isPatch: true }).kind).toBe('upsert')
  })
})

describe('the partitions that a row may be leaving', () => {
  const whole = { before, isBeforeWhole: true }

  it('are none in a table without partitions', () => {
    for (const op of ['c', 'u', 'd', 'r'] as const) expect(keyed({ op }).leaves).toEqual([])
  })

  it('is the one of the row before, where the source proves it', () => {
    expect(keyed({ op: 'u', ...whole }, bySex).leaves).toEqual(['sex=F'])
    expect(keyed({ op: 'd', ...whole }, bySex).leaves).toEqual(['sex=F'])
    const toNull = { ...whole, before: { ...before, sex: null } }
    expect(keyed({ op: 'u', ...toNull }, bySex).leaves).toEqual(['sex=__HIVE_DEFAULT_PARTITION__'])
  })

  it('are unknown for an insert and a snapshot: the row may be there from before', () => {
    for (const op of ['c', 'r'] as const) {
      expect(keyed({ op }, bySex).leaves).toBe('unknown')
      expect(keyed({ op, ...whole }, bySex).leaves).toBe('unknown')
    }
  })

  it('are unknown where the row before is not whole, is missing, or is in doubt', () => {
    for (const parts of [
      { before, isBeforeWhole: false },
      { before: null, isBeforeWhole: false },
      { ...whole, isInDoubt: true },
      { before: { id: 1 }, isBeforeWhole: true },
    ]) {
      for (const op of ['u', 'd'] as const) {
        expect(keyed({ op, ...parts }, bySex).leaves).toBe('unknown')
      }
    }
  })

  it('are unknown for a delete whose message lacks the column', () => {
    const elsewhere: PartitionBy = { column: 'nowhere', unit: 'value' }
    expect(keyed({ op: 'd', ...whole }, elsewhere).leaves).toBe('unknown')
  })

  it('are unknown where the row before has no month', () => {
    const schema = schemaOf({ id: 'int', at: 'string' })
    const rows = { before: { id: 1, at: 'some day' }, after: { id: 1, at: '2026-01-02' } }
    const event = { op: 'u' as const, schema, ...rows, isBeforeWhole: true }
    expect(keyed(event, { column: 'at', unit: 'year_month' }).leaves).toBe('unknown')
  })

  it('by month are months', () => {
    const schema = schemaOf({ id: 'int', at: 'timestamp' })
    const event = {
      op: 'u' as const,
      schema,
      before: { id: 1, at: 0 },
      after: { id: 1, at: 2_678_400_000_000 },
      isBeforeWhole: true,
    }
    expect(keyed(event, { column: 'at', unit: 'year_month' }).leaves).toEqual([
      'year_month=1970-01',
    ])
  })
})

it('a column that was not sent is none, also where every object has something of its name', () => {
  const schema = schemaOf({ id: 'int', constructor: 'string' as const })
  const change = keyed({ op: 'u', schema, after: { id: 1 } })
  expect(change.kind).toBe('patch')
  expect(netChangeValues(change)).toEqual([1, undefined])
})
