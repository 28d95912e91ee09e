/** Partitions that are added while records are on their way. */
import { expect, it } from 'vitest'
import { debeziumJson } from '../../formats/debezium/debezium-json.ts'
import type { Loop } from '../../runtime/loop.ts'
import { embedded } from '../../sinks/embedded/embedded.ts'
import { inMemory } from '../../state/memory-store.ts'
import { MemorySource } from '../../testkit/memory-source.ts'
import type { KeyedBy, StartPosition } from '../../topology/nodes.ts'
import { StreamsBuilder } from '../../topology/streams-builder.ts'
import { Cluster } from './instances.ts'
import { rowsIn, topic, warehouse } from './shop.ts'

const refreshMs = 5000

function open(given: {
  readonly ordering?: 'log' | 'position'
  readonly keyedBy?: KeyedBy
  readonly start?: StartPosition
  readonly commitIntervalMs?: number
  readonly maxPollBytes?: number
  readonly seed?: number
}) {
  const builder = new StreamsBuilder()
  const { ordering = 'log', start, commitIntervalMs = 2000, seed = 1, maxPollBytes = 3000 } = given
  const { keyedBy = 'unknown' } = given
  builder
    .stream([topic], {
      name: 'events',
      format: debeziumJson(),
      ordering,
      keyedBy,
      ...(ordering === 'log' && { confirmPartitions: { [topic]: 4 } }),
      ...(start && { start }),
    })
    .repartition({ name: 'rows', partitions: 3 })
    .compact({ name: 'window', flush: { maxAgeMs: 500 }, store: inMemory() })
    .to(embedded({ path: warehouse }), { name: 'tables' })
  const lines: string[] = []
  const note = (event: string, fields: object = {}): void => {
    lines.push(`${event} ${JSON.stringify(fields)}`)
  }
  const logger = { debug: () => undefined, info: note, warn: note, error: note }
  const source = new MemorySource({ [topic]: 2 }, { isFinite: false })
  const streams = { topicRefreshMs: refreshMs, maxPollBytes, commitIntervalMs, logger }
  const cluster = new Cluster({ source, topology: builder.build(), seed, streams })
  return { cluster, source, lines }
}

async function round(cluster: Cluster, loops: readonly Loop[]): Promise<void> {
  cluster.clock.advance(600)
  for (const loop of loops) await loop.step(0)
}

it.each([
  [1, 'unknown'],
  [2, 'unknown'],
  [3, 'unknown'],
  [1, 'primary-key'],
  [2, 'primary-key'],
] as const)(
  'loses nothing of a topic that grows under traffic, seed %i, keyed by %s',
  async (seed, keyedBy) => {
    const { cluster, source } = open({ seed, keyedBy })
    const loop = await cluster.join()
    for (let count = 0; count < 60; count += 1) {
      // Each row once: nothing mends one that is lost.
      cluster.shop.upsert(count * 3 + 1)
      cluster.shop.upsert(count * 3 + 2)
      cluster.shop.upsert(count * 3 + 3)
      if (count === 20) source.setTopic(topic, 4)
      if (count === 40) cluster.shop.partitions = 4
      await round(cluster, [loop])
    }
    for (let count = 0; count < 100; count += 1) await round(cluster, [loop])
    expect(await rowsIn(cluster.files)).toEqual(cluster.shop.expected())
  },
)

it.each([
  [0, 'unknown'],
  [1, 'unknown'],
  [0, 'primary-key'],
  [1, 'primary-key'],
] as const)(
  'never goes back over what was committed, instance %i first, keyed by %s',
  async (first, keyedBy) => {
    const { cluster, source } = open({ commitIntervalMs: 0, maxPollBytes: 100_000, keyedBy })
    const loops = [await cluster.join(), await cluster.join()]
    const [one, other] = [loops[first]!, loops[1 - first]!]
    let id = 1
    const change = (): void => {
      for (const end = id + 12; id < end; id += 1) cluster.shop.upsert(id)
    }
    const last = new Map<number, number>()
    const step = async (loop: Loop, advanceMs: number): Promise<void> => {
      cluster.clock.advance(advanceMs)
      await loop.step(0)
      const at = [0, 1].map(partition => ({ topic, partition }))
      const committed = await cluster.log.committed('app', at)
      for (const [partition, found] of committed.entries()) {
        const offset = found?.offset ?? 0
        expect(offset, `partition ${partition}`).toBeGreaterThanOrEqual(last.get(partition) ?? 0)
        last.set(partition, offset)
      }
    }
    change()
    for (let count = 0; count < 20; count += 1) for (const loop of loops) await step(loop, 300)
    source.setTopic(topic, 4)
    for (let count = 0; count < 20; count += 1) for (const loop of loops) await step(loop, 300)
    // The one looks soon, the other has just looked.
    await step(one, 1000)
    await step(other, 990)
    cluster.shop.partitions = 4
    change()
    await step(one, 10)
    change()
    await step(other, 10)
    change()
    // It learns where the partitions end that it has read beyond, while the one has not come there.
    await step(other, 1100)
    change()
    await step(other, 10)
    for (let count = 0; count < 40; count += 1) for (const loop of loops) await step(loop, 300)
    expect(await rowsIn(cluster.files)).toEqual(cluster.shop.expected())
  },
)

it('by position: begins added partitions at their first record', async () => {
  const { cluster, source } = open({
    ordering: 'position',
    start: { at: 'latest', offsets: new Map() },
  })
  const loop = await cluster.join()
  for (let count = 0; count < 10; count += 1) await round(cluster, [loop])
  for (let id = 1; id <= 40; id += 1) cluster.shop.upsert(id)
  for (let count = 0; count < 40; count += 1) await round(cluster, [loop])
  expect(await rowsIn(cluster.files)).toEqual(cluster.shop.expected())
  source.setTopic(topic, 4)
  cluster.shop.partitions = 4
  for (let id = 41; id <= 80; id += 1) cluster.shop.upsert(id)
  cluster.clock.advance(refreshMs)
  for (let count = 0; count < 60; count += 1) await round(cluster, [loop])
  expect(await rowsIn(cluster.files)).toEqual(cluster.shop.expected())
})
