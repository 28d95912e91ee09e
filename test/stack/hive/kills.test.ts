import { expect, it } from 'vitest'
import { serverPoints } from '../../../model/crash-points.ts'
import { HiveShop } from './hive-shop.ts'

/** Points of sub-topology 1 and 2 that an apply to a server's table passes. */
const points = [
  'window.sealed',
  'window.committed',
  'merge.token-taken',
  'merge.before-apply',
  ...serverPoints,
  'merge.applied',
  'merge.committed',
  'merge.files-removed',
] as const

it('killed at every numbered step of an apply: the tables end equal, and nothing is left in staging', async () => {
  await HiveShop.use({ name: 'kills', seed: 21, events: 6000 }, async shop => {
    for (const [index, point] of points.entries()) {
      await shop.send((index + 1) / (points.length + 1))
      // The second time: the first apply of all finds tables that are not there yet.
      const count = point === 'merge.token-taken' ? 1 : 1 + (index % 2)
      const killed = shop.start({ FORAGER_CRASH_AT: `${point}:${count}` })
      expect(await killed.ended, point).toEqual({ code: null, signal: 'SIGKILL' })
    }
    await shop.send(null)
    const last = shop.start()
    await shop.untilApplied()
    expect(await shop.differences()).toEqual([])
    expect((await last.stop()).code).toBe(0)
    // One more sweep.
    const again = shop.start()
    await shop.untilApplied()
    expect((await again.stop()).code).toBe(0)
    expect(await shop.stagedFiles()).toEqual([])
  })
})
