import { describe, expect, it } from 'vitest'
import { serverFindings, tableFindings } from '../../../cli/connect/database-findings.ts'
import { findingText } from '../../../cli/connect/finding.ts'
import { mysqlColumn } from '../../../cli/verify/mysql-columns.ts'
import { postgresColumn } from '../../../cli/verify/postgres-columns.ts'
import type { ReplicaIdentity, SourceTable } from '../../../cli/verify/source-database.ts'
import type { TableRule } from '../../../processors/route-tables.ts'
import { TableRouter } from '../../../processors/route-tables.ts'

/** `WRONG code`, `warn code`, `note code`. */
function codesOf(findings: Iterable<Parameters<typeof findingText>[0]>): readonly string[] {
  return [...findings].map(finding => {
    const line = /^(WRONG|warn |note ) .* \[([a-z-]+)\]\.\n$/.exec(findingText(finding))
    return `${line?.[1]?.trim()} ${line?.[2]}`
  })
}

function ofServer(settings: Readonly<Record<string, string>>): readonly string[] {
  const facts = { settings: new Map(Object.entries(settings)), identities: [] }
  return codesOf(serverFindings('database', facts))
}

const rightMysql = {
  log_bin: 'ON',
  binlog_format: 'ROW',
  binlog_row_image: 'FULL',
  binlog_row_value_options: '',
  binlog_expire_logs_seconds: '2592000',
  sql_mode: 'STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE',
}

describe('a server', () => {
  it('that logs whole rows is right', () => {
    expect(ofServer(rightMysql)).toEqual([])
    expect(ofServer({ wal_level: 'logical', max_slot_wal_keep_size: '-1' })).toEqual([])
  })

  it('is not blamed for settings that it does not have', () => {
    expect(ofServer({})).toEqual([])
  })

  it.each([
    ['log_bin', 'OFF', 'WRONG binlog-off'],
    ['binlog_format', 'STATEMENT', 'WRONG binlog-format'],
    ['binlog_format', 'MIXED', 'WRONG binlog-format'],
    ['binlog_row_image', 'MINIMAL', 'WRONG binlog-row-image'],
    ['binlog_row_image', 'NOBLOB', 'WRONG binlog-row-image'],
    ['binlog_row_value_options', 'PARTIAL_JSON', 'WRONG binlog-partial-json'],
    ['binlog_expire_logs_seconds', '3600', 'note binlog-expires-soon'],
    ['sql_mode', 'STRICT_TRANS_TABLES,NO_ZERO_DATE', 'note zero-dates'],
    ['wal_level', 'replica', 'WRONG wal-level'],
    ['max_slot_wal_keep_size', '1024', 'note slot-limited'],
  ])('with %s %s is told', (name, value, expected) => {
    expect(ofServer({ ...rightMysql, [name]: value })).toEqual([expected])
  })

  it('that never removes its binlogs keeps them long enough', () => {
    expect(ofServer({ ...rightMysql, binlog_expire_logs_seconds: '0' })).toEqual([])
  })
})

const column = (name: string, declared: string, typeName: string) =>
  postgresColumn(
    { name, declared, typeName, typeType: 'b', nullable: true, isGenerated: false },
    {},
  )

const orders: SourceTable = {
  name: 'shop.orders',
  columns: [
    column('id', 'integer', 'int4'),
    column('day', 'date', 'date'),
    column('code', 'character varying(8)', 'varchar'),
  ],
  primaryKey: ['id'],
}
const notes: SourceTable = { ...orders, columns: [...orders.columns, column('n', 'text', 'text')] }

const isDefault = { kind: 'default', columns: ['id'] } as const
const isFull = { kind: 'full', columns: [] } as const
const ofIndex = { kind: 'index', columns: ['code'] } as const
const ofKeyIndex = { kind: 'index', columns: ['code', 'id'] } as const
const isNothing = { kind: 'nothing', columns: [] } as const

