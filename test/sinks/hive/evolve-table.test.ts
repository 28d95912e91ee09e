import { describe, expect, it } from 'vitest'
import { parsePartitionBy } from '../../../model/partition-by.ts'
import { changesBetween } from '../../../model/schema-change.ts'
import type { Column } from '../../../model/table-schema.ts'
import type { EvolutionPlan } from '../../../sinks/hive/evolve-table.ts'
import { planEvolution } from '../../../sinks/hive/evolve-table.ts'
import { describedChanges } from '../../../sinks/hive/hive-evolution.ts'
import type { HiveTable, HiveVersion } from '../../../sinks/hive/target-table.ts'
import { column, schemaOf } from '../embedded/changes.ts'

const name = { database: 'shop', table: 'user' }
const id = column('1', 'int', { name: 'id', nullable: false })
const label = column('2', 'varchar(10)', { name: 'label', comment: 'what it says' })
const price = column('3', 'decimal(10,2)', { name: 'Price' })
const from = [id, label, price]

const plain: HiveTable = {
  columns: [
    { name: 'id', type: 'int' },
    { name: 'label', type: 'varchar(10)', comment: 'what it says' },
    { name: 'price', type: 'decimal(10,2)' },
  ],
  partition: null,
}
const byDay: HiveTable = { ...plain, partition: { name: 'day', type: 'int' } }
const day = column('9', 'int', { name: 'day' })

interface Given {
  readonly before?: readonly Column[]
  readonly found?: HiveTable
  readonly version?: HiveVersion
  readonly mayFail?: boolean
}

function plan(to: readonly Column[], given: Given = {}): EvolutionPlan {
  const { before = from, found = plain, version = '4.0', mayFail = false } = given
  const changes = changesBetween(schemaOf(before, ['id']), schemaOf(to, ['id']))
  const planned = changes.map(change => ({ change, mayFail }))
  return planEvolution(name, found, planned, { version, keys: ['id'] })
}

function sqlOf(to: readonly Column[], given?: Given): readonly string[] {
  const { statements, impossible } = plan(to, given)
  expect(impossible).toEqual([])
  return statements.map(({ sql }) => sql)
}

function reasonOf(to: readonly Column[], given?: Given): string {
  const { impossible } = plan(to, given)
  expect(impossible).toHaveLength(1)
  return impossible[0]!.reason
}

const alter = 'ALTER TABLE `shop`.`user`'

describe('new columns', () => {
  const age = column('4', 'int', { name: 'Age', comment: "it's" })
  const phone = column('5', 'varchar(20)', { name: 'phone', initialDefault: '?' })

  it('are added by one statement, to all partitions, in every version', () => {
    const columns = "(`age` int COMMENT 'it\\'s', `phone` varchar(20))"
    for (const version of ['4.0', '3.1', '2.3'] as const) {
      expect(sqlOf([...from, age, phone], { version })).toEqual([`${alter} ADD COLUMNS ${columns}`])
      expect(sqlOf([...from, age, phone], { version, found: byDay })).toEqual([
        `${alter} ADD COLUMNS ${columns} CASCADE`,
      ])
    }
  })

  it('have defaults that old rows get, unless it is null', () => {
    const none = column('6', 'int', { initialDefault: null })
    const { defaults } = plan([...from, age, phone, none])
    expect(defaults).toEqual([{ column: phone, isThere: false }])
  })

  it('that are there already stay as they are, and may wait for their defaults', () => {
    const found = { ...plain, columns: [...plain.columns, { name: 'phone', type: 'string' }] }
    const { statements, defaults } = plan([...from, phone], { found })
    expect(statements).toEqual([])
    expect(defaults).toEqual([{ column: phone, isThere: true }])
  })

  it('that are there and too narrow are widened, where that can be', () => {
    const columns = [...plain.columns, { name: 'phone', type: 'varchar(5)' }]
    expect(sqlOf([...from, phone], { found: { ...plain, columns } })).toEqual([
      `${alter} CHANGE COLUMN \`phone\` \`phone\` varchar(20)`,
    ])
    const other = [...plain.columns, { name: 'phone', type: 'boolean' }]
    expect(reasonOf([...from, phone], { found: { ...plain, columns: other } })).toContain(
      'column phone is boolean, and the source needs varchar(20)',
    )
  })

  it('of the key and of partitions get no default: every row has them', () => {
    const key = { ...id, initialDefault: 0 }
    const place = { ...day, initialDefault: 0 }
    const found = { columns: [plain.columns[0]!], partition: byDay.partition }
    expect(plan([key, place], { before: [], found })).toMatchObject({
      statements: [],
      defaults: [],
      impossible: [],
    })
  })

  it('are given defaults after a partition that Hive cannot change rows of is mended', () => {
    const found = { ...plain, partition: { name: 'place', type: 'varchar(10)' } }
    expect(sqlOf([...from, phone], { found })).toEqual([
      `${alter} PARTITION COLUMN (\`place\` string)`,
      `${alter} ADD COLUMNS (\`phone\` varchar(20)) CASCADE`,
    ])
    for (const type of ['char(3)', 'boolean', 'decimal(10,2)']) {
      const other = { ...plain, partition: { name: 'place', type } }
      expect(reasonOf([...from, phone], { found: other })).toContain(`partitioned by a ${type}`)
      expect(sqlOf([...from, age], { found: other })).toHaveLength(1)
    }
    for (const type of ['varchar(26)', 'string', 'int', 'date', 'decimal(20,0)']) {
      expect(
        sqlOf([...from, phone], { found: { ...plain, partition: { name: 'place', type } } }),
      ).toHaveLength(1)
    }
  })

  it('must have names that Hive has', () => {
    const odd = column('7', 'int', { name: 'a.b' })
    expect(() => plan([...from, odd])).toThrowError(
      expect.objectContaining({ code: 'name-unsupported' }),
    )
    expect(reasonOf([...from, odd], { mayFail: true })).toContain('no name like "a.b"')
  })
})

