/** A database of its own in a real HiveServer2, the sessions and proxies of a test, and slow statements. */
import { systemClock } from '../../../runtime/clock.ts'
import type { HiveConnectionOptions } from '../../../sinks/hive/hive-options.ts'
import type { HiveValue } from '../../../sinks/hive/hive-rows.ts'
import { HiveSession } from '../../../sinks/hive/hive-session.ts'
import { HiveProxy } from './hive-proxy.ts'

/**
 * With direct inserts, a task that goes on after its statement was cancelled leaves a folder in the table
 * that nobody can read.
 */
export const sessionSettings = { 'hive.acid.direct.insert.enabled': 'false' }

interface Address {
  readonly host: string
  readonly port: number
}

export class HiveDatabase {
  readonly name: string
  /** Keeps the one application master that most tests need. */
  readonly shared: HiveSession
  readonly #address: Address
  readonly #owner: HiveSession
  readonly #opened: { close(): Promise<void> }[] = []

  private constructor(address: Address, name: string) {
    this.name = name
    this.#address = address
    this.#owner = new HiveSession(address, systemClock)
    this.shared = this.open()
  }

  /** With the tables `one`, of a row with the id 1, and `slow`, empty. What was there before goes. */
  static async create(address: Address, name: string): Promise<HiveDatabase> {
    const database = new HiveDatabase(address, name)
    await database.#drop()
    await database.#owner.execute(`create database ${name}`)
    const acid = "stored as orc tblproperties ('transactional' = 'true')"
    await database.shared.execute(`create table one (id int) ${acid}`)
    await database.shared.execute('insert into one values (1)')
    await database.shared.execute(`create table slow (id int, slept string) ${acid}`)
    return database
  }

  open(options: Partial<HiveConnectionOptions> = {}): HiveSession {
    const own = { database: this.name, sessionSettings }
    const session = new HiveSession({ ...this.#address, ...own, ...options }, systemClock)
    this.#opened.unshift(session)
    return session
  }

  async openProxy(): Promise<HiveProxy> {
    const proxy = await HiveProxy.open(this.#address)
    this.#opened.push(proxy)
    return proxy
  }

  /** A statement of Tez that takes a while, which nothing shortens in its local mode, and would leave a row. */
  get slowInsert(): string {
    return `insert into ${this.name}.slow select 2, ${sleeping('id', 8_000)} from ${this.name}.one`
  }

  /** The rows that slow statements left. */
  async slowRows(): Promise<HiveValue | undefined> {
    const { rows } = await this.shared.query(`select count(*) from ${this.name}.slow`)
    return rows[0]?.[0]
  }

  /** Resolves when slow statements run, which is when they have their lock; or when none does any more. */
  async untilSlow(runs: boolean, session = this.shared): Promise<void> {
    const deadlineMs = systemClock.monotonic() + 60_000
    while ((await this.#isSlowLocked(session)) !== runs) {
      if (systemClock.monotonic() > deadlineMs) throw new Error('it did not come true in a minute')
      await systemClock.sleep(50)
    }
  }

  async close(): Promise<void> {
    for (const one of this.#opened) await one.close()
    await this.#drop()
    await this.#owner.close()
  }

  async #isSlowLocked(session: HiveSession): Promise<boolean> {
    const { rows } = await session.query(`show locks database ${this.name}`)
    return rows.some(([, , table, , state]) => table === 'slow' && state === 'ACQUIRED')
  }

  async #drop(): Promise<void> {
    await this.#owner.execute(`drop database if exists ${this.name} cascade`)
  }
}

/** An expression that takes so long for a row. Without a column Hive may make it a constant. */
export function sleeping(column: string, milliseconds: number): string {
  return `reflect('java.lang.Thread', 'sleep', cast(${column} * 0 + ${milliseconds} as bigint))`
}
