/** Tables of a server that the source makes and drops: what is staged, claimed and kept, and what a crash leaves. */
import { describe, expect, it } from 'vitest'
import type { GivenPolicy } from '../../model/schema-change.ts'
import { change, ddl } from '../main/messages.ts'
import { RemoteSite } from './remote-site.ts'

const table = 'orders'

const insert = (id: number, pos: number, partition = 0) =>
  change('c', { after: { id, name: 'a' } }, { table, pos, partition })
const dropped = (pos: number) => ddl('DROP', { table, pos })
const created = (pos: number) => ddl('CREATE', { table, pos })

async function opened(policy: GivenPolicy, partitions = 1): Promise<RemoteSite> {
  const site = new RemoteSite([table], partitions)
  site.server.policy = policy
  await site.start()
  return site
}

async function applied(site: RemoteSite, ...records: readonly ReturnType<typeof insert>[]) {
  for (const record of records) {
    await site.append(record)
    await site.answerAll()
  }
}

const heldBack = async (site: RemoteSite) => (await site.progressOf(table))?.quarantine ?? null

describe('a table that the source makes', () => {
  it('is made without a row, and nothing of it stays behind', async () => {
    const site = await opened({})
    await site.append(created(100))
    expect(site.server.open.map(({ ids }) => ids)).toEqual([[]])
    await site.answerAll()
    const { followed, through } = (await site.progressOf(table))!
    expect(followed!.schema.columns.map(({ name }) => name)).toEqual(['id', 'name'])
    expect(through).toMatchObject({ offset: 0 })
    expect(await site.unpassed()).toEqual([])
    expect(await site.stagedFiles()).toEqual([])
    await applied(site, insert(1, 200), created(100))
    expect(site.server.idsOf(table)).toEqual([1])
    expect(site.server.changes).toEqual([])
  })

  it('is made by the next owner where the one before did not come to it', async () => {
    const site = await opened({})
    site.server.holdClaims()
    await site.append(created(100))
    expect(site.server.waitingForClaim).toEqual([table])
    site.crash()
    site.server.letClaimsGo()
    await site.start()
    await site.answerAll()
    expect((await site.progressOf(table))!.through).toMatchObject({ offset: 0 })
    await applied(site, insert(1, 200))
    expect(site.server.idsOf(table)).toEqual([1])
  })

  it('is there when the statement was answered to nobody', async () => {
    const site = await opened({})
    await site.append(created(100))
    const [statement] = site.server.open
    site.crash()
    statement!.takeEffect()
    site.server.madeByHand.set(table, ['id', 'name'])
    await site.start()
    await site.answerAll()
    await applied(site, insert(1, 200))
    expect(site.server.idsOf(table)).toEqual([1])
    expect(site.server.changes).toEqual([])
    expect(await site.unpassed()).toEqual([])
  })

  it('is left as it is where somebody made it otherwise', async () => {
    const site = await opened({})
    site.server.madeByHand.set(table, ['id', 'other'])
    await applied(site, created(100))
    expect([site.server.statements, site.server.changes]).toEqual([[], []])
    await applied(site, insert(1, 200))
    expect(site.server.changes).toEqual(['orders: column name string is added'])
  })
})

