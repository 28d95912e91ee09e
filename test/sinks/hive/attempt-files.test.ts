import { describe, expect, it } from 'vitest'
import { parsePartitionBy } from '../../../model/partition-by.ts'
import { deleteOp, movedOp, patchOp, upsertOp, wholeOp } from '../../../sinks/hive/merge-sql.ts'
import { readOrcRows } from '../../../sinks/orc-files.ts'
import { column, remove, schemaOf, upsert } from '../embedded/changes.ts'
import { AttemptSite, first } from './attempts.ts'

const schema = schemaOf(
  [column('Id', 'int', { nullable: false }), column('region', 'string'), column('n', 'int')].map(
    (one, index) => (index === 0 ? { ...one, id: 'id' } : one),
  ),
  ['Id'],
)
const byRegion = parsePartitionBy('region')
const nowhere = { leaves: [] }

const given = (row: readonly (number | string | null)[], leaves: readonly string[] | 'unknown') =>
  upsert(row, schema, { leaves })
const gone = (id: number, leaves: readonly string[] | 'unknown') => ({
  ...remove([id, null, null], schema),
  leaves,
})
const part = (row: readonly (number | string | null | undefined)[]) => ({
  ...upsert(row, schema),
  kind: 'patch' as const,
})

describe('the file of an attempt, for a table without partitions', () => {
  it('has a row for each change, with its columns in lower case', async () => {
    const site = new AttemptSite()
    const changes = [given([1, 'eu', 7], []), part([2, undefined, 8]), gone(3, [])]
    const { attempt, rows } = await site.write(changes, schema)
    expect(rows).toEqual([
      { op: upsertOp, sent: null, search: false, place: null, values: [1, 'eu', 7] },
      { op: patchOp, sent: '101', search: false, place: null, values: [2, null, 8] },
      { op: deleteOp, sent: null, search: false, place: null, values: [3, null, null] },
    ])
    expect(attempt.facts).toEqual({
      upserts: 1,
      patches: 1,
      moves: 0,
      deletes: 1,
      searches: 0,
      places: [],
    })
    expect(attempt.rowCount).toBe(3)
    const named = readOrcRows(site.files, attempt.file, ['__forager_op', 'id'])
    const found: unknown[] = []
    for await (const some of named) found.push(...some)
    expect(found).toHaveLength(3)
  })

  it('knows which columns of the key are null in it, of deletes too', async () => {
    const pairs = schemaOf([column('a', 'int'), column('b', 'string')], ['a', 'b'])
    const site = new AttemptSite()
    const nullKeysOf = async (...changes: readonly ReturnType<typeof upsert>[]) =>
      [...(await site.write(changes, pairs)).attempt.nullKeys].sort()
    expect(await nullKeysOf(upsert([1, '\0'], pairs, nowhere))).toEqual([])
    expect(await nullKeysOf(upsert([1, null], pairs, nowhere))).toEqual(['b'])
    expect(await nullKeysOf(remove([null, 'x'], pairs))).toEqual(['a'])
  })

  it('has instants as times in UTC, in arrays too: Hive reads no file with an instant in it', async () => {
    const times = schemaOf([
      column('id', 'int'),
      column('at', 'timestamptz'),
      column('all', 'array<timestamptz>'),
    ])
    const site = new AttemptSite()
    const at = 1_700_000_000_123_456
    const { rows, attempt } = await site.write([upsert([1, at, [at, null]], times)], times)
    expect(rows[0]?.values).toEqual([1, at, [at, null]])
    const bytes = await site.fileSystem.readFile(attempt.file)
    expect(bytes.length).toBe(attempt.sizeBytes)
  })

  it('refuses two rows of a key', async () => {
    const twice = [given([1, 'eu', 7], []), given([1, 'us', 8], [])]
    await expect(new AttemptSite().write(twice, schema)).rejects.toThrow('two rows of one key')
  })
})

describe('a patch that takes what it lacks from the row under its old key', () => {
  const moved = (row: readonly (number | string | undefined)[], from: number) => ({
    ...part(row),
    movedFrom: given([from, null, null], []).key,
  })

  it('has that key behind its values, and other rows have none', async () => {
    const site = new AttemptSite()
    const { attempt, rows } = await site.write(
      [given([1, 'eu', 7], []), moved([2, 'us', undefined], 9)],
      schema,
    )
    expect(rows).toEqual([
      { op: upsertOp, sent: null, search: false, place: null, values: [1, 'eu', 7, null] },
      { op: movedOp, sent: '110', search: false, place: null, values: [2, 'us', null, 9] },
    ])
    expect(attempt.facts).toMatchObject({ upserts: 1, patches: 0, moves: 1 })
  })

  it('says where it is to be, and is looked for everywhere else', async () => {
    const { rows } = await new AttemptSite().write(
      [moved([2, 'us', undefined], 9)],
      schema,
      byRegion,
    )
    expect(rows[0]).toMatchObject({ op: movedOp, sent: '110', search: true, place: 'us' })
    const nowhereToGo = new AttemptSite().write([moved([2, undefined, 5], 9)], schema, byRegion)
    await expect(nowhereToGo).rejects.toMatchObject({ code: 'old-row-missing' })
    const accepting = new AttemptSite()
    const accepted = await accepting.write([moved([2, undefined, 5], 9)], schema, byRegion, {
      oldRows: 'if-there',
    })
    expect(accepted.rows[0]).toMatchObject({ op: patchOp, sent: '101', place: null })
  })

  it('has no old row where the table is emptied first', async () => {
    const name = { name: first, isWhole: true }
    const written = new AttemptSite().write([moved([2, 'us', undefined], 9)], schema, null, name)
    await expect(written).rejects.toMatchObject({ code: 'old-row-missing' })
  })
})

