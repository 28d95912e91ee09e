/**
 * The program over the broker with a client that is named. It shares the group with an instance of the
 * default client, as in a rolling restart, which dies on the way.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Instance } from './instances.ts'
import { openKafka, produce, untilApplied } from './instances.ts'
import { Running } from './running.ts'
import { differences, makeShop, makeTopics, shopConfig } from './shop.ts'

export async function runWithClient(broker: string, client: string, seed: number): Promise<void> {
  const log = openKafka(broker)
  try {
    await shareGroup(log, broker, client, seed)
  } finally {
    await log.close()
  }
}

async function shareGroup(
  log: ReturnType<typeof openKafka>,
  broker: string,
  client: string,
  seed: number,
): Promise<void> {
  const shop = makeShop({ seed, partitions: 3, events: 20_000, maxId: 500 })
  await makeTopics(log, shop)
  const config = shopConfig('', broker, shop)
  await Running.use({ name: 'client', log, config }, async running => {
    const dying = running.start()
    await untilAssigned(dying)
    running.configure({ ...config, source: { ...config.source, client } })
    const staying = running.start()
    await untilAssigned(staying)
    const half = Math.floor(shop.records.length / 2)
    await produce(log, shop.records.slice(0, half), { atOnce: 1000, pauseMs: 100 })
    await dying.kill()
    await produce(log, shop.records.slice(half), { atOnce: 1000 })
    await untilApplied(log, running.applicationId, shop.partitions, {
      deadlineMs: 240_000,
      whileWaiting: () => expect(staying.stderr).toBe(''),
    })
    expect((await staying.stop()).code).toBe(0)
    expect(await differences(running.warehouse, shop)).toEqual([])
  })
}

async function untilAssigned(instance: Instance): Promise<void> {
  while (!instance.lines.some(({ event }) => event === 'tasks.assigned')) {
    expect(instance.isRunning, instance.stderr).toBe(true)
    await sleep(50)
  }
}
