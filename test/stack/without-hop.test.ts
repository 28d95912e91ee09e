/** Instances without a hop over a real broker: one is killed in the middle of its windows. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, inject, it } from 'vitest'
import type { OffsetRange } from '../../model/staged-batch.ts'
import { openKafka, produce, until, untilApplied } from './instances.ts'
import { Running } from './running.ts'
import { differences, makeShop, makeTopics, shopConfig } from './shop.ts'

const broker = inject('broker')
const log = openKafka(broker)
afterAll(() => log.close())

it('keyedBy: primary-key ends equal when an instance is killed, and its windows tile', async () => {
  const shop = makeShop({ seed: 41, partitions: 3, events: 40_000, maxId: 1000 })
  await makeTopics(log, shop)
  const config = shopConfig('', broker, shop)
  const keyed = { ...config, source: { ...config.source, keyedBy: 'primary-key' } }
  await Running.use({ name: 'without-hop', log, config: keyed }, async running => {
    const { applicationId, instances } = running
    const first = running.start()
    const second = running.start()
    const half = Math.floor(shop.records.length / 2)
    await produce(log, shop.records.slice(0, half), { pauseMs: 100 })
    const hasClosed = (): boolean => first.lines.some(({ event }) => event === 'window.closed')
    await until('a window of the first instance', hasClosed)
    const producing = produce(log, shop.records.slice(half), { pauseMs: 100 })
    // In the middle of windows, which are two seconds long.
    await sleep(700)
    first.signal('SIGKILL')
    running.start()
    await producing
    await untilApplied(log, applicationId, shop.partitions, { deadlineMs: 120_000 })
    expect(instances.map(({ stderr }) => stderr)).toEqual(['', '', ''])
    const ends = await Promise.all([second, instances[2]!].map(instance => instance.stop()))
    expect(ends.map(({ code }) => code)).toEqual([0, 0])
    expect(await differences(running.warehouse, shop)).toEqual([])
    const topics = (await log.topics()).map(({ name }) => name)
    expect(topics).not.toContain(`${applicationId}-rows-repartition`)
    await expectTiled(running, shop.partitions)
  })
})

/** Windows as instances told of them. One that was killed may have committed its last one untold. */
async function expectTiled(
  { instances }: Running,
  partitions: readonly { readonly topic: string; readonly partition: number }[],
): Promise<void> {
  const lines = instances.flatMap(instance => instance.lines)
  const told = lines.filter(({ event }) => event === 'window.closed')
  let untold = 0
  for (const { topic, partition } of partitions) {
    const own = told.filter(({ task }) => task === `0_${topic}-${partition}`)
    const ranges = own.map(({ from, to }): OffsetRange => ({ from: Number(from), to: Number(to) }))
    ranges.sort((a, b) => a.from - b.from)
    const { end } = await log.offsets({ topic, partition })
    expect([ranges[0]?.from, ranges.at(-1)?.to]).toEqual([0, end])
    for (const [index, { from }] of ranges.entries()) {
      const before = ranges[index - 1]?.to ?? 0
      expect(from).toBeGreaterThanOrEqual(before)
      if (from > before) untold += 1
    }
  }
  expect(untold).toBeLessThanOrEqual(1)
}
