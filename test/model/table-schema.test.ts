import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { commonType } from '../../model/column-type.ts'
import { InvariantError, WarehouseError } from '../../model/errors.ts'
import type { TableSchema } from '../../model/table-schema.ts'
import {
  fromSchemaText,
  internSchema,
  keyColumns,
  schemaText,
  unionSchema,
} from '../../model/table-schema.ts'
import { column, schemaOf } from './samples.ts'

const decimal = (precision: number, scale: number) =>
  ({ kind: 'decimal', precision, scale }) as const

const names = (schema: TableSchema): string[] => schema.columns.map(({ name }) => name)
const named = (schema: TableSchema, name: string) =>
  schema.columns.find(candidate => candidate.name === name)!

describe('a schema is a value', () => {
  it('two of the same text are one object', () => {
    const make = () => ({
      columns: [column('id', { kind: 'int' }), column('n', decimal(5, 2))],
      key: ['id'],
    })
    expect(internSchema(make())).toBe(internSchema(make()))
    expect(fromSchemaText(schemaText(make()))).toBe(internSchema(make()))
    const other = { ...make(), key: ['n'] }
    expect(internSchema(other)).not.toBe(internSchema(make()))
  })

  it('defaults keep their form through the text: bigints, bytes, NaN', () => {
    const schema = internSchema({
      columns: [
        column('id', { kind: 'ubigint' }, { initialDefault: 2n ** 64n - 1n }),
        column('b', { kind: 'binary' }, { initialDefault: Buffer.from([0, 255]) }),
        column('d', { kind: 'double' }, { initialDefault: Number.NaN, comment: 'ü 😀' }),
      ],
      key: ['id'],
    })
    expect(named(schema, 'id').initialDefault).toBe(2n ** 64n - 1n)
    expect(named(schema, 'b').initialDefault).toEqual(Buffer.from([0, 255]))
    expect(named(schema, 'd').initialDefault).toBe(Number.NaN)
    expect(named(schema, 'd').comment).toBe('ü 😀')
  })

  it('key columns come in the order of the key, and must exist', () => {
    const schema = schemaOf({ a: 'int', b: 'string', c: 'int' }, ['c', 'a'])
    expect(keyColumns(schema).map(({ name }) => name)).toEqual(['c', 'a'])
    expect(() => keyColumns({ ...schema, key: ['d'] })).toThrow(InvariantError)
  })
})

