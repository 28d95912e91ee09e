import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { systemClock } from '../../../runtime/clock.ts'
import { HiveSession } from '../../../sinks/hive/hive-session.ts'
import type { DatabaseKind } from './databases.ts'
import { runSql } from './databases.ts'
import { verifyInHive } from './verifying.ts'

const schema = 'verify_planted'

const session = () => new HiveSession(inject('hive'), systemClock)

async function inHive(...statements: readonly string[]): Promise<void> {
  const open = session()
  try {
    for (const statement of statements) await open.execute(statement)
  } finally {
    await open.close()
  }
}

const inSource: Readonly<Record<DatabaseKind, readonly string[]>> = {
  mariadb: [
    `CREATE TABLE ${schema}.item (id BIGINT UNSIGNED PRIMARY KEY, name VARCHAR(20), price DECIMAL(12,2),
      at DATETIME(6), raw VARBINARY(8), flag TINYINT(1), ratio DOUBLE)`,
    `CREATE TABLE ${schema}.word (word VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY, n INT)`,
  ],
  postgres: [
    `CREATE TABLE ${schema}.item (id NUMERIC(20,0) PRIMARY KEY, name VARCHAR(20), price NUMERIC(12,2),
      at TIMESTAMP(6), raw BYTEA, flag SMALLINT, ratio FLOAT8)`,
    `CREATE TABLE ${schema}.word (word VARCHAR(20) PRIMARY KEY, n INT)`,
  ],
}

const bytes: Readonly<Record<DatabaseKind, string>> = { mariadb: `x'00ff'`, postgres: `'\\x00ff'` }

/** A row that is different in the target says in which columns. */
function sourceRows(kind: DatabaseKind): readonly string[] {
  const row = (id: string, name = `'n'`): string =>
    `(${id}, ${name}, 1.50, '2024-02-29 12:00:00.123456', ${bytes[kind]}, 1, 0.1)`
  return [
    `INSERT INTO ${schema}.item VALUES ${[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(id => row(String(id))).join(', ')},
      ${row('18446744073709551615')}, ${row('11', `''`)}, ${row('12', 'NULL')}`,
    `INSERT INTO ${schema}.word VALUES ('B', 1), ('a', 2), ('é', 3), ('😀', 4)`,
    `CREATE TABLE ${schema}.absent (id INT PRIMARY KEY)`,
    `INSERT INTO ${schema}.absent VALUES (1)`,
    `CREATE TABLE ${schema}.empty (id INT PRIMARY KEY)`,
    `CREATE TABLE ${schema}.keyless (id INT)`,
  ]
}

const hiveTables = [
  `CREATE TABLE ${schema}.item (id decimal(20,0), name string, price decimal(12,2), at timestamp, raw binary,
    flag smallint, ratio double, spare int) STORED AS ORC TBLPROPERTIES ('transactional'='true')`,
  `CREATE TABLE ${schema}.word (word string, n int) STORED AS ORC TBLPROPERTIES ('transactional'='true')`,
]

interface Planted {
  readonly id: string
  readonly name?: string
  readonly price?: string
  readonly at?: string
  readonly raw?: string
  readonly flag?: string
  readonly ratio?: string
}

/** Row 3 is missing, 99 is extra, 7 is there twice. */
const planted: readonly Planted[] = [
  { id: '1' },
  { id: '2', name: `'n '` },
  { id: '4', price: '1.51' },
  { id: '5', at: `'2024-02-29 12:00:00.123457'` },
  { id: '6', raw: 'ff00' },
  { id: '7' },
  { id: '7', flag: '0' },
  { id: '8', ratio: '0.10000000000000002' },
  { id: '9', name: 'NULL' },
  { id: '10', price: 'NULL', flag: '0' },
  { id: '11', name: 'NULL' },
  { id: '12', name: `''` },
  { id: '18446744073709551615' },
  { id: '99' },
]

