/** `forager connectors apply` with a real worker of Kafka Connect and a real database. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { connectUrl } from '../../scripts/stack/connect.ts'
import type { ConnectorConfig } from '../../scripts/stack/connectors.ts'
import { deleteConnector, mariadbConnector } from '../../scripts/stack/connectors.ts'
import { runMariadb } from '../../scripts/stack/databases.ts'
import { down, up } from '../../scripts/stack/stack.ts'
import type { Outcome, Program } from '../cli/program.ts'
import { inFolder } from '../cli/program.ts'
import { newName } from './instances.ts'

const stack = inject('stack')
const servers = ['connect', 'mariadb']
const quiet = (): void => undefined
const secret = 'correct-horse-battery'
const user = "watcher@'127.0.0.1'"

const privileges =
  'SELECT, RELOAD, SHOW DATABASES, LOCK TABLES, BINLOG MONITOR, REPLICATION SLAVE, REPLICATION CLIENT'

beforeAll(async () => {
  await up(servers, stack, quiet)
  await runMariadb(stack, [
    `CREATE OR REPLACE USER ${user} IDENTIFIED BY '${secret}'`,
    `GRANT ${privileges} ON *.* TO ${user}`,
  ])
}, 900_000)
afterAll(() => down(servers, stack, quiet))

/** One connector of its own for each test, and a configuration that names it. */
class Site {
  readonly name = newName('watch').replaceAll('-', '_')
  readonly #program: Program

  constructor(program: Program) {
    this.#program = program
  }

  settings(more: ConnectorConfig = {}): ConnectorConfig {
    const { 'database.password': _, ...settings } = mariadbConnector(stack, {
      topicPrefix: this.name,
      include: [this.name],
      partitions: 3,
      more: {
        'database.user': 'watcher',
        'value.converter.replace.null.with.default': 'false',
        'enable.time.adjuster': 'false',
        ...more,
      },
    })
    return { ...settings, 'database.password': '${env:WATCHER}' }
  }

  /** What it says never has the password. */
  async apply(
    settings: ConnectorConfig,
    options: readonly string[] = [],
    password = secret,
  ): Promise<Outcome> {
    const config = {
      applicationId: this.name,
      source: {
        type: 'kafka',
        brokers: [inject('broker')],
        topics: [`${this.name}.*`],
        format: 'debezium-json',
      },
      tables: [{ from: `${this.name}.*`, to: '{table}' }],
      warehouse: { type: 'embedded', path: 'warehouse' },
      connectors: { url: connectUrl(stack), configs: { [this.name]: settings } },
    }
    await this.#program.write('forager.yaml', JSON.stringify(config))
    const env = { WATCHER: password }
    const outcome = await this.#program.run(['connectors', 'apply', 'forager.yaml', ...options], {
      env,
    })
    expect(`${outcome.stdout}${outcome.stderr}`).not.toContain(password)
    return outcome
  }

  /** What Connect has; null when it has none. */
  async registered(): Promise<ConnectorConfig | null> {
    const answer = await fetch(`${connectUrl(stack)}/connectors/${this.name}/config`)
    return answer.status === 404 ? null : ((await answer.json()) as ConnectorConfig)
  }

  async makeTable(): Promise<void> {
    await runMariadb(stack, [
      `CREATE DATABASE IF NOT EXISTS ${this.name}`,
      `CREATE TABLE ${this.name}.thing (id INT PRIMARY KEY)`,
    ])
  }

  async remove(): Promise<void> {
    if ((await this.registered()) !== null) await deleteConnector(stack, this.name)
    await runMariadb(stack, [`DROP DATABASE IF EXISTS ${this.name}`])
  }
}

async function withSite(action: (site: Site) => Promise<void>): Promise<void> {
  await inFolder(async program => {
    const site = new Site(program)
    try {
      await action(site)
    } finally {
      await site.remove()
    }
  })
}

const runs = 'it runs, 1 task.\n'

