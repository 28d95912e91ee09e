import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseExact } from '../../../formats/json/lossless-json.ts'
import { InferredTypes, inferJson, type TypedRow } from '../../../formats/values/inferred-types.ts'
import { columnTypeText, parseColumnType } from '../../../model/column-type.ts'
import { DecodeError } from '../../../model/errors.ts'
import { alignValues, type NetChange } from '../../../model/net-change.ts'
import { type TableSchema, unionSchema } from '../../../model/table-schema.ts'
import type { Row } from '../../../model/value.ts'
import { plainText } from '../../../model/value-text.ts'

const typedRow = (json: string): TypedRow =>
  Object.fromEntries(
    Object.entries(parseExact(json) as object).map(([name, value]) => [name, inferJson(value)]),
  )

const typesOf = (schema: TableSchema): Record<string, string> =>
  Object.fromEntries(
    schema.columns.map(({ name, type, isUntyped }) => [
      name,
      isUntyped === true ? 'untyped' : columnTypeText(type),
    ]),
  )

const textsOf = (schema: TableSchema, row: Row): Record<string, string> =>
  Object.fromEntries(schema.columns.map(({ name, type }) => [name, plainText(type, row[name])]))

describe('the type of a value by itself', () => {
  it.each([
    ['true', 'boolean', 'true'],
    ['0', 'bigint', '0'],
    ['-0', 'bigint', '0'],
    ['9223372036854775807', 'bigint', '9223372036854775807'],
    ['-9223372036854775808', 'bigint', '-9223372036854775808'],
    ['18446744073709551615', 'decimal(20,0)', '18446744073709551615'],
    ['9'.repeat(38), 'decimal(38,0)', '9'.repeat(38)],
    ['9'.repeat(39), 'string', '9'.repeat(39)],
    ['12.30', 'decimal(11,2)', '12.30'],
    ['-0.000', 'decimal(12,3)', '0.000'],
    [
      '1234567890123456789012345678.0123456789',
      'decimal(38,10)',
      '1234567890123456789012345678.0123456789',
    ],
    ['1E-10', 'decimal(19,10)', '0.0000000001'],
    ['1.0E10', 'bigint', '10000000000'],
    ['1e20', 'decimal(21,0)', '100000000000000000000'],
    ['-3.4E38', 'string', '-3.4E38'],
    ['1.7976931348623157E308', 'string', '1.7976931348623157E308'],
    [`0.${'1'.repeat(38)}`, 'decimal(38,38)', `0.${'1'.repeat(38)}`],
    [`1.${'0'.repeat(40)}`, 'decimal(38,37)', `1.${'0'.repeat(37)}`],
    [`0.${'1'.repeat(39)}`, 'string', `0.${'1'.repeat(39)}`],
    ['1e999', 'string', '1e999'],
    ['"1.50"', 'string', '1.50'],
    [
      '{"b": 18446744073709551615, "a": [1.50, -1E5, null, "é"]}',
      'string',
      '{"b":18446744073709551615,"a":[1.50,-1E5,null,"é"]}',
    ],
    ['[]', 'string', '[]'],
  ])('%s is a %s', (json, type, text) => {
    const found = inferJson((parseExact(`{"a":${json}}`) as { a: unknown }).a)!
    expect(columnTypeText(found.type)).toBe(type)
    expect(plainText(found.type, found.value)).toBe(text)
  })

  it('of an object so deep that it cannot be written is refused', () => {
    let deep: unknown = 1
    for (let depth = 0; depth < 100_000; depth += 1) deep = [deep]
    expect(() => inferJson(deep)).toThrow(DecodeError)
  })

  it('of a number without its text is that of its shortest digits', () => {
    expect(inferJson(0.1)).toEqual({ type: parseColumnType('decimal(10,1)'), value: 1 })
    expect(inferJson(2 ** 60)).toEqual({ type: { kind: 'bigint' }, value: 1152921504606847000n })
  })
})

