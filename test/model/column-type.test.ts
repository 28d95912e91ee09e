import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ColumnType } from '../../model/column-type.ts'
import {
  columnTypeText,
  commonType,
  hiveTypeText,
  isSameType,
  parseColumnType,
} from '../../model/column-type.ts'
import { ConfigError } from '../../model/errors.ts'
import { anyType } from './samples.ts'

/** The common type of two types by their texts, as text; `none` where there is none. */
function common(a: string, b: string): string {
  const found = commonType(parseColumnType(a), parseColumnType(b))
  return found === null ? 'none' : columnTypeText(found)
}

const text = (type: ColumnType | null): string => (type === null ? 'none' : columnTypeText(type))

describe('types as text', () => {
  it('any type is read back from its text', () => {
    fc.assert(
      fc.property(anyType, type => {
        expect(parseColumnType(columnTypeText(type))).toEqual(type)
        expect(isSameType(type, parseColumnType(columnTypeText(type)))).toBe(true)
      }),
    )
  })

  it('is read in any case, with spaces, and by Hive’s other words', () => {
    for (const [given, expected] of [
      [' INT ', 'int'],
      ['Integer', 'int'],
      ['bool', 'boolean'],
      ['text', 'string'],
      ['DECIMAL( 10 , 2 )', 'decimal(10,2)'],
      ['numeric(10)', 'decimal(10,0)'],
      ['timestamp  with local\ttime zone', 'timestamptz'],
      ['VARCHAR (20)', 'varchar(20)'],
      ['array < decimal(3,1) >', 'array<decimal(3,1)>'],
      ['array<array<int>>', 'array<array<int>>'],
    ] as const) {
      expect(columnTypeText(parseColumnType(given))).toBe(expected)
    }
  })

  it('what is no type is refused with the list of those that are', () => {
    const bad = [
      '',
      'integr',
      'decimal',
      'decimal(39,0)',
      'decimal(0,0)',
      'decimal(3,4)',
      'decimal(3,-1)',
      'varchar',
      'varchar(10,5)',
      'varchar(0)',
      'char(-1)',
      'array',
      'array<>',
      'array<int',
      'map<int,int>',
      'constructor',
    ]
    for (const given of bad) {
      expect(() => parseColumnType(given), given).toThrow(ConfigError)
      expect(() => parseColumnType(given), given).toThrow(/known are boolean, tinyint/)
    }
  })

  it('Hive knows each under its own name', () => {
    expect(hiveTypeText({ kind: 'ubigint' })).toBe('decimal(20,0)')
    expect(hiveTypeText({ kind: 'timestamptz' })).toBe('timestamp with local time zone')
    expect(hiveTypeText({ kind: 'array', element: { kind: 'ubigint' } })).toBe(
      'array<decimal(20,0)>',
    )
    expect(hiveTypeText({ kind: 'varchar', length: 3 })).toBe('varchar(3)')
  })
})

describe('the type that holds both', () => {
  it('is, case by case', () => {
    for (const [a, b, expected] of [
      ['tinyint', 'smallint', 'smallint'],
      ['int', 'bigint', 'bigint'],
      ['bigint', 'ubigint', 'decimal(20,0)'],
      ['int', 'ubigint', 'decimal(20,0)'],
      ['ubigint', 'ubigint', 'ubigint'],
      ['int', 'decimal(5,2)', 'decimal(12,2)'],
      ['tinyint', 'decimal(2,0)', 'decimal(3,0)'],
      ['bigint', 'decimal(38,20)', 'none'],
      ['decimal(10,2)', 'decimal(12,4)', 'decimal(12,4)'],
      ['decimal(10,4)', 'decimal(12,2)', 'decimal(14,4)'],
      ['decimal(38,0)', 'decimal(38,38)', 'none'],
      ['decimal(38,10)', 'decimal(38,10)', 'decimal(38,10)'],
      ['float', 'double', 'double'],
      ['int', 'double', 'none'],
      ['decimal(5,2)', 'double', 'none'],
      ['varchar(10)', 'varchar(20)', 'varchar(20)'],
      ['varchar(10)', 'string', 'string'],
      ['char(3)', 'varchar(20)', 'string'],
      ['char(3)', 'char(4)', 'string'],
      ['string', 'int', 'none'],
      ['string', 'binary', 'none'],
      ['boolean', 'tinyint', 'none'],
      ['date', 'timestamp', 'none'],
      ['timestamp', 'timestamptz', 'none'],
      ['array<int>', 'array<bigint>', 'array<bigint>'],
      ['array<int>', 'array<string>', 'none'],
      ['array<int>', 'int', 'none'],
    ] as const) {
      expect([a, b, common(a, b)]).toEqual([a, b, expected])
    }
  })

  it('does not depend on the order of the two', () => {
    fc.assert(
      fc.property(anyType, anyType, (a, b) => {
        expect(text(commonType(a, b))).toBe(text(commonType(b, a)))
      }),
      { numRuns: 1000 },
    )
  })

  it('is a type’s own with itself, and with what it already holds', () => {
    fc.assert(
      fc.property(anyType, anyType, (a, b) => {
        expect(commonType(a, a)).toBe(a)
        const both = commonType(a, b)
        if (both !== null) expect(text(commonType(both, b))).toBe(text(both))
      }),
      { numRuns: 1000 },
    )
  })

  it('does not depend on the order in which three come', () => {
    // Arrays and decimals often have none in common: mostly what can widen.
    const widening = fc.constantFrom(
      ...[
        'tinyint',
        'int',
        'bigint',
        'ubigint',
        'decimal(5,2)',
        'decimal(20,0)',
        'decimal(30,15)',
        'decimal(38,19)',
        'varchar(5)',
        'char(5)',
        'string',
        'float',
        'double',
        'array<int>',
        'array<decimal(5,2)>',
      ].map(parseColumnType),
    )
    const join = (a: ColumnType | null, b: ColumnType | null): ColumnType | null =>
      a === null || b === null ? null : commonType(a, b)
    fc.assert(
      fc.property(widening, widening, widening, (a, b, c) => {
        expect(text(join(join(a, b), c))).toBe(text(join(a, join(b, c))))
      }),
      { numRuns: 5000 },
    )
  })
})