interface Case {
  readonly table?: SourceTable
  readonly rule?: Partial<TableRule>
  readonly ordering?: 'log' | 'position'
}

function ofTable(
  identity: Omit<ReplicaIdentity, 'table'> | null,
  { table = orders, rule, ordering = 'log' }: Case = {},
): readonly string[] {
  const router = new TableRouter([{ from: 'shop.*', to: 'ods.{table}', ...rule }])
  const identities = identity === null ? [] : [{ table: table.name, ...identity }]
  return codesOf(tableFindings(table, { settings: new Map(), identities }, { router, ordering }))
}

describe('the replica identity of a table', () => {
  it('is right when it is the whole row, or the key', () => {
    expect(ofTable(isFull, { rule: { beforeImage: 'full', partitionBy: 'day' } })).toEqual([])
    expect(ofTable(isDefault)).toEqual([])
    expect(ofTable(ofKeyIndex)).toEqual([])
  })

  it('that is nothing, or a primary key that is not there, leaves deletes without their row', () => {
    expect(ofTable(isNothing)).toEqual(['WRONG identity-nothing'])
    const rule = { key: ['id'] }
    const keyless = { ...orders, primaryKey: [] }
    expect(ofTable({ kind: 'default', columns: [] }, { table: keyless, rule })).toEqual([
      'WRONG identity-nothing',
    ])
  })

  it('must have the columns of the key', () => {
    expect(ofTable(ofIndex)).toEqual(['WRONG identity-lacks-key'])
    expect(ofTable(isDefault, { rule: { key: ['code'] } })).toEqual(['WRONG identity-lacks-key'])
  })

  it('must be the whole row where the rule says so', () => {
    const rule = { beforeImage: 'full' } as const
    expect(ofTable(isDefault, { rule })).toEqual(['WRONG identity-not-full'])
    expect(ofTable(ofKeyIndex, { rule })).toEqual(['WRONG identity-not-full'])
    expect(ofTable({ kind: 'default', columns: ['id', 'day', 'code'] }, { rule })).toEqual([])
  })

  it('says where rows are looked for in all partitions', () => {
    const rule = { partitionBy: 'year_month(day)' }
    expect(ofTable(isDefault, { rule })).toEqual(['note identity-partitions'])
    expect(ofTable(isDefault, { rule: { partitionBy: 'id' } })).toEqual([])
  })

  it('says what becomes of large values, which is worse when changes are ordered by position', () => {
    expect(ofTable(isDefault, { table: notes })).toEqual(['note identity-large-values'])
    expect(ofTable(isDefault, { table: notes, ordering: 'position' })).toEqual([
      'WRONG identity-partial-rows',
    ])
    expect(ofTable(isFull, { table: notes, ordering: 'position' })).toEqual([])
  })

  it('of each partition counts', () => {
    const router = new TableRouter([{ from: 'shop.orders', to: 'ods.orders' }])
    const table = orders.name
    const identities = [
      { table, ...isDefault },
      { table, ...isNothing },
    ]
    const facts = { settings: new Map<string, string>(), identities }
    expect(codesOf(tableFindings(orders, facts, { router, ordering: 'log' }))).toEqual([
      'WRONG identity-nothing',
    ])
  })
})

describe('a table without a primary key', () => {
  const id = mysqlColumn({ name: 'id', declared: 'int', nullable: false }, {})
  const table = { name: 'shop.log', columns: [id], primaryKey: [] }

  it('ends a run that names it, is passed over by a pattern, and is right with a key', () => {
    expect(ofTable(null, { table, rule: { from: 'shop.log' } })).toEqual([
      'WRONG table-without-key',
    ])
    expect(ofTable(null, { table })).toEqual(['warn table-passed-over'])
    expect(ofTable(null, { table, rule: { key: ['id'] } })).toEqual([])
  })

  it('that no rule names is nobody’s business', () => {
    expect(ofTable(null, { table: { ...table, name: 'other.log' } })).toEqual([])
  })
})
