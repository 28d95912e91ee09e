/** Mergers of tables that are on a server: the claim, what is in doubt, what is held back. */
import { describe, expect, it } from 'vitest'
import { WarehouseError } from '../../model/errors.ts'
import { RemoteSite } from './remote-site.ts'

async function started(...tables: readonly string[]): Promise<RemoteSite> {
  const site = new RemoteSite(tables)
  await site.start()
  return site
}

const tokenOf = (site: RemoteSite): number => site.server.statements.at(-1)!.request.token

describe('tables on a server', () => {
  it('are applied to beside each other, as many as the server says', async () => {
    const site = await started('a', 'b', 'c')
    await site.send(1, 'a', 'b', 'c')
    await site.rounds()
    expect(site.server.open.map(({ table }) => table)).toEqual(['a', 'b'])
    site.server.openOf('b')!.succeed()
    await site.until(() => site.server.openOf('c') !== undefined)
    expect(site.server.open.map(({ table }) => table)).toEqual(['a', 'c'])
    await site.answerAll()
    expect(['a', 'b', 'c'].map(table => site.server.idsOf(table))).toEqual([[1], [1], [1]])
    await site.close()
  })

  it('get what came meanwhile with the next apply, and lose none of it', async () => {
    const site = await started('a')
    await site.send(1, 'a')
    await site.send(2, 'a')
    await site.send(3, 'a')
    expect(site.server.open.map(({ ids }) => ids)).toEqual([[1]])
    expect(await site.unpassed()).toEqual(['a', 'a', 'a'])
    const { through } = site.server.openOf('a')!.request
    site.server.openOf('a')!.succeed()
    await site.until(() => site.server.statements.length === 2)
    expect(site.server.openOf('a')!.ids).toEqual([2, 3])
    expect((await site.progressOf('a'))?.through).toEqual(through)
    expect(await site.unpassed()).toEqual(['a', 'a'])
    const next = site.server.openOf('a')!.request.through
    await site.answerAll()
    expect(site.server.idsOf('a')).toEqual([1, 2, 3])
    expect((await site.progressOf('a'))?.through).toEqual(next)
    expect(await site.unpassed()).toEqual([])
    await site.close()
  })

  it('are claimed before a statement is submitted, and their progress follows its answer', async () => {
    const site = await started('a')
    site.server.holdClaims()
    await site.send(1, 'a')
    expect(site.server.waitingForClaim).toEqual(['a'])
    expect(await site.progressOf('a')).toBeNull()
    site.server.letClaimsGo()
    await site.until(() => site.server.openOf('a') !== undefined)
    expect(await site.progressOf('a')).toMatchObject({
      through: null,
      claim: { token: tokenOf(site), attempt: 1, through: 0 },
    })
    await site.answerAll()
    expect(await site.progressOf('a')).toMatchObject({ through: { offset: 0 }, claim: null })
    await site.close()
  })
})

describe('a statement whose outcome is not known', () => {
  it('is followed by another attempt, in doubt, never by the same one', async () => {
    const site = await started('a')
    await site.send(1, 'a')
    expect(site.server.openOf('a')!.request).toMatchObject({ attempt: 1, isInDoubt: false })
    await site.send(2, 'a')
    site.server.openOf('a')!.fail('statement-unknown')
    await site.rounds()
    expect(site.server.open).toEqual([])
    site.clock.advance(1000)
    await site.until(() => site.server.openOf('a') !== undefined)
    expect(site.server.openOf('a')!.request).toMatchObject({ attempt: 2, isInDoubt: true })
    expect(site.server.openOf('a')!.ids).toEqual([1, 2])
    await site.answerAll()
    await site.send(3, 'a')
    expect(site.server.openOf('a')!.request).toMatchObject({ attempt: 3, isInDoubt: false })
    await site.close()
  })

  it('stays in doubt when something of the next attempt is refused', async () => {
    const site = await started('a')
    await site.send(1, 'a')
    site.server.openOf('a')!.fail('statement-unknown')
    await site.rounds()
    site.clock.advance(1000)
    await site.until(() => site.server.openOf('a') !== undefined)
    // It may have been the question who else is at work.
    site.server.openOf('a')!.fail('statement-failed')
    await site.rounds()
    site.clock.advance(2000)
    await site.until(() => site.server.openOf('a') !== undefined)
    expect(site.server.openOf('a')!.request).toMatchObject({ attempt: 3, isInDoubt: true })
    await site.close()
  })

  it('of an owner that was stopped is in doubt for the next one', async () => {
    const site = await started('a')
    await site.send(1, 'a')
    const { request } = site.server.openOf('a')!
    await site.close()
    expect(request.signal.aborted).toBe(true)
    await site.start()
    await site.until(() => site.server.openOf('a') !== undefined)
    const next = site.server.openOf('a')!.request
    expect(next).toMatchObject({ attempt: 1, isInDoubt: true })
    expect(next.token).toBeGreaterThan(request.token)
    await site.close()
  })

  it('of an owner that had more batches is followed by one that has all of them: readers may have seen it', async () => {
    const site = await started('a')
    await site.send(1, 'a')
    await site.send(2, 'a')
    await site.send(3, 'a')
    site.server.openOf('a')!.fail('statement-unknown')
    await site.rounds()
    site.clock.advance(1000)
    await site.until(() => site.server.openOf('a') !== undefined)
    expect(site.server.openOf('a')!.ids).toEqual([1, 2, 3])
    site.crash()
    await site.start(1)
    // They are read in parts.
    await site.until(() => site.server.openOf('a') !== undefined)
    const statement = site.server.openOf('a')!
    expect(statement.request.isInDoubt).toBe(true)
    expect(statement.ids).toEqual([1, 2, 3])
    statement.succeed()
    await site.rounds()
    expect((await site.progressOf('a'))?.claim).toBeNull()
    await site.send(4, 'a')
    expect(site.server.openOf('a')!.request.isInDoubt).toBe(false)
    await site.close()
  })

  it('of an owner that crashed is in doubt though the first look at the table fails', async () => {
    const site = await started('a')
    await site.send(1, 'a')
    site.crash()
    site.server.openFailures.push(
      new WarehouseError('statement-failed', 'no', { retry: 'backoff' }),
    )
    await site.start()
    await site.rounds()
    expect(site.server.open).toEqual([])
    site.clock.advance(1000)
    await site.until(() => site.server.openOf('a') !== undefined)
    expect(site.server.openOf('a')!.request.isInDoubt).toBe(true)
    await site.close()
  })
})

