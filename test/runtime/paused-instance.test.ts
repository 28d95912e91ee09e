import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../runtime/random.ts'
import { PausingFiles } from '../sinks/embedded/pausing-files.ts'
import { applicationId, Cluster, expectTiled, watchMembers } from './instances.ts'
import { rowsIn } from './shop.ts'

/** An instance whose windows are due and whose tables are written, and another one beside it. */
async function prepared() {
  const disk = new PausingFiles(seededRandom(1))
  const members: string[] = []
  const cluster = new Cluster({
    files: disk.files,
    partitions: 2,
    maxAgeMs: 1000,
    viewOf: log => watchMembers(log, members),
  })
  const random = seededRandom(1)
  const first = await cluster.join()
  for (let index = 0; index < 30; index += 1) cluster.shop.change(random)
  await cluster.finish(first)
  for (let index = 0; index < 30; index += 1) cluster.shop.change(random)
  for (let round = 0; round < 3; round += 1) await first.step(0)
  cluster.clock.advance(1000)
  const work = async (): Promise<void> => {
    for (let round = 0; round < 4; round += 1) await first.step(0)
  }
  return { disk, cluster, members, first, work }
}

async function callCount(): Promise<number> {
  const { disk, cluster, work } = await prepared()
  disk.calls = 0
  await work()
  const { calls } = disk
  expect(await rowsIn(cluster.files)).toEqual(cluster.shop.expected())
  return calls
}

describe('an instance that is paused at a call of the file system', () => {
  it('while another one does its work, goes on as a member that came back', async () => {
    const calls = await callCount()
    expect(calls).toBeGreaterThan(40)
    const outcomes = new Map<string, number[]>()
    for (let pauseAt = 1; pauseAt <= calls; pauseAt += 1) {
      const { disk, cluster, members, first, work } = await prepared()
      const paused = await disk.upTo(pauseAt, work)
      // Its group gave up on it; all of its partitions go to the other one.
      const second = await cluster.join()
      cluster.log.expireMember(applicationId, members[0]!)
      await cluster.finish(second)
      expect(await rowsIn(cluster.files)).toEqual(cluster.shop.expected())
      paused!.goOn()
      const outcome = await paused!.done
      outcomes.set(outcome, [...(outcomes.get(outcome) ?? []), pauseAt])
      await second.close()
      if (outcome !== 'done') continue
      await cluster.finish(first)
      expect(await rowsIn(cluster.files)).toEqual(cluster.shop.expected())
      expectTiled(cluster)
    }
    expect([...outcomes]).toEqual([['done', expect.any(Array)]])
  })
})
