import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EmbeddedLog } from '../../log/embedded-log.ts'
import { GroupCoordinator } from '../../log/group-coordinator.ts'
import type { Assignment, Log, LogConsumer, TopicPartition } from '../../log/log.ts'
import { partitionName } from '../../log/log.ts'
import { MemoryStorage } from '../../log/log-storage.ts'
import { systemClock } from '../../runtime/clock.ts'
import { seededRandom } from '../../runtime/random.ts'
import { MemorySource } from '../../testkit/memory-source.ts'
import { openLog } from './logs.ts'

const all = { maxWaitMs: 0, maxBytes: 1_000_000 }
const at = { topic: 'orders', partition: 0 }

async function assigned(consumer: LogConsumer): Promise<Assignment> {
  const result = await consumer.poll(all)
  if (result.kind !== 'assigned') throw new Error('the member was not assigned')
  return result.assignment
}

async function logWithTopic(partitions = 1): Promise<EmbeddedLog> {
  const log = await openLog(new MemoryStorage())
  await log.createTopic({ name: 'orders', partitions, cleanup: 'delete' })
  return log
}

function record(partition = 0, value = 'value') {
  return { topic: 'orders', partition, key: null, value: Buffer.from(value), timestampMs: 0 }
}

describe('a member that its group gave up on', () => {
  it('comes back as another member, with all of its partitions unsought', async () => {
    const log = await logWithTopic(2)
    const consumer = await log.openConsumer({ group: 'g', topics: ['orders'] })
    const before = await assigned(consumer)
    for (const partition of before.partitions) consumer.seek(partition, 0)
    const producer = await log.openProducer('p')
    await producer.commit({ records: [record()], offsets: [], group: before.membership })
    log.expireMember('g', before.membership.memberId)
    const after = await assigned(consumer)
    expect(after.membership.memberId).not.toBe(before.membership.memberId)
    expect(after.partitions).toEqual(before.partitions)
    expect(await consumer.poll(all)).toEqual({ kind: 'records', batches: [] })
    consumer.seek(at, 0)
    expect(await consumer.poll(all)).toMatchObject({ batches: [{ ...at, nextOffset: 2 }] })
  })

  it('commits nothing before it has come back', async () => {
    const log = await logWithTopic()
    const consumer = await log.openConsumer({ group: 'g', topics: ['orders'] })
    const { membership } = await assigned(consumer)
    log.expireMember('g', membership.memberId)
    const producer = await log.openProducer('p')
    const commit = producer.commit({ records: [record()], offsets: [], group: membership })
    await expect(commit).rejects.toMatchObject({ code: 'task-fenced' })
    expect(await log.offsets(at)).toEqual({ start: 0, end: 0 })
  })
})

describe('the embedded log', () => {
  it('fences offsets of a partition that the member does not have', async () => {
    const log = await logWithTopic(2)
    const members = [
      await log.openConsumer({ group: 'g', topics: ['orders'] }),
      await log.openConsumer({ group: 'g', topics: ['orders'] }),
    ]
    const [first, second] = [await assigned(members[0]!), await assigned(members[1]!)]
    const producer = await log.openProducer('p')
    const offsets = second.partitions.map(own => ({ ...own, offset: 1, metadata: '' }))
    expect(offsets).toHaveLength(1)
    await expect(
      producer.commit({ records: [record()], offsets, group: first.membership }),
    ).rejects.toMatchObject({ code: 'task-fenced' })
    expect(await log.offsets(at)).toEqual({ start: 0, end: 0 })
    await producer.commit({ records: [], offsets, group: second.membership })
    expect(await log.committed('g', second.partitions)).toEqual([{ offset: 1, metadata: '' }])
  })

  it('shares a topic that appears with the members that asked for it, and with no others', async () => {
    const log = await logWithTopic(1)
    const waiting = await log.openConsumer({ group: 'g', topics: ['orders', 'later'] })
    const other = await log.openConsumer({ group: 'h', topics: ['orders'] })
    expect((await assigned(waiting)).partitions).toEqual([at])
    await assigned(other)
    const poll = waiting.poll({ maxWaitMs: 3_600_000, maxBytes: 1 })
    await log.createTopic({ name: 'later', partitions: 2, cleanup: 'delete' })
    expect(await poll).toMatchObject({
      kind: 'assigned',
      assignment: { partitions: [at, { topic: 'later' }, { topic: 'later' }] },
    })
    expect(await other.poll(all)).toEqual({ kind: 'records', batches: [] })
  })

  it('says nothing more to a consumer that is closed while it waits', async () => {
    const log = await logWithTopic()
    const consumer = await log.openConsumer({ group: 'g', topics: ['orders'] })
    await assigned(consumer)
    const poll = consumer.poll({ maxWaitMs: 3_600_000, maxBytes: 1 })
    await consumer.close()
    expect(await poll).toEqual({ kind: 'records', batches: [] })
    await expect(consumer.poll(all)).rejects.toMatchObject({ code: 'invariant-violated' })
  })

  it('takes a transaction of 200,000 records', async () => {
    const log = await logWithTopic()
    const consumer = await log.openConsumer({ group: 'g', topics: ['orders'] })
    const { membership } = await assigned(consumer)
    const producer = await log.openProducer('p')
    const records = Array.from({ length: 200_000 }, () => record())
    const written = await producer.commit({ records, offsets: [], group: membership })
    expect(written.at(-1)).toBe(199_999)
    expect(await log.offsets(at)).toEqual({ start: 0, end: 200_001 })
  })
})

