/**
 * Forager between a database and the embedded warehouse, by events in Avro: a schema of its own in the
 * database, a connector that writes them, a registry that knows their schemas; and what is in the tables is
 * compared with the database, value by value.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { inject } from 'vitest'
import { EmbeddedTarget } from '../../cli/verify/embedded-target.ts'
import { verifyTables } from '../../cli/verify/verify-tables.ts'
import type { KafkaLog } from '../../log/kafka/kafka-log.ts'
import { TableRouter } from '../../processors/route-tables.ts'
import { avroSettings } from '../../scripts/stack/avro-converter.ts'
import type { ConnectorConfig } from '../../scripts/stack/connectors.ts'
import {
  deleteConnector,
  mariadbConnector,
  postgresConnector,
  registerConnector,
  untilRunning,
} from '../../scripts/stack/connectors.ts'
import { registryUrl } from '../../scripts/stack/registry.ts'
import type { DatabaseKind } from './hive/databases.ts'
import { runSql } from './hive/databases.ts'
import { programRules, programRulesOf } from './hive/sql-program.ts'
import { openDatabase } from './hive/verifying.ts'
import { openKafka } from './instances.ts'
import { Running } from './running.ts'

export interface AvroSiteOptions {
  readonly kind: DatabaseKind
  /** Letters and digits. */
  readonly name: string
  /** Statements that make the tables, before the connector begins. `@S@` stands for the schema. */
  readonly schema: readonly string[]
  /** Taken over the settings of the connector. */
  readonly connector?: ConnectorConfig
}

/** Ten times what it takes. */
const deadlineMs = 300_000

export class AvroSite {
  /** Database of MariaDB, schema of PostgreSQL, and the prefix of the topics. */
  readonly schema: string
  readonly stack = inject('stack')
  readonly log: KafkaLog
  readonly #options: AvroSiteOptions
  running!: Running

  private constructor(options: AvroSiteOptions) {
    this.#options = options
    this.schema = `${options.name}_${options.kind}`
    this.log = openKafka(inject('broker'))
  }

  /** The action finds the tables, and the connector runs; whatever becomes of it, all of it is taken away. */
  static async use(
    options: AvroSiteOptions,
    action: (site: AvroSite) => Promise<void>,
  ): Promise<void> {
    const site = new AvroSite(options)
    try {
      await site.#make()
      const { name } = options
      await Running.use({ name, log: site.log, config: site.config() }, async running => {
        site.running = running
        await action(site)
      })
    } finally {
      await site.#remove()
    }
  }

  /** `registry` and `rest` are taken over what stands here. */
  config(registry: object = {}, rest: object = {}): object {
    const divided = Object.entries(programRules).map(([table, rule]) => {
      const name = `${this.schema}.${table}`
      return { from: name, to: name, ...rule }
    })
    return {
      source: {
        type: 'kafka',
        brokers: [inject('broker')],
        topics: [`${this.schema}.*`],
        format: 'debezium-avro',
        registry: { type: 'confluent', url: registryUrl(this.stack), ...registry },
        sessionTimeout: '6s',
        topicRefresh: '2s',
      },
      tables: [...divided, { from: `${this.schema}.*`, to: `${this.schema}.{table}` }],
      warehouse: { type: 'embedded', path: 'warehouse' },
      window: { maxAge: '500ms' },
      commitInterval: '200ms',
      ...rest,
    }
  }

  topicOf(table: string): string {
    return `${this.schema}.${this.schema}.${table}`
  }

  async sql(...statements: readonly string[]): Promise<void> {
    const own = statements.map(statement => statement.replaceAll('@S@', this.schema))
    await runSql(this.stack, this.#options.kind, own)
  }

  /** Ids of the schemas that rows of a table were written with, the oldest first. */
  async schemaIds(table: string): Promise<readonly number[]> {
    const ask = async (path: string): Promise<unknown> => {
      const response = await fetch(`${registryUrl(this.stack)}${path}`)
      if (!response.ok) throw new Error(`the registry answers ${response.status} to ${path}`)
      return await response.json()
    }
    const subject = `/subjects/${this.topicOf(table)}-value/versions`
    const versions = (await ask(subject)) as readonly number[]
    const found = versions.map(async version => {
      return ((await ask(`${subject}/${version}`)) as { readonly id: number }).id
    })
    return await Promise.all(found)
  }

  /** What differs between the tables and the database, in words; `[]` when all of it is equal. */
  async differences(): Promise<readonly string[]> {
    const rules = programRulesOf(this.schema)
    const source = openDatabase(this.#options.kind)
    try {
      const { tables } = await verifyTables({
        source,
        target: new EmbeddedTarget(this.running.warehouse),
        router: new TableRouter(rules),
        rules,
        maxDifferences: 5,
        rangeRows: 1_000_000,
      })
      if (tables.length === 0) throw new Error(`no tables of ${this.schema} were compared`)
      return tables
        .filter(({ status, notCompared }) => status !== 'equal' || notCompared.length > 0)
        .map(report => JSON.stringify(report, (_, value: unknown) => textOf(value)))
    } finally {
      await source.close()
    }
  }

  /** All that is in the database is in the tables. Nothing may be written meanwhile. */
  async untilEqual(): Promise<void> {
    const deadline = performance.now() + deadlineMs
    for (;;) {
      this.#expectAllRun()
      await untilRunning(this.stack, this.schema, deadlineMs)
      // Files are replaced under the reader while changes are applied.
      const found = await this.differences().catch((error: unknown) => [String(error)])
      if (found.length === 0) return
      if (performance.now() > deadline) {
        throw new Error(`the tables do not become equal:\n${found.join('\n')}`)
      }
      await sleep(500)
    }
  }

  /** An instance that was to end has been waited for, and another one was started. */
  #expectAllRun(): void {
    this.running.expectAllWell()
    const last = this.running.instances.at(-1)
    if (last?.isRunning !== true) throw new Error(`Forager does not run: ${last?.stderr ?? ''}`)
  }

  async #make(): Promise<void> {
    const { kind, schema, connector = {} } = this.#options
    const charset = kind === 'mariadb' ? ' CHARACTER SET utf8mb4' : ''
    await this.sql(`CREATE SCHEMA @S@${charset}`, ...schema)
    const options = {
      topicPrefix: this.schema,
      include: [this.schema],
      partitions: 3,
      more: { ...avroSettings(this.stack), ...connector },
    }
    const settingsOf = kind === 'mariadb' ? mariadbConnector : postgresConnector
    await registerConnector(this.stack, this.schema, settingsOf(this.stack, options))
    await untilRunning(this.stack, this.schema, deadlineMs)
  }

  async #remove(): Promise<void> {
    const { kind } = this.#options
    await deleteConnector(this.stack, this.schema).catch(() => undefined)
    const cascade = kind === 'postgres' ? ' CASCADE' : ''
    await this.sql(`DROP SCHEMA IF EXISTS @S@${cascade}`).catch(() => undefined)
    await this.log.close()
  }
}

function textOf(value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
