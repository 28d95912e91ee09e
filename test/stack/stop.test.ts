/** An instance that is told to stop: how long it takes, who takes over, and what when it cannot. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, inject, it } from 'vitest'
import { proxyPorts } from '../../scripts/stack/parts.ts'
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
import { BrokerProxy } from './proxy.ts'
import type { Shop } from './shop.ts'
import { differences, makeShop, makeTopics, shopConfig, warehouseIn } from './shop.ts'

const broker = inject('broker')
const stack = inject('stack')
const log = openKafka(broker)
afterAll(() => log.close())

const deadlineMs = 120_000

interface Times {
  readonly maxAge: string
  readonly sessionTimeout: string
}

function configOf(applicationId: string, address: string, shop: Shop, times: Times) {
  const { maxAge, sessionTimeout } = times
  const config = shopConfig(applicationId, address, shop)
  return {
    ...config,
    source: { ...config.source, sessionTimeout },
    window: { maxAge, maxRows: 1_000_000 },
    stopTimeout: '5s',
  }
}

async function inFolder(
  address: string,
  action: (
    shop: Shop,
    start: (times: Times) => Instance,
    at: { readonly id: string; readonly folder: string },
  ) => Promise<void>,
): Promise<void> {
  const shop = makeShop({ seed: 41, partitions: 2, events: 30_000, maxId: 2000 })
  await makeTopics(log, shop)
  const folder = newFolder()
  const id = newName('stop')
  const instances: Instance[] = []
  const start = (times: Times): Instance => {
    const config = writeConfig(folder.path, configOf(id, address, shop, times))
    const instance = new Instance(config)
    instances.push(instance)
    return instance
  }
  try {
    await action(shop, start, { id, folder: folder.path })
  } catch (error) {
    throw new Error(`the logs are in ${keepLogs('stop', instances)}`, { cause: error })
  } finally {
    await Promise.all(instances.map(instance => instance.kill()))
    folder.remove()
  }
}

async function untilRead(instance: Instance, shop: Shop, id: string): Promise<void> {
  const deadline = performance.now() + deadlineMs
  for (;;) {
    if (performance.now() > deadline) throw new Error(`${id} does not read`)
    const committed = await log.committed(id, shop.partitions)
    const ends = await Promise.all(shop.partitions.map(at => log.offsets(at)))
    await sleep(100)
    const isRead = ends.every(({ end }, index) => committed[index]?.offset === end)
    if (isRead && instance.lines.some(({ event }) => event === 'tasks.assigned')) return
  }
}

it('stages its windows in time and leaves; the other one has its tasks at once', async () => {
  await inFolder(broker, async (shop, start, { id, folder }) => {
    // Nothing closes by itself, and nobody is given up on while the test lasts.
    const times = { maxAge: '1h', sessionTimeout: '2m' }
    const first = start(times)
    await produce(log, shop.records)
    await untilRead(first, shop, id)
    const began = performance.now()
    expect((await first.stop()).code).toBe(0)
    expect(performance.now() - began).toBeLessThan(5000 + 2000)
    expect(first.lines.filter(({ event }) => event === 'window.closed').length).toBeGreaterThan(0)
    const second = start(times)
    await untilApplied(log, id, shop.partitions, { deadlineMs })
    // Far below the session timeout: the group did not wait for the first one.
    expect(performance.now() - began).toBeLessThan(60_000)
    expect(await differences(warehouseIn(folder), shop)).toEqual([])
    expect((await second.stop()).code).toBe(0)
  })
})

it('ends with 1 when the broker does not answer, and what it had is read again', async () => {
  const ports = proxyPorts(stack)
  const proxy = await BrokerProxy.open(ports)
  try {
    await inFolder(`127.0.0.1:${ports.proxy}`, async (shop, start, { id, folder }) => {
      const first = start({ maxAge: '1h', sessionTimeout: '6s' })
      await produce(log, shop.records)
      await untilRead(first, shop, id)
      proxy.silence()
      const began = performance.now()
      expect((await first.stop()).code).toBe(1)
      expect(performance.now() - began).toBeLessThan(5000 + 2000 + 3000)
      expect(first.stderr).toMatch(/it did not stop within 5 s \[stop-timed-out\]/)
      proxy.restore()
      // It could not say that it leaves: the group waits for the session of the first one.
      start({ maxAge: '2s', sessionTimeout: '6s' })
      await untilApplied(log, id, shop.partitions, { deadlineMs })
      expect(await differences(warehouseIn(folder), shop)).toEqual([])
    })
  } finally {
    await proxy.close()
  }
})
