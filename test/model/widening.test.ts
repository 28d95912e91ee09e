import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ColumnType } from '../../model/column-type.ts'
import { commonType, parseColumnType } from '../../model/column-type.ts'
import type { Value } from '../../model/value.ts'
import { parseDecimal } from '../../model/value.ts'
import { plainText } from '../../model/value-text.ts'
import { commonInferredType, widenValue } from '../../model/widening.ts'
import { anyType, anyValue } from './samples.ts'

describe('a wider type', () => {
  it('holds every value of a narrower one, with the same meaning', () => {
    const sample = fc
      .tuple(anyType, anyType)
      .map(([a, b]) => ({ from: a, to: commonType(a, b) }))
      .filter(({ to }) => to !== null)
      .chain(({ from, to }) =>
        fc.record({ from: fc.constant(from), to: fc.constant(to!), value: anyValue(from) }),
      )
    const meaning = (type: Parameters<typeof plainText>[0], value: Value): unknown => {
      const text = plainText(type, value)
      const isNumber = type.kind === 'decimal' || type.kind.endsWith('int')
      // As a decimal of scale 38: 1.50 is 1.5.
      return isNumber ? parseDecimal(text, { precision: 90, scale: 38 }) : value
    }
    fc.assert(
      fc.property(sample, ({ from, to, value }) => {
        const widened = widenValue(value, from, to)
        if (from.kind === 'array') {
          expect(widened).toHaveLength((value as readonly Value[]).length)
        } else {
          expect(meaning(to, widened)).toEqual(meaning(from, value))
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('reaches into arrays, and null stays null', () => {
    const from = { kind: 'array', element: { kind: 'decimal', precision: 4, scale: 1 } } as const
    const to = { kind: 'array', element: { kind: 'decimal', precision: 6, scale: 3 } } as const
    expect(widenValue([15, null, -1], from, to)).toEqual([1500, null, -100])
    expect(widenValue(null, from, to)).toBeNull()
    expect(widenValue('same', { kind: 'char', length: 4 }, { kind: 'string' })).toBe('same')
  })
})

describe('text instead of a type', () => {
  const string: ColumnType = { kind: 'string' }

  it.each([
    ['boolean', true, 'true'],
    ['bigint', 9_223_372_036_854_775_807n, '9223372036854775807'],
    ['decimal(5,2)', 150, '1.5'],
    ['decimal(5,2)', 100, '1'],
    ['decimal(5,2)', -5, '-0.05'],
    ['decimal(3,0)', 100, '100'],
    ['date', 19_844, '2024-05-01'],
    ['timestamp', 1_714_521_600_500_000, '2024-05-01 00:00:00.5'],
    ['varchar(3)', '1.50', '1.50'],
  ])('%s %s is %s', (type, value, text) => {
    expect(widenValue(value, parseColumnType(type), string)).toBe(text)
  })

  it('is the same whatever types a number had on the way', () => {
    const number = fc
      .tuple(anyType, anyType)
      .map(([from, other]) => ({ from, wider: commonType(from, other) }))
      .filter(({ from, wider }) => wider !== null && /decimal|int/.test(from.kind))
      .chain(({ from, wider }) =>
        fc.record({ from: fc.constant(from), wider: fc.constant(wider!), value: anyValue(from) }),
      )
    fc.assert(
      fc.property(number, ({ from, wider, value }) => {
        const once = widenValue(value, from, string)
        expect(widenValue(widenValue(value, from, wider), wider, string)).toBe(once)
      }),
      { numRuns: 1000 },
    )
  })

  it('is only where no other type holds both', () => {
    const [bool, big, small] = ['boolean', 'bigint', 'decimal(4,2)'].map(parseColumnType)
    expect(commonInferredType(bool!, big!)).toEqual(string)
    expect(commonInferredType(big!, small!)).toEqual(parseColumnType('decimal(21,2)'))
    expect(commonInferredType(big!, parseColumnType('decimal(38,30)'))).toEqual(string)
  })
})
