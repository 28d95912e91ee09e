import { describe, expect, it } from 'vitest'
import { parsePartitionBy } from '../../../model/partition-by.ts'
import { holds } from '../../../sinks/hive/hive-types.ts'
import type { HiveTable } from '../../../sinks/hive/target-table.ts'
import {
  addColumnsSql,
  createTableSql,
  differencesOf,
  parseDescribe,
  targetTable,
} from '../../../sinks/hive/target-table.ts'
import { column, schemaOf } from '../embedded/changes.ts'

const name = { database: 'shop', table: 'orders' }

function typesOf(...types: readonly string[]): readonly string[] {
  const columns = types.map((type, index) => column(`c${index}`, type))
  return targetTable(schemaOf(columns, ['c0']), null).columns.map(({ type }) => type)
}

describe('the type of a column', () => {
  it('is waited for where there were only nulls', () => {
    const columns = [column('id', 'bigint'), { ...column('a', 'string'), isUntyped: true } as const]
    const { columns: found } = targetTable(schemaOf(columns, ['id']), null)
    expect(found.map(({ name }) => name)).toEqual(['id'])
  })

  it('is the one that Hive has for it', () => {
    expect(typesOf('ubigint', 'timestamp', 'timestamptz', 'decimal(38,10)', 'binary')).toEqual([
      'decimal(20,0)',
      'timestamp',
      'timestamp',
      'decimal(38,10)',
      'binary',
    ])
  })

  it('is string where a text may be longer than Hive’s sized ones', () => {
    expect(typesOf('varchar(65535)', 'varchar(65536)', 'char(255)', 'char(256)')).toEqual([
      'varchar(65535)',
      'string',
      'char(255)',
      'string',
    ])
  })

  it('of elements goes by the same rules', () => {
    expect(typesOf('array<timestamptz>', 'array<array<ubigint>>')).toEqual([
      'array<timestamp>',
      'array<array<decimal(20,0)>>',
    ])
  })
})

const orders = schemaOf(
  [
    column('Id', 'bigint', { nullable: false }),
    column('region', 'varchar(10)', { comment: 'where' }),
    column('at', 'timestamp'),
  ],
  ['Id', 'region'],
)

const options = { keys: orders.key, version: '4.0', buckets: 4 } as const

describe('a new table', () => {
  it.each(['4.0', '3.1'] as const)('of Hive %s is transactional ORC', version => {
    expect(createTableSql(name, targetTable(orders, null), { ...options, version })).toBe(
      [
        'CREATE TABLE IF NOT EXISTS `shop`.`orders` (',
        '  `id` bigint,',
        "  `region` varchar(10) COMMENT 'where',",
        '  `at` timestamp',
        ')',
        'STORED AS ORC',
        "TBLPROPERTIES ('transactional'='true')",
      ].join('\n'),
    )
  })

  it('has the column that it is divided by as its partition', () => {
    const table = targetTable(orders, parsePartitionBy('region'))
    expect(createTableSql(name, table, options)).toBe(
      [
        'CREATE TABLE IF NOT EXISTS `shop`.`orders` (',
        '  `id` bigint,',
        '  `at` timestamp',
        ')',
        "PARTITIONED BY (`region` string COMMENT 'where')",
        'STORED AS ORC',
        "TBLPROPERTIES ('transactional'='true')",
      ].join('\n'),
    )
  })

  it('by month keeps the column of the time', () => {
    const { columns, partition } = targetTable(orders, parsePartitionBy('year_month(at)'))
    expect(columns.map(one => one.name)).toEqual(['id', 'region', 'at'])
    expect(partition).toEqual({ name: 'year_month', type: 'string' })
  })

  it('of Hive 2.3 has buckets by the columns of its key that are not the partition', () => {
    const table = targetTable(orders, parsePartitionBy('region'))
    const sql = createTableSql(name, table, { ...options, version: '2.3' })
    expect(sql.split('\n').slice(4, 7)).toEqual([
      "PARTITIONED BY (`region` string COMMENT 'where')",
      'CLUSTERED BY (`id`) INTO 4 BUCKETS',
      'STORED AS ORC',
    ])
    const byKey = { ...options, version: '2.3', keys: ['region'] } as const
    expect(() => createTableSql(name, table, byKey)).toThrowError(
      expect.objectContaining({ code: 'target-unsuitable' }),
    )
  })

  it('has comments as they are, cut where the metastore may end', () => {
    const comment = `it's; a\n"comment" \\ ${'x'.repeat(300)}`
    const { columns } = targetTable(schemaOf([column('id', 'int', { comment })]), null)
    const kept = `it\\'s\\; a\\n"comment" \\\\ ${'x'.repeat(256 - 20)}`
    expect(addColumnsSql(name, columns, null)).toBe(
      `ALTER TABLE \`shop\`.\`orders\` ADD COLUMNS (\`id\` int COMMENT '${kept}')`,
    )
  })

  it.each([
    ['two columns that Hive takes for one', ['id', 'ID'], null],
    ['a column that is named as the partition by month', ['id', 'year_month'], 'year_month(at)'],
    ['a column of Forager’s own', ['id', '__Forager_op'], null],
  ])('is refused for %s', (_what, names, by) => {
    const columns = [...names.map(one => column(one, 'int')), column('at', 'timestamp')]
    const partitionBy = by === null ? null : parsePartitionBy(by)
    expect(() => targetTable(schemaOf(columns), partitionBy)).toThrowError(
      expect.objectContaining({ code: 'name-unsupported' }),
    )
  })
})

