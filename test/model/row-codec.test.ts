import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteReader, ByteWriter } from '../../model/bytes.ts'
import type { ColumnType } from '../../model/column-type.ts'
import { InvariantError } from '../../model/errors.ts'
import type { RowValues } from '../../model/row-codec.ts'
import { decodeRow, encodeValues } from '../../model/row-codec.ts'
import type { TableSchema } from '../../model/table-schema.ts'
import type { Value } from '../../model/value.ts'
import { anyType, anyValue, column, schemaOf, simpleTypes } from './samples.ts'

function encoded(schema: TableSchema, values: RowValues): Buffer {
  const writer = new ByteWriter(1)
  encodeValues(writer, schema, values)
  return writer.take()
}

function roundTrip(schema: TableSchema, values: RowValues): RowValues {
  const reader = new ByteReader(encoded(schema, values))
  const decoded = decodeRow(reader, schema)
  expect(reader.isAtEnd).toBe(true)
  return decoded
}

/** A schema and a row of it; `undefined` was not sent. */
const sample = fc.array(anyType, { minLength: 1, maxLength: 20 }).chain(types =>
  fc.record({
    types: fc.constant(types),
    values: fc.tuple(
      ...types.map(type => fc.option(fc.option(anyValue(type)), { nil: undefined, freq: 4 })),
    ) as fc.Arbitrary<(Value | undefined)[]>,
  }),
)

function schemaOfTypes(types: readonly ColumnType[]): TableSchema {
  return { columns: types.map((type, index) => column(`c${index}`, type)), key: ['c0'] }
}

describe('rows as bytes', () => {
  it('any row of any types is read back: values, nulls and what was not sent', () => {
    fc.assert(
      fc.property(sample, ({ types, values }) => {
        expect(roundTrip(schemaOfTypes(types), values)).toEqual(values)
      }),
      { numRuns: 500 },
    )
  })

  it('each type alone, at its limits', () => {
    const limits: Readonly<Record<string, readonly Value[]>> = {
      boolean: [true, false],
      tinyint: [-128, 127],
      smallint: [-32_768, 32_767],
      int: [-(2 ** 31), 2 ** 31 - 1],
      bigint: [-(2n ** 63n), 2n ** 63n - 1n, 2 ** 53 - 1, 2n ** 53n],
      ubigint: [0, 2n ** 64n - 1n],
      float: [Math.fround(0.1), -0, Number.NaN, Number.POSITIVE_INFINITY],
      double: [0.1, -0, Number.MIN_VALUE, Number.MAX_VALUE, Number.NEGATIVE_INFINITY],
      string: ['', '\0', '😀 你好', 'x'.repeat(70_000)],
      binary: [Buffer.alloc(0), Buffer.from([0, 255, 0])],
      date: [-719_162, 2_932_896],
      timestamp: [-62_135_596_800_000_000n, 253_402_300_799_999_999n],
      timestamptz: [-1, 0, 1],
    }
    for (const type of simpleTypes) {
      const values = limits[type.kind]!
      expect(values.length).toBeGreaterThan(1)
      for (const value of values) {
        expect(roundTrip(schemaOfTypes([type]), [value])).toStrictEqual([value])
      }
    }
  })

  it('a whole row and a partial one keep apart null and not sent, over bytes of bits', () => {
    for (const width of [1, 7, 8, 9, 16, 17, 100]) {
      const schema = schemaOfTypes(Array.from({ length: width }, () => ({ kind: 'int' as const })))
      const rows: RowValues[] = [
        schema.columns.map(() => null),
        schema.columns.map(() => undefined),
        schema.columns.map((_, index) => (index % 3 === 0 ? null : index)),
        schema.columns.map((_, index) => [undefined, null, index][index % 3]),
        schema.columns.map((_, index) => (index === width - 1 ? undefined : index)),
      ]
      for (const row of rows) expect(roundTrip(schema, row)).toStrictEqual(row)
    }
  })

  it('nulls stay in arrays, and arrays in arrays', () => {
    const nested = { kind: 'array', element: { kind: 'array', element: { kind: 'int' } } } as const
    const values = [[null, [], [1, null], null]]
    expect(roundTrip(schemaOf({ id: nested }), values)).toStrictEqual(values)
  })

  it('a row with more or fewer values than its schema has columns is refused', () => {
    const schema = schemaOf({ id: 'int', name: 'string' })
    for (const values of [[], [1], [1, 'a', 2]]) {
      expect(() => encoded(schema, values)).toThrow(InvariantError)
    }
  })

  it('an unknown form and a row that is cut off are refused', () => {
    const schema = schemaOf({ id: 'int', name: 'string' })
    const bytes = encoded(schema, [1, 'abc'])
    expect(() => decodeRow(new ByteReader(Buffer.from([2, 0, 0])), schema)).toThrow(InvariantError)
    for (let end = 0; end < bytes.length; end += 1) {
      const cut = new ByteReader(bytes.subarray(0, end))
      expect(() => decodeRow(cut, schema)).toThrow(InvariantError)
    }
  })
})