function plantedSql(): string {
  const rows = planted.map(
    ({
      id,
      name = `'n'`,
      price = '1.50',
      at = `'2024-02-29 12:00:00.123456'`,
      raw = '00ff',
      flag = '1',
      ratio = '0.1',
    }) =>
      `SELECT CAST('${id}' AS decimal(20,0)), ${name}, CAST(${price} AS decimal(12,2)), CAST(${at} AS timestamp), ` +
      `unhex('${raw}'), CAST(${flag} AS smallint), CAST(${ratio} AS double), CAST(NULL AS int)`,
  )
  return `INSERT INTO ${schema}.item ${rows.join('\nUNION ALL ')}`
}

beforeAll(async () => {
  await inHive(
    `DROP DATABASE IF EXISTS ${schema} CASCADE`,
    `CREATE DATABASE ${schema}`,
    ...hiveTables,
    plantedSql(),
    `INSERT INTO ${schema}.word VALUES ('B', 1), ('a', 2), ('é', 3), ('😀', 5), ('A', 9)`,
  )
})

afterAll(async () => {
  await inHive(`DROP DATABASE IF EXISTS ${schema} CASCADE`)
})

describe.each(['mariadb', 'postgres'] as const)('tables of %s and of Hive', kind => {
  const cascade = kind === 'postgres' ? ' CASCADE' : ''
  const charset = kind === 'mariadb' ? ' CHARACTER SET utf8mb4' : ''
  const sql = (...statements: readonly string[]) => runSql(inject('stack'), kind, statements)

  beforeAll(async () => {
    await sql(`DROP SCHEMA IF EXISTS ${schema}${cascade}`, `CREATE SCHEMA ${schema}${charset}`)
    await sql(...inSource[kind], ...sourceRows(kind))
  })

  afterAll(async () => {
    await sql(`DROP SCHEMA IF EXISTS ${schema}${cascade}`)
  })

  it.each([1_000_000, 3])(
    'are compared to exactly the differences that were planted, in ranges of %i rows',
    async rangeRows => {
      const rules = [{ from: `${schema}.*`, to: `${schema}.{table}` }]
      const { tables, isEqual } = await verifyInHive(kind, rules, { rangeRows })
      expect(isEqual).toBe(false)
      const [absent, empty, item, keyless, word] = tables
      expect(absent).toMatchObject({ table: `${schema}.absent`, status: 'missing' })
      expect(empty).toMatchObject({ table: `${schema}.empty`, status: 'equal', sourceRows: 0 })
      expect(keyless).toMatchObject({ table: `${schema}.keyless`, status: 'refused' })
      expect(item).toMatchObject({
        status: 'different',
        sourceRows: 13,
        targetRows: 14,
        missing: 1,
        extra: 1,
        twice: 1,
        notCompared: [],
        missingColumns: [],
        otherColumns: ['spare'],
      })
      const found = item!.differences.map(({ kind: what, key, columns }) => {
        return [what, key.id, ...(columns ?? []).map(({ column }) => column)]
      })
      const twice = found.splice(
        found.findIndex(([, id]) => id === '7' || id === '"7"'),
        found.filter(([, id]) => id === '7' || id === '"7"').length,
      )
      const id = (value: string): string => (kind === 'mariadb' ? value : JSON.stringify(value))
      expect(found).toEqual([
        ['different', id('2'), 'name'],
        ['missing', id('3')],
        ['different', id('4'), 'price'],
        ['different', id('5'), 'at'],
        ['different', id('6'), 'raw'],
        ['different', id('8'), 'ratio'],
        ['different', id('9'), 'name'],
        ['different', id('10'), 'price', 'flag'],
        ['different', id('11'), 'name'],
        ['different', id('12'), 'name'],
        ['extra', JSON.stringify('99')],
      ])
      // Either of the two rows may come first: Hive orders them by the key alone.
      expect(twice.map(([what]) => what)).toContain('twice')
      expect(item!.differences[0]!.columns).toEqual([
        { column: 'name', source: '"n"', target: '"n "' },
      ])
      expect(word).toMatchObject({ status: 'different', sourceRows: 4, targetRows: 5, extra: 1 })
      expect(word!.differences).toEqual([
        { kind: 'extra', key: { word: '"A"' }, row: { word: '"A"', n: '9' } },
        {
          kind: 'different',
          key: { word: '"😀"' },
          columns: [{ column: 'n', source: '4', target: '5' }],
        },
      ])
    },
  )
})
