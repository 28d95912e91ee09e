import { describe, expect, it } from 'vitest'
import { EmbeddedLog } from '../../log/embedded-log.ts'
import { MemoryStorage } from '../../log/log-storage.ts'
import { Loop } from '../../runtime/loop.ts'
import type { Random } from '../../runtime/random.ts'
import { seededRandom } from '../../runtime/random.ts'
import { withDefaults } from '../../runtime/streams.ts'
import { openTable } from '../../sinks/embedded/table-reader.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { MemorySource } from '../../testkit/memory-source.ts'
import { SimulatedFileSystem } from '../../testkit/simulated-file-system.ts'
import { change, tombstone, topicOf } from '../main/messages.ts'
import { topologyOf } from './driver.ts'

const tables = ['orders', 'users', 'notes']
const partitions = 2

interface Configuration {
  readonly tables: readonly string[]
  readonly hop: number
  readonly maxAgeMs: number
  readonly maxRows: number
  readonly commitIntervalMs: number
}

/** What outlives a process: the source, the log, the files. */
class Site {
  readonly #random: Random
  readonly #clock = new ManualClock()
  readonly #storage = new MemoryStorage()
  readonly #files: SimulatedFileSystem
  readonly #source = new MemorySource(
    Object.fromEntries(tables.map(table => [topicOf({ table }), partitions])),
    { isFinite: false },
  )
  readonly #rows = new Map(tables.map(table => [table, new Map<number, number>()]))
  #pos = 0

  constructor(random: Random) {
    this.#random = random
    this.#files = new SimulatedFileSystem({ random })
  }

  /** The source goes on whatever the configuration names. */
  change(): void {
    const table = this.any(tables)
    const rows = this.#rows.get(table)!
    const id = 1 + Math.floor(this.#random.next() * 8)
    const n = rows.get(id)
    const before = n === undefined ? null : { id, n }
    this.#pos += 10
    const options = { pos: this.#pos, table, partitions }
    const isDelete = before !== null && this.#random.next() < 0.3
    if (isDelete) rows.delete(id)
    else rows.set(id, this.#pos)
    const after = isDelete ? null : { id, n: this.#pos }
    const op = before === null ? 'c' : isDelete ? 'd' : 'u'
    const records = [change(op, { before, after }, options)]
    if (isDelete) records.push(tombstone(id, options))
    for (const record of records) this.#source.append({ headers: [], ...record })
  }

  any<T>(items: readonly T[]): T {
    return items[Math.floor(this.#random.next() * items.length)]!
  }

  /** A process: `work` done, it leaves in good order, or is gone with what it had not made durable. */
  async run(
    config: Configuration,
    work: (loop: Loop) => Promise<void>,
    isKilled = false,
  ): Promise<void> {
    const loop = await this.#start(config)
    await work(loop)
    if (isKilled) this.#files.crash()
    else await loop.close()
  }

  async steps(loop: Loop, count: number): Promise<void> {
    for (let step = 0; step < count; step += 1) {
      for (let left = Math.floor(this.#random.next() * 5); left > 0; left -= 1) this.change()
      this.#clock.advance(this.any([0, 100, 1000]))
      await loop.step(0)
    }
  }

  async #start({
    tables: named,
    hop,
    maxAgeMs,
    maxRows,
    commitIntervalMs,
  }: Configuration): Promise<Loop> {
    const topics = Object.fromEntries(named.map(table => [topicOf({ table }), partitions]))
    const log = await EmbeddedLog.open({
      storage: this.#storage,
      clock: this.#clock,
      random: this.#random,
      sources: [this.#source],
      isSkewed: true,
    })
    const given = {
      applicationId: 'main',
      log,
      stateDir: '/state',
      fileSystem: this.#files,
      clock: this.#clock,
      random: this.#random,
      commitIntervalMs,
      maxPollBytes: 4000,
    }
    const topology = topologyOf({ topics, hop, flush: { maxAgeMs, maxRows } })
    const loop = new Loop(topology, withDefaults(given), () => undefined)
    await loop.start()
    return loop
  }

  /** By table: the rows, or those that the source has. */
  async found(): Promise<ReadonlyMap<string, readonly unknown[]>> {
    const found = new Map<string, unknown[]>()
    for (const table of tables) {
      const rows: unknown[] = []
      for await (const part of (await openTable(this.#files, '/warehouse', table)).rows()) {
        rows.push(...part.map(({ values }) => values))
      }
      found.set(table, rows)
    }
    return found
  }

  expected(): ReadonlyMap<string, readonly unknown[]> {
    const sorted = ([table, rows]: readonly [string, ReadonlyMap<number, number>]) =>
      [table, [...rows].sort(([a], [b]) => a - b)] as const
    return new Map([...this.#rows].map(sorted))
  }
}

const whole: Configuration = { tables, hop: 3, maxAgeMs: 500, maxRows: 1000, commitIntervalMs: 0 }

async function finish(loop: Loop): Promise<void> {
  do while (await loop.step(0));
  while (!(await loop.drainAll()))
}

describe('row 25, changes that are lost when the configuration changes over a restart', () => {
  it('tables that come and go, other windows and intervals, kills and good ends, 30 seeds: nothing is lost', async () => {
    let kills = 0
    for (let seed = 1; seed <= 30; seed += 1) {
      const random = seededRandom(seed)
      const site = new Site(random)
      for (let start = 0; start < 5; start += 1) {
        const config: Configuration = {
          tables: tables.filter(table => table === 'orders' || random.next() < 0.6),
          hop: whole.hop,
          maxAgeMs: site.any([1, 500, 60_000]),
          maxRows: site.any([1, 5, 1000]),
          commitIntervalMs: site.any([0, 1000]),
        }
        const isKilled = random.next() < 0.5
        kills += isKilled ? 1 : 0
        await site.run(config, loop => site.steps(loop, 6), isKilled)
      }
      for (let left = 0; left < 3; left += 1) site.change()
      await site.run(whole, finish)
      expect(await site.found(), `seed ${seed}`).toEqual(site.expected())
    }
    expect(kills).toBeGreaterThan(50)
  }, 900_000)

  it('another number of partitions of the hop is refused, and the former one goes on where it was', async () => {
    const site = new Site(seededRandom(1))
    await site.run(whole, loop => site.steps(loop, 20))
    const running = site.run({ ...whole, hop: 4 }, loop => site.steps(loop, 1))
    await expect(running).rejects.toMatchObject({ code: 'topic-mismatch' })
    await site.run(whole, finish)
    expect(await site.found()).toEqual(site.expected())
  })
})
