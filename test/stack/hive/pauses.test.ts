import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { Instance } from '../instances.ts'
import { until } from '../instances.ts'
import { HiveShop } from './hive-shop.ts'

/** Longer than the session of a member of the group. */
const sessionMs = 6000

it('an owner that is suspended within an apply, while another one takes its tables, does no harm when it goes on', async () => {
  await HiveShop.use({ name: 'pauses', seed: 22, events: 5000 }, async shop => {
    // Between claim and submit; after the drain; when the statement was answered.
    const pauses = ['merge.claimed:2', 'apply.drained:2', 'apply.answered:2']
    for (const [index, point] of pauses.entries()) {
      await shop.send((index + 1) / (pauses.length + 1))
      const paused = shop.start({ FORAGER_STOP_AT: point })
      await until(`${point} is reached`, () => isStopped(paused))
      const next = shop.start()
      await shop.untilApplied()
      const rows = await shop.counts()
      const before = assignments(paused)
      paused.signal('SIGCONT')
      // It learns from the group that it was given up, and joins again.
      await until(`${point}: it joins again`, () => assignments(paused) > before)
      await shop.untilApplied()
      expect(await shop.counts(), point).toEqual(rows)
      expect(await shop.duplicates(), point).toEqual([])
      await Promise.all([paused.stop(), next.stop()])
    }
    await shop.send(null)
    shop.start()
    await shop.untilApplied()
    expect(await shop.differences()).toEqual([])
    await shop.running.stop()
    shop.start()
    await shop.untilApplied()
    await shop.running.stop()
    expect(await shop.stagedFiles()).toEqual([])
  })
})

it('an owner that sleeps past its session between any two steps loses its tables, and finds that out', async () => {
  await HiveShop.use({ name: 'sleeper', seed: 23, events: 3000 }, async shop => {
    await shop.send(0.5)
    const [first, second] = [shop.start(), shop.start()]
    await until('both have tasks', () => [first, second].every(one => hasTasks(one!)))
    await sleep(2000)
    first!.signal('SIGSTOP')
    await shop.send(null)
    await sleep(2 * sessionMs)
    first!.signal('SIGCONT')
    await shop.untilApplied()
    expect(await shop.differences()).toEqual([])
    await shop.running.stop()
    expect(await shop.stagedFiles()).toEqual([])
  })
})

function hasTasks({ lines }: Instance): boolean {
  return lines.some(({ event }) => event === 'tasks.assigned')
}

function assignments({ lines }: Instance): number {
  return lines.filter(({ event }) => event === 'tasks.assigned').length
}

/** Linux shows it in the state of the process. */
async function isStopped({ pid }: Instance): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T')
}