describe('forager connectors apply', () => {
  it('creates a connector, leaves it alone, and changes what differs', async () => {
    await withSite(async site => {
      const what = `ok    connector ${site.name}: `
      await site.makeTable()
      const dry = await site.apply(site.settings(), ['--dry-run'])
      expect(dry).toEqual({ code: 0, stderr: '', stdout: `${what}would be created.\n` })
      expect(await site.registered()).toBeNull()

      const created = await site.apply(site.settings())
      expect(created).toEqual({ code: 0, stderr: '', stdout: `${what}created; ${runs}` })
      expect(await site.registered()).toMatchObject({ 'database.password': secret })
      const again = await site.apply(site.settings())
      expect(again).toEqual({ code: 0, stderr: '', stdout: `${what}unchanged; ${runs}` })

      const { 'include.query': _, ...fewer } = site.settings({ 'heartbeat.interval.ms': '7000' })
      const would = await site.apply(fewer, ['--dry-run'])
      const keys = 'heartbeat.interval.ms, include.query'
      expect(would.stdout).toBe(`${what}would be updated (${keys}).\n`)
      expect((await site.registered())?.['heartbeat.interval.ms']).toBe('5000')
      const updated = await site.apply(fewer)
      expect(updated).toEqual({ code: 0, stderr: '', stdout: `${what}updated (${keys}); ${runs}` })
      expect((await site.registered())?.['heartbeat.interval.ms']).toBe('7000')
      expect(await site.registered()).not.toHaveProperty('include.query')
    })
  })

  it('changes nothing when Connect does not take the settings, and says why by key', async () => {
    await withSite(async site => {
      const wrong = 'WRONG connector .*: '
      const nothing = '\nNothing was changed: mend what is WRONG.\n$'
      const expectInvalid = async (
        settings: ConnectorConfig,
        says: string,
        password = secret,
      ): Promise<void> => {
        const { code, stdout } = await site.apply(settings, [], password)
        expect(stdout).toMatch(new RegExp(`${wrong}${says}.*${nothing}`, 's'))
        expect(code).toBe(2)
        expect(await site.registered()).toBeNull()
      }
      const near = 'io.debezium.connector.mariadb.MariaDbConnector'
      await expectInvalid(
        site.settings({ 'connector.class': near.replace('Db', 'DB') }),
        `connector.class: Connect has no .*; probably ${near} is meant`,
      )
      await expectInvalid(site.settings(), 'database.hostname: .*Access denied', 'wrong-guess')
      await expectInvalid(
        site.settings({ 'bigint.unsigned.handling.mode': 'precisely' }),
        'bigint.unsigned.handling.mode: .*one of precise, long',
      )
    })
  })

  it('refuses settings by which changes are lost, unless it is told to take them', async () => {
    await withSite(async site => {
      const lossy = site.settings({ 'skipped.operations': 'd' })
      const refused = await site.apply(lossy)
      expect(refused.stdout).toMatch(
        /^WRONG connector .*\[operations-skipped\]\.\nNothing was changed: .*--force\.\n$/,
      )
      expect([refused.code, await site.registered()]).toEqual([1, null])
      const forced = await site.apply(lossy, ['--force', '--dry-run'])
      expect(forced.stdout).toMatch(/\[operations-skipped\]\.\nok .*: would be created\.\n$/)
      expect(forced.code).toBe(0)
    })
  })

  it('shows why a task failed, and starts it again when the cause is mended', async () => {
    await withSite(async site => {
      await site.makeTable()
      await runMariadb(stack, [`REVOKE RELOAD, LOCK TABLES, BINLOG MONITOR ON *.* FROM ${user}`])
      const what = `connector ${site.name}: `
      const failed = await site.apply(site.settings())
      expect(failed.stdout).toMatch(
        new RegExp(
          `^WRONG ${what}created; task 0 failed: .*Caused by: .*privilege.*--restart-failed`,
        ),
      )
      expect(failed.code).toBe(1)
      await runMariadb(stack, [`GRANT ${privileges} ON *.* TO ${user}`])
      const still = await site.apply(site.settings())
      expect(still.stdout).toMatch(new RegExp(`^WRONG ${what}unchanged; task 0 failed: `))
      const started = await site.apply(site.settings(), ['--restart-failed'])
      expect(started).toEqual({ code: 0, stderr: '', stdout: `ok    ${what}unchanged; ${runs}` })
    })
  })

  it('ends with 1 when Connect does not answer', async () => {
    await withSite(async site => {
      const { code, stderr } = await site.apply(site.settings(), [
        '--connect-url',
        'http://127.0.0.1:1',
      ])
      expect(stderr).toMatch(
        /^error: Kafka Connect at \S+ does not answer: .*\[connect-unreachable\]/,
      )
      expect(code).toBe(1)
    })
  })
})
