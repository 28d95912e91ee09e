/** After a mistake in the configuration is mended, running again completes the work. */
import { beforeEach, describe, expect, it } from 'vitest'
import { EmbeddedLog } from '../../log/embedded-log.ts'
import type { ProducerRecord } from '../../log/log.ts'
import { MemoryStorage } from '../../log/log-storage.ts'
import type { ForagerError } from '../../model/errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import { systemClock } from '../../runtime/clock.ts'
import { Loop } from '../../runtime/loop.ts'
import { seededRandom } from '../../runtime/random.ts'
import { quarantinedTables, resumeTables } from '../../runtime/resume.ts'
import { Streams, withDefaults } from '../../runtime/streams.ts'
import { openTable } from '../../sinks/embedded/table-reader.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { MemorySource } from '../../testkit/memory-source.ts'
import { SimulatedFileSystem } from '../../testkit/simulated-file-system.ts'
import type { Topology } from '../../topology/topology.ts'
import { mainTopology } from './main-run.ts'
import type { MessageOptions } from './messages.ts'
import { change, topicOf } from './messages.ts'

const tables = ['orders', 'users']

function topologyOf(orders: object): Topology {
  return mainTopology({
    tables: [
      { from: 'shop.orders', to: 'orders', ...orders },
      { from: 'shop.users', to: 'users' },
    ],
    repartition: { partitions: 2 },
  })
}