describe('columns whose types are inferred', () => {
  it('widen as values ask for it, each table for itself', () => {
    const types = new InferredTypes()
    const read = (json: string, table = 'd.t') => types.read(table, ['id'], [typedRow(json)])
    expect(typesOf(read('{"id":1,"a":1,"b":null,"c":true}').schema)).toEqual({
      id: 'bigint',
      a: 'bigint',
      b: 'untyped',
      c: 'boolean',
    })
    const { schema, rows } = read('{"id":1,"a":1.50,"b":2,"c":"no"}')
    expect(typesOf(schema)).toEqual({ id: 'bigint', a: 'decimal(21,2)', b: 'bigint', c: 'string' })
    expect(rows).toEqual([{ id: 1, a: 150, b: 2, c: 'no' }])
    const later = read('{"id":2,"a":2,"b":null,"c":false}')
    expect(later.schema).toBe(schema)
    expect(later.rows).toEqual([{ id: 2, a: 200, b: null, c: 'false' }])
    expect(typesOf(read('{"id":2,"a":"x"}').schema)).toEqual({ id: 'bigint', a: 'string' })
    expect(read('{"id":2,"a":2.50}').rows).toEqual([{ id: 2, a: '2.5' }])
    expect(typesOf(read('{"id":"k","a":2}', 'd.u').schema)).toEqual({ id: 'string', a: 'bigint' })
  })

  it('are one schema for all rows of a change', () => {
    const types = new InferredTypes()
    const rows = [typedRow('{"id":1,"a":1,"old":true}'), null, typedRow('{"id":1,"a":0.5}')]
    const found = types.read('d.t', ['id'], rows)
    expect(typesOf(found.schema)).toEqual({ id: 'bigint', a: 'decimal(20,1)', old: 'boolean' })
    expect(found.rows).toEqual([{ id: 1, a: 10, old: true }, null, { id: 1, a: 5 }])
  })

  it('that a complete row does not have are null', () => {
    const types = new InferredTypes()
    types.read('d.t', ['_id'], [typedRow('{"_id":1,"a":1}')], { isComplete: true })
    const next = types.read('d.t', ['_id'], [typedRow('{"_id":2,"b":"x"}')], { isComplete: true })
    expect(next.rows).toEqual([{ _id: 2, a: null, b: 'x' }])
    expect(typesOf(next.schema)).toEqual({ _id: 'bigint', a: 'bigint', b: 'string' })
  })

  it('keep the type that is declared for them', () => {
    const types = new InferredTypes()
    const date = { type: parseColumnType('date'), isDeclared: true } as const
    const row = { id: inferJson(1), d: { ...date, value: null } }
    expect(typesOf(types.read('d.t', ['id'], [row]).schema)).toEqual({ id: 'bigint', d: 'date' })
    const all = { d: { ...date, value: 7 } }
    const found = types.read('d.t', ['d'], [all])
    expect(found).toMatchObject({ rows: [{ d: 7 }] })
    expect(found.schema.isInferred).toBeUndefined()
  })

  it('of a key are never made text: rows under it would not be found again', () => {
    const types = new InferredTypes()
    types.read('d.t', ['id'], [typedRow('{"id":1}')])
    const error = catchError(() => types.read('d.t', ['id'], [typedRow('{"id":"1"}')]))
    expect(error).toMatchObject({ code: 'value-invalid', context: { column: 'id' } })
    expect(types.read('d.t', ['id'], [typedRow('{"id":1.5}')]).rows).toEqual([{ id: 15 }])
  })

  it('must have those of the key', () => {
    const types = new InferredTypes()
    const error = catchError(() => types.read('d.t', ['id'], [typedRow('{"a":1}')]))
    expect(error).toMatchObject({ code: 'key-column-missing', context: { column: 'id' } })
  })
})

function catchError(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

describe('what is forgotten', () => {
  const digits = fc.stringMatching(/^(0|[1-9][0-9]{0,24})$/)
  const number = fc
    .tuple(
      fc.constantFrom('', '-'),
      digits,
      fc.constantFrom('', '.0', '.5', '.125', '.10', 'e3', 'E-7'),
    )
    .map(parts => parts.join(''))
  const json = fc.oneof(
    number,
    number,
    fc.constantFrom('null', 'true', 'false', '"text"', '"1"', '[1.50]', '{"a":1E2}', '1e300'),
  )
  const document = fc.record({ a: json, b: json }).map(({ a, b }) => `{"id":1,"a":${a},"b":${b}}`)

  it('changes no row: under the union of all schemas each is as if all had been known at once', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(document, fc.boolean()), { minLength: 1 }), given => {
        let types = new InferredTypes()
        const read = given.map(([text, forgets]) => {
          if (forgets) types = new InferredTypes()
          return types.read('d.t', ['id'], [typedRow(text)])
        })
        const union = read.map(({ schema }) => schema).reduce(unionSchema)
        const all = new InferredTypes()
        for (const [text] of given) all.read('d.t', ['id'], [typedRow(text)])
        for (const [index, [text]] of given.entries()) {
          const { schema, rows } = read[index]!
          const row = rows[0]!
          const change: NetChange = {
            kind: 'upsert',
            key: '',
            row: schema.columns.map(({ name }) => row[name]!),
            schema,
            leaves: [],
            last: { position: '', sourceMs: 0 },
          }
          const widened = alignValues(change, union)
          const later = Object.fromEntries(
            union.columns.map(({ name }, place) => [name, widened[place]!]),
          )
          const known = all.read('d.t', ['id'], [typedRow(text)])
          expect(typesOf(union)).toEqual(typesOf(known.schema))
          expect(textsOf(union, later)).toEqual(textsOf(known.schema, known.rows[0]!))
        }
      }),
      { numRuns: 500 },
    )
  })
})
