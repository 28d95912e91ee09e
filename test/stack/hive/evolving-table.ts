/** One table of a real Hive that a test applies rows to and changes, as the merger does. */
import { inject } from 'vitest'
import { parsePartitionBy } from '../../../model/partition-by.ts'
import type { FollowedSchema } from '../../../model/schema-change.ts'
import { changesBetween, followedFrom } from '../../../model/schema-change.ts'
import type { Column, TableSchema } from '../../../model/table-schema.ts'
import { schemaText } from '../../../model/table-schema.ts'
import type { Value } from '../../../model/value.ts'
import { silentLogger } from '../../../observe/logger.ts'
import { systemClock } from '../../../runtime/clock.ts'
import { systemRandom } from '../../../runtime/random.ts'
import { AttemptFiles } from '../../../sinks/hive/attempt-files.ts'
import { settingsOf } from '../../../sinks/hive/hive.ts'
import { HiveSessions } from '../../../sinks/hive/hive-sessions.ts'
import { HiveWarehouse } from '../../../sinks/hive/hive-warehouse.ts'
import type { EvolveRequest, FailedChange, OpenedTable } from '../../../sinks/warehouse.ts'
import { schemaOf, upsert } from '../../sinks/embedded/changes.ts'
import { inParts } from '../../sinks/embedded/warehouses.ts'
import { newName } from '../instances.ts'
import { hdfsFiles } from './staged.ts'

const neverAborted = new AbortController().signal

/** A database of its own, and the warehouse that two owners of its tables share. */
export class EvolvingSite {
  readonly database = newName('evolve').replaceAll('-', '_')
  readonly warehouse: HiveWarehouse
  readonly folder = `/forager/${this.database}`
  readonly #sessions: HiveSessions

  constructor() {
    const connection = inject('hive')
    const sessionSettings = settingsOf(connection, '4.0')
    this.#sessions = new HiveSessions({ ...connection, sessionSettings }, systemClock, 2)
    const files = hdfsFiles()
    this.warehouse = new HiveWarehouse({
      sessions: this.#sessions,
      attempts: new AttemptFiles({
        files,
        root: this.folder,
        random: systemRandom,
        compression: 'zstd',
      }),
      clock: systemClock,
      reach: () => undefined,
      logger: silentLogger,
      name: 'hive',
      version: '4.0',
      database: this.database,
      parallel: 2,
      drainTimeoutMs: 60_000,
      buckets: 0,
    })
  }

  table(name: string, columns: readonly Column[], partitionBy: string | null): EvolvingTable {
    return new EvolvingTable(this, name, schemaOf(columns, [columns[0]!.name]), partitionBy)
  }

  async execute(...statements: readonly string[]): Promise<void> {
    for (const sql of statements) {
      await this.#sessions.use(session => session.execute(sql.replaceAll('@D@', this.database)))
    }
  }

  async query(sql: string): Promise<readonly (readonly unknown[])[]> {
    const own = sql.replaceAll('@D@', this.database)
    return await this.#sessions.use(async session => (await session.query(own)).rows)
  }

  async close(): Promise<void> {
    await this.execute('DROP DATABASE IF EXISTS @D@ CASCADE')
    await hdfsFiles().remove(this.folder)
    await this.warehouse.close()
  }
}

export class EvolvingTable {
  readonly name: string
  readonly #site: EvolvingSite
  readonly #partitionBy: string | null
  #followed: FollowedSchema
  #applied = -1
  #attempt = 0

  constructor(site: EvolvingSite, name: string, schema: TableSchema, partitionBy: string | null) {
    this.name = name
    this.#site = site
    this.#followed = followedFrom(schema)
    this.#partitionBy = partitionBy
  }

  get #by() {
    return this.#partitionBy === null ? null : parsePartitionBy(this.#partitionBy)
  }

  /** Rows in the order of their keys; undefined was not sent. */
  async apply(...rows: readonly (readonly (Value | undefined)[])[]): Promise<void> {
    const { schema } = this.#followed
    const after = this.#applied < 0 ? null : { topicId: 't', offset: this.#applied }
    this.#applied += 1
    this.#attempt += 1
    const changes = rows.map(row => {
      const kind = row.includes(undefined) ? ('patch' as const) : ('upsert' as const)
      return upsert(row, schema, { kind })
    })
    await this.#site.warehouse.apply({
      table: this.name,
      token: 1,
      after,
      through: { topicId: 't', offset: this.#applied },
      followed: this.#followed,
      partitionBy: this.#by,
      truncate: 'none',
      changes: inParts(changes),
      areNew: false,
      attempt: this.#attempt,
      isInDoubt: false,
      claim: () => Promise.resolve(),
      signal: neverAborted,
    })
  }

  /** Asks for the columns, and takes them for the table's when nothing failed. */
  async evolve(
    columns: readonly Column[],
    { mayFail = false, ...rest }: Partial<EvolveRequest> & { mayFail?: boolean } = {},
  ): Promise<readonly FailedChange[]> {
    const { schema } = this.#followed
    const to = { ...this.#followed, schema: schemaOf(columns, [columns[0]!.name]) }
    this.#attempt += 1
    const failed = await this.#site.warehouse.evolve({
      table: this.name,
      token: 1,
      attempt: this.#attempt,
      to,
      changes: changesBetween(schema, to.schema).map(change => ({ change, mayFail })),
      begun: null,
      partitionBy: this.#by,
      isInDoubt: false,
      claim: () => Promise.resolve(),
      signal: neverAborted,
      ...rest,
    })
    if (failed.length === 0) this.#followed = to
    return failed
  }

  /** As an owner that begins finds it; `to`: what one before had begun. */
  async open(to: readonly Column[] | null = null): Promise<OpenedTable | null> {
    const { schema } = this.#followed
    const evolving = to === null ? null : followedFrom(schemaOf(to, [to[0]!.name]))
    const through = { topicId: 't', offset: this.#applied }
    const followed = followedFrom(schema)
    return await this.#site.warehouse.open(this.name, { through, followed, evolving })
  }

  /** The same as text, of columns alone. */
  async openedColumns(to: readonly Column[] | null = null): Promise<string> {
    return schemaText((await this.open(to))!.followed!.schema)
  }

  async rows(columns = '*'): Promise<readonly (readonly unknown[])[]> {
    const key = this.#followed.schema.key[0]!
    return await this.#site.query(`SELECT ${columns} FROM @D@.${this.name} ORDER BY ${key}`)
  }

  async describe(): Promise<readonly string[]> {
    const found = await this.#site.query(`DESCRIBE @D@.${this.name}`)
    const end = found.findIndex(([name]) => name === '')
    const own = end < 0 ? found : found.slice(0, end)
    return own.map(row => row.filter(part => part !== '').join(' '))
  }
}
