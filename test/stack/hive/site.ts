/**
 * Forager between a database and Hive: a schema of its own in the database, a connector, a database of its
 * own in Hive, a folder in HDFS; and what is there is compared row by row.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { inject } from 'vitest'
import type { KafkaLog } from '../../../log/kafka/kafka-log.ts'
import { systemClock } from '../../../runtime/clock.ts'
import {
  deleteConnector,
  mariadbConnector,
  postgresConnector,
  registerConnector,
  untilRunning,
} from '../../../scripts/stack/connectors.ts'
import { HiveSessions } from '../../../sinks/hive/hive-sessions.ts'
import { openKafka, partitionsOf, until } from '../instances.ts'
import { Running } from '../running.ts'
import type { DatabaseKind } from './databases.ts'
import { rowsOf, runSql, sorted } from './databases.ts'
import { hdfsFiles, stagedFiles } from './staged.ts'

export interface SiteTable {
  readonly name: string
  /** By name, with the expression that gives the column's text in the source, and that in Hive. */
  readonly columns: readonly SiteColumn[]
}

export interface SiteColumn {
  readonly name: string
  readonly inSource: string
  readonly inHive: string
}

export interface SiteOptions {
  readonly kind: DatabaseKind
  /** Letters and digits. */
  readonly name: string
  readonly tables: readonly SiteTable[]
  /** Statements that make the tables, before the connector begins. `@S@` stands for the schema. */
  readonly schema: readonly string[]
  /** Of the rule of a table: `partitionBy`, … */
  readonly rules?: Readonly<Record<string, object>>
  readonly config?: object
  /** Settings of the source, over those that it has. */
  readonly source?: object
  readonly topicPartitions?: number
  /** The connector's topic of schema changes is a topic of the source as well. */
  readonly readsSchemaChanges?: boolean
  /** For how long staged files are kept; not at all unless it is given. */
  readonly keepStaged?: string
  /** Settings of the connector, over those that it has. */
  readonly connector?: Readonly<Record<string, string>>
}

const deadlineMs = 300_000

export class Site {
  /** Database of MariaDB, schema of PostgreSQL, database of Hive. */
  readonly schema: string
  readonly stack = inject('stack')
  readonly sessions: HiveSessions
  readonly log: KafkaLog
  readonly #options: SiteOptions
  #marks = 0
  running!: Running

  private constructor(options: SiteOptions) {
    this.#options = options
    this.schema = `${options.name}_${options.kind}`
    const { host, port } = inject('hive')
    this.sessions = new HiveSessions({ host, port }, systemClock, 1)
    this.log = openKafka(inject('broker'))
  }

