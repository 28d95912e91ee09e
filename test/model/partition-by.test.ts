import { posix } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ColumnType } from '../../model/column-type.ts'
import { ConfigError, WarehouseError } from '../../model/errors.ts'
import type { PartitionBy } from '../../model/partition-by.ts'
import {
  parsePartitionBy,
  partitionByText,
  partitionColumn,
  partitionOf,
} from '../../model/partition-by.ts'
import type { Value } from '../../model/value.ts'
import { anyScalar, anyText, anyValue, column, schemaOf } from './samples.ts'

const by = (name: string): PartitionBy => ({ column: name, unit: 'value' })
const monthly = (name: string): PartitionBy => ({ column: name, unit: 'year_month' })

const byValue = (type: ColumnType, value: Value): string =>
  partitionOf(by('p'), column('p', type), value)
const byMonth = (type: ColumnType, value: Value): string =>
  partitionOf(monthly('t'), column('t', type), value)

const string = { kind: 'string' } as const
const date = { kind: 'date' } as const
const timestamp = { kind: 'timestamp' } as const

function expectOneFolder(folder: string): void {
  expect(Array.from(folder).filter(char => char === '/' || char < ' ')).toEqual([])
}

describe('a partitioning as text', () => {
  it('is a column or the month of one, in any case and with spaces', () => {
    expect(parsePartitionBy(' sex ')).toEqual(by('sex'))
    expect(parsePartitionBy('year_month(create_time)')).toEqual(monthly('create_time'))
    expect(parsePartitionBy(' YEAR_MONTH ( create_time ) ')).toEqual(monthly('create_time'))
    for (const text of ['sex', 'year_month(create_time)']) {
      expect(partitionByText(parsePartitionBy(text))).toBe(text)
    }
  })

  it('anything else is refused', () => {
    for (const text of ['', ' ', 'a b', 'day(t)', 'year_month()', 'year_month(a b)', 'f(a)', '(']) {
      expect(() => parsePartitionBy(text), text).toThrow(ConfigError)
    }
  })

  it('names a column that the table has, or the error says which it has', () => {
    const schema = schemaOf({ id: 'int', sex: 'string' })
    expect(partitionColumn(by('sex'), schema).name).toBe('sex')
    expect(() => partitionColumn(by('age'), schema)).toThrow(WarehouseError)
    expect(() => partitionColumn(by('age'), schema)).toThrow(/age.*id, sex/)
  })
})

describe('a partition by value', () => {
  it('is named as Hive names its folder', () => {
    expect(byValue(string, 'M')).toBe('p=M')
    expect(byValue({ kind: 'int' }, -5)).toBe('p=-5')
    expect(byValue({ kind: 'decimal', precision: 5, scale: 2 }, 150)).toBe('p=1.5')
    expect(byValue({ kind: 'boolean' }, true)).toBe('p=true')
    expect(byValue(date, 0)).toBe('p=1970-01-01')
    expect(byValue(timestamp, 0)).toBe('p=1970-01-01 00%3A00%3A00')
    expect(byValue(string, '高兴 😀')).toBe('p=高兴 😀')
    expect(partitionOf(by('a=b/c'), column('a=b/c', string), 'x')).toBe('a%3Db%2Fc=x')
  })

  it('null and the empty text go to Hive’s own partition for them', () => {
    expect(byValue(string, null)).toBe('p=__HIVE_DEFAULT_PARTITION__')
    expect(byValue(string, '')).toBe('p=__HIVE_DEFAULT_PARTITION__')
    expect(byMonth(date, null)).toBe('year_month=__HIVE_DEFAULT_PARTITION__')
  })

  it('hostile values stay in their folder', () => {
    for (const value of [
      '..',
      '.',
      '../../etc',
      '/',
      '\\',
      'a/../b',
      '\0',
      '...',
      'C:\\x',
      '%2F',
    ]) {
      const folder = byValue(string, value)
      expect(posix.normalize(`data/${folder}/x.orc`)).toBe(`data/${folder}/x.orc`)
      expectOneFolder(folder)
      expect(folder).not.toContain('\\')
    }
  })

  it('any value of any type names one folder below its own, and no other value’s', () => {
    const sample = anyScalar.chain(type =>
      fc.tuple(fc.constant(type), anyValue(type), anyValue(type)),
    )
    fc.assert(
      fc.property(sample, ([type, a, b]) => {
        const [left, right] = [byValue(type, a), byValue(type, b)]
        expect(left.startsWith('p=')).toBe(true)
        expectOneFolder(left)
        const isText = typeof a === 'string' || typeof a === 'number'
        if (isText && !Object.is(a, b) && a !== b && a !== '' && b !== '') {
          expect(left).not.toBe(right)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('escaping loses nothing: the text is read back', () => {
    fc.assert(
      fc.property(anyText, value => {
        fc.pre(value !== '' && value.isWellFormed())
        const folder = byValue(string, value).slice('p='.length)
        const read = folder.replaceAll(/%([0-9A-F]{2})/g, (_, hex: string) =>
          String.fromCharCode(Number.parseInt(hex, 16)),
        )
        expect(read).toBe(value)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('a partition by month', () => {
  it('of dates and timestamps, before 1970 and at the ends of a month', () => {
    expect(byMonth(date, 19_781)).toBe('year_month=2024-02')
    expect(byMonth(date, 19_782)).toBe('year_month=2024-02')
    expect(byMonth(date, 19_783)).toBe('year_month=2024-03')
    expect(byMonth(timestamp, -1)).toBe('year_month=1969-12')
    expect(byMonth(timestamp, 0)).toBe('year_month=1970-01')
    expect(byMonth({ kind: 'timestamptz' }, 253_402_300_799_999_999n)).toBe('year_month=9999-12')
    expect(byMonth(timestamp, -62_135_596_800_000_001n)).toBe('year_month=0000-12')
  })

  it('of text that is a date, with a time behind it or not', () => {
    expect(byMonth(string, '2024-05-01')).toBe('year_month=2024-05')
    expect(byMonth(string, '2024-05-01T10:00:00Z')).toBe('year_month=2024-05')
  })

  it('of anything else is refused, and the error shows the value', () => {
    for (const value of ['yesterday', '2024-05', '24-05-01', '', '../x-05-01']) {
      expect(() => byMonth(string, value), value).toThrow(WarehouseError)
    }
    expect(() => byMonth(string, 'yesterday')).toThrow(/yesterday/)
    expect(() => byMonth({ kind: 'int' }, 202_405)).toThrow(/202405/)
  })
})
