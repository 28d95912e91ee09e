import { describe, expect, it } from 'vitest'
import { columnTypeText, hiveTypeText, parseColumnType } from '../../model/column-type.ts'
import { orcTypeText, parseOrcType } from '../../orc/index.ts'
import { orcTypeOf } from '../../sinks/orc-types.ts'
import { columnTypes } from './arbitraries.ts'

describe('the ORC type of a column', () => {
  it.each(columnTypes.map(type => [columnTypeText(type), type] as const))(
    'of type %s is what Hive makes of the type that it knows',
    (_text, type) => {
      expect(orcTypeOf(type)).toEqual(parseOrcType(hiveTypeText(type)))
    },
  )

  it.each([
    ['tinyint', 'tinyint'],
    ['smallint', 'smallint'],
    ['bigint', 'bigint'],
    ['ubigint', 'decimal(20,0)'],
    ['timestamp', 'timestamp'],
    ['timestamptz', 'timestamp with local time zone'],
    ['decimal(38,10)', 'decimal(38,10)'],
    ['char(3)', 'char(3)'],
    ['array<array<ubigint>>', 'array<array<decimal(20,0)>>'],
  ])('%s is %s', (text, expected) => {
    expect(orcTypeText(orcTypeOf(parseColumnType(text)))).toBe(expected)
  })
})
