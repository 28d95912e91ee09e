/** Source topics that grow, come and go, on a real broker. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, inject, it } from 'vitest'
import { partitionOfBytes } from '../../model/partitioner.ts'
import { systemClock } from '../../runtime/clock.ts'
import { openKafka, partitionsOf, produce, until, untilApplied } from './instances.ts'
import { addPartitions, deleteTopic } from './operator.ts'
import { Running } from './running.ts'
import type { Shop } from './shop.ts'
import { differences, makeShop, makeTopics, shopConfig } from './shop.ts'

const broker = inject('broker')
const log = openKafka(broker)
afterAll(() => log.close())

const deadlineMs = 120_000

function configOf(shop: Shop, source: object = {}) {
  const config = shopConfig('', broker, shop)
  return {
    ...config,
    source: { ...config.source, topicRefresh: '1s', retryTimeout: '5s', ...source },
  }
}

async function inApplication(
  shop: Shop,
  source: object,
  action: (running: Running) => Promise<void>,
): Promise<void> {
  await makeTopics(log, shop)
  await Running.use({ name: 'topics', log, config: configOf(shop, source) }, action)
}

describe('partitions that are added to a source topic', () => {
  it('stop the application; confirmed, what the old ones have is read first, and it ends equal', async () => {
    const shop = makeShop({ seed: 31, partitions: 2, events: 40_000, maxId: 500, resends: 0 })
    const half = Math.floor(shop.records.length / 2)
    const moved = shop.records.slice(half).map(record => {
      const { key } = record
      return key === null ? record : { ...record, partition: partitionOfBytes(key, 4) }
    })
    expect(moved.filter(({ partition }) => partition > 1).length).toBeGreaterThan(5000)
    await inApplication(shop, {}, async running => {
      const { applicationId: id } = running
      const first = running.start()
      await produce(log, shop.records.slice(0, 4000))
      await until('a window', () => first.lines.some(({ event }) => event === 'window.closed'))
      // A backlog in the old partitions, and then newer changes of the same rows in the new ones.
      await produce(log, shop.records.slice(4000, half))
      for (const topic of shop.topics) await addPartitions(broker, topic, 4)
      await produce(log, moved.slice(0, 4000))
      expect((await first.ended).code).toBe(1)
      expect(first.stderr).toMatch(/\[partitions-added\]/)
      const again = running.start()
      expect((await again.ended).code).toBe(1)
      expect(again.stderr).toMatch(/had 2; to confirm: source\.confirmPartitions: \{ "shop-/)
      const confirmPartitions = Object.fromEntries(shop.topics.map(topic => [topic, 4]))
      running.configure(configOf(shop, { confirmPartitions }))
      const both = [running.start(), running.start()]
      await produce(log, moved.slice(4000))
      const partitions = shop.topics.flatMap(topic => partitionsOf(topic, 4))
      await untilApplied(log, id, partitions, { deadlineMs })
      const ends = await Promise.all(both.map(instance => instance.stop()))
      expect(ends.map(({ code }) => code)).toEqual([0, 0])
      expect(await differences(running.warehouse, shop)).toEqual([])
    })
  })
})

describe('a pattern of topics', () => {
  it('finds what is made, goes on without what is deleted, and refuses what was made anew', async () => {
    const shop = makeShop({ seed: 32, partitions: 2, events: 10_000, maxId: 300 })
    const pattern = shop.topics[0]!.replace(/\..*/, '.*')
    const first = { ...shop, topics: [shop.topics[0]!] }
    await inApplication(first, { topics: [pattern], start: 'latest' }, async running => {
      const { applicationId: id } = running
      const instance = running.start()
      const isSaid = (event: string) => () => instance.lines.some(line => line.event === event)
      await until('the tasks', isSaid('tasks.assigned'))
      await sleep(1500)
      await makeTopics(log, shop)
      // It begins with what came after the application did, by the time of the records.
      const timestampMs = systemClock.now()
      const records = shop.records.map(record => ({ ...record, timestampMs }))
      const [kept, gone] = shop.topics
      const later = records.filter(({ topic }) => topic === kept).slice(-500)
      await produce(
        log,
        records.filter(record => !later.includes(record)),
      )
      await until('the new topic', isSaid('topic.found'))
      await untilApplied(log, id, shop.partitions, { deadlineMs })
      await deleteTopic(broker, gone!)
      await until('the loss', isSaid('topic.lost'))
      await produce(log, later)
      await untilApplied(log, id, partitionsOf(kept!, 2), { deadlineMs })
      expect(await differences(running.warehouse, shop)).toEqual([])
      expect(instance.isRunning).toBe(true)
      await log.createTopic({ name: gone!, partitions: 2, cleanup: 'delete' })
      expect((await instance.ended).code).toBe(1)
      expect(instance.stderr).toMatch(/was deleted and made anew .*\[source-replaced\]/)
    })
  })
})

describe('a topic that is deleted', () => {
  it('and is named stops the application after the retry timeout', async () => {
    const shop = makeShop({ seed: 33, partitions: 2, events: 2000, maxId: 300 })
    await inApplication(shop, {}, async running => {
      const { applicationId: id } = running
      const instance = running.start()
      await produce(log, shop.records)
      await untilApplied(log, id, shop.partitions, { deadlineMs })
      await deleteTopic(broker, shop.topics[0]!)
      expect((await instance.ended).code).toBe(1)
      expect(instance.lines.map(({ event }) => event)).toContain('topic.missing')
      expect(instance.stderr).toMatch(/is missing for 5 s .*\[topic-missing\]/)
    })
  })

  it('and is the topic of owners is said, while it runs and at the start', async () => {
    const shop = makeShop({ seed: 34, partitions: 2, events: 2000, maxId: 300 })
    await inApplication(shop, {}, async running => {
      const { applicationId: id } = running
      const instance = running.start()
      await produce(log, shop.records)
      await untilApplied(log, id, shop.partitions, { deadlineMs })
      await deleteTopic(broker, `${id}-owners`)
      expect((await instance.ended).code).toBe(1)
      expect(instance.stderr).toMatch(/an internal topic was deleted .*\[internal-topic-missing\]/)
      const again = running.start()
      expect((await again.ended).code).toBe(1)
      expect(again.stderr).toMatch(/\[internal-topic-missing\]/)
    })
  })
})