describe('sources that are only read', () => {
  function withSource(isSkewed = false) {
    const source = new MemorySource({ events: 3 })
    for (let index = 0; index < 30; index += 1) {
      const value = Buffer.from(String(index))
      const place = { topic: 'events', partition: index % 3 }
      source.append({ ...place, timestampMs: index, key: null, value, headers: [] })
    }
    const log = EmbeddedLog.open({
      storage: new MemoryStorage(),
      clock: systemClock,
      random: seededRandom(7),
      sources: [source],
      isSkewed,
    })
    return { source, log }
  }

  async function readGroup(log: Log, count: number) {
    const consumer = await log.openConsumer({ group: 'g', topics: ['events'] })
    const { partitions } = await assigned(consumer)
    for (const partition of partitions) consumer.seek(partition, 0)
    const seen: { partition: number; value: string }[] = []
    let polls = 0
    for (; seen.length < count; polls += 1) {
      expect(polls).toBeLessThan(count * 10)
      const result = await consumer.poll({ maxWaitMs: 0, maxBytes: 200 })
      if (result.kind === 'assigned') continue
      for (const { records } of result.batches) {
        for (const { partition, value } of records) {
          seen.push({ partition, value: Buffer.from(value!).toString() })
        }
      }
    }
    return { partitions, seen }
  }

  it.each([false, true])(
    'are read by groups, each record once and in order, skewed: %s',
    async s => {
      const { log } = withSource(s)
      const { partitions, seen } = await readGroup(await log, 30)
      expect(partitions).toHaveLength(3)
      for (const partition of [0, 1, 2]) {
        const own = seen
          .filter(one => one.partition === partition)
          .map(({ value }) => Number(value))
        expect(own).toEqual(Array.from({ length: 10 }, (_, index) => index * 3 + partition))
      }
    },
  )

  it('are topics with an end, and cannot be written', async () => {
    const { log: opening } = withSource()
    const log = await opening
    expect(await log.topics()).toMatchObject([{ name: 'events', partitions: 3, isFinite: true }])
    await expect(
      log.createTopic({ name: 'events', partitions: 4, cleanup: 'delete' }),
    ).rejects.toMatchObject({ code: 'topic-mismatch' })
    const consumer = await log.openConsumer({ group: 'g', topics: ['events'] })
    const { membership } = await assigned(consumer)
    const producer = await log.openProducer('p')
    const written = { ...record(), topic: 'events' }
    await expect(
      producer.commit({ records: [written], offsets: [], group: membership }),
    ).rejects.toMatchObject({ context: { topic: 'events', partition: 0 } })
    expect(await log.offsets({ topic: 'events', partition: 0 })).toEqual({ start: 0, end: 10 })
  })

  it('have offsets that groups commit', async () => {
    const { log: opening } = withSource()
    const log = await opening
    const consumer = await log.openConsumer({ group: 'g', topics: ['events'] })
    const { membership, partitions } = await assigned(consumer)
    const producer = await log.openProducer('p')
    const offsets = partitions.map(own => ({ ...own, offset: 4, metadata: 'm' }))
    await producer.commit({ records: [], offsets, group: membership })
    const kept = { offset: 4, metadata: 'm' }
    expect(await log.committed('g', partitions)).toEqual([kept, kept, kept])
  })
})

describe('the coordinator of groups', () => {
  const topics = ['t']

  /** Who has which partitions, as each member is told. */
  class Group {
    readonly members = new Map<string, readonly TopicPartition[]>()
    readonly #coordinator: GroupCoordinator

    constructor(partitions: number) {
      this.#coordinator = new GroupCoordinator(() =>
        Array.from({ length: partitions }, (_, partition) => ({ topic: 't', partition })),
      )
    }

    join(id: string): void {
      this.#coordinator.join('g', { id, topics, setOf: undefined }, () => undefined)
      this.members.set(id, [])
      this.#tell()
    }

    leave(id: string): void {
      this.#coordinator.leave('g', id)
      this.members.delete(id)
      this.#tell()
    }

    names(id: string): string[] {
      return (this.members.get(id) ?? []).map(partitionName)
    }

    #tell(): void {
      for (const id of this.members.keys()) {
        const assignment = this.#coordinator.takeAssignment('g', id)
        if (assignment !== null) this.members.set(id, [...assignment.partitions])
      }
    }
  }

  const step = fc.record({ id: fc.integer({ min: 0, max: 6 }), joins: fc.boolean() })

  it('gives every partition to one member, evenly, and moves no more than it must', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20 }), fc.array(step), (partitions, steps) => {
        const group = new Group(partitions)
        for (const { id, joins } of steps) {
          const name = `m${id}`
          if (joins === group.members.has(name)) continue
          const before = new Map([...group.members.keys()].map(one => [one, group.names(one)]))
          if (joins) group.join(name)
          else group.leave(name)
          const after = [...group.members.keys()].map(one => group.names(one))
          if (after.length === 0) continue
          expect(new Set(after.flat()).size).toBe(partitions)
          expect(after.flat()).toHaveLength(partitions)
          const counts = after.map(own => own.length)
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
          // Who stays loses only to one that joined, and gains only from one that left.
          for (const [one, own] of before) {
            if (one === name) continue
            const lost = own.filter(partition => !group.names(one).includes(partition))
            const given = lost.filter(partition => !group.names(name).includes(partition))
            expect(given).toEqual([])
          }
        }
      }),
      { seed: 1, numRuns: 300 },
    )
  })

  it('gives one that joins a share also where the others differ by one', () => {
    const group = new Group(4)
    group.join('a')
    group.join('b')
    group.join('c')
    expect(['a', 'b', 'c'].map(id => group.names(id).length).sort((a, b) => a - b)).toEqual([
      1, 1, 2,
    ])
  })
})
