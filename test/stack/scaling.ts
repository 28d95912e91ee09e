/**
 * Three instances share the work of an application over a real broker, while at random times one is
 * killed, one is stopped past its session and wakes up, and one is added. Nothing is lost or doubled,
 * and the windows that were committed tile every partition.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Log, TopicPartition } from '../../log/log.ts'
import { partitionName } from '../../log/log.ts'
import { decodeStagedBatch, type OffsetRange } from '../../model/staged-batch.ts'
import { seededRandom } from '../../runtime/random.ts'
import type { Instance } from './instances.ts'
import { partitionsOf, produce, untilApplied } from './instances.ts'
import { Running } from './running.ts'
import { differences, makeShop, makeTopics, shopConfig } from './shop.ts'

const partitions = 6
const sessionMs = 6000

/** One round. What it decides by chance is the seed's. */
export async function scalingRound(log: Log, broker: string, seed: number): Promise<void> {
  const random = seededRandom(seed)
  const shop = makeShop({ seed, partitions, events: 200_000, maxId: 3000 })
  await makeTopics(log, shop)
  const config = shopConfig('', broker, shop)
  await Running.use({ name: 'scaling', log, config }, async running => {
    const { applicationId, instances } = running
    for (let count = 0; count < 3; count += 1) running.start()
    const windows = new WindowWatch(log, applicationId)
    const watching = windows.watch()
    try {
      const producing = produce(log, shop.records, { atOnce: 2000, pauseMs: 100 })
      await Promise.all([
        killOne(instances, 3000 + random.next() * 8000),
        pauseOne(instances, 4000 + random.next() * 8000),
        addOne(running, 2000 + random.next() * 12_000),
      ])
      await producing
      await untilApplied(log, applicationId, shop.partitions, {
        deadlineMs: 150_000,
        whileWaiting: () => expectAllWell(instances),
      })
      expectAllWell(instances)
    } finally {
      windows.stop()
    }
    await watching
    const ends = await Promise.all(instances.map(instance => instance.stop()))
    // One was killed; the others end by themselves when they are asked to.
    expect(ends.map(({ code }) => code)).toEqual([null, 0, 0, 0])
    expect(await differences(running.warehouse, shop)).toEqual([])
    for (const instance of instances) windows.take(instance)
    await windows.expectTiled(partitions)
  })
}

function expectAllWell(instances: readonly Instance[]): void {
  for (const { stderr } of instances) expect(stderr).toBe('')
}

async function killOne(instances: readonly Instance[], afterMs: number): Promise<void> {
  await sleep(afterMs)
  instances[0]!.signal('SIGKILL')
}

async function pauseOne(instances: readonly Instance[], afterMs: number): Promise<void> {
  await sleep(afterMs)
  instances[1]!.signal('SIGSTOP')
  await sleep(sessionMs + 3000)
  instances[1]!.signal('SIGCONT')
}

async function addOne(running: Running, afterMs: number): Promise<void> {
  await sleep(afterMs)
  running.start()
}

/** Windows as the staged topic and the log lines of the instances tell of them. */
class WindowWatch {
  readonly #log: Log
  readonly #applicationId: string
  readonly #ranges = new Map<string, Map<string, OffsetRange>>()
  #isStopped = false

  constructor(observed: Log, applicationId: string) {
    this.#log = observed
    this.#applicationId = applicationId
  }

  /** Reads staged records before they are applied and deleted. */
  async watch(): Promise<void> {
    const topic = `${this.#applicationId}-tables-staged`
    const next = new Map<string, number>()
    while (!this.#isStopped) {
      const isThere = (await this.#log.topics()).some(({ name }) => name === topic)
      for (const at of isThere ? partitionsOf(topic, partitions) : []) {
        await this.#readOn(at, next)
      }
      await sleep(50)
    }
  }

  take(instance: Instance): void {
    for (const { event, task, from, to } of instance.lines) {
      if (event === 'window.closed') this.#add(String(task), { from: Number(from), to: Number(to) })
    }
  }

  stop(): void {
    this.#isStopped = true
  }

  /** From the first offset to the last, without gap and overlap. */
  async expectTiled(count: number): Promise<void> {
    for (const { topic, partition } of partitionsOf(
      `${this.#applicationId}-rows-repartition`,
      count,
    )) {
      const own = [...(this.#ranges.get(`1_${partition}`)?.values() ?? [])]
      const ranges = own.toSorted((a, b) => a.from - b.from)
      const { end } = await this.#log.offsets({ topic, partition })
      expect([ranges[0]?.from, ranges.at(-1)?.to], `task 1_${partition}`).toEqual([0, end])
      for (const [index, range] of ranges.entries()) {
        if (index > 0) expect(range.from, `task 1_${partition}`).toBe(ranges[index - 1]!.to)
      }
    }
  }

  async #readOn(at: TopicPartition, next: Map<string, number>): Promise<void> {
    const { start } = await this.#log.offsets(at)
    const from = Math.max(start, next.get(partitionName(at)) ?? 0)
    const batch = await this.#log.read(at, from, 1024 * 1024).catch(() => null)
    // Deleted between the two questions.
    if (batch === null) return
    next.set(partitionName(at), batch.nextOffset)
    for (const record of batch.records) {
      const { task, range } = decodeStagedBatch(record.value!)
      this.#add(task, range)
    }
  }

  #add(task: string, range: OffsetRange): void {
    const own = this.#ranges.get(task) ?? new Map<string, OffsetRange>()
    this.#ranges.set(task, own)
    own.set(`${range.from}-${range.to}`, range)
  }
}
