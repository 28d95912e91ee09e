/** What becomes of the rows of a real table of Hive when its columns change, and of changes that are done twice. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { followedFrom } from '../../../model/schema-change.ts'
import type { Column } from '../../../model/table-schema.ts'
import { column, schemaOf } from '../../sinks/embedded/changes.ts'
import { EvolvingSite } from './evolving-table.ts'

let site: EvolvingSite

beforeAll(() => {
  site = new EvolvingSite()
})

afterAll(() => site.close())

const id = column('1', 'int', { name: 'id', nullable: false })
const place = column('2', 'varchar(4)', { name: 'place' })
const label = column('3', 'varchar(5)', { name: 'label', comment: 'old' })
const price = column('4', 'decimal(10,2)', { name: 'price' })
const count = column('5', 'smallint', { name: 'count' })
const size = column('6', 'float', { name: 'size' })
const days = column('7', 'date', { name: 'days' })
const list = column('8', 'array<int>', { name: 'list' })
const before = [id, place, label, price, count, size, days, list]

const wide = (one: Column, type: string, rest: Partial<Column> = {}): Column => {
  return { ...one, type: column('x', type).type, ...rest }
}
const later = { times: 1, atMs: 1 }
const title = wide(label, 'varchar(40)', { name: 'title', renamed: later, comment: 'new; `x`' })
const after = [
  wide(id, 'bigint'),
  wide(place, 'varchar(20)'),
  title,
  wide(price, 'decimal(14,4)'),
  wide(count, 'int'),
  wide(size, 'double'),
  wide(days, 'string'),
  wide(list, 'array<bigint>'),
  column('9', 'varchar(20)', { name: 'phone', initialDefault: `it's "?"; \\ ü` }),
  column('10', 'timestamptz', { name: 'at', initialDefault: 1_700_000_000_123_456 }),
  // The name that another one left.
  column('11', 'boolean', { name: 'label', initialDefault: false }),
  column('12', 'int', { name: 'plain' }),
]

describe.each([null, 'place'])('a table that is partitioned by %s', partitionBy => {
  it('keeps every value while its columns get other names and types', async () => {
    const table = site.table(`t_${partitionBy ?? 'none'}`, before, partitionBy)
    await table.apply(
      [1, 'eu', 'äöü', 1234567891, 32767, 0.5, -25567, [1, -2]],
      [2, 'us', 'two', -5, -1, 1.5, 19000, null],
      [3, null, null, null, null, null, null, null],
    )
    await table.apply([2, 'us', 'TWO', -6, 7, 2.5, 19001, [7]])
    expect(await table.evolve(after)).toEqual([])
    const filled = [`it's "?"; \\ ü`, '2023-11-14 22:13:20.123456', false, null]
    const names = after.map(({ name }) => `\`${name}\``)
    // Hive shows its partition's name for null in a column of text.
    const read = names.map(name =>
      name === '`place`' ? "NULLIF(place, '__HIVE_DEFAULT_PARTITION__')" : name,
    )
    const rows = (): Promise<unknown> => table.rows(read.join(', '))
    const one = [1n, 'eu', 'äöü', '12345678.9100', 32767, 0.5, '1900-01-01', '[1,-2]', ...filled]
    const two = [2n, 'us', 'TWO', '-0.0600', 7, 2.5, '2022-01-09', '[7]', ...filled]
    const three = [3n, null, null, null, null, null, null, null, ...filled]
    expect(await rows()).toEqual([one, two, three])
    const described = await table.describe()
    expect(described).toContain('title varchar(40) new; `x`')
    expect(described).toContain(partitionBy === null ? 'place varchar(20)' : 'place string')
    // The rows are found by a key of another type, and by a place that is longer.
    const none = [undefined, undefined, undefined, undefined, undefined, undefined, undefined]
    await table.apply(
      [1, undefined, 'changed to a longer one', ...none, true, 5],
      [3_000_000_000, 'a longer place', 'x', 12345, 100_000, 0.1, 's', [5e9], 'p', 0, null, 1],
    )
    const now = [...one]
    now[2] = 'changed to a longer one'
    now.splice(-2, 2, true, 5)
    const longer = [
      3_000_000_000n,
      'a longer place',
      'x',
      '1.2345',
      100_000,
      0.1,
      's',
      '[5000000000]',
      'p',
      '1970-01-01 00:00:00',
      null,
      1,
    ]
    expect(await rows()).toEqual([now, two, three, longer])
    if (partitionBy === null) return
    const compact = `ALTER TABLE @D@.${table.name} PARTITION (place='eu') COMPACT 'major' AND WAIT`
    await site.execute(compact)
    expect(await rows()).toEqual([now, two, three, longer])
  })
})

const phone = column('9', 'varchar(5)', { name: 'phone', initialDefault: '?' })
const few = [id, label, price]
const many = [id, { ...label, name: 'title', renamed: later }, wide(price, 'decimal(12,4)'), phone]

describe('a change that is made again', () => {
  it('finds what is done, from wherever an attempt before stopped', async () => {
    const steps = [
      'ALTER TABLE @D@.again CHANGE COLUMN label title varchar(5)',
      'ALTER TABLE @D@.again CHANGE COLUMN price price decimal(12,4)',
      'ALTER TABLE @D@.again ADD COLUMNS (phone varchar(5))',
    ]
    for (let done = 0; done <= steps.length; done += 1) {
      const table = site.table('again', few, null)
      await table.apply([1, 'one', 123])
      await site.execute(...steps.slice(0, done))
      // What it finds is to be followed by the rest, and the whole again by nothing.
      const opened = await table.open(many)
      const columns = opened!.followed!.schema.columns.map(one => one.name)
      expect(columns).toEqual(['id', done > 0 ? 'title' : 'label', 'price'])
      expect([...opened!.others]).toEqual(done > 2 ? ['phone'] : [])
      expect(await table.evolve(many, { isInDoubt: true })).toEqual([])
      const rows = await table.rows()
      expect(rows, `after ${done}`).toEqual([[1, 'one', '1.2300', '?']])
      await site.execute('DROP TABLE @D@.again')
    }
  })

  it('leaves the values that a column has, and its nulls', async () => {
    const table = site.table('filled', few, null)
    await table.apply([1, 'one', 123], [2, 'two', 456])
    await site.execute(
      'ALTER TABLE @D@.filled ADD COLUMNS (phone varchar(5))',
      "UPDATE @D@.filled SET phone = 'own' WHERE id = 2",
    )
    expect([...(await table.open())!.others]).toEqual(['phone'])
    expect(await table.evolve([...few, phone])).toEqual([])
    expect(await table.rows('id, phone')).toEqual([
      [1, null],
      [2, 'own'],
    ])
  })

  it('fills the defaults in where rows came in between: of an older batch, applied before the change was made again', async () => {
    const table = site.table('in_between', few, null)
    await table.apply([1, 'one', 123])
    await site.execute(
      'ALTER TABLE @D@.in_between ADD COLUMNS (phone varchar(5))',
      "UPDATE @D@.in_between SET phone = '?'",
    )
    await table.open()
    await table.apply([2, 'two', 456])
    const begun = followedFrom(schemaOf([...few, phone], ['id']))
    expect(await table.evolve([...few, phone], { begun })).toEqual([])
    expect(await table.rows('id, phone')).toEqual([
      [1, '?'],
      [2, '?'],
    ])
  })

  it('by an owner that was paused before its statement finds no default, and changes nothing', async () => {
    const table = site.table('late', few, null)
    await table.apply([1, 'one', 123])
    let goOn: () => void = () => undefined
    const paused = new Promise<void>(resolve => {
      goOn = resolve
    })
    let claims = 0
    const late = table.evolve([...few, phone], {
      claim: async () => {
        claims += 1
        // The first is before ADD COLUMNS, the second before the default.
        if (claims === 2) await paused
      },
    })
    await expect.poll(() => claims, { timeout: 30_000 }).toBe(2)
    const ended = expect(late).rejects.toMatchObject({ code: 'task-fenced' })
    expect(await table.evolve([...few, phone], { token: 2, isInDoubt: true })).toEqual([])
    expect(await table.rows('id, phone')).toEqual([[1, '?']])
    // From here on null is what the source has.
    await table.apply([1, 'one', 123, null])
    goOn()
    await ended
    expect(await table.rows('id, phone')).toEqual([[1, null]])
  })
})

describe('what Hive cannot do', () => {
  it('is said before anything is done, or left where it may be', async () => {
    const table = site.table('cannot', [id, label, price], null)
    await table.apply([1, 'one', 123])
    const described = await table.describe()
    await expect(table.evolve([id, price, phone])).rejects.toMatchObject({
      code: 'schema-change-unsupported',
      message: expect.stringContaining('column label is dropped, and Hive cannot drop'),
    })
    const failed = await table.evolve([id, price, phone], { mayFail: true })
    expect(failed).toMatchObject([{ change: { kind: 'drop' }, reason: expect.any(String) }])
    expect(await table.describe()).toEqual(described)
  })

  it('is what Hive refuses itself', async () => {
    const table = site.table('refused', [id, label], null)
    await table.apply([1, 'one'])
    // No more than one thing in Hive has a name: what is there is a view of it.
    await site.execute(
      'ALTER TABLE @D@.refused RENAME TO @D@.other',
      'CREATE VIEW @D@.refused AS SELECT * FROM @D@.other',
    )
    const added = [id, label, column('4', 'int', { name: 'n' })]
    await expect(table.evolve(added)).rejects.toMatchObject({
      code: 'statement-failed',
      retry: 'never',
    })
    expect(await table.evolve(added, { mayFail: true })).toMatchObject([
      { change: { kind: 'add' }, reason: expect.stringContaining('ADD COLUMNS') },
    ])
  })

  it('is to go on with a column that is gone: the merger has to look again', async () => {
    const table = site.table('gone', [id, label, price], null)
    await table.apply([1, 'one', 123])
    await site.execute('ALTER TABLE @D@.gone CHANGE COLUMN label title varchar(5)')
    await table.open()
    await expect(table.apply([1, 'two', 123])).rejects.toMatchObject({
      code: 'warehouse-conflict',
      message: expect.stringContaining('no column label'),
    })
    const opened = await table.open()
    expect(opened!.followed!.schema.columns.map(({ name }) => name)).toEqual(['id', 'price'])
    expect([...opened!.others]).toEqual(['title'])
  })
})