  /** The action finds the tables, the connector runs; whatever becomes of it, all of it is taken away. */
  static async use(options: SiteOptions, action: (site: Site) => Promise<void>): Promise<void> {
    const site = new Site(options)
    try {
      await site.#make()
      const config = { ...site.#config(), ...options.config }
      await Running.use({ name: options.name, log: site.log, config }, async running => {
        site.running = running
        await action(site)
      })
    } finally {
      await site.#remove()
    }
  }

  async sql(...statements: readonly string[]): Promise<void> {
    const own = statements.map(statement => statement.replaceAll('@S@', this.schema))
    await runSql(this.stack, this.#options.kind, own)
  }

  async execute(statement: string): Promise<void> {
    await this.sessions.use(session => session.execute(statement))
  }

  async hive(statement: string): Promise<readonly (readonly unknown[])[]> {
    return await this.sessions.use(async session => (await session.query(statement)).rows)
  }

  /** All that was changed in the database until now is in Hive, or parked. */
  async untilFollowed(): Promise<void> {
    await this.untilMark()
    await this.untilIdle()
  }

  /** A row that is written now is in Hive; those of other tables may still be on their way. */
  async untilMark(): Promise<void> {
    this.#marks += 1
    await this.sql(`INSERT INTO @S@.marks VALUES (${this.#marks})`)
    await until(
      `mark ${this.#marks} is in Hive`,
      async () => {
        this.running.expectAllWell()
        const found = await this.hive(`SELECT max(id) FROM ${this.schema}.marks`).catch(() => [])
        const isThere = Number(found[0]?.[0] ?? 0) >= this.#marks
        if (!isThere) await sleep(1000)
        return isThere
      },
      deadlineMs,
    )
  }

  /** All that is in Kafka is read, staged, and applied or parked. */
  async untilIdle(): Promise<void> {
    const topics = (await this.log.topics()).filter(({ name }) => {
      const isSchemaChanges = this.#options.readsSchemaChanges === true && name === this.#prefix
      return name.startsWith(`${this.schema}.`) || isSchemaChanges
    })
    const sources = topics.flatMap(({ name, partitions }) => partitionsOf(name, partitions))
    await this.running.untilApplied(sources, { deadlineMs })
  }

  /** Tables whose rows are not those of the database, with some of the rows. */
  async differences(tables = this.#options.tables): Promise<readonly string[]> {
    const found: string[] = []
    for (const table of tables) {
      const difference = await this.#differenceOf(table)
      if (difference !== null) found.push(difference)
    }
    return found
  }

  async #differenceOf({ name, columns }: SiteTable): Promise<string | null> {
    const { kind } = this.#options
    const inSource = columns.map(column => column.inSource)
    const quoted = kind === 'mariadb' ? `\`${name}\`` : `"${name}"`
    const expected = await rowsOf(this.stack, kind, `${this.schema}.${quoted}`, inSource)
    const inHive = columns.map(column => column.inHive).join(', ')
    const rows = await this.hive(`SELECT ${inHive} FROM ${this.schema}.\`${name}\``)
    const actual = sorted(
      rows.map(row => row.map(value => (value === null ? null : `${value as string}`))),
    )
    if (JSON.stringify(actual) === JSON.stringify(expected)) return null
    const [texts, others] = [actual, expected].map(part => part.map(row => JSON.stringify(row)))
    const extra = texts!.filter(text => !others!.includes(text))
    const missing = others!.filter(text => !texts!.includes(text))
    return (
      `${name}: ${actual.length} rows in Hive, ${expected.length} in the source; only in Hive ` +
      `${extra.slice(0, 5).join(' ')}; missing ${missing.slice(0, 5).join(' ')}`
    )
  }

  /** Other rules of tables, for instances that are started from now on. */
  configure(rules: Readonly<Record<string, object>>): void {
    this.running.configure({ ...this.#config(rules), ...this.#options.config })
  }

  /** Files of the application that are left in staging. */
  async stagedFiles(): Promise<readonly string[]> {
    return await stagedFiles(hdfsFiles(), `/forager/${this.running.applicationId}`)
  }

  #config(rules = this.#options.rules ?? {}): object {
    const { host, port } = inject('hive')
    const { url, location } = inject('webhdfs')
    const { tables, readsSchemaChanges = false, keepStaged: maxAge = '0s' } = this.#options
    const ruled = tables.map(({ name }) => ({
      from: `${this.schema}.${name}`,
      to: `${this.schema}.${name}`,
      ...rules[name],
    }))
    return {
      source: {
        type: 'kafka',
        brokers: [inject('broker')],
        topics: [`${this.schema}.*`, ...(readsSchemaChanges ? [this.#prefix] : [])],
        format: 'debezium-json',
        sessionTimeout: '6s',
        topicRefresh: '2s',
        ...this.#options.source,
      },
      tables: [...ruled, { from: `${this.schema}.marks`, to: `${this.schema}.marks` }],
      warehouse: { type: 'hive', host, port, drainTimeout: '60s', keepStaged: { maxAge } },
      staging: { type: 'webhdfs', urls: [url], location, path: '/forager', user: 'root' },
      repartition: { partitions: 3 },
      window: { maxAge: '2s' },
    }
  }

  async #make(): Promise<void> {
    const { kind, schema, topicPartitions: partitions = 1, connector: more = {} } = this.#options
    await this.execute(`CREATE DATABASE IF NOT EXISTS ${this.schema}`)
    const charset = kind === 'mariadb' ? ' CHARACTER SET utf8mb4' : ''
    await this.sql(
      `CREATE SCHEMA @S@${charset}`,
      ...schema,
      `CREATE TABLE @S@.marks (id INT PRIMARY KEY)`,
    )
    const options = { topicPrefix: this.#prefix, include: [this.schema], partitions, more }
    const config =
      kind === 'mariadb'
        ? mariadbConnector(this.stack, options)
        : postgresConnector(this.stack, options)
    await registerConnector(this.stack, this.schema, config)
    await untilRunning(this.stack, this.schema)
  }

  /** Topics are `<prefix>.<schema>.<table>`. */
  get #prefix(): string {
    return this.schema
  }

  async #remove(): Promise<void> {
    const { kind } = this.#options
    await deleteConnector(this.stack, this.schema).catch(() => undefined)
    const cascade = kind === 'postgres' ? ' CASCADE' : ''
    await this.sql(`DROP SCHEMA IF EXISTS @S@${cascade}`).catch(() => undefined)
    // One of all tables would have a word in the tables of others.
    if (kind === 'postgres') await this.sql(`DROP PUBLICATION IF EXISTS pub_@S@`)
    await this.execute(`DROP DATABASE IF EXISTS ${this.schema} CASCADE`).catch(() => undefined)
    await this.sessions.close()
    await this.log.close()
  }
}