describe('after a crash', () => {
  it('a table that is further than the low-water mark is not applied to again', async () => {
    const site = await started('a', 'b')
    await site.send(1, 'b')
    await site.send(1, 'a')
    site.server.openOf('a')!.succeed()
    await site.until(async () => (await site.progressOf('a'))?.through !== null)
    await site.rounds()
    expect(await site.unpassed()).toEqual(['b', 'a'])
    site.crash()
    await site.start()
    await site.until(() => site.server.openOf('b') !== undefined)
    await site.rounds()
    expect(site.server.open.map(({ table }) => table)).toEqual(['b'])
    await site.answerAll()
    expect(await site.unpassed()).toEqual([])
    await site.close()
  })

  it('a claim stays in the log until its table is claimed anew, whatever else is committed', async () => {
    const site = await started('a', 'b')
    await site.send(1, 'b')
    await site.send(1, 'a')
    site.server.openOf('a')!.succeed()
    await site.until(async () => (await site.progressOf('a'))?.through?.offset !== undefined)
    await site.send(2, 'a')
    const claimed = await site.progressOf('a')
    expect(claimed?.claim).toMatchObject({ attempt: 2 })
    site.crash()
    site.server.holdClaims()
    await site.start()
    await site.until(() => site.server.waitingForClaim.length >= 5)
    // Batch 1 of the table is skipped, which is news for the log; batch 2 is not claimed yet.
    await site.rounds()
    expect((await site.progressOf('a'))?.claim).toEqual(claimed?.claim)
    site.crash()
    site.server.letClaimsGo()
    await site.start()
    await site.until(() => site.server.openOf('a') !== undefined)
    expect(site.server.openOf('a')!.request.isInDoubt).toBe(true)
    await site.close()
  })
})

/** A table that is held back, beside one whose statement is not answered. */
async function heldBack(site: RemoteSite): Promise<void> {
  await site.until(() => site.server.openOf('a') !== undefined)
  site.server.openOf('a')!.fail('target-unsuitable')
  await site.until(async () => (await site.progressOf('a'))?.quarantine !== null)
  await site.rounds()
}