describe('the file of an attempt, for a table with partitions', () => {
  const write = (changes: readonly ReturnType<typeof upsert>[], isWhole = false) =>
    new AttemptSite().write(changes, schema, byRegion, { isWhole })

  it('lets a row go from each partition that it was in, but the one that it stays in', async () => {
    const { attempt, rows } = await write([given([1, 'eu', 7], ['region=eu', 'region=u%2Fs'])])
    expect(rows).toEqual([
      { op: upsertOp, sent: null, search: false, place: 'eu', values: [1, 'eu', 7] },
      { op: deleteOp, sent: null, search: false, place: 'u/s', values: [1, null, null] },
    ])
    expect(attempt.facts).toEqual({
      upserts: 1,
      patches: 0,
      moves: 0,
      deletes: 1,
      searches: 0,
      places: ['eu', 'u/s'],
    })
  })

  it('has a search where nobody knows, and then cannot say which partitions it touches', async () => {
    const { attempt, rows } = await write([
      given([1, null, 7], 'unknown'),
      gone(2, 'unknown'),
      gone(3, ['region=eu', 'region=us']),
    ])
    expect(rows.map(({ op, search, place }) => [op, search, place])).toEqual([
      [upsertOp, true, '__HIVE_DEFAULT_PARTITION__'],
      [deleteOp, true, null],
      [deleteOp, false, 'eu'],
      [deleteOp, false, 'us'],
    ])
    expect(attempt.facts).toMatchObject({ deletes: 3, searches: 2, places: null })
  })

  it('has a place for a patch that sends it, and none for one that does not', async () => {
    const { attempt, rows } = await write([part([1, 'us', undefined]), part([2, undefined, 8])])
    expect(rows.map(({ sent, search, place }) => [sent, search, place])).toEqual([
      ['110', true, 'us'],
      ['101', false, null],
    ])
    expect(attempt.facts).toEqual({
      upserts: 0,
      patches: 2,
      moves: 0,
      deletes: 0,
      searches: 1,
      places: null,
    })
  })

  it('has, when it is all of the table, a row that says so, then whole rows alone', async () => {
    const changes = [
      given([1, 'eu', 7], ['region=us']),
      part([2, undefined, 8]),
      gone(3, 'unknown'),
    ]
    const { attempt, rows } = await write(changes, true)
    expect(rows).toEqual([
      { op: wholeOp, sent: null, search: false, place: null, values: [null, null, null] },
      { op: upsertOp, sent: null, search: false, place: 'eu', values: [1, 'eu', 7] },
      {
        op: upsertOp,
        sent: null,
        search: false,
        place: '__HIVE_DEFAULT_PARTITION__',
        values: [2, null, 8],
      },
    ])
    expect(attempt.facts).toMatchObject({
      upserts: 2,
      patches: 0,
      moves: 0,
      deletes: 0,
      searches: 0,
    })
  })

  it('has one row when the table is emptied and no column is known', async () => {
    const none = schemaOf([], [])
    const { rows } = await new AttemptSite().write([], none, byRegion, { isWhole: true })
    expect(rows).toEqual([{ op: wholeOp, sent: null, search: false, place: null, values: [] }])
  })

  it('does not list more than 500 partitions', async () => {
    const placesOf = async (count: number) => {
      const changes = Array.from({ length: count }, (_, n) => given([n, `p${n}`, 0], []))
      return (await write(changes)).attempt.facts.places?.length ?? null
    }
    expect(await placesOf(500)).toBe(500)
    expect(await placesOf(501)).toBeNull()
  })
})

describe('folders of attempts', () => {
  const changes = [given([1, 'eu', 7], [])]
  const named = (token: number, attempt: number) => ({ name: { ...first, token, attempt } })

  it('are swept when they are of a lower token, or of an attempt before', async () => {
    const site = new AttemptSite()
    for (const [token, attempt] of [
      [4, 9],
      [5, 1],
      [5, 2],
      [5, 3],
      [6, 1],
    ] as const) {
      await site.write(changes, schema, null, named(token, attempt))
    }
    await site.write(changes, schema, null, { name: { table: 'shop.users', token: 1, attempt: 1 } })
    await site.attempts.sweep({ ...first, token: 5, attempt: 2 })
    expect(await site.folders()).toEqual([
      'shop.orders/5-2',
      'shop.orders/5-3',
      'shop.orders/6-1',
      'shop.users/1-1',
    ])
  })

  it('have a name of their own each, also for the same attempt made twice', async () => {
    const site = new AttemptSite()
    const [one, two] = [await site.write(changes, schema), await site.write(changes, schema)]
    expect(one.attempt.folder).not.toBe(two.attempt.folder)
    expect(site.attempts.locationOf(one.attempt)).toBe(`file://${one.attempt.folder}`)
  })

  it('are whole until they are taken away', async () => {
    const site = new AttemptSite()
    const { attempt } = await site.write(changes, schema)
    expect(await site.attempts.isWhole(attempt)).toBe(true)
    expect(await site.attempts.isWhole({ ...attempt, sizeBytes: attempt.sizeBytes + 1 })).toBe(
      false,
    )
    await site.attempts.sweep({ ...first, token: 6 })
    expect(await site.attempts.isWhole(attempt)).toBe(false)
  })

  it('go when they are removed, and can be removed again', async () => {
    const site = new AttemptSite()
    const { attempt } = await site.write(changes, schema)
    await site.attempts.remove(attempt)
    await site.attempts.remove(attempt)
    expect(await site.folders()).toEqual([])
  })
})
