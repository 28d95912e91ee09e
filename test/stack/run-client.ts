/**
 * The program over the broker with a client that is named. It shares the group with an instance of the
 * default client, as in a rolling restart, which dies on the way.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import {
  Instance,
  keepLogs,
  newFolder,
  newName,
  openKafka,
  produce,
  untilApplied,
  writeConfig,
} from './instances.ts'
import { differences, makeShop, makeTopics, shopConfig, warehouseIn } from './shop.ts'

export async function runWithClient(broker: string, client: string, seed: number): Promise<void> {
  const log = openKafka(broker)
  const shop = makeShop({ seed, partitions: 3, events: 20_000, maxId: 500 })
  await makeTopics(log, shop)
  const applicationId = newName('client')
  const folder = newFolder()
  const config = shopConfig(applicationId, broker, shop)
  const dying = new Instance(writeConfig(folder.path, config))
  await untilAssigned(dying)
  const source = { ...config.source, client }
  const staying = new Instance(writeConfig(folder.path, { ...config, source }))
  try {
    await untilAssigned(staying)
    const half = Math.floor(shop.records.length / 2)
    await produce(log, shop.records.slice(0, half), { atOnce: 1000, pauseMs: 100 })
    await dying.kill()
    await produce(log, shop.records.slice(half), { atOnce: 1000 })
    await untilApplied(log, applicationId, shop.partitions, {
      deadlineMs: 240_000,
      whileWaiting: () => expect(staying.stderr).toBe(''),
    })
    expect((await staying.stop()).code).toBe(0)
    expect(await differences(warehouseIn(folder.path), shop)).toEqual([])
  } catch (error) {
    throw new Error(`the logs are in ${keepLogs('client', [dying, staying])}`, { cause: error })
  } finally {
    await Promise.all([dying.kill(), staying.kill()])
    folder.remove()
    await log.close()
  }
}

async function untilAssigned(instance: Instance): Promise<void> {
  while (!instance.lines.some(({ event }) => event === 'tasks.assigned')) {
    expect(instance.isRunning, instance.stderr).toBe(true)
    await sleep(50)
  }
}
