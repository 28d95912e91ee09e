/** Cells of Cassandra's connector, built from what its source says: none were recorded. */
import { describe, expect, it } from 'vitest'
import { parseColumnType } from '../../../model/column-type.ts'
import { DecodeError } from '../../../model/errors.ts'
import { cassandra } from '../connectors.ts'
import { decoderOf, eventsOf, recordOf } from '../samples.ts'

const cell = (value: unknown) => ({ value, deletion_ts: null, set: true })
const deleted = { value: null, deletion_ts: 5, set: true }

function cellSchema(field: string, type: string, optional: boolean) {
  const fields = [
    { type, optional: true, field: 'value' },
    { type: 'int64', optional: true, field: 'deletion_ts' },
    { type: 'boolean', optional: false, field: 'set' },
  ]
  return { type: 'struct', fields, optional, name: 'cell_value', version: 1, field }
}

const range = (field: string) => ({ type: 'struct', fields: [], optional: true, field })

const schema = {
  type: 'struct',
  fields: [
    {
      type: 'struct',
      fields: [
        cellSchema('shop', 'string', false),
        cellSchema('id', 'int32', false),
        cellSchema('name', 'string', true),
        cellSchema('stock', 'int64', true),
        range('_range_start'),
        range('_range_end'),
      ],
      optional: false,
      field: 'after',
    },
  ],
}

function messageOf(
  op: string,
  after: object,
  key: object = { shop: 'a', id: 1 },
  isWrapped = true,
) {
  const whole = { _range_start: null, _range_end: null, ...after }
  const payload = { ts_ms: 1_700_000_002_000, op, source: cassandra, after: whole }
  return recordOf(key, isWrapped ? { schema, payload } : payload, { topic: 'c1.shop.orders' })
}

const keyCells = { shop: cell('a'), id: cell(1) }

describe('a row of Cassandra', () => {
  it('is written over what is there, by an insert and by an update', () => {
    const decoder = decoderOf()
    for (const op of ['i', 'u', 'c', 'i']) {
      const after = { ...keyCells, name: cell('x'), stock: null }
      const [event, ...others] = eventsOf(decoder, messageOf(op, after))
      expect(others).toEqual([])
      expect(event).toMatchObject({
        table: 'shop.orders',
        op: 'u',
        key: { shop: 'a', id: 1 },
        before: null,
        position: null,
        isBeforeWhole: false,
      })
      // The stock was not sent, and stays as it is.
      expect(event!.after).toEqual({ shop: 'a', id: 1, name: 'x' })
      expect(event!.schema.columns.map(({ name, type }) => [name, type.kind])).toEqual([
        ['shop', 'string'],
        ['id', 'int'],
        ['name', 'string'],
        ['stock', 'bigint'],
      ])
    }
  })

  it('has null in a column that was deleted', () => {
    const after = { ...keyCells, name: deleted, stock: cell(7) }
    const [event] = eventsOf(decoderOf(), messageOf('u', after))
    expect(event!.after).toEqual({ shop: 'a', id: 1, name: null, stock: 7 })
  })

  it('is read by stated types without a schema', () => {
    const types = Object.fromEntries(
      Object.entries({ shop: 'string', id: 'int', name: 'string', stock: 'bigint' }).map(
        ([name, type]) => [name, parseColumnType(type)],
      ),
    )
    const after = { ...keyCells, name: null, stock: cell(7) }
    const record = messageOf('i', after, { shop: 'a', id: 1 }, false)
    const [event] = eventsOf(decoderOf({ hints: { types } }), record)
    expect(event!.after).toEqual({ shop: 'a', id: 1, stock: 7 })
  })

  it('is deleted by its whole key', () => {
    const [event] = eventsOf(decoderOf(), messageOf('d', { ...keyCells, name: deleted }))
    expect(event).toMatchObject({ op: 'd', key: { shop: 'a', id: 1 }, before: null, after: null })
  })
})

describe('what cannot be applied', () => {
  it('is refused: a partition that was deleted, and a range of rows, which is no snapshot', () => {
    const partition = messageOf('d', { ...keyCells, id: deleted }, { shop: 'a', id: null })
    expect(() => decoderOf().decode(partition)).toThrow(/the rows of a partition were deleted/)
    for (const op of ['r', 't']) {
      expect(() => decoderOf().decode(messageOf(op, keyCells))).toThrow(
        /a range of rows was deleted/,
      )
    }
  })

  it('is refused: other operations and what are no cells', () => {
    expect(() => decoderOf().decode(messageOf('x', keyCells))).toThrow(/operation "x"/)
    for (const name of [5, 'a', [], {}]) {
      expect(() => decoderOf().decode(messageOf('i', { ...keyCells, name }))).toThrow(DecodeError)
    }
  })
})
