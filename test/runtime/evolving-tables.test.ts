/** Tables of a server whose source changes its columns: what is committed when, and what becomes of failures. */
import { describe, expect, it } from 'vitest'
import { WarehouseError } from '../../model/errors.ts'
import type { GivenPolicy } from '../../model/schema-change.ts'
import { RemoteSite } from './remote-site.ts'

/** A site whose table `a` has the columns id and name, and a row. */
async function withTable(policy: GivenPolicy = {}): Promise<RemoteSite> {
  const site = new RemoteSite(['a', 'b'])
  site.server.policy = policy
  await site.start()
  await site.send(1, 'a')
  await site.answerAll()
  return site
}

const columnsOf = async (site: RemoteSite): Promise<string> => {
  const { schema } = (await site.progressOf('a'))!.followed!
  return schema.columns.map(({ name }) => name).join(', ')
}

const wide = { id: 2, name: 'b', n: 5 }

describe('a table of a server', () => {
  it('is changed before the batch that needs it, and the log has it before that is claimed', async () => {
    const site = await withTable()
    site.server.holdClaims()
    await site.sendRow('a', wide)
    expect(site.server.changes).toEqual(['a: column n int is added'])
    expect(await columnsOf(site)).toBe('id, name, n')
    expect(await site.progressOf('a')).toMatchObject({ evolving: null, through: { offset: 0 } })
    expect(site.server.open).toEqual([])
    site.server.letClaimsGo()
    await site.answerAll()
    expect(site.server.rowsOf('a').get(2)).toBe('2,b,5')
    await site.close()
  })

  it('is changed once, and batches of before still fit', async () => {
    const site = await withTable()
    await site.sendRow('a', wide)
    await site.answerAll()
    await site.sendRow('a', { id: 3, name: 'c' })
    await site.sendRow('a', { ...wide, id: 4 })
    await site.answerAll()
    expect(site.server.changes).toEqual(['a: column n int is added'])
    expect(site.server.idsOf('a')).toEqual([1, 2, 3, 4])
    await site.close()
  })

  it('whose change was begun by an owner that is gone is changed anew, in doubt', async () => {
    const site = await withTable()
    site.server.holdEvolves()
    await site.sendRow('a', wide)
    const begun = (await site.progressOf('a'))!.evolving
    expect(begun?.schema.columns.map(({ name }) => name)).toEqual(['id', 'name', 'n'])
    expect(await columnsOf(site)).toBe('id, name')
    site.crash()
    site.server.letEvolvesGo()
    await site.start()
    await site.answerAll()
    const last = site.server.evolves.at(-1)!
    expect(last).toMatchObject({ isInDoubt: true, begun })
    expect(last.token).toBeGreaterThan(site.server.evolves[0]!.token)
    expect(await site.progressOf('a')).toMatchObject({ evolving: null })
    expect(site.server.rowsOf('a').get(2)).toBe('2,b,5')
    await site.close()
  })

  it('is not held back by an owner that was paused, and is refused what the next one has done', async () => {
    const site = await withTable()
    site.server.holdEvolves()
    await site.sendRow('a', wide)
    await site.fenceMerger()
    site.server.evolveFailures.push(new WarehouseError('target-unsuitable', 'it has the column'))
    site.server.openEvolves()
    await site.answerAll()
    expect(site.held).toEqual([])
    expect(site.server.evolveFailures).toEqual([])
    expect(site.server.rowsOf('a').get(2)).toBe('2,b,5')
    await site.close()
  })

  it('whose change was begun gets an older batch first: in doubt, and its rows the defaults with the others', async () => {
    const site = await withTable()
    // While a statement is open, a batch without the new column and one with it come.
    await site.send(2, 'a')
    site.server.holdEvolves()
    await site.sendRow('a', { id: 3, name: 'c' })
    await site.sendRow('a', { ...wide, id: 4 })
    site.server.openOf('a')!.succeed()
    await site.until(() => site.server.evolves.length > 0)
    const { begun: none } = site.server.evolves[0]!
    expect(none).toBe(null)
    site.crash()
    site.server.letEvolvesGo()
    // The next owner meets the batches one by one.
    await site.start(1)
    await site.until(() => site.server.open.length > 0)
    const [statement] = site.server.open
    expect(statement!.ids).toEqual([3])
    expect(statement!.request.isInDoubt).toBe(true)
    statement!.succeed()
    await site.until(() => site.server.evolves.length > 1)
    const { begun, isInDoubt } = site.server.evolves[1]!
    expect(begun!.schema.columns.map(({ name }) => name)).toEqual(['id', 'name', 'n'])
    expect(isInDoubt).toBe(false)
    await site.answerAll()
    expect(site.server.idsOf('a')).toEqual([1, 2, 3, 4])
    expect(await site.progressOf('a')).toMatchObject({ evolving: null })
    await site.close()
  })

  it('that somebody made gets what it lacks, and what it has is left as it is', async () => {
    const site = new RemoteSite(['a'])
    site.server.madeByHand.set('a', ['id', 'phone'])
    await site.start()
    await site.sendRow('a', { id: 1, phone: '5', n: 2 })
    await site.answerAll()
    expect(site.server.changes).toEqual(['a: column n int is added'])
    expect(await columnsOf(site)).toBe('id, phone, n')
    await site.close()
  })

  it('that was made by a statement without an answer is looked at before the next one', async () => {
    const site = new RemoteSite(['a'])
    await site.start()
    await site.send(1, 'a')
    site.server.madeByHand.set('a', ['id', 'name'])
    await site.sendRow('a', wide)
    site.server.open[0]!.fail('statement-unknown')
    await site.until(() => {
      site.clock.advance(10_000)
      return site.server.open.length > 0
    })
    expect(site.server.changes).toEqual(['a: column n int is added'])
    await site.close()
  })

  it('that cannot be reached is changed later', async () => {
    const site = await withTable()
    const code = 'warehouse-unreachable'
    site.server.evolveFailures.push(new WarehouseError(code, 'gone', { retry: 'backoff' }))
    await site.sendRow('a', wide)
    expect(site.server.changes).toEqual([])
    await site.until(() => {
      site.clock.advance(10_000)
      return site.server.changes.length > 0
    })
    await site.answerAll()
    expect(site.server.rowsOf('a').get(2)).toBe('2,b,5')
    await site.close()
  })
})

