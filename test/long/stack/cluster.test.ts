/**
 * Three brokers, of which some end or fall silent: coordinators and leaders move, partitions are without a
 * leader, markers of transactions come late. What is said in `docs/exactly-once.md`, "Over Kafka".
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { KafkaLog } from '../../../log/kafka/kafka-log.ts'
import type { TopicPartition } from '../../../log/log.ts'
import { noMembership } from '../../../log/log.ts'
import { systemClock } from '../../../runtime/clock.ts'
import { systemRandom } from '../../../runtime/random.ts'
import { readAll } from '../../../runtime/read-all.ts'
import { clusterParts } from '../../../scripts/stack/kafka.ts'
import { clusterPorts } from '../../../scripts/stack/parts.ts'
import { crash, down, signal, up } from '../../../scripts/stack/stack.ts'
import { HalfTransaction, newClient } from '../../stack/half-transaction.ts'
import { newName, partitionsOf, produce, until } from '../../stack/instances.ts'
import { Running, writeAll } from '../../stack/running.ts'
import { differences, makeShop, makeTopics, shopConfig } from '../../stack/shop.ts'

const stack = inject('stack')
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
const silently = (): void => undefined
const brokers = clusterPorts(stack).map(port => `127.0.0.1:${port}`)

function open(replicationFactor?: number): KafkaLog {
  return new KafkaLog({
    brokers,
    clientId: 'test',
    clock: systemClock,
    random: systemRandom,
    requestTimeoutMs: 10_000,
    ...(replicationFactor === undefined ? {} : { replicationFactor }),
  })
}

const log = open()
/** Its topics are on one broker each, and without a leader when that one is away. */
const lonelyLog = open(1)
const client = newClient(brokers)

beforeAll(async () => {
  await up(clusterParts, stack, silently)
  // The brokers answer before they know of each other.
  await until('a topic on three brokers can be made', async () => {
    const name = newName('first')
    return await log.createTopic({ name, partitions: 3, cleanup: 'delete' }).then(
      () => true,
      () => false,
    )
  })
}, 300_000)

afterAll(async () => {
  await Promise.all([log.close(), lonelyLog.close(), client.close()])
  await down(clusterParts, stack, silently)
})

const partOf = (node: number): string => clusterParts[node - 1]!

async function coordinatorOf(group: string): Promise<number> {
  return await client.retrying('find the coordinator', {}, () => {
    client.forgetCoordinator('group', group)
    return client.coordinator('group', group)
  })
}

/** Names until one is coordinated by a broker that will do. */
async function nameCoordinated(
  kind: 'group' | 'transaction',
  willDo: (node: number) => boolean,
): Promise<string> {
  for (;;) {
    const name = newName(kind)
    const node = await client.retrying('find a coordinator', {}, () =>
      client.coordinator(kind, name),
    )
    if (willDo(node)) return name
  }
}

it('goes on when the coordinator’s broker is killed, three times: leaders move as well', async () => {
  const shop = makeShop({ seed: 41, partitions: 3, events: 24_000, maxId: 500 })
  await makeTopics(log, shop)
  const shopOf = shopConfig('', brokers[0]!, shop)
  const config = { ...shopOf, source: { ...shopOf.source, brokers } }
  await Running.use({ name: 'cluster', log, config }, async running => {
    running.start()
    running.start()
    const parts = clusterParts.length + 1
    for (let part = 0; part < parts; part += 1) {
      const from = Math.floor((shop.records.length * part) / parts)
      const to = Math.floor((shop.records.length * (part + 1)) / parts)
      const producing = produce(log, shop.records.slice(from, to), { atOnce: 500, pauseMs: 100 })
      if (part < clusterParts.length) {
        const before = await coordinatorOf(running.applicationId)
        await sleep(500)
        await crash(partOf(before), stack)
        await until('the group has another coordinator', async () => {
          return (await coordinatorOf(running.applicationId)) !== before
        })
        await up([partOf(before)], stack, silently)
      }
      await producing
    }
    await running.untilApplied(shop.partitions)
    await running.stop()
    expect(await differences(running.warehouse, shop)).toEqual([])
  })
})

