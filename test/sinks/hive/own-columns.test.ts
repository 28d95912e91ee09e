import { describe, expect, it } from 'vitest'
import { followedFrom } from '../../../model/schema-change.ts'
import type { Column } from '../../../model/table-schema.ts'
import { ownColumns } from '../../../sinks/hive/own-columns.ts'
import type { HiveTable } from '../../../sinks/hive/target-table.ts'
import { column, schemaOf } from '../embedded/changes.ts'

const name = { database: 'shop', table: 'user' }

/** `name type, name type`, and after a `|` the column of the partition. */
function tableOf(text: string): HiveTable {
  const [columns, partitions] = text.split('|').map(part =>
    part
      .split(', ')
      .map(one => one.trim().split(' '))
      .map(([own, type]) => ({ name: own!, type: type! })),
  )
  return { columns: columns!, partition: partitions?.[0] ?? null }
}

const through = { topicId: 'staged', offset: 3 }
const id = column('1', 'int', { name: 'Id', nullable: false })
const label = column('2', 'varchar(10)', { name: 'label' })
const price = column('3', 'smallint', { name: 'price', initialDefault: 5 })

function opened(
  table: string,
  columns: readonly Column[] = [id, label, price],
  to: readonly Column[] | null = null,
  isNew = false,
) {
  const followed = followedFrom(schemaOf(columns, [columns[0]!.name]), 7)
  const evolving = to === null ? null : followedFrom(schemaOf(to, [to[0]!.name]))
  const logged = { through: isNew ? null : through, followed, evolving }
  const { followed: found, others } = ownColumns(name, tableOf(table), logged)
  return { ...found!, others: [...others].sort() }
}

const renamedAs = (one: Column, to: string): Column => {
  return { ...one, name: to, renamed: { times: 1, atMs: 9 } }
}

describe('the columns of a table that is opened', () => {
  it('are the logged ones, and others by name', () => {
    const found = opened('id int, label varchar(10), price smallint, more string')
    expect(found).toEqual({
      ...followedFrom(schemaOf([id, label, price], ['Id']), 7),
      others: ['more'],
    })
    expect(opened('id int, label varchar(10) | price smallint').others).toEqual([])
  })

  it('are none where nobody knows what the source has', () => {
    const table = tableOf('id int, a string | g int')
    const logged = { through, followed: null, evolving: null }
    const { followed, others } = ownColumns(name, table, logged)
    expect(followed).toBeNull()
    expect([...others]).toEqual(['id', 'a', 'g'])
  })

  it('are without those that somebody took away, but for one whose type nobody knows yet', () => {
    const waiting = column('4', 'string', { name: 'later', isUntyped: true })
    const { schema } = opened('id int', [id, label, waiting])
    expect(schema.columns).toEqual([id, waiting])
  })

  it('are as wide as somebody made them, with their defaults', () => {
    const { schema } = opened('id bigint, label string, price decimal(7,2)')
    expect(schema.columns).toEqual([
      { ...id, type: { kind: 'bigint' } },
      { ...label, type: { kind: 'string' } },
      { ...price, type: { kind: 'decimal', precision: 7, scale: 2 }, initialDefault: 500 },
    ])
  })

  it('keep a type that the table has not: an apply says so', () => {
    const { schema } = opened('id tinyint, label map<string,int>, price smallint')
    expect(schema.columns).toEqual([id, label, price])
  })

  it('are as narrow as a statement that came late made them, where Hive cuts values', () => {
    const cost = column('4', 'decimal(12,4)', { name: 'cost', initialDefault: 50_000 })
    const found = opened('id int, label varchar(5), cost decimal(6,2)', [id, label, cost])
    expect(found.schema.columns).toEqual([
      id,
      { ...label, type: { kind: 'varchar', length: 5 } },
      { ...cost, type: { kind: 'decimal', precision: 6, scale: 2 }, initialDefault: 500 },
    ])
    const exact = { ...cost, initialDefault: 50_001 }
    expect(opened('id int, cost decimal(6,2)', [id, exact]).schema.columns).toEqual([id, exact])
  })

  it('are those that the table was made with, when nothing was applied: an earlier attempt made it', () => {
    const later = column('4', 'string', { name: 'later', initialDefault: 'x' })
    const found = opened('id tinyint, price smallint', [id, price, later], null, true)
    expect(found.schema.columns).toEqual([{ ...id, type: { kind: 'tinyint' } }, price])
    expect(found.dropped).toEqual([])
    expect(opened('id int, price smallint', [id, price, later]).dropped).toHaveLength(1)
  })

  it('keep a type that is another one only in Forager’s words', () => {
    const own = [id, column('2', 'timestamptz', { name: 'at' }), column('3', 'ubigint')]
    const { schema } = opened('id int, at timestamp, 3 decimal(20,0)', own)
    expect(schema.columns).toEqual(own)
  })

  it('have the names that a change has given them that was not complete', () => {
    const to = [renamedAs(id, 'key'), renamedAs(label, 'title'), price]
    const half = opened('id int, title varchar(10), price smallint', [id, label, price], to)
    expect(half.schema).toEqual(schemaOf([id, to[1]!, price], ['Id']))
    expect(half.others).toEqual([])
    const all = opened('key int, title varchar(10), price smallint', [id, label, price], to)
    expect(all.schema).toEqual(schemaOf(to, ['key']))
  })

  it('are told apart where one got the name of another', () => {
    const to = [id, renamedAs(label, 'price'), renamedAs(price, 'cost')]
    const none = opened('id int, label varchar(10), price smallint', [id, label, price], to)
    expect(none.schema.columns).toEqual([id, label, price])
    const half = opened('id int, label varchar(10), cost smallint', [id, label, price], to)
    expect(half.schema.columns).toEqual([id, label, to[2]])
    const all = opened('id int, price varchar(10), cost smallint', [id, label, price], to)
    expect(all.schema.columns).toEqual(to)
  })

  it('must have the key', () => {
    expect(() => opened('label varchar(10), price smallint')).toThrowError(
      expect.objectContaining({
        code: 'target-unsuitable',
        message: expect.stringContaining('no column Id any more'),
      }),
    )
  })
})