describe('columns that come', () => {
  const [first] = targetTable(orders, null).columns

  it('are added to partitions that are there too', () => {
    const by = { name: 'region', type: 'string' }
    expect(addColumnsSql(name, [first!], by)).toBe(
      'ALTER TABLE `shop`.`orders` ADD COLUMNS (`id` bigint) CASCADE',
    )
  })
})

function table(columns: Readonly<Record<string, string>>, partition?: string): HiveTable {
  const all = Object.entries(columns).map(([one, type]) => ({ name: one, type }))
  const by = all.find(one => one.name === partition) ?? null
  return { columns: all.filter(one => one !== by), partition: by }
}

describe('what is different about a table', () => {
  it('is what it lacks, what it has besides, and what rows cannot be written to', () => {
    const found = table({ id: 'bigint', n: 'int', old: 'date' })
    const wanted = table({ id: 'int', n: 'bigint', added: 'string' })
    expect(differencesOf(found, wanted)).toEqual({
      missing: [{ name: 'added', type: 'string' }],
      problems: ['column n is int, and the source needs bigint'],
      others: ['old'],
    })
  })

  it('is told of its partition as well', () => {
    const found = table({ id: 'int', p: 'int' }, 'p')
    expect(differencesOf(found, table({ id: 'int', p: 'bigint' }, 'p')).problems).toEqual([
      'column p is int, and the source needs bigint',
    ])
    expect(differencesOf(found, table({ id: 'int', p: 'smallint' }, 'p')).problems).toEqual([])
  })
})

describe('a column of a table', () => {
  it.each([
    ['bigint', 'tinyint'],
    ['decimal(20,0)', 'bigint'],
    ['decimal(12,4)', 'decimal(10,2)'],
    ['double', 'float'],
    ['string', 'varchar(10)'],
    ['string', 'char(10)'],
    ['varchar(20)', 'varchar(10)'],
    ['array<int>', 'array<int>'],
  ])('of type %s holds %s', (own, source) => {
    expect(holds(own, source)).toBe(true)
  })

  it.each([
    ['tinyint', 'bigint'],
    ['decimal(19,0)', 'decimal(20,0)'],
    ['decimal(12,4)', 'decimal(12,2)'],
    ['decimal(12,1)', 'decimal(4,2)'],
    ['float', 'double'],
    ['varchar(10)', 'string'],
    ['varchar(10)', 'varchar(20)'],
    ['char(20)', 'char(10)'],
    ['bigint', 'decimal(3,0)'],
    ['string', 'int'],
    ['array<bigint>', 'array<int>'],
    ['timestamp with local time zone', 'timestamp'],
  ])('of type %s does not hold %s', (own, source) => {
    expect(holds(own, source)).toBe(false)
  })
})

describe('an answer to DESCRIBE', () => {
  const partitionPart = [
    ['', null, null],
    ['# Partition Information', null, null],
    ['# col_name            ', 'data_type           ', 'comment             '],
  ]

  it('has the partition among the columns and once more', () => {
    const rows = [
      ['id                  ', 'bigint              ', '                    '],
      ['tags', 'array<string>', 'labels'],
      ['year_month', 'string', null],
      ...partitionPart,
      ['year_month', 'string', ''],
    ]
    expect(parseDescribe(rows)).toEqual({
      columns: [
        { name: 'id', type: 'bigint' },
        { name: 'tags', type: 'array<string>', comment: 'labels' },
      ],
      partition: { name: 'year_month', type: 'string' },
    })
  })

  it('of a table without partitions has its columns and no more', () => {
    expect(parseDescribe([['id', 'int', '']])).toEqual({
      columns: [{ name: 'id', type: 'int' }],
      partition: null,
    })
  })

  it('of a table with two columns of partitions is refused', () => {
    const two = [
      ['y', 'int', ''],
      ['m', 'int', ''],
    ]
    const rows = [['id', 'int', ''], ...two, ...partitionPart, ...two]
    expect(() => parseDescribe(rows)).toThrowError(
      expect.objectContaining({ code: 'target-unsuitable' }),
    )
  })
})
