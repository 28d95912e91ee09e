/** Instances of one application in one process: they share the log, the files and the clock. */
import { expect } from 'vitest'
import { EmbeddedLog } from '../../log/embedded-log.ts'
import type { Log, LogConsumer } from '../../log/log.ts'
import type { LogStorage } from '../../log/log-storage.ts'
import { MemoryStorage } from '../../log/log-storage.ts'
import type { OffsetRange } from '../../model/staged-batch.ts'
import { CounterRegistry } from '../../observe/metrics.ts'
import { Loop } from '../../runtime/loop.ts'
import { seededRandom } from '../../runtime/random.ts'
import type { StreamsOptions } from '../../runtime/streams.ts'
import { withDefaults } from '../../runtime/streams.ts'
import type { StreamsEvent } from '../../runtime/streams-events.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { MemorySource } from '../../testkit/memory-source.ts'
import { SimulatedFileSystem } from '../../testkit/simulated-file-system.ts'
import type { Topology } from '../../topology/topology.ts'
import type { ShopOptions } from './shop.ts'
import { Shop, shopTopology, topic } from './shop.ts'

export const applicationId = 'app'

export interface ClusterOptions extends ShopOptions {
  readonly sourcePartitions?: number
  readonly seed?: number
  readonly storage?: LogStorage
  readonly files?: SimulatedFileSystem
  readonly source?: MemorySource
  readonly isSkewed?: boolean
  /** What instances see of the log. */
  readonly viewOf?: (log: EmbeddedLog) => Log
  readonly topology?: Topology
  readonly streams?: Partial<StreamsOptions>
}

/** The parts that outlive an instance. */
export class Cluster {
  readonly clock = new ManualClock()
  readonly files: SimulatedFileSystem
  readonly storage: LogStorage
  readonly shop: Shop
  readonly metrics = new CounterRegistry()
  readonly events: StreamsEvent[] = []
  readonly topology: Topology
  viewOf: (log: EmbeddedLog) => Log
  readonly #options: ClusterOptions
  #log: EmbeddedLog | null = null

  constructor(options: ClusterOptions = {}) {
    const { seed = 1, sourcePartitions = 2 } = options
    this.#options = options
    this.files = options.files ?? new SimulatedFileSystem({ random: seededRandom(seed) })
    this.storage = options.storage ?? new MemoryStorage()
    const source = options.source ?? new MemorySource({ [topic]: sourcePartitions })
    this.shop = new Shop(source, sourcePartitions)
    this.topology = options.topology ?? shopTopology(options)
    this.viewOf = options.viewOf ?? (log => log)
  }

  get log(): EmbeddedLog {
    return this.#log!
  }

  async openLog(): Promise<EmbeddedLog> {
    const { seed = 1, isSkewed = false } = this.#options
    this.#log ??= await EmbeddedLog.open({
      storage: this.storage,
      clock: this.clock,
      random: seededRandom(seed),
      sources: [this.shop.source],
      isSkewed,
    })
    return this.#log
  }

  /** A process of the application: it joins the group when it is stepped for the first time. */
  async join(): Promise<Loop> {
    const log = await this.openLog()
    const given = {
      applicationId,
      log: this.viewOf(log),
      stateDir: '/state',
      fileSystem: this.files,
      clock: this.clock,
      random: seededRandom(this.#options.seed ?? 1),
      metrics: this.metrics,
      commitIntervalMs: 0,
      ...this.#options.streams,
    }
    const loop = new Loop(this.topology, withDefaults(given), event => this.events.push(event))
    await loop.start()
    return loop
  }

  /** Runs one instance until all that the source has is in the tables. */
  async finish(loop: Loop): Promise<void> {
    for (let rounds = 0; rounds < 1000; rounds += 1) {
      if (!(await loop.step(0)) && (await loop.drainAll())) return
    }
    throw new Error('it does not come to an end')
  }

  /** Ranges of the windows that were committed, by task, in order. */
  windows(): Map<string, OffsetRange[]> {
    const found = new Map<string, OffsetRange[]>()
    for (const event of this.events) {
      if (event.type !== 'window-closed') continue
      found.set(event.task, [...(found.get(event.task) ?? []), event.range])
    }
    return found
  }
}

/** The log without some of its topics. */
export function hiding(log: Log, hidden: ReadonlySet<string>): Log {
  return {
    ...watchMembers(log, []),
    topics: async () => (await log.topics()).filter(({ name }) => !hidden.has(name)),
  }
}

/** The member id of each instance, as the group knew it when it was told. */
export function watchMembers(log: Log, members: string[]): Log {
  return {
    topics: () => log.topics(),
    createTopic: spec => log.createTopic(spec),
    offsets: at => log.offsets(at),
    offsetOfTime: (at, timeMs) => log.offsetOfTime(at, timeMs),
    decidedEnd: at => log.decidedEnd(at),
    read: (at, offset, maxBytes) => log.read(at, offset, maxBytes),
    committed: (group, partitions) => log.committed(group, partitions),
    openProducer: id => log.openProducer(id),
    deleteRecords: (at, offset) => log.deleteRecords(at, offset),
    close: () => log.close(),
    openConsumer: async options => {
      const consumer = await log.openConsumer(options)
      const index = members.push('') - 1
      return watched(consumer, id => {
        members[index] = id
      })
    },
  }
}

export function watched(consumer: LogConsumer, onMember: (id: string) => void): LogConsumer {
  return {
    seek: (at, offset) => consumer.seek(at, offset),
    pause: partitions => consumer.pause(partitions),
    resume: partitions => consumer.resume(partitions),
    changeTopics: topics => consumer.changeTopics(topics),
    wakeup: () => consumer.wakeup(),
    close: () => consumer.close(),
    poll: async options => {
      const result = await consumer.poll(options)
      if (result.kind === 'assigned') onMember(result.assignment.membership.memberId)
      return result
    },
  }
}

/** Each task's windows begin where the one before ended. */
export function expectTiled(cluster: Cluster): void {
  for (const [task, ranges] of cluster.windows()) {
    for (const [index, { from, to }] of ranges.entries()) {
      expect(from, `${task} window ${index}`).toBe(index === 0 ? 0 : ranges[index - 1]!.to)
      expect(to).toBeGreaterThan(from)
    }
  }
}