describe('a renamed column', () => {
  const title = { ...label, name: 'Title' }

  it('keeps its type and its comment', () => {
    expect(sqlOf([id, title, price])).toEqual([
      `${alter} CHANGE COLUMN \`label\` \`title\` varchar(10)`,
    ])
    expect(sqlOf([id, title, price], { found: byDay })).toEqual([
      `${alter} CHANGE COLUMN \`label\` \`title\` varchar(10) CASCADE`,
    ])
  })

  it('is one already after an attempt that did not come to its end', () => {
    const columns = plain.columns.map(one =>
      one.name === 'label' ? { ...one, name: 'title' } : one,
    )
    expect(sqlOf([id, title, price], { found: { ...plain, columns } })).toEqual([])
  })

  it('is none in Hive where only upper and lower case differ', () => {
    expect(sqlOf([id, { ...label, name: 'LABEL' }, price])).toEqual([])
  })

  it('may have the name that another one leaves', () => {
    const to = [id, { ...label, name: 'price' }, { ...price, name: 'cost' }]
    expect(sqlOf(to)).toEqual([
      `${alter} CHANGE COLUMN \`price\` \`cost\` decimal(10,2)`,
      `${alter} CHANGE COLUMN \`label\` \`price\` varchar(10)`,
    ])
  })

  it('cannot have one that somebody else has', () => {
    const columns = [...plain.columns, { name: 'title', type: 'int' }]
    expect(reasonOf([id, title, price], { found: { ...plain, columns } })).toContain(
      'the table has another column title',
    )
  })

  it('makes the merger look again when it is not there at all', () => {
    const found = { ...plain, columns: plain.columns.slice(0, 1) }
    expect(() => plan([id, title, price], { found })).toThrowError(
      expect.objectContaining({ code: 'warehouse-conflict' }),
    )
  })

  it.each(['3.1', '2.3'] as const)('loses its old values in Hive %s, so it is none', version => {
    expect(reasonOf([id, title, price], { version })).toContain('by name')
  })

  it('cannot be the one that the table is partitioned by', () => {
    const to = [...from, { ...day, name: 'date' }]
    expect(reasonOf(to, { before: [...from, day], found: byDay })).toContain('partitioned by')
  })

  it('is widened and described under its new name', () => {
    const to = { ...title, type: { kind: 'string' as const }, comment: 'x;' }
    expect(sqlOf([id, to, price])).toEqual([
      `${alter} CHANGE COLUMN \`label\` \`title\` varchar(10)`,
      `${alter} CHANGE COLUMN \`title\` \`title\` string`,
      `${alter} CHANGE COLUMN \`title\` \`title\` string COMMENT 'x\\;'`,
    ])
  })
})