describe('with a broker that is silent for a while', () => {
  const group = noMembership

  /** A topic of one copy; the broker that leads it. */
  async function lonely(): Promise<TopicPartition & { readonly node: number }> {
    const topic = newName('lonely')
    await lonelyLog.createTopic({ name: topic, partitions: 1, cleanup: 'delete' })
    const at = { topic, partition: 0 }
    const node = await client.retrying('find the leader', {}, () => client.leader(at))
    return { ...at, node }
  }

  async function silenced(node: number, action: () => Promise<void>): Promise<void> {
    await signal(partOf(node), stack, 'SIGSTOP')
    try {
      await action()
    } finally {
      await signal(partOf(node), stack, 'SIGCONT')
    }
  }

  /** Watches a promise without waiting for it. */
  function watch<T>(promise: Promise<T>): { isSettled: boolean; readonly promise: Promise<T> } {
    const watched = { isSettled: false, promise }
    const settle = (): void => {
      watched.isSettled = true
    }
    promise.then(settle, settle)
    return watched
  }

  async function textsIn(at: TopicPartition): Promise<string[]> {
    const values: string[] = []
    for await (const { value } of readAll(log, at)) values.push(Buffer.from(value!).toString())
    return values
  }

  it('the next owner waits for the markers of a transaction that the one before had decided', async () => {
    const { node, ...at } = await lonely()
    const id = await nameCoordinated('transaction', found => found !== node)
    const groupId = await nameCoordinated('group', found => found !== node)
    const half = await HalfTransaction.open(client, id)
    await half.write(at, 'decided')
    await half.commitOffset(groupId, at, 7)
    let next: ReturnType<typeof watch> | null = null
    await silenced(node, async () => {
      // The coordinator answers, and cannot reach the broker that the record is on.
      await half.decide()
      next = watch(log.openProducer(id))
      await sleep(2000)
      expect(next.isSettled, 'the marker is not written, and the id is not given away').toBe(false)
    })
    await next!.promise
    expect(await log.committed(groupId, [at])).toEqual([{ offset: 7, metadata: '' }])
    expect(await textsIn(at)).toEqual(['decided'])
  })

  it('an abort waits for batches that are on their way', async () => {
    const { node, ...at } = await lonely()
    const small = newName('small')
    await log.createTopic({ name: small, partitions: 1, cleanup: 'delete' })
    const id = await nameCoordinated('transaction', found => found !== node)
    const producer = await log.openProducer(id)
    const record = (topic: string, value: Buffer) => {
      return { topic, partition: 0, key: null, timestampMs: 0, value }
    }
    const tooLarge = Buffer.alloc(65 * 1024 * 1024)
    // So that it knows its leaders.
    await producer.commit({ records: [record(at.topic, Buffer.from('first'))], offsets: [], group })
    let failing: ReturnType<typeof watch> | null = null
    await silenced(node, async () => {
      const records = [record(at.topic, Buffer.from('failed')), record(small, tooLarge)]
      failing = watch(producer.commit({ records, offsets: [], group }))
      await sleep(2500)
      expect(failing.isSettled, 'one batch is refused, the other one not answered').toBe(false)
    })
    await expect(failing!.promise).rejects.toThrow()
    const next = await log.openProducer(id)
    await next.commit({ records: [record(at.topic, Buffer.from('next'))], offsets: [], group })
    expect(await textsIn(at)).toEqual(['first', 'next'])
  })

  it('a partition without a leader is waited for, and the others are listed and read', async () => {
    const { node, ...at } = await lonely()
    const record = { ...at, key: null, timestampMs: 0, value: Buffer.from('one') }
    await writeAll(lonelyLog, [record])
    await log.decidedEnd(at)
    const watcher = open()
    await crash(partOf(node), stack)
    await until('the partition has no leader', async () => {
      const found = (await client.allTopics()).find(({ name }) => name === at.topic)
      return found?.leaders[0] === -1
    })
    expect((await watcher.topics()).map(({ name }) => name)).toContain(at.topic)
    const reading = watch(watcher.read(at, 0, 1000))
    await sleep(1500)
    expect(reading.isSettled).toBe(false)
    await up([partOf(node)], stack, silently)
    const { records } = await reading.promise
    expect(records.map(({ value }) => Buffer.from(value!).toString())).toEqual(['one'])
    await watcher.close()
  })
})

it('partitions of three brokers are read in turn, and little of them is held', async () => {
  const topic = newName('wide')
  const count = 48
  const each = 2 * 1024 * 1024
  await log.createTopic({ name: topic, partitions: count, cleanup: 'delete' })
  const partitions = partitionsOf(topic, count)
  for (const at of partitions) {
    const value = Buffer.alloc(each / 8)
    const records = Array.from({ length: 8 }, () => ({ ...at, key: null, timestampMs: 0, value }))
    await writeAll(log, records)
  }
  const consumer = await log.openConsumer({ group: newName('wide'), topics: [topic] })
  const bytes = new Map<number, number>()
  const before = process.memoryUsage().arrayBuffers
  let heldMost = 0
  let untouchedWhenFirstEnded = -1
  for (let total = 0; total < count * each; ) {
    const result = await consumer.poll({ maxWaitMs: 5000, maxBytes: 1024 * 1024 })
    if (result.kind === 'assigned') {
      for (const at of result.assignment.partitions) consumer.seek(at, 0)
      continue
    }
    // Who is slow gives the fetches time to come.
    await sleep(20)
    collectGarbage()
    heldMost = Math.max(heldMost, process.memoryUsage().arrayBuffers - before)
    for (const { partition, records } of result.batches) {
      const read = records.reduce((sum, { value }) => sum + value!.length, 0)
      bytes.set(partition, (bytes.get(partition) ?? 0) + read)
      total += read
    }
    const hasEnded = [...bytes.values()].some(read => read === each)
    if (hasEnded && untouchedWhenFirstEnded < 0) untouchedWhenFirstEnded = count - bytes.size
  }
  await consumer.close()
  expect(untouchedWhenFirstEnded).toBe(0)
  // One poll's worth waits, and one fetch of each broker is under way.
  expect(heldMost / 1024 ** 2).toBeLessThan(24)
})
