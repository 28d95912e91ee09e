import { describe, expect, it } from 'vitest'
import { RemoteSite } from '../runtime/remote-site.ts'

describe('row 22, a server that is gone for a while, and an operator who has to help', () => {
  it('ten minutes without an answer, though some statements take effect: it heals by itself, and nothing is lost', async () => {
    const site = new RemoteSite(['a', 'b'])
    await site.start()
    await site.send(1, 'a', 'b')
    for (let minute = 1; minute <= 10; minute += 1) {
      await site.until(() => ['a', 'b'].every(table => site.server.openOf(table) !== undefined))
      for (const table of ['a', 'b']) {
        const statement = site.server.openOf(table)!
        if (minute % 2 === 0) statement.takeEffect()
        statement.fail('statement-unknown')
      }
      await site.send(minute + 1, 'a', 'b')
      site.clock.advance(60_000)
    }
    await site.answerAll()
    const ids = Array.from({ length: 11 }, (_, index) => index + 1)
    for (const table of ['a', 'b']) {
      expect(site.server.idsOf(table)).toEqual(ids)
      expect((await site.progressOf(table))?.quarantine).toBeNull()
    }
    expect(await site.unpassed()).toEqual([])
    expect(await site.stagedFiles()).toEqual([])
    await site.close()
  })
})
