/** Topics that come, go and grow while an application runs, and while it does not. */
import { describe, expect, it } from 'vitest'
import { debeziumJson } from '../../formats/debezium/debezium-json.ts'
import type { LogRecord } from '../../model/change-event.ts'
import { partitionOfBytes } from '../../model/partitioner.ts'
import type { Logger } from '../../observe/logger.ts'
import type { Loop } from '../../runtime/loop.ts'
import { readOwners } from '../../runtime/owners.ts'
import { seededRandom } from '../../runtime/random.ts'
import { embedded } from '../../sinks/embedded/embedded.ts'
import { inMemory } from '../../state/memory-store.ts'
import { MemorySource } from '../../testkit/memory-source.ts'
import type { StartPosition, TopicSelection } from '../../topology/nodes.ts'
import { StreamsBuilder } from '../../topology/streams-builder.ts'
import type { Topology } from '../../topology/topology.ts'
import { applicationId, Cluster, hiding, watchMembers } from './instances.ts'
import { rowsIn, Shop, topic, warehouse } from './shop.ts'

const refreshMs = 5000
const timeoutMs = 20_000

interface Given {
  readonly topics?: TopicSelection
  readonly confirmPartitions?: Readonly<Record<string, number>>
  readonly start?: StartPosition
  readonly seed?: number
}

function topologyOf({ topics = [topic], confirmPartitions, start }: Given): Topology {
  const builder = new StreamsBuilder()
  const options = { ...(confirmPartitions && { confirmPartitions }), ...(start && { start }) }
  builder
    .stream(topics, { name: 'events', format: debeziumJson(), ...options })
    .repartition({ name: 'rows', partitions: 3 })
    .compact({ name: 'window', flush: { maxAgeMs: 500 }, store: inMemory() })
    .to(embedded({ path: warehouse }), { name: 'tables' })
  return builder.build()
}

function open(given: Given = {}, before?: Cluster) {
  const lines: string[] = []
  const note = (event: string, fields: object = {}): void => {
    lines.push(`${event} ${JSON.stringify(fields)}`)
  }
  const logger: Logger = { debug: () => undefined, info: note, warn: note, error: note }
  const source = before?.shop.source ?? new MemorySource({ [topic]: 2 }, { isFinite: false })
  const cluster = new Cluster({
    source,
    topology: topologyOf(given),
    seed: given.seed ?? 1,
    isSkewed: true,
    ...(before === undefined ? {} : { storage: before.storage, files: before.files }),
    streams: { topicRefreshMs: refreshMs, topicTimeoutMs: timeoutMs, maxPollBytes: 3000, logger },
  })
  return { cluster, source, lines }
}

async function steps(cluster: Cluster, loops: readonly Loop[], rounds = 12): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    cluster.clock.advance(600)
    for (const loop of loops) await loop.step(0)
  }
}

