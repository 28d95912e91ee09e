/**
 * The simulator's shop as topics of Kafka, followed in Hive: many changes of few rows, with changed keys and
 * rows that move, and it is known what the tables must be.
 */
import { inject } from 'vitest'
import type { KafkaLog } from '../../../log/kafka/kafka-log.ts'
import type { LogRecord } from '../../../model/change-event.ts'
import { systemClock } from '../../../runtime/clock.ts'
import { HiveSessions } from '../../../sinks/hive/hive-sessions.ts'
import { extraDefault } from '../../../testkit/simulation/source-rows.ts'
import type { Instance } from '../instances.ts'
import { newName, openKafka, produce } from '../instances.ts'
import { Running } from '../running.ts'
import type { Shop } from '../shop.ts'
import { makeShop, makeTopics, shopConfig } from '../shop.ts'
import { tableDifferences } from '../tables.ts'
import { hdfsFiles, stagedFiles } from './staged.ts'

export interface HiveShopOptions {
  readonly name: string
  readonly seed: number
  readonly events: number
  readonly truncateShare?: number
  /** The first partition of each topic is so many events behind. */
  readonly lag?: number
  readonly config?: object
  /** Of `warehouse`: another port, time-outs. */
  readonly warehouse?: object
}

const deadlineMs = 400_000
const nothingKept = { keepStaged: { maxAge: '0s' } }

export class HiveShop {
  readonly stack = inject('stack')
  readonly log: KafkaLog
  readonly shop: Shop
  /** As they are sent. */
  readonly records: readonly LogRecord[]
  readonly database = newName('shop').replaceAll('-', '_')
  readonly #options: HiveShopOptions
  readonly #sessions: HiveSessions
  #sent = 0
  running!: Running

  private constructor(options: HiveShopOptions) {
    const { seed, events, truncateShare = 0 } = options
    this.#options = options
    this.log = openKafka(inject('broker'))
    this.shop = makeShop({ seed, partitions: 3, events, maxId: 40, resends: 5, truncateShare })
    this.records = behind(this.shop.records, options.lag ?? 0)
    this.#sessions = this.#newSessions()
  }

  static async use(
    options: HiveShopOptions,
    action: (shop: HiveShop) => Promise<void>,
  ): Promise<void> {
    const own = new HiveShop(options)
    try {
      await makeTopics(own.log, own.shop)
      const config = { ...own.#config(), ...options.config }
      await Running.use({ name: options.name, log: own.log, config }, async running => {
        own.running = running
        await action(own)
      })
    } finally {
      await own.#remove()
    }
  }

  start(env?: NodeJS.ProcessEnv): Instance {
    return this.running.start(env)
  }

  /** The next part of the changes, of 1; null: what is left. */
  async send(part: number | null): Promise<void> {
    const { records } = this
    const end = part === null ? records.length : Math.round(records.length * part)
    const own: readonly LogRecord[] = records.slice(this.#sent, end)
    this.#sent = Math.max(end, this.#sent)
    await produce(this.log, own, { atOnce: 500 })
  }

  async untilApplied(): Promise<void> {
    await this.running.untilApplied(this.shop.partitions, { deadlineMs })
  }

  get hivePort(): number {
    return inject('hive').port
  }

  /** A statement has a lock on one of the tables. */
  async isApplying(): Promise<boolean> {
    const rows = await this.query('SHOW LOCKS')
    return rows.some(row => row.includes(this.database))
  }

  async query(sql: string): Promise<readonly (readonly unknown[])[]> {
    return await this.#sessions.use(async session => (await session.query(sql)).rows)
  }

  async execute(sql: string): Promise<void> {
    await this.#sessions.use(session => session.execute(sql))
  }

  /** What differs between Hive and the source, in words. */
  async differences(): Promise<readonly string[]> {
    const found: string[] = []
    for (const table of ['user', 'product']) {
      const columns = ['id', 'version', 'body', 'extra']
      const select = columns.map(column => `\`${column}\``).join(', ')
      const rows = await this.query(`SELECT ${select} FROM ${this.database}.\`${table}\``)
      const actual = rows.map(([id, version, body, extra]) => ({
        id: Number(id),
        version: Number(version),
        body: body as string,
        extra: (extra as string | null) ?? extraDefault,
      }))
      const wanted = this.shop.workload.rowsOf(table).map(row => {
        const { id, version, body, extra } = row
        return [String(id), { id, version, body, extra }] as const
      })
      const told = tableDifferences(actual, row => String(row.id), new Map(wanted))
      found.push(...told.map(text => `${table} ${text}`))
    }
    return found
  }

  /** Keys that are there more than once. */
  async duplicates(): Promise<readonly unknown[]> {
    const found: unknown[] = []
    for (const table of ['user', 'product']) {
      const own = `${this.database}.\`${table}\``
      found.push(...(await this.query(`SELECT id FROM ${own} GROUP BY id HAVING count(*) > 1`)))
    }
    return found
  }

  /** Rows and the sum of their versions: nothing may go back. */
  async counts(): Promise<readonly unknown[]> {
    const found: unknown[] = []
    for (const table of ['user', 'product']) {
      const own = `${this.database}.\`${table}\``
      found.push(...(await this.query(`SELECT count(*), sum(version) FROM ${own}`)))
    }
    return found
  }

  /** Files that are left in staging. */
  async stagedFiles(): Promise<readonly string[]> {
    return await stagedFiles(hdfsFiles(), `/forager/${this.running.applicationId}`)
  }

  #config(): object {
    const { url, location } = inject('webhdfs')
    const { host, port } = inject('hive')
    const base = shopConfig('', inject('broker'), this.shop)
    const tables = base.tables.map(rule => ({ ...rule, to: `${this.database}.${rule.to}` }))
    return {
      ...base,
      tables,
      warehouse: {
        type: 'hive',
        host,
        port,
        drainTimeout: '60s',
        ...nothingKept,
        ...this.#options.warehouse,
      },
      staging: { type: 'webhdfs', urls: [url], location, path: '/forager', user: 'root' },
      window: { maxAge: '1s' },
    }
  }

  #newSessions(): HiveSessions {
    return new HiveSessions(inject('hive'), systemClock, 1)
  }

  async #remove(): Promise<void> {
    await this.execute(`DROP DATABASE IF EXISTS ${this.database} CASCADE`).catch(() => undefined)
    await this.#sessions.close()
    await this.log.close()
  }
}

/** In the order of each partition. */
function behind(records: readonly LogRecord[], lag: number): readonly LogRecord[] {
  const placed = records.map((record, index) => {
    return { record, place: record.partition === 0 ? index + lag : index }
  })
  return placed.sort((a, b) => a.place - b.place).map(({ record }) => record)
}
