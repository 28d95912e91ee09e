/** What happens to brokers and networks: an application goes on, and its tables end right. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, inject, it } from 'vitest'
import type { KafkaClient } from '../../log/kafka/client.ts'
import type { KafkaLog } from '../../log/kafka/kafka-log.ts'
import { noMembership } from '../../log/log.ts'
import { proxyPorts } from '../../scripts/stack/parts.ts'
import { restart } from '../../scripts/stack/stack.ts'
import { HalfTransaction, newClient } from './half-transaction.ts'
import type { Instance } from './instances.ts'
import { newName, openKafka, produce, untilApplied } from './instances.ts'
import { BrokerProxy } from './proxy.ts'
import { Running } from './running.ts'
import { differences, makeShop, makeTopics, shopConfig } from './shop.ts'

const broker = inject('broker')
const stack = inject('stack')
const log = openKafka(broker)
afterAll(() => log.close())

/** Runs the shop while something happens, and compares what the tables are in the end. */
async function runShop(
  seed: number,
  address: string,
  meanwhile: () => Promise<void>,
): Promise<void> {
  const shop = makeShop({ seed, partitions: 3, events: 40_000, maxId: 1000 })
  await makeTopics(log, shop)
  const config = shopConfig('', address, shop)
  await Running.use({ name: 'faults', log, config }, async running => {
    const instances = [running.start(), running.start()]
    const half = Math.floor(shop.records.length / 2)
    await produce(log, shop.records.slice(0, half), { atOnce: 2000, pauseMs: 100 })
    await meanwhile()
    await produce(log, shop.records.slice(half), { atOnce: 2000 })
    await untilApplied(log, running.applicationId, shop.partitions, {
      deadlineMs: 240_000,
      whileWaiting: () => expectAllWell(instances),
    })
    const ends = await Promise.all(instances.map(instance => instance.stop()))
    expect(ends.map(({ code }) => code)).toEqual([0, 0])
    expect(await differences(running.warehouse, shop)).toEqual([])
  })
}

function expectAllWell(instances: readonly Instance[]): void {
  for (const { stderr } of instances) expect(stderr).toBe('')
}

describe('an application', () => {
  it('goes on when the broker was restarted', async () => {
    await runShop(11, broker, async () => {
      await restart('kafka', stack)
    })
  })

  it('goes on when the connection was cut for longer than a request may take', async () => {
    const ports = proxyPorts(stack)
    const proxy = await BrokerProxy.open(ports)
    try {
      await runShop(12, `127.0.0.1:${ports.proxy}`, async () => {
        proxy.silence()
        await sleep(9000)
        proxy.restore()
      })
    } finally {
      await proxy.close()
    }
  })
})

describe('a transaction', () => {
  const at = { partition: 0, key: null, timestampMs: 0 }

  /** Opens a transaction, writes, and leaves it. */
  async function leaveOpen(id: string, topic: string, value: string): Promise<KafkaClient> {
    const client = newClient([broker])
    const half = await HalfTransaction.open(client, id)
    await half.write({ topic, partition: 0 }, value)
    return client
  }

  const group = noMembership

  async function textsIn(found: KafkaLog, topic: string): Promise<string[]> {
    const partition = { topic, partition: 0 }
    const end = await found.decidedEnd(partition)
    const values: string[] = []
    for (let offset = 0; offset < end; ) {
      const batch = await found.read(partition, offset, 1_000_000)
      values.push(...batch.records.map(({ value }) => Buffer.from(value!).toString()))
      offset = batch.nextOffset
    }
    return values
  }

  it('that its owner left is ended by the next owner, and never read', async () => {
    const topic = newName('left')
    await log.createTopic({ name: topic, partitions: 1, cleanup: 'delete' })
    const id = newName('id')
    const half = await leaveOpen(id, topic, 'left')
    const next = await log.openProducer(id)
    const records = [{ ...at, topic, value: Buffer.from('next') }]
    await next.commit({ records, offsets: [], group })
    expect(await textsIn(log, topic)).toEqual(['next'])
    await half.close()
  })

  it('of somebody else hides what was committed behind it, until it is decided', async () => {
    const topic = newName('hidden')
    await log.createTopic({ name: topic, partitions: 1, cleanup: 'delete' })
    const id = newName('id')
    const half = await leaveOpen(id, topic, 'pending')
    const other = await log.openProducer(newName('other'))
    const records = [{ ...at, topic, value: Buffer.from('committed') }]
    await other.commit({ records, offsets: [], group })
    const partition = { topic, partition: 0 }
    expect(await log.offsets(partition)).toEqual({ start: 0, end: 0 })
    const whole = textsIn(log, topic)
    await sleep(1000)
    await log.openProducer(id)
    expect(await whole).toEqual(['committed'])
    await half.close()
  })
})
