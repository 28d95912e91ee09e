/** An application that was run with a hop and is run without it, and back. */
import { describe, expect, it } from 'vitest'
import { debeziumJson } from '../../formats/debezium/debezium-json.ts'
import type { EmbeddedLog } from '../../log/embedded-log.ts'
import type { Log } from '../../log/log.ts'
import { noMembership } from '../../log/log.ts'
import { MemoryStorage } from '../../log/log-storage.ts'
import type { Loop } from '../../runtime/loop.ts'
import { seededRandom } from '../../runtime/random.ts'
import { embedded } from '../../sinks/embedded/embedded.ts'
import { inMemory } from '../../state/memory-store.ts'
import { MemorySource } from '../../testkit/memory-source.ts'
import { SimulatedFileSystem } from '../../testkit/simulated-file-system.ts'
import type { KeyedBy } from '../../topology/nodes.ts'
import { StreamsBuilder } from '../../topology/streams-builder.ts'
import type { Topology } from '../../topology/topology.ts'
import { Cluster, watchMembers } from './instances.ts'
import { rowsIn, topic, warehouse } from './shop.ts'

const hop = 'app-rows-repartition'

function topologyOf(keyedBy: KeyedBy): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream([topic], { name: 'events', format: debeziumJson(), keyedBy })
    .repartition({ name: 'rows', partitions: 3 })
    .compact({ name: 'window', flush: { maxAgeMs: 2000, maxRows: 10 }, store: inMemory() })
    .to(embedded({ path: warehouse }), { name: 'tables' })
  return builder.build()
}

/** Configurations of one application: what outlives a process is theirs together. */
class Application {
  readonly #parts = {
    storage: new MemoryStorage(),
    files: new SimulatedFileSystem({ random: seededRandom(1) }),
    source: new MemorySource({ [topic]: 2 }, { isFinite: false }),
  }
  #last: Cluster | null = null

  /** The processes before are gone. */
  async restart(keyedBy: KeyedBy, viewOf = (log: EmbeddedLog): Log => log) {
    const cluster = new Cluster({ ...this.#parts, topology: topologyOf(keyedBy), viewOf })
    if (this.#last !== null) {
      cluster.shop.follow(this.#last.shop)
      cluster.clock.advance(this.#last.clock.monotonic())
    }
    this.#last = cluster
    return { cluster, loop: await cluster.join() }
  }
}

async function round(cluster: Cluster, loop: Loop, rounds: number): Promise<void> {
  for (let count = 0; count < rounds; count += 1) {
    cluster.clock.advance(300)
    await loop.step(0)
  }
}

function changeRows(cluster: Cluster, seed: number): void {
  const random = seededRandom(seed)
  for (let count = 0; count < 60; count += 1) cluster.shop.change(random)
}

async function waiting(cluster: Cluster): Promise<number> {
  const partitions = [0, 1, 2].map(partition => ({ topic: hop, partition }))
  const committed = await cluster.log.committed('app', partitions)
  const ends = await Promise.all(partitions.map(at => cluster.log.offsets(at)))
  return ends.reduce((sum, { end }, index) => sum + end - (committed[index]?.offset ?? 0), 0)
}

describe('an application that goes on without its hop', () => {
  it('stages what waits there first, and loses nothing there and back', async () => {
    const application = new Application()
    let seed = 0
    for (const keyedBy of ['unknown', 'primary-key', 'unknown', 'primary-key'] as const) {
      const { cluster, loop } = await application.restart(keyedBy)
      const before = await waiting(cluster)
      if (keyedBy === 'primary-key') expect(before).toBeGreaterThan(0)
      changeRows(cluster, ++seed)
      // It ends in the middle of a window.
      await round(cluster, loop, 30)
      changeRows(cluster, ++seed)
      await round(cluster, loop, 3)
    }
    const { cluster, loop } = await application.restart('primary-key')
    await round(cluster, loop, 30)
    expect(await waiting(cluster)).toBe(0)
    expect(await rowsIn(cluster.files)).toEqual(cluster.shop.expected())
  })

  it('stages no row of the hop behind a later change of it', async () => {
    const application = new Application()
    const before = await application.restart('unknown')
    before.cluster.shop.upsert(1)
    await round(before.cluster, before.loop, 3)
    expect(await waiting(before.cluster)).toBeGreaterThan(0)
    const { cluster, loop } = await application.restart('primary-key')
    // They fill windows at once, and the one of the hop has to become old.
    for (let id = 1; id <= 40; id += 1) cluster.shop.upsert(id)
    await round(cluster, loop, 30)
    expect(await rowsIn(cluster.files)).toEqual(cluster.shop.expected())
  })

  it('does not read a partition while another instance still writes to the hop', async () => {
    const application = new Application()
    const first = await application.restart('unknown')
    changeRows(first.cluster, 1)
    await round(first.cluster, first.loop, 30)
    expect(await waiting(first.cluster)).toBe(0)
    // Between the look and the fence a process that was paused writes once more.
    let isLate = true
    const { cluster, loop } = await application.restart('primary-key', log => ({
      ...watchMembers(log, []),
      openProducer: async id => {
        if (isLate && id.startsWith('app-0_')) {
          isLate = false
          const producer = await log.openProducer('late')
          const record = { topic: hop, partition: 0, key: null, value: Buffer.from('late') }
          await producer.commit({
            records: [{ ...record, timestampMs: 0 }],
            offsets: [],
            group: noMembership,
          })
        }
        return await log.openProducer(id)
      },
    }))
    await expect(round(cluster, loop, 5)).rejects.toMatchObject({ code: 'hop-undrained' })
  })
})
