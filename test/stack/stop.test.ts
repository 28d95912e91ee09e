/** An instance that is told to stop: how long it takes, who takes over, and what when it cannot. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, inject, it } from 'vitest'
import { proxyPorts } from '../../scripts/stack/parts.ts'
import type { Instance } from './instances.ts'
import { openKafka, produce, untilApplied } from './instances.ts'
import { BrokerProxy } from './proxy.ts'
import { Running } from './running.ts'
import type { Shop } from './shop.ts'
import { differences, makeShop, makeTopics, shopConfig } from './shop.ts'

const broker = inject('broker')
const stack = inject('stack')
const log = openKafka(broker)
afterAll(() => log.close())

const deadlineMs = 120_000

interface Times {
  readonly maxAge: string
  readonly sessionTimeout: string
}

function configOf(address: string, shop: Shop, times: Times) {
  const { maxAge, sessionTimeout } = times
  const config = shopConfig('', address, shop)
  return {
    ...config,
    source: { ...config.source, sessionTimeout },
    window: { maxAge, maxRows: 1_000_000 },
    stopTimeout: '5s',
  }
}

async function inApplication(
  address: string,
  times: Times,
  action: (shop: Shop, running: Running) => Promise<void>,
): Promise<void> {
  const shop = makeShop({ seed: 41, partitions: 2, events: 30_000, maxId: 2000 })
  await makeTopics(log, shop)
  const options = { name: 'stop', log, config: configOf(address, shop, times) }
  await Running.use(options, running => action(shop, running))
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
  // Nothing closes by itself, and nobody is given up on while the test lasts.
  const times = { maxAge: '1h', sessionTimeout: '2m' }
  await inApplication(broker, times, async (shop, running) => {
    const { applicationId: id } = running
    const first = running.start()
    await produce(log, shop.records)
    await untilRead(first, shop, id)
    const began = performance.now()
    expect((await first.stop()).code).toBe(0)
    expect(first.lines.filter(({ event }) => event === 'window.closed').length).toBeGreaterThan(0)
    const second = running.start()
    await untilApplied(log, id, shop.partitions, { deadlineMs })
    // Far below the session timeout: the group did not wait for the first one.
    expect(performance.now() - began).toBeLessThan(60_000)
    expect(await differences(running.warehouse, shop)).toEqual([])
    expect((await second.stop()).code).toBe(0)
  })
})

it('ends with 1 when the broker does not answer, and what it had is read again', async () => {
  const ports = proxyPorts(stack)
  const proxy = await BrokerProxy.open(ports)
  try {
    const address = `127.0.0.1:${ports.proxy}`
    const times = { maxAge: '1h', sessionTimeout: '6s' }
    await inApplication(address, times, async (shop, running) => {
      const { applicationId: id } = running
      const first = running.start()
      await produce(log, shop.records)
      await untilRead(first, shop, id)
      proxy.silence()
      const began = performance.now()
      expect((await first.stop()).code).toBe(1)
      // Not after the hour of its window.
      expect(performance.now() - began).toBeLessThan(deadlineMs)
      expect(first.stderr).toMatch(/it did not stop within 5 s \[stop-timed-out\]/)
      proxy.restore()
      // It could not say that it leaves: the group waits for the session of the first one.
      running.configure(configOf(address, shop, { ...times, maxAge: '2s' }))
      running.start()
      await untilApplied(log, id, shop.partitions, { deadlineMs })
      expect(await differences(running.warehouse, shop)).toEqual([])
    })
  } finally {
    await proxy.close()
  }
})
