import { describe, expect, it } from 'vitest'
import type { TableFacts } from '../../../cli/connect/table-findings.ts'
import { findingsOf } from '../../../cli/connect/table-findings.ts'
import { wantedTable } from '../../../cli/connect/wanted-table.ts'
import { mysqlColumn } from '../../../cli/verify/mysql-columns.ts'

const id = { name: 'id', type: 'bigint' }
const facts: TableFacts = {
  name: 'ods.a',
  found: { columns: [id], partition: null },
  properties: new Map([['transactional', 'true']]),
  partitionBy: null,
  wanted: { columns: [id], partition: null },
}

const texts = (given: Partial<TableFacts>): readonly string[] =>
  findingsOf({ ...facts, ...given }).map(
    ({ isWell, text }) => `${isWell ? 'ok' : 'wrong'}: ${text}`,
  )

describe('a table of Hive', () => {
  it('fits, or fits with what a run would add and what nobody fills', () => {
    expect(texts({})).toEqual(['ok: it fits'])
    const wanted = { columns: [id, { name: 'name', type: 'string' }], partition: null }
    const found = { columns: [id, { name: 'old', type: 'int' }], partition: null }
    expect(texts({ wanted, found })).toEqual([
      'ok: it fits; a run adds the columns name string; no source has old: new rows have null there',
    ])
  })

  it.each([
    [new Map<string, string>(), /not transactional/],
    [
      new Map([
        ['transactional', 'true'],
        ['transactional_properties', 'insert_only'],
      ]),
      /takes inserts only/,
    ],
  ])(
    'that no MERGE can change is wrong, also when its columns are not known',
    (properties, text) => {
      for (const wanted of [facts.wanted, null]) {
        expect(texts({ properties, wanted })).toEqual([expect.stringMatching(text)])
        expect(texts({ properties, wanted })[0]).toMatch(/^wrong/)
      }
    },
  )

  it('that is divided in another way, or too narrow, is wrong', () => {
    const partition = { name: 'p', type: 'string' }
    const found = { columns: [{ name: 'id', type: 'int' }], partition }
    expect(texts({ found })).toEqual([
      'wrong: it is partitioned by p, and `partitionBy` says nothing',
      'wrong: column id is int, and the source needs bigint',
    ])
    const partitionBy = { column: 'At', unit: 'year_month' } as const
    expect(texts({ partitionBy, wanted: null })).toEqual([
      'wrong: it is partitioned by nothing, and `partitionBy` says year_month',
    ])
  })
})

describe('the table that sources need', () => {
  const source = (name: string, declared: string) => ({
    name,
    columns: [mysqlColumn({ name: 'id', declared, nullable: false }, {})],
    primaryKey: ['id'],
  })
  const rule = { from: 'shop.*', to: 'ods.a' }

  it('holds the rows of all of them', () => {
    const sources = [source('shop.a', 'int'), source('shop.b', 'bigint unsigned')]
    expect(wantedTable(sources, rule, null)).toEqual({
      columns: [{ name: 'id', type: 'decimal(20,0)' }],
      partition: null,
    })
  })

  it('is not there when no type holds both, or the key is left out', () => {
    const sources = [source('shop.a', 'int'), source('shop.b', 'varchar(5)')]
    expect(wantedTable(sources, rule, null)).toMatch(/column id changed from int to string/)
    const without = { ...rule, columns: { exclude: ['id'] } }
    expect(wantedTable(sources, without, null)).toBe('shop.a has no column id for its key')
  })
})
