import { describe, expect, it } from 'vitest'
import type { Loop } from '../../runtime/loop.ts'
import { seededRandom } from '../../runtime/random.ts'
import { SimulatedFileSystem } from '../../testkit/simulated-file-system.ts'
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

/** Two instances over one disk; the first one is paused at a call that is chosen by what it does. */
class Pair {
  readonly members: string[] = []
  readonly cluster: Cluster
  #pauseAt: ((operation: string, path: string) => boolean) | null = null
  #onPause: () => void = () => undefined
  #goOn: () => void = () => undefined

  constructor() {
    const random = seededRandom(1)
    const files = new SimulatedFileSystem({
      random,
      onCall: (call, path) => this.#call(call, path),
    })
    const viewOf = (log: Parameters<typeof watchMembers>[0]) => watchMembers(log, this.members)
    this.cluster = new Cluster({ files, partitions: 1, sourcePartitions: 1, viewOf })
  }

  /** Steps the instance until it is paused; it goes on when the result is called, to the end of its step. */
  async paused(loop: Loop, at: (operation: string, path: string) => boolean) {
    this.#pauseAt = at
    const paused = new Promise<void>(resolve => {
      this.#onPause = resolve
    })
    const done = (async () => {
      while (this.#pauseAt !== null) {
        this.cluster.clock.advance(500)
        await loop.step(0)
      }
    })()
    await Promise.race([paused, done])
    return async () => {
      this.#goOn()
      await done
    }
  }

  /** The group gives up on the first instance. */
  async successor(): Promise<Loop> {
    const loop = await this.cluster.join()
    this.cluster.log.expireMember(applicationId, this.members[0]!)
    return loop
  }

  async #call(operation: string, path: string): Promise<void> {
    if (this.#pauseAt?.(operation, path) !== true) return
    this.#pauseAt = null
    await new Promise<void>(resolve => {
      this.#goOn = resolve
      this.#onPause()
    })
  }
}

describe('an instance that is paused', () => {
  it('before it sweeps what is left of a task leaves what the next owner has staged', async () => {
    const pair = new Pair()
    const { cluster } = pair
    for (let id = 1; id <= 5; id += 1) cluster.shop.upsert(id)
    const first = await cluster.join()
    const goOn = await pair.paused(first, (call, path) => {
      return call === 'list' && path.includes('/staging/')
    })
    const second = await pair.successor()
    while (!cluster.events.some(({ type }) => type === 'batch-staged')) {
      await second.step(0)
      cluster.clock.advance(500)
    }
    await goOn()
    await cluster.finish(second)
    expect(await rowsIn(cluster.files)).toEqual(cluster.shop.expected())
  })

  it('before its commit of a table may make it: the next owner, who opened the table, goes on', async () => {
    const pair = new Pair()
    const { cluster } = pair
    for (let id = 1; id <= 5; id += 1) cluster.shop.upsert(id)
    const first = await cluster.join()
    await cluster.finish(first)
    for (let id = 3; id <= 8; id += 1) cluster.shop.upsert(id)
    for (let round = 0; round < 3; round += 1) await first.step(0)
    cluster.clock.advance(1000)
    const goOn = await pair.paused(first, (call, path) => {
      return call === 'makeDirectory' && path.endsWith('/_commits')
    })
    const second = await pair.successor()
    // It takes its token and opens the table.
    await second.step(0)
    await goOn()
    await cluster.finish(second)
    expect(await rowsIn(cluster.files)).toEqual(cluster.shop.expected())
    expect(cluster.metrics.total('forager_batches_applied_total')).toBeGreaterThan(1)
    const commits = await cluster.files.list('/warehouse/demo/user/_commits')
    expect(commits).toHaveLength(2)
  })
})

describe('an instance that is paused at any call from its start on', () => {
  async function prepared() {
    const disk = new PausingFiles(seededRandom(1))
    const members: string[] = []
    const viewOf = (log: Parameters<typeof watchMembers>[0]) => watchMembers(log, members)
    const shared = { partitions: 2, maxAgeMs: 1000, isPartitioned: true }
    const cluster = new Cluster({ files: disk.files, ...shared, viewOf })
    const random = seededRandom(2)
    const before = await cluster.join()
    for (let index = 0; index < 30; index += 1) cluster.shop.change(random)
    await cluster.finish(before)
    for (let index = 0; index < 30; index += 1) cluster.shop.change(random)
    await before.step(0)
    await before.close()
    const first = await cluster.join()
    const work = async (): Promise<void> => {
      for (let round = 0; round < 2; round += 1) await first.step(0)
      cluster.clock.advance(1000)
      for (let round = 0; round < 4; round += 1) await first.step(0)
    }
    return { disk, cluster, members, first, work }
  }

  it.each([1, 3, 5])('harms nothing that another one does in %i rounds', async rounds => {
    const whole = await prepared()
    whole.disk.calls = 0
    await whole.work()
    const { calls } = whole.disk
    expect(calls).toBeGreaterThan(100)
    for (let pauseAt = 1; pauseAt <= calls; pauseAt += 1) {
      const { disk, cluster, members, first, work } = await prepared()
      const paused = await disk.upTo(pauseAt, work)
      const second = await cluster.join()
      cluster.log.expireMember(applicationId, members[1]!)
      for (let round = 0; round < rounds; round += 1) {
        await second.step(0)
        cluster.clock.advance(600)
      }
      paused!.goOn()
      expect(await paused!.done, `call ${pauseAt}`).toBe('done')
      await first.close()
      await cluster.finish(second)
      expect(await rowsIn(cluster.files), `call ${pauseAt}`).toEqual(cluster.shop.expected())
      expectTiled(cluster)
    }
  })
})
