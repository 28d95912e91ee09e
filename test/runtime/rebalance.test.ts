import { describe, expect, it } from 'vitest'
import type { Loop } from '../../runtime/loop.ts'
import { seededRandom } from '../../runtime/random.ts'
import { applicationId, Cluster, expectTiled, watched, watchMembers } from './instances.ts'
import { rowsIn, topic } from './shop.ts'

async function stepAll(loops: readonly Loop[], rounds = 3): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    for (const loop of loops) await loop.step(0)
  }
}

/** Everything comes due, again and again: what was read late as well. */
async function letPass(cluster: Cluster, loops: readonly Loop[]): Promise<void> {
  for (let times = 0; times < 4; times += 1) {
    cluster.clock.advance(60_000)
    await stepAll(loops)
  }
}

describe('two instances of one application', () => {
  async function started(seed = 1) {
    const members: string[] = []
    const cluster = new Cluster({
      seed,
      maxAgeMs: 60_000,
      viewOf: log => watchMembers(log, members),
    })
    const random = seededRandom(seed)
    const change = (count: number): void => {
      for (let index = 0; index < count; index += 1) cluster.shop.change(random)
    }
    const first = await cluster.join()
    change(40)
    await stepAll([first])
    const second = await cluster.join()
    change(40)
    await stepAll([first, second])
    return { cluster, members, change, first, second }
  }

  async function expectWhole(cluster: Cluster): Promise<void> {
    expect(await rowsIn(cluster.files)).toEqual(cluster.shop.expected())
    expect(cluster.shop.rows.size).toBeGreaterThan(5)
    expectTiled(cluster)
  }

  it('share the work, and the tables end as the source', async () => {
    const { cluster, first, second } = await started()
    await letPass(cluster, [first, second])
    await expectWhole(cluster)
    const partitions = [0, 1].map(partition => ({ topic, partition }))
    const ends = await Promise.all(partitions.map(at => cluster.log.offsets(at)))
    const committed = await cluster.log.committed(applicationId, partitions)
    expect(committed.map(one => one?.offset)).toEqual(ends.map(({ end }) => end))
  })

  it('of which one leaves with open windows lose nothing', async () => {
    const { cluster, change, first, second } = await started()
    await second.close()
    change(20)
    await stepAll([first])
    await cluster.finish(first)
    await expectWhole(cluster)
  })

  it('of which the first leaves go on as well', async () => {
    const { cluster, change, first, second } = await started()
    await first.close()
    change(20)
    await cluster.finish(second)
    await expectWhole(cluster)
  })

  it('of which one is expired and comes back lose nothing and go on', async () => {
    const { cluster, members, change, first, second } = await started()
    cluster.log.expireMember(applicationId, members[1]!)
    const expired = members[1]
    change(20)
    await stepAll([first])
    change(20)
    // It still has its tasks, and records on the way: what it does now must not count.
    await stepAll([second, first])
    expect(members[1]).not.toBe(expired)
    change(20)
    await letPass(cluster, [second, first])
    await expectWhole(cluster)
  })

  it('of which one is expired alone, with nobody to take over, go on', async () => {
    const { cluster, members, change, first, second } = await started()
    await first.close()
    await stepAll([second])
    cluster.log.expireMember(applicationId, members[1]!)
    change(20)
    await cluster.finish(second)
    await expectWhole(cluster)
  })
})

describe('a rebalance in the middle of a round', () => {
  it('fences all tasks at once, and the instance goes on', async () => {
    let onPolled: (() => Promise<void>) | null = null
    const cluster = new Cluster({
      partitions: 16,
      maxAgeMs: 1000,
      viewOf: log => ({
        ...watchMembers(log, []),
        openConsumer: async options => {
          const consumer = await log.openConsumer(options)
          return {
            ...watched(consumer, () => undefined),
            poll: async given => {
              const result = await consumer.poll(given)
              await onPolled?.()
              return result
            },
          }
        },
      }),
    })
    const random = seededRandom(1)
    const loop = await cluster.join()
    for (let index = 0; index < 300; index += 1) cluster.shop.change(random, 200)
    await stepAll([loop], 4)
    // All windows are due; after the poll somebody joins, and leaves again.
    cluster.clock.advance(1000)
    onPolled = async () => {
      onPolled = null
      const { log } = cluster
      const other = await log.openConsumer({ group: applicationId, topics: [topic] })
      await other.close()
    }
    await loop.step(0)
    await cluster.finish(loop)
    expect(await rowsIn(cluster.files)).toEqual(cluster.shop.expected())
    expectTiled(cluster)
  })
})

describe('instances that come and go at random', () => {
  const seeds = Array.from({ length: 30 }, (_, index) => index + 1)

  it.each(seeds)(
    'end with the tables of the source, and windows that tile, seed %i',
    async seed => {
      const random = seededRandom(seed)
      const members: string[] = []
      const cluster = new Cluster({
        seed,
        partitions: 1 + Math.floor(random.next() * 5),
        sourcePartitions: 1 + Math.floor(random.next() * 3),
        maxRows: 3 + Math.floor(random.next() * 20),
        maxAgeMs: 500,
        isPartitioned: random.next() < 0.5,
        isSkewed: random.next() < 0.5,
        viewOf: log => watchMembers(log, members),
        streams: { maxPollBytes: 2000 + Math.floor(random.next() * 20_000) },
      })
      const alive: { loop: Loop; member: number }[] = []
      const join = async (): Promise<void> => {
        alive.push({ loop: await cluster.join(), member: members.length - 1 })
      }
      await join()
      for (let round = 0; round < 80; round += 1) {
        for (let left = Math.floor(random.next() * 5); left > 0; left -= 1) {
          cluster.shop.change(random)
        }
        cluster.clock.advance(Math.floor(random.next() * 200))
        const chosen = alive[Math.floor(random.next() * alive.length)]!
        const choice = random.next()
        if (choice < 0.05 && alive.length < 4) await join()
        else if (choice < 0.08 && alive.length > 1) {
          alive.splice(alive.indexOf(chosen), 1)
          await chosen.loop.close()
        } else if (choice < 0.13) {
          cluster.log.expireMember(applicationId, members[chosen.member]!)
        } else if (choice < 0.5) await chosen.loop.step(0)
        else {
          for (const { loop } of alive) await loop.step(0)
        }
      }
      const [last] = alive
      for (const { loop } of alive.slice(1)) await loop.close()
      await cluster.finish(last!.loop)
      expect(await rowsIn(cluster.files)).toEqual(cluster.shop.expected())
      expectTiled(cluster)
    },
  )
})
