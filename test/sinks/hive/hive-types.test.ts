import { describe, expect, it } from 'vitest'
import { parseExact } from '../../../formats/json/lossless-json.ts'
import { inferJson } from '../../../formats/values/inferred-types.ts'
import { commonInferredType } from '../../../model/widening.ts'
import {
  canChange,
  canChangePlaces,
  columnTypeOf,
  holds,
  isAsWide,
} from '../../../sinks/hive/hive-types.ts'
import { targetTypeText } from '../../../sinks/hive/target-table.ts'

it('a column whose type is inferred from values widens in Hive at each step, but not from boolean', () => {
  const widened = (first: string, ...others: readonly string[]): boolean[] => {
    const typeOf = (json: string) => inferJson(parseExact(json))!.type
    let type = typeOf(first)
    return others.map(json => {
      const before = type
      type = commonInferredType(before, typeOf(json))
      expect(type).not.toEqual(before)
      return canChange(targetTypeText(before), targetTypeText(type))
    })
  }
  expect(widened('1', '2.50', '18446744073709551615', '1E-9', '"x"')).toEqual([
    true,
    true,
    true,
    true,
  ])
  expect(widened('1', '18446744073709551615', '{}')).toEqual([true, true])
  expect(widened('1', '"x"')).toEqual([true])
  expect(widened('true', '1')).toEqual([false])
})

describe('a type that Hive can change into another without harm to its values', () => {
  it.each([
    ['tinyint', 'bigint'],
    ['smallint', 'int'],
    ['int', 'decimal(12,2)'],
    ['bigint', 'decimal(20,0)'],
    ['decimal(10,2)', 'decimal(12,4)'],
    ['decimal(20,0)', 'decimal(38,2)'],
    ['float', 'double'],
    ['varchar(10)', 'varchar(40)'],
    ['varchar(10)', 'string'],
    ['char(5)', 'string'],
    ['int', 'string'],
    ['double', 'string'],
    ['decimal(10,2)', 'string'],
    ['date', 'string'],
    ['timestamp', 'string'],
    ['array<int>', 'array<bigint>'],
    ['array<decimal(10,2)>', 'array<decimal(14,4)>'],
  ])('%s into %s', (from, to) => {
    expect(canChange(from, to)).toBe(true)
  })

  it.each([
    // Hive makes these two narrower, and cuts what is in them.
    ['decimal(12,4)', 'decimal(10,2)'],
    ['varchar(40)', 'varchar(10)'],
    ['decimal(10,2)', 'decimal(10,4)'],
    ['bigint', 'int'],
    ['bigint', 'double'],
    // Hive refuses these.
    ['boolean', 'string'],
    ['binary', 'string'],
    ['date', 'timestamp'],
    ['array<string>', 'string'],
    ['array<int>', 'array<string>'],
    ['map<string,int>', 'string'],
  ])('but not %s into %s', (from, to) => {
    expect(canChange(from, to)).toBe(false)
  })

  it('is fewer of them where the values are names of folders', () => {
    expect(canChangePlaces('int', 'bigint')).toBe(true)
    expect(canChangePlaces('varchar(4)', 'varchar(20)')).toBe(true)
    expect(canChangePlaces('varchar(4)', 'string')).toBe(true)
    expect(canChangePlaces('varchar(20)', 'varchar(4)')).toBe(false)
    expect(canChangePlaces('int', 'decimal(12,2)')).toBe(false)
    expect(canChangePlaces('decimal(10,2)', 'decimal(12,4)')).toBe(false)
    expect(canChangePlaces('int', 'string')).toBe(false)
  })
})

describe('a type of Hive', () => {
  it('is one of a source, or none', () => {
    expect(columnTypeOf('decimal(12,4)')).toEqual({ kind: 'decimal', precision: 12, scale: 4 })
    expect(columnTypeOf('array<varchar(3)>')).toEqual({
      kind: 'array',
      element: { kind: 'varchar', length: 3 },
    })
    expect(columnTypeOf('map<string,int>')).toBeNull()
    expect(columnTypeOf('struct<a:int>')).toBeNull()
  })

  it('of wider elements is as wide, and takes none of the others', () => {
    expect(isAsWide('array<bigint>', 'array<int>')).toBe(true)
    expect(isAsWide('array<int>', 'array<bigint>')).toBe(false)
    expect(isAsWide('array<array<string>>', 'array<array<varchar(3)>>')).toBe(true)
    expect(isAsWide('string', 'array<int>')).toBe(false)
    expect(holds('array<bigint>', 'array<int>')).toBe(false)
  })
})