describe('the union of two schemas', () => {
  const narrow = schemaOf({ id: 'int', n: decimal(10, 2), name: { kind: 'varchar', length: 10 } })

  it('keeps the columns in their order and puts new ones behind, widened', () => {
    const batch = schemaOf({ added: 'date', name: 'string', id: 'bigint', n: decimal(12, 4) })
    const union = unionSchema(narrow, batch)
    expect(names(union)).toEqual(['id', 'n', 'name', 'added'])
    expect(union.columns.map(({ type }) => type)).toEqual([
      { kind: 'bigint' },
      decimal(12, 4),
      { kind: 'string' },
      { kind: 'date' },
    ])
    expect(union.key).toEqual(['id'])
  })

  it('a column that the other one lacks stays, and is nullable from then on', () => {
    const table = schemaOf({
      id: 'int',
      gone: column('gone', { kind: 'int' }, { nullable: false }),
    })
    const union = unionSchema(table, schemaOf({ id: 'int' }))
    expect(named(union, 'gone').nullable).toBe(true)
  })

  it('what was added with a default gives old rows the default at the wider scale', () => {
    const price = column('price', decimal(10, 2), { initialDefault: 150 })
    const wider = column('price', decimal(12, 4), { initialDefault: 15_000 })
    const union = unionSchema(schemaOf({ id: 'int', price }), schemaOf({ id: 'int', price: wider }))
    // 1.50 at scale 2 is 1.5000 at scale 4, not 0.0150.
    expect(named(union, 'price')).toMatchObject({ type: decimal(12, 4), initialDefault: 15_000 })
  })

  it('the default that a column was added with is not replaced by a later one', () => {
    const first = column('n', { kind: 'int' }, { initialDefault: 1 })
    const later = column('n', { kind: 'bigint' }, { initialDefault: 2 })
    const union = unionSchema(schemaOf({ id: 'int', n: first }), schemaOf({ id: 'int', n: later }))
    expect(named(union, 'n')).toMatchObject({ type: { kind: 'bigint' }, initialDefault: 1 })
  })

  it('columns are the same by id, whatever they are called', () => {
    const table = schemaOf({ id: 'int', mail: { ...column('mail', { kind: 'string' }), id: '7' } })
    const batch = schemaOf({
      id: 'int',
      email: { ...column('email', { kind: 'string' }), id: '7' },
    })
    expect(names(unionSchema(table, batch))).toEqual(['id', 'mail'])
  })

  it('a type that neither can hold names the column and both types', () => {
    const batch = schemaOf({ id: 'int', n: 'string', name: 'string' })
    expect(() => unionSchema(narrow, batch)).toThrow(WarehouseError)
    expect(() => unionSchema(narrow, batch)).toThrow(/column n .*decimal\(10,2\).*string/)
  })

  it('another key is refused, in another order too', () => {
    const table = schemaOf({ a: 'int', b: 'int' }, ['a', 'b'])
    for (const key of [['a'], ['b', 'a'], ['a', 'b', 'c']]) {
      const batch = schemaOf({ a: 'int', b: 'int', c: 'int' }, key)
      expect(() => unionSchema(table, batch)).toThrow(/key changed/)
    }
  })

  it('a truncate knows no columns: the other schema is the union', () => {
    const none: TableSchema = { columns: [], key: [] }
    expect(unionSchema(none, narrow)).toBe(narrow)
    expect(unionSchema(narrow, none)).toBe(narrow)
    expect(unionSchema(narrow, narrow)).toBe(narrow)
  })

  it('holds every column of both, is its own union, and no order of arrival loses a column', () => {
    const type = fc.constantFrom(
      { kind: 'int' } as const,
      { kind: 'bigint' } as const,
      decimal(5, 2),
      decimal(20, 0),
    )
    const schema = fc
      .dictionary(fc.constantFrom('a', 'b', 'c', 'd'), type, { noNullPrototype: true })
      .map(columns => schemaOf({ id: 'int', ...columns }))
    const byName = (union: TableSchema) =>
      [...union.columns]
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map(({ name, type }) => ({ name, type }))
    fc.assert(
      fc.property(schema, schema, schema, (a, b, c) => {
        const union = unionSchema(a, b)
        for (const one of [...a.columns, ...b.columns]) {
          const held = named(union, one.name).type
          expect(commonType(held, one.type)).toEqual(held)
        }
        expect(unionSchema(union, b)).toBe(union)
        expect(unionSchema(union, a)).toBe(union)
        const left = unionSchema(unionSchema(a, b), c)
        const right = unionSchema(a, unionSchema(b, c))
        expect(byName(left)).toEqual(byName(right))
      }),
      { numRuns: 500 },
    )
  })
})

describe('the union of schemas whose types were inferred', () => {
  const text = { kind: 'string' } as const
  const inferred = (...columns: TableSchema['columns']): TableSchema => ({
    columns: [column('id', { kind: 'bigint' }), ...columns],
    key: ['id'],
    isInferred: true,
  })

  it('is text where no type holds both, and stays inferred', () => {
    const flags = inferred({ ...column('a', { kind: 'boolean' }), initialDefault: true })
    const union = unionSchema(flags, inferred(column('a', { kind: 'bigint' })))
    expect(named(union, 'a')).toMatchObject({ type: text, initialDefault: 'true' })
    expect(union.isInferred).toBe(true)
    const declared = schemaOf({ id: 'bigint', a: 'date' })
    expect(named(unionSchema(flags, declared), 'a').type).toEqual(text)
  })

  it('never makes a key text', () => {
    const other = { ...inferred(), columns: [column('id', text)] }
    expect(() => unionSchema(inferred(), other)).toThrow(WarehouseError)
  })

  it('a column of nulls takes the first type that is known, on either side', () => {
    const nulls = inferred({ ...column('a', text), nullable: true, isUntyped: true })
    const numbers = inferred(column('a', { kind: 'bigint' }))
    for (const union of [unionSchema(nulls, numbers), unionSchema(numbers, nulls)]) {
      const { type, isUntyped } = named(union, 'a')
      expect({ type, isUntyped }).toEqual({ type: { kind: 'bigint' }, isUntyped: undefined })
    }
    expect(named(unionSchema(nulls, inferred()), 'a').isUntyped).toBe(true)
  })
})