describe('a table that the source drops', () => {
  it.each([1, 3])(
    'is emptied of the rows of before, in one statement (%i partitions)',
    async partitions => {
      const site = await opened({ 'drop-table': 'evolve' }, partitions)
      await applied(site, insert(1, 100), insert(2, 300))
      await site.append(dropped(200))
      const [statement] = site.server.open
      expect(statement!.request.truncate).toBe('all')
      expect(statement!.ids).toEqual([2])
      site.crash()
      // For longer than files are kept.
      site.clock.advance(2 * site.server.keeps.maxAgeMs)
      await site.start()
      await site.answerAll()
      expect(site.server.idsOf(table)).toEqual([2])
      // What lags behind, the same again, and what comes then.
      const late = partitions === 1 ? [] : [insert(3, 150, 2)]
      await applied(site, ...late, dropped(200), insert(4, 400))
      expect(site.server.idsOf(table)).toEqual([2, 4])
    },
  )

  it('before it had a row stays without those of before', async () => {
    const site = await opened({ 'drop-table': 'evolve' })
    await applied(site, dropped(200), insert(1, 100), insert(2, 300))
    expect(site.server.idsOf(table)).toEqual([2])
  })

  it('and that is truncated in a topic of one partition ends as the source has it', async () => {
    const site = await opened({ 'drop-table': 'evolve' })
    const truncated = change('t', {}, { table, pos: 400 })
    await applied(site, insert(1, 100), insert(2, 300), truncated, insert(3, 500), dropped(200))
    expect(site.server.idsOf(table)).toEqual([3])
    expect(await heldBack(site)).toBeNull()
  })

  it('later than files are kept holds the table back', async () => {
    const site = await opened({ 'drop-table': 'evolve' })
    await applied(site, insert(1, 100), insert(2, 300))
    site.clock.advance(site.server.keeps.maxAgeMs)
    await site.rounds()
    await applied(site, dropped(200))
    expect(await heldBack(site)).toMatchObject({ code: 'truncate-too-late' })
    expect(site.server.idsOf(table)).toEqual([1, 2])
  })

  it('does so where rows were applied before drops were followed', async () => {
    const site = await opened({})
    await applied(site, insert(1, 100), insert(2, 300))
    site.crash()
    site.server.policy = { 'drop-table': 'evolve' }
    await site.start()
    await applied(site, dropped(200))
    expect(await heldBack(site)).toMatchObject({ code: 'truncate-too-late' })
    expect(site.server.idsOf(table)).toEqual([1, 2])
  })

  it('is kept by default, and it is said for as long as there is none of its name', async () => {
    const site = await opened({})
    await applied(site, insert(1, 100), dropped(200))
    expect(site.server.idsOf(table)).toEqual([1])
    const position = expect.stringContaining(':200:') as string
    expect((await site.progressOf(table))!.sourceDrop).toEqual({
      atMs: 1_700_000_000_200,
      position,
    })
    await applied(site, insert(2, 150))
    expect((await site.progressOf(table))!.sourceDrop).toBeDefined()
    await applied(site, created(300))
    expect((await site.progressOf(table))!.sourceDrop).toBeUndefined()
    await applied(site, dropped(400), insert(3, 500))
    expect((await site.progressOf(table))!.sourceDrop).toBeUndefined()
    expect(site.server.idsOf(table)).toEqual([1, 2, 3])
  })

  it('is nothing to hold back where the target has none', async () => {
    const site = await opened({ 'drop-table': 'exception' })
    await applied(site, dropped(200))
    expect(await heldBack(site)).toBeNull()
    expect(await site.unpassed()).toEqual([])
    await applied(site, insert(1, 100))
    expect(site.server.idsOf(table)).toEqual([1])
  })

  it('is held back under exception, and goes on as the mode then says', async () => {
    for (const [mode, ids] of [
      ['lenient', [1, 2]],
      ['evolve', [2]],
    ] as const) {
      const site = await opened({ 'drop-table': 'exception' })
      // After all that was applied, by the clocks of both.
      const later = ddl('DROP', { table, pos: 200, ms: 100_000_000_000 })
      await applied(site, insert(1, 100), later, insert(2, 300))
      expect(await heldBack(site)).toMatchObject({
        code: 'schema-change-refused',
        reason: expect.stringContaining('schemaChanges.drop-table is "exception"'),
      })
      expect(site.server.idsOf(table)).toEqual([1])
      site.server.policy = { 'drop-table': mode }
      await site.resume(table)
      await site.rounds()
      await site.answerAll()
      expect(await heldBack(site)).toBeNull()
      expect(site.server.idsOf(table)).toEqual(ids)
    }
  })
})