async function failure(action: () => Promise<unknown>): Promise<string> {
  try {
    await action()
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
  return 'none'
}

describe('a topic that gets more partitions', () => {
  /** The shop over two partitions; then keys move to four. */
  async function grown(given: Given = {}) {
    const { cluster, source, lines } = open(given)
    const random = seededRandom(given.seed ?? 1)
    const loop = await cluster.join()
    for (let count = 0; count < 60; count += 1) cluster.shop.change(random)
    await steps(cluster, [loop])
    // Not read yet when the partitions are added, and all of it older than what moves.
    for (let count = 0; count < 60; count += 1) cluster.shop.change(random)
    source.setTopic(topic, 4)
    cluster.shop.partitions = 4
    for (let count = 0; count < 60; count += 1) cluster.shop.change(random)
    return { cluster, loop, lines, random }
  }

  it('stops a running instance within the refresh interval, and says what to do', async () => {
    const { cluster, loop } = await grown()
    cluster.clock.advance(refreshMs)
    await expect(steps(cluster, [loop])).rejects.toThrow(
      expect.objectContaining({
        code: 'partitions-added',
        message:
          'the topic has 4 partitions, and had 2; to confirm: ' +
          `source.confirmPartitions: { "${topic}": 4 }`,
      }),
    )
  })

  it('stops an instance that is started again', async () => {
    const { cluster, loop } = await grown()
    await loop.close()
    const next = open({}, cluster).cluster
    const second = await next.join()
    expect(await failure(() => steps(next, [second]))).toBe('partitions-added')
    // Another number than the one that is there confirms nothing.
    const wrong = open({ confirmPartitions: { [topic]: 6 } }, cluster).cluster
    const third = await wrong.join()
    expect(await failure(() => steps(wrong, [third]))).toBe('partitions-added')
  })

  it.each([1, 2, 3, 4, 5])(
    'is read on when it is confirmed, and ends right, seed %i',
    async seed => {
      const { cluster, loop, random } = await grown({ seed })
      await loop.close()
      const { cluster: next } = open({ seed, confirmPartitions: { [topic]: 4 } }, cluster)
      next.shop.follow(cluster.shop)
      // They read one partition far ahead of the other: the order between them must be made.
      const loops = [await next.join(), await next.join()]
      await steps(next, loops, 100)
      for (let count = 0; count < 60; count += 1) next.shop.change(random)
      await steps(next, loops, 100)
      expect(await rowsIn(next.files)).toEqual(next.shop.expected())
      const { growths } = await readOwners(next.log, applicationId)
      expect(growths.get(topic)).toMatchObject({
        partitions: 4,
        ends: [expect.any(Number), expect.any(Number)],
      })
      for (const one of loops) await one.close()
      // The key of the configuration may stay, or go.
      const later = open({}, next).cluster
      later.shop.follow(next.shop)
      const last = await later.join()
      for (let count = 0; count < 20; count += 1) later.shop.change(random)
      await steps(later, [last], 60)
      expect(await rowsIn(later.files)).toEqual(later.shop.expected())
    },
  )

  it('reads nothing of the new partitions while an old one has more', async () => {
    const { cluster, loop } = await grown()
    await loop.close()
    const next = open({ confirmPartitions: { [topic]: 4 } }, cluster).cluster
    const first = await next.join()
    let waits = 0
    for (let round = 0; round < 200; round += 1) {
      next.clock.advance(300)
      await first.step(0)
      const partitions = [0, 1, 2, 3].map(partition => ({ topic, partition }))
      const committed = await next.log.committed(applicationId, partitions)
      const growth = (await readOwners(next.log, applicationId)).growths.get(topic)
      const isDrained = growth?.ends.every((end, index) => (committed[index]?.offset ?? 0) >= end)
      if (isDrained === true) continue
      waits += 1
      expect(committed.slice(2)).toEqual([null, null])
    }
    expect(waits).toBeGreaterThan(5)
    expect((await next.log.committed(applicationId, [{ topic, partition: 3 }]))[0]).not.toBeNull()
  })

  it('that is confirmed before is read on without a stop', async () => {
    const { cluster, loop } = await grown({ confirmPartitions: { [topic]: 4 } })
    await steps(cluster, [loop], 200)
    expect(await rowsIn(cluster.files)).toEqual(cluster.shop.expected())
    expect(cluster.shop.rows.size).toBeGreaterThan(5)
  })

  it.each([1, 2, 3, 4, 5, 6])('ends right when instances die meanwhile, seed %i', async seed => {
    const { cluster, loop, random } = await grown({ seed })
    await loop.close()
    const { cluster: next } = open({ seed, confirmPartitions: { [topic]: 4 } }, cluster)
    next.shop.follow(cluster.shop)
    const members: string[] = []
    next.viewOf = log => watchMembers(log, members)
    const alive = new Map<number, Loop>()
    const join = async (): Promise<void> => {
      const joined = await next.join()
      alive.set(members.length - 1, joined)
    }
    await join()
    await join()
    for (let round = 0; round < 150; round += 1) {
      await steps(next, [...alive.values()], 1)
      if (random.next() < 0.3) next.shop.change(random)
      if (random.next() > 0.1) continue
      const [member] = [...alive.keys()].slice(Math.floor(random.next() * alive.size))
      // Without a word: the group finds out.
      alive.delete(member!)
      next.log.expireMember(applicationId, members[member!]!)
      await join()
    }
    await steps(next, [...alive.values()], 100)
    expect(await rowsIn(next.files)).toEqual(next.shop.expected())
    expect((await readOwners(next.log, applicationId)).growths.size).toBe(1)
  })

  it('does not wait for the end of repeats that comes through another partition', async () => {
    const { cluster, source } = open()
    const random = seededRandom(8)
    const loop = await cluster.join()
    const first = { topic, partition: 0 }
    const isMoved = ({ key, value }: LogRecord): boolean =>
      value !== null && partitionOfBytes(key!, 4) === 2
    for (let count = 0; count < 60 || !isMoved(source.records(first).at(-1)!); count += 1) {
      cluster.shop.change(random)
    }
    await steps(cluster, [loop], 40)
    await loop.close()
    // The producer sends a block again, and learns of the partitions in the middle of it.
    const block = source.records(first).slice(-6)
    for (const record of block.slice(0, 3)) source.append(record)
    source.setTopic(topic, 4)
    cluster.shop.partitions = 4
    for (const record of block.slice(3)) {
      source.append({ ...record, partition: partitionOfBytes(record.key!, 4) })
    }
    const { cluster: next, lines } = open({ confirmPartitions: { [topic]: 4 } }, cluster)
    next.shop.follow(cluster.shop)
    const again = await next.join()
    await steps(next, [again], 60)
    expect(lines.some(line => line.startsWith('repeats.reread'))).toBe(true)
    for (let count = 0; count < 40; count += 1) next.shop.change(random)
    await steps(next, [again], 60)
    expect(await rowsIn(next.files)).toEqual(next.shop.expected())
  })

  it('goes on as it was while nothing is written to the new partitions', async () => {
    const { cluster, source, lines } = open({ confirmPartitions: { [topic]: 4 } })
    const random = seededRandom(4)
    const loop = await cluster.join()
    const change = (): void => {
      for (let count = 0; count < 40; count += 1) cluster.shop.change(random)
    }
    change()
    await steps(cluster, [loop])
    source.setTopic(topic, 4)
    // The producer does not know yet.
    change()
    cluster.clock.advance(refreshMs)
    await steps(cluster, [loop], 60)
    expect(await rowsIn(cluster.files)).toEqual(cluster.shop.expected())
    expect((await readOwners(cluster.log, applicationId)).growths.size).toBe(0)
    change()
    cluster.shop.partitions = 4
    change()
    await steps(cluster, [loop], 100)
    expect(await rowsIn(cluster.files)).toEqual(cluster.shop.expected())
    expect(lines).toContain(`partitions.confirmed {"topic":"${topic}"}`)
  })

  it('is begun in its new partitions at their first record, wherever the others began', async () => {
    const start: StartPosition = { at: 'latest', offsets: new Map() }
    const { cluster, loop } = await grown({ start, confirmPartitions: { [topic]: 4 } })
    await steps(cluster, [loop], 200)
    const partitions = [2, 3].map(partition => ({ topic, partition }))
    const committed = await cluster.log.committed(applicationId, partitions)
    const ends = partitions.map(at => cluster.shop.source.offsets(at).end)
    expect(committed.map(one => one?.offset)).toEqual(ends)
    const added = cluster.shop.source.records({ topic, partition: 2 })
    const ids = new Set(added.map(({ key }) => String(key)))
    const rows = new Set((await rowsIn(cluster.files)).map(row => row.split(',')[0]!.slice(1)))
    const kept = [...ids].map(key => (JSON.parse(key) as { id: number }).id)
    const expected = kept.filter(id => cluster.shop.rows.has(id))
    expect(expected.length).toBeGreaterThan(0)
    for (const id of expected) expect(rows).toContain(String(id))
  })
})

describe('a pattern', () => {
  const other = 'shop.demo.user2'
  const given = { topics: /^shop\..*/ }

  it('finds a topic that is made while it runs, and starts at its first record', async () => {
    const start: StartPosition = { at: 'latest', offsets: new Map() }
    const { cluster, source, lines } = open({ ...given, start })
    const random = seededRandom(5)
    const loops = [await cluster.join(), await cluster.join()]
    await steps(cluster, loops)
    source.setTopic(other, 3)
    const second = new Shop(source, 3, other)
    second.startAt(cluster.clock.now())
    for (let count = 0; count < 30; count += 1) second.change(random)
    cluster.clock.advance(refreshMs)
    await steps(cluster, loops, 60)
    expect(await rowsIn(cluster.files)).toEqual(second.expected())
    expect(lines).toContain(`topic.found {"topic":"${other}"}`)
    expect(cluster.metrics.total('forager_commits_total')).toBeGreaterThan(0)
  })

  it('goes on without a topic that was deleted, and says so once', async () => {
    const { cluster, source, lines } = open(given)
    source.setTopic(other, 1)
    const random = seededRandom(6)
    const loop = await cluster.join()
    cluster.shop.change(random)
    await steps(cluster, [loop])
    source.removeTopic(other)
    cluster.clock.advance(refreshMs)
    for (let count = 0; count < 30; count += 1) cluster.shop.change(random)
    await steps(cluster, [loop], 200)
    expect(await rowsIn(cluster.files)).toEqual(cluster.shop.expected())
    expect(lines.filter(line => line.startsWith('topic.lost'))).toEqual([
      `topic.lost {"topic":"${other}"}`,
    ])
    await loop.close()
    const next = open(given, cluster)
    await next.cluster.join()
    expect(next.lines).toContain(`topic.lost {"topic":"${other}"}`)
  })
})

describe('a topic that was deleted', () => {
  it('and is named stops the application when it does not come back in time', async () => {
    const { cluster, source, lines } = open()
    const loop = await cluster.join()
    await steps(cluster, [loop])
    source.removeTopic(topic)
    cluster.clock.advance(refreshMs)
    await steps(cluster, [loop])
    expect(lines).toContain(`topic.missing {"topic":"${topic}"}`)
    cluster.clock.advance(timeoutMs)
    expect(await failure(() => steps(cluster, [loop]))).toBe('topic-missing')
  })

  it.each([
    ['while it is read', true],
    ['while nothing runs', false],
  ])('and made anew %s stops the application', async (_when, isRunning) => {
    const { cluster, source } = open()
    const random = seededRandom(7)
    const loop = await cluster.join()
    for (let count = 0; count < 10; count += 1) cluster.shop.change(random)
    await steps(cluster, [loop])
    if (!isRunning) await loop.close()
    source.removeTopic(topic)
    source.setTopic(topic, 2, 'another one')
    // It even has as many records as before.
    for (let count = 0; count < 10; count += 1) cluster.shop.change(random)
    cluster.clock.advance(refreshMs)
    const next = isRunning ? loop : await cluster.join()
    expect(await failure(() => steps(cluster, [next]))).toBe('source-replaced')
  })

  it('and made anew with fewer records, after it was looked up and before it is read, is no lost offset', async () => {
    const { cluster, source } = open()
    const random = seededRandom(7)
    const loop = await cluster.join()
    for (let count = 0; count < 10; count += 1) cluster.shop.change(random)
    await steps(cluster, [loop])
    await loop.close()
    const next = await cluster.join()
    source.removeTopic(topic)
    source.setTopic(topic, 2, 'another one')
    expect(await failure(() => steps(cluster, [next]))).toBe('source-replaced')
  })
})

describe('an internal topic that was deleted', () => {
  it('is said while it is used', async () => {
    const { cluster } = open()
    const hidden = new Set<string>()
    cluster.viewOf = log => hiding(log, hidden)
    const loop = await cluster.join()
    await steps(cluster, [loop])
    hidden.add(`${applicationId}-owners`)
    cluster.clock.advance(refreshMs)
    expect(await failure(() => steps(cluster, [loop]))).toBe('internal-topic-missing')
  })

  it('is said at the start when the others are there', async () => {
    const { cluster } = open()
    const loop = await cluster.join()
    await steps(cluster, [loop])
    await loop.close()
    cluster.viewOf = log => hiding(log, new Set([`${applicationId}-owners`]))
    expect(await failure(() => cluster.join())).toBe('internal-topic-missing')
  })
})

describe('the start', () => {
  it('is refused when a topic that is named is not there', async () => {
    const { cluster } = open({ topics: ['shop.demo.nothing'] })
    expect(await failure(() => cluster.join())).toBe('topic-missing')
  })
})

it('keys move when partitions are added', () => {
  const keys = Array.from({ length: 20 }, (_, id) => Buffer.from(JSON.stringify({ id })))
  const moved = keys.filter(key => partitionOfBytes(key, 2) !== partitionOfBytes(key, 4))
  expect(moved.length).toBeGreaterThan(3)
})