describe('a change that a server cannot make', () => {
  it('holds back that table alone, until it may go on without it', async () => {
    const site = await withTable({ add: 'evolve' })
    site.server.unsupported.add('add')
    await site.sendRow('a', wide)
    await site.sendRow('b', { id: 1, name: 'b' })
    await site.answerAll()
    const { quarantine } = (await site.progressOf('a'))!
    expect(quarantine).toMatchObject({
      code: 'schema-change-unsupported',
      reason: expect.stringContaining('column n int is added'),
    })
    expect(site.server.idsOf('b')).toEqual([1])
    // Somebody mended it.
    site.server.unsupported.clear()
    await site.sendRow('a', { id: 3, name: 'c', n: 6 })
    await site.resume('a')
    await site.answerAll()
    expect(await site.progressOf('a')).toMatchObject({ quarantine: null })
    expect([2, 3].map(id => site.server.rowsOf('a').get(id))).toEqual(['2,b,5', '3,c,6'])
    await site.close()
  })

  it('is left out by "try_evolve", and asked for once', async () => {
    const site = await withTable({ add: 'try_evolve' })
    site.server.unsupported.add('add')
    await site.sendRow('a', wide)
    await site.answerAll()
    await site.sendRow('a', { ...wide, id: 3 })
    await site.answerAll()
    expect(await columnsOf(site)).toBe('id, name')
    expect(await site.progressOf('a')).toMatchObject({ quarantine: null, evolving: null })
    expect(site.server.idsOf('a')).toEqual([1, 2, 3])
    expect(site.server.evolves.length).toBe(1)
    await site.close()
  })
})

describe('a change that the policy refuses', () => {
  it('holds the table back; with another policy it goes on, and nothing is lost', async () => {
    const site = await withTable({ add: 'exception' })
    await site.sendRow('a', wide)
    await site.sendRow('a', { id: 3, name: 'c' })
    await site.answerAll()
    expect((await site.progressOf('a'))!.quarantine).toMatchObject({
      code: 'schema-change-refused',
      reason: expect.stringContaining('schemaChanges.add is "exception"'),
    })
    expect(site.server.idsOf('a')).toEqual([1])
    site.server.policy = {}
    await site.resume('a')
    await site.answerAll()
    expect(site.server.idsOf('a')).toEqual([1, 2, 3])
    expect(site.server.rowsOf('a').get(2)).toBe('2,b,5')
    await site.close()
  })

  it('to make a table at all: "ignore" passes its batches', async () => {
    const site = new RemoteSite(['a'])
    site.server.policy = { 'create-table': 'ignore' }
    await site.start()
    await site.send(1, 'a')
    await site.answerAll()
    expect(site.server.statements).toEqual([])
    expect(await site.unpassed()).toEqual([])
    await site.close()
  })

  it('and what was passed is not read again, when the table is made and another one held it in the log', async () => {
    const site = new RemoteSite(['a', 'b'])
    site.server.policyByTable.set('a', { 'create-table': 'ignore' })
    await site.start()
    await site.send(1, 'b')
    await site.send(1, 'a')
    await site.rounds()
    expect(await site.unpassed()).toEqual(['b', 'a'])
    site.crash()
    site.server.policyByTable.clear()
    await site.start()
    await site.send(2, 'a')
    await site.answerAll()
    expect([site.server.idsOf('a'), site.server.idsOf('b')]).toEqual([[2], [1]])
    expect(await site.unpassed()).toEqual([])
    await site.close()
  })
})