/** What outlives a run: the log, the files, the source. */
class Site {
  readonly #storage = new MemoryStorage()
  readonly #clock = new ManualClock()
  readonly #random = seededRandom(1)
  readonly #files = new SimulatedFileSystem({ random: this.#random })
  readonly #source = new MemorySource(
    Object.fromEntries(tables.map(table => [topicOf({ table }), 1])),
  )

  append(record: ProducerRecord): void {
    this.#source.append({ headers: [], ...record })
  }

  /** One row of each table. */
  send(id: number): void {
    for (const table of tables) {
      const options: MessageOptions = { table, pos: id }
      this.append(change('c', { after: { id, n: id, name: 'a' } }, options))
    }
  }

  /** To the end of the source; the code of what stopped it, or null. */
  run(orders: object): Promise<string | null> {
    return this.#run(orders, async loop => {
      do while (await loop.step(0));
      while (!(await loop.drainAll()))
    })
  }

  /** The same, and the process ends before any window is due. */
  read(orders: object): Promise<string | null> {
    return this.#run(orders, async loop => {
      while (await loop.step(0));
    })
  }

  async #run(orders: object, work: (loop: Loop) => Promise<void>): Promise<string | null> {
    const log = await this.#openLog(this.#clock)
    const loop = new Loop(
      topologyOf(orders),
      withDefaults({
        applicationId: 'main',
        log,
        stateDir: '/state',
        fileSystem: this.#files,
        clock: this.#clock,
        random: this.#random,
        commitIntervalMs: 0,
      }),
      () => undefined,
    )
    try {
      await loop.start()
      await work(loop)
      return null
    } catch (error) {
      return (error as ForagerError).code
    } finally {
      await loop.close()
    }
  }

  /** As a source without an end is read, until the users have as many rows. */
  async serve(orders: object, users: number): Promise<void> {
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() * 1000 }
    const streams = new Streams(topologyOf(orders), {
      applicationId: 'main',
      log: await this.#openLog(clock),
      stateDir: '/state',
      fileSystem: this.#files,
      clock,
    })
    const stop = new AbortController()
    const running = streams.run(stop.signal)
    while ((await this.ids('users'))?.length !== users) await systemClock.sleep(20)
    stop.abort()
    expect(await running).toBe('stopped')
  }

  async held(): Promise<readonly string[]> {
    const found = await quarantinedTables(await this.#openLog(this.#clock), 'main')
    return [...found].map(([table, { code }]) => `${table}: ${code}`)
  }

  async resume(table: string): Promise<void> {
    await resumeTables(await this.#openLog(this.#clock), {
      applicationId: 'main',
      topology: topologyOf({}),
      clock: this.#clock,
      tables: [table],
    })
  }

  #openLog(clock: Clock): Promise<EmbeddedLog> {
    return EmbeddedLog.open({
      storage: this.#storage,
      clock,
      random: this.#random,
      sources: [this.#source],
    })
  }

  async ids(table: string): Promise<readonly unknown[] | null> {
    try {
      const ids: unknown[] = []
      for await (const part of (await openTable(this.#files, '/warehouse', table)).rows()) {
        ids.push(...part.map(({ values }) => values[0]))
      }
      return ids
    } catch {
      return null
    }
  }

  async partitions(table: string): Promise<readonly string[]> {
    const { commit } = await openTable(this.#files, '/warehouse', table)
    return [...new Set(commit.files.map(({ partition }) => partition))]
  }
}

let site: Site
beforeEach(() => {
  site = new Site()
  site.send(1)
})

describe('a mistake in `partitionBy`', () => {
  it('that names no column is told before anything is staged', async () => {
    expect(await site.run({ partitionBy: 'nothere' })).toBe('partition-column-missing')
    expect(await site.run({ partitionBy: 'nothere' })).toBe('partition-column-missing')
    expect(await site.run({ partitionBy: 'name' })).toBeNull()
    expect(await site.ids('orders')).toEqual([1])
    expect(await site.partitions('orders')).toEqual(['name=a'])
    expect(await site.ids('users')).toEqual([1])
  })

  it('that only a part of a row came for is told by the merger, and mended likewise', async () => {
    site = new Site()
    const after = { id: 1, n: 1, big: '__debezium_unavailable_value' }
    site.append(change('u', { after }, { pos: 1 }))
    expect(await site.run({ partitionBy: 'nothere' })).toBe('partition-column-missing')
    expect(await site.ids('orders')).toBeNull()
    expect(await site.run({ partitionBy: 'n' })).toBeNull()
    expect(await site.partitions('orders')).toEqual(['n=1'])
  })

  it('that came to a table that has none is mended by taking it away', async () => {
    expect(await site.run({})).toBeNull()
    site.send(2)
    expect(await site.run({ partitionBy: 'name' })).toBe('partitioning-changed')
    // The other table does not wait for this one.
    expect(await site.ids('users')).toEqual([1, 2])
    site.send(3)
    expect(await site.run({ partitionBy: 'name' })).toBe('partitioning-changed')
    expect(await site.ids('users')).toEqual([1, 2, 3])
    expect(await site.run({})).toBeNull()
    expect(await site.ids('orders')).toEqual([1, 2, 3])
  })

  it('that took it from a table that has one is mended by giving it back', async () => {
    expect(await site.run({ partitionBy: 'name' })).toBeNull()
    site.send(2)
    expect(await site.run({})).toBe('partitioning-changed')
    expect(await site.run({ partitionBy: 'name' })).toBeNull()
    expect(await site.ids('orders')).toEqual([1, 2])
  })
})

describe('a table that cannot be applied', () => {
  it.each([
    ['key', { key: ['n'] }],
    ['type', { columns: { types: { n: 'string' } } }],
  ])(
    'because its %s changed does not hold back the others, and says how to build it anew',
    async (_what, rule) => {
      expect(await site.run({})).toBeNull()
      site.send(2)
      for (const next of [3, 4]) {
        const code = await site.run(rule)
        expect(code).toBe('schema-incompatible')
        expect(await site.ids('users')).toHaveLength(next - 1)
        site.send(next)
      }
      expect(await site.ids('orders')).toEqual([1])
    },
  )

  it('because its key changed in an open window has what came before', async () => {
    expect(await site.read({})).toBeNull()
    site.send(2)
    expect(await site.run({ key: ['n'] })).toBe('schema-incompatible')
    expect(await site.ids('orders')).toEqual([1])
    expect(await site.ids('users')).toEqual([1, 2])
  })

  it('does not hold back the others of a source without an end: its batches are parked until it is resumed', async () => {
    expect(await site.run({ partitionBy: 'name' })).toBeNull()
    site.send(2)
    for (const next of [3, 4]) {
      await site.serve({}, next - 1)
      expect(await site.held()).toEqual(['orders: partitioning-changed'])
      site.send(next)
    }
    // What is mended does not go on by itself.
    await site.serve({ partitionBy: 'name' }, 4)
    expect(await site.ids('orders')).toEqual([1])
    await site.resume('orders')
    expect(await site.run({ partitionBy: 'name' })).toBeNull()
    expect(await site.ids('orders')).toEqual([1, 2, 3, 4])
    expect(await site.held()).toEqual([])
    site.send(5)
    expect(await site.run({ partitionBy: 'name' })).toBeNull()
    expect(await site.ids('orders')).toEqual([1, 2, 3, 4, 5])
  })

  it('is held back again when it is resumed too early, and loses nothing', async () => {
    expect(await site.run({ partitionBy: 'name' })).toBeNull()
    site.send(2)
    await site.serve({}, 2)
    await site.resume('orders')
    site.send(3)
    await site.serve({}, 3)
    expect(await site.held()).toEqual(['orders: partitioning-changed'])
    await site.resume('orders')
    await site.resume('orders')
    site.send(4)
    await site.serve({ partitionBy: 'name' }, 4)
    expect(await site.run({ partitionBy: 'name' })).toBeNull()
    expect(await site.ids('orders')).toEqual([1, 2, 3, 4])
  })
})