describe('a table that the server refuses', () => {
  it('is tried for a good minute, then held back: its batches are parked and the others go on', async () => {
    const site = await started('a', 'b')
    await site.send(1, 'a', 'b')
    site.server.openOf('b')!.succeed()
    for (const waitMs of [1000, 2000, 4000, 8000, 16_000, 32_000, 0]) {
      await site.until(() => site.server.openOf('a') !== undefined)
      expect(await site.parked()).toEqual([])
      site.server.openOf('a')!.fail('statement-failed')
      await site.rounds()
      site.clock.advance(waitMs)
    }
    await site.rounds()
    expect((await site.progressOf('a'))?.quarantine?.code).toBe('statement-failed')
    await site.send(2, 'a', 'b')
    expect(site.server.open.map(({ table }) => table)).toEqual(['b'])
    await site.answerAll()
    expect((await site.parked()).map(({ batch }) => batch.table)).toEqual(['a', 'a'])
    expect(await site.unpassed()).toEqual([])
    await site.resume('a')
    await site.answerAll()
    expect(site.server.idsOf('a')).toEqual([1, 2])
    expect((await site.progressOf('a'))?.quarantine).toBeNull()
    await site.close()
  })

  it('is not held back by an owner that was paused and replaced, which finds more applied than it knows of', async () => {
    const site = await started('a')
    await site.stage(1, 'a')
    await site.fenceMerger()
    site.server.openFailures.push(new WarehouseError('warehouse-ahead', 'it has more'))
    await site.answerAll()
    expect(site.server.openFailures).toEqual([])
    expect(site.held).toEqual([])
    expect(site.server.idsOf('a')).toEqual([1])
    await site.close()
  })

  it('is not held back by such an owner whose statement is refused', async () => {
    const site = await started('a')
    await site.send(1, 'a')
    await site.fenceMerger()
    site.server.openOf('a')!.fail('target-unsuitable')
    await site.answerAll()
    expect(site.held).toEqual([])
    expect(site.server.idsOf('a')).toEqual([1])
    await site.close()
  })

  it('is not held back for what passed before: refusals alone are counted', async () => {
    const site = await started('a')
    await site.send(1, 'a')
    const answers = [
      ...Array.from({ length: 5 }, () => 'statement-unknown' as const),
      ...Array.from({ length: 6 }, () => 'statement-failed' as const),
    ]
    for (const answer of answers) {
      await site.until(() => site.server.openOf('a') !== undefined)
      site.server.openOf('a')!.fail(answer)
      await site.rounds()
      site.clock.advance(60_000)
    }
    await site.answerAll()
    expect(site.server.idsOf('a')).toEqual([1])
    expect((await site.progressOf('a'))?.quarantine).toBeNull()
    await site.close()
  })

  it('keeps a batch that came just before the word to resume, through a crash', async () => {
    const site = await started('a', 'b')
    await site.send(1, 'a')
    await heldBack(site)
    await site.send(1, 'b')
    await site.stage(2, 'a')
    await site.resume('a')
    await site.until(() => site.server.openOf('a') !== undefined)
    // A commit of another table says how far the partition is.
    site.server.openOf('b')!.succeed()
    await site.rounds()
    site.crash()
    await site.start()
    await site.answerAll()
    expect(site.server.idsOf('a')).toEqual([1, 2])
    expect(site.server.idsOf('b')).toEqual([1])
    await site.close()
  })

  it('keeps such a batch when it is refused again', async () => {
    const site = await started('a')
    await site.send(1, 'a')
    await heldBack(site)
    await site.stage(2, 'a')
    await site.resume('a')
    await heldBack(site)
    expect((await site.progressOf('a'))?.quarantine).not.toBeNull()
    await site.resume('a')
    await site.answerAll()
    expect(site.server.idsOf('a')).toEqual([1, 2])
    await site.close()
  })

  it('takes once, in order, what was parked and read again after a crash', async () => {
    const site = await started('a', 'b')
    await site.send(1, 'b')
    await site.send(1, 'a')
    await heldBack(site)
    await site.send(2, 'a')
    expect(await site.parked()).toHaveLength(2)
    // The other table holds the partition's offset before them.
    expect(await site.unpassed()).toEqual(['b', 'a', 'a'])
    await site.resume('a')
    site.crash()
    await site.start()
    await site.until(() => site.server.openOf('a') !== undefined)
    const before = site.server.statements.length
    expect(site.server.openOf('a')!.ids).toEqual([1, 2])
    await site.answerAll()
    expect(site.server.statements.slice(before).map(({ table }) => table)).not.toContain('a')
    expect(site.server.idsOf('a')).toEqual([1, 2])
    await site.close()
  })

  it('is not appended to any more: while it was held back, somebody may have filled it by hand', async () => {
    const site = await started('a')
    const areNew = () => site.server.openOf('a')!.request.areNew
    await site.send(1, 'a')
    await site.answerAll()
    await site.send(2, 'a')
    await site.until(() => site.server.openOf('a') !== undefined)
    expect(areNew()).toBe(true)
    await heldBack(site)
    await site.resume('a')
    await site.until(() => site.server.openOf('a') !== undefined)
    expect(areNew()).toBe(false)
    await site.answerAll()
    await site.send(3, 'a')
    await site.until(() => site.server.openOf('a') !== undefined)
    expect(areNew()).toBe(false)
    await site.answerAll()
    expect(site.server.idsOf('a')).toEqual([1, 2, 3])
    await site.close()
  })
})

describe('a table that is divided otherwise than its batches say', () => {
  it('is tried with what the configuration says by now, where its rows may be anywhere', async () => {
    const site = await started('a')
    const byName = { column: 'name', unit: 'value' } as const
    site.server.partitionedBy.set('a', byName)
    await site.send(1, 'a')
    await site.until(async () => (await site.progressOf('a'))?.quarantine !== null)
    await site.close()
    site.partitionBy = byName
    await site.start()
    await site.resume('a')
    await site.until(() => site.server.openOf('a') !== undefined)
    const { request, changes } = site.server.openOf('a')!
    expect(request.partitionBy).toEqual(byName)
    expect(changes.map(({ leaves }) => leaves)).toEqual(['unknown'])
    await site.answerAll()
    expect(site.server.idsOf('a')).toEqual([1])
    await site.close()
  })
})