describe('a wider column', () => {
  const wide = column('3', 'decimal(12,4)', { name: 'Price' })

  it('is changed, in all partitions, in every version', () => {
    for (const version of ['4.0', '3.1', '2.3'] as const) {
      expect(sqlOf([id, label, wide], { version, found: byDay })).toEqual([
        `${alter} CHANGE COLUMN \`price\` \`price\` decimal(12,4) CASCADE`,
      ])
    }
  })

  it('is left where the table’s holds it already', () => {
    const columns = plain.columns.map(one => {
      return one.name === 'price' ? { ...one, type: 'decimal(20,6)' } : one
    })
    expect(sqlOf([id, label, wide], { found: { ...plain, columns } })).toEqual([])
  })

  it('cannot be one that Hive refuses, or spoils', () => {
    const flag = column('4', 'boolean', { name: 'flag' })
    const text = column('4', 'string', { name: 'flag' })
    const columns = [...plain.columns, { name: 'flag', type: 'boolean' }]
    const given = { before: [...from, flag], found: { ...plain, columns } }
    expect(reasonOf([...from, text], given)).toContain(
      'flag is boolean, and the source needs string',
    )
  })

  it('of the key is one of its buckets in Hive 2.3', () => {
    const wideId = { ...id, type: { kind: 'bigint' as const } }
    expect(sqlOf([wideId, label, price])).toEqual([`${alter} CHANGE COLUMN \`id\` \`id\` bigint`])
    expect(reasonOf([wideId, label, price], { version: '2.3' })).toContain('buckets')
  })

  it('of a partition is another statement, where the names of the folders stay right', () => {
    const given = { before: [...from, day], found: byDay }
    expect(sqlOf([...from, { ...day, type: { kind: 'bigint' } }], given)).toEqual([
      `${alter} PARTITION COLUMN (\`day\` bigint)`,
    ])
    const decimal = { ...day, type: { kind: 'decimal' as const, precision: 12, scale: 2 } }
    expect(reasonOf([...from, decimal], given)).toContain('partitioned by')
  })
})

describe('what is left of a change', () => {
  it('is nothing for a column that may be null', () => {
    expect(sqlOf([{ ...id, nullable: true }, label, price])).toEqual([])
  })

  it('is the comment, as long as Hive keeps it', () => {
    const long = { ...label, comment: 'ü'.repeat(300) }
    expect(sqlOf([id, long, price])).toEqual([
      `${alter} CHANGE COLUMN \`label\` \`label\` varchar(10) COMMENT '${'ü'.repeat(256)}'`,
    ])
    const { comment: _, ...without } = label
    expect(sqlOf([id, without, price])).toEqual([
      `${alter} CHANGE COLUMN \`label\` \`label\` varchar(10) COMMENT ''`,
    ])
    const given = { before: [...from, day], found: byDay }
    expect(sqlOf([...from, { ...day, comment: 'when' }], given)).toEqual([])
  })

  it('is not a dropped column, unless somebody dropped it', () => {
    expect(reasonOf([id, label])).toContain('set schemaChanges.drop to lenient')
    const columns = plain.columns.slice(0, 2)
    expect(sqlOf([id, label], { found: { ...plain, columns } })).toEqual([])
  })
})

describe('for people', () => {
  const describedBy = (partitionBy: string | null, version: HiveVersion = '4.0') => {
    const added = column('4', 'decimal(6,2)', { name: 'fee', initialDefault: 125 })
    const to = [id, { ...label, name: 'title', type: { kind: 'string' as const } }, added]
    const changes = changesBetween(schemaOf(from, ['id']), schemaOf(to, ['id']))
    const by = partitionBy === null ? null : parsePartitionBy(partitionBy)
    return describedChanges(name, changes, { partitionBy: by, version })
  }

  it('are the statements, what becomes of old rows, and what cannot be done', () => {
    const { statements, impossible } = describedBy(null)
    expect(statements).toEqual([
      `${alter} CHANGE COLUMN \`label\` \`title\` varchar(10)`,
      `${alter} CHANGE COLUMN \`title\` \`title\` string`,
      `${alter} ADD COLUMNS (\`fee\` decimal(6,2))`,
      '-- rows of `shop`.`user` that are there get fee = 1.25',
    ])
    expect(impossible).toMatchObject([
      { change: { kind: 'drop' }, reason: expect.stringContaining('Hive cannot drop') },
    ])
    expect(describedBy('year_month(at)').statements[0]).toContain('CASCADE')
    const reason = (text: string) => [{ reason: expect.stringContaining(text) }]
    expect(describedBy('label').impossible).toMatchObject(reason('partitioned by'))
    expect(describedBy(null, '3.1').impossible).toMatchObject(reason('Hive 3.1'))
  })
})
