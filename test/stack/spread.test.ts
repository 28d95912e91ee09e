/** A producer that spreads the changes of a row over partitions, and instances that are killed. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, inject, it } from 'vitest'
import { openKafka, produce, untilApplied } from './instances.ts'
import { Running } from './running.ts'
import { differences, makeShop, makeTopics, shopConfig } from './shop.ts'

const broker = inject('broker')
const log = openKafka(broker)
afterAll(() => log.close())

it('ordering: position ends equal, with stores that are restored by who takes them over', async () => {
  const shop = makeShop({ seed: 31, partitions: 3, events: 60_000, maxId: 1000, spreads: true })
  await makeTopics(log, shop)
  const config = shopConfig('', broker, shop)
  const options = {
    name: 'spread',
    log,
    config: {
      ...config,
      source: { ...config.source, ordering: 'position' },
      state: { store: 'persistent' },
    },
  }
  await Running.use(options, async running => {
    const { applicationId, instances } = running
    const first = running.start()
    running.start()
    const third = Math.floor(shop.records.length / 3)
    await produce(log, shop.records.slice(0, third), { pauseMs: 50 })
    await untilApplied(log, applicationId, shop.partitions, { deadlineMs: 240_000 })
    first.signal('SIGKILL')
    await produce(log, shop.records.slice(third, 2 * third), { pauseMs: 50 })
    await sleep(2000)
    running.start()
    await produce(log, shop.records.slice(2 * third), { pauseMs: 50 })
    await untilApplied(log, applicationId, shop.partitions, { deadlineMs: 240_000 })
    for (const { stderr } of instances) expect(stderr).toBe('')
    const ends = await Promise.all(instances.map(instance => instance.stop()))
    expect(ends.map(({ code }) => code)).toEqual([null, 0, 0])
    expect(await differences(running.warehouse, shop)).toEqual([])
    const lines = instances.flatMap(instance => instance.lines)
    const restored = lines.filter(({ event }) => event === 'positions.restored')
    expect(restored.some(({ keys }) => Number(keys) > 100)).toBe(true)
    expect(lines.some(({ event }) => event === 'changes.superseded')).toBe(true)
  })
})
