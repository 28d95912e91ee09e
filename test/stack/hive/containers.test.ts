/**
 * What the containers of docker-compose.yml are given, on the stack from jars: the tables that the databases begin
 * with, the connectors and the configuration of Forager, with nothing but places changed.
 */
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, inject, it } from 'vitest'
import { parse } from 'yaml'
import { systemClock } from '../../../runtime/clock.ts'
import type { PlaceName } from '../../../scripts/compose/places.ts'
import { addressOf, places } from '../../../scripts/compose/places.ts'
import { deleteConnector } from '../../../scripts/stack/connectors.ts'
import { psql, runMariadb } from '../../../scripts/stack/databases.ts'
import { fetchAll, folderOf } from '../../../scripts/stack/downloads.ts'
import { hiveJars } from '../../../scripts/stack/hdfs.ts'
import { portOf } from '../../../scripts/stack/parts.ts'
import { apicurio, registryCommand } from '../../../scripts/stack/registry.ts'
import { versions } from '../../../scripts/stack/servers.ts'
import { HiveSessions } from '../../../sinks/hive/hive-sessions.ts'
import type { Program } from '../../cli/program.ts'
import { inFolder } from '../../cli/program.ts'
import { Instance, until } from '../instances.ts'

const root = join(import.meta.dirname, '../../..')
const stack = inject('stack')
const run = promisify(execFile)
const host = '127.0.0.1'

/** Of PostgreSQL, by its own program, which knows `\connect`. */
async function runPostgres(...args: readonly string[]): Promise<string> {
  const { command, args: own, env } = psql(stack, 'demo')
  const given = ['-Atq', '-v', 'ON_ERROR_STOP=1', ...args]
  const { stdout } = await run(command, [...own, ...given], { env: { ...process.env, ...env } })
  return stdout.trim()
}

interface GivenConfig {
  warehouse: { host: string; port: number }
  state: { path: string }
  http: { host: string; port: number }
  connectors: { configs: Record<string, Record<string, string>> }
}

/** Places of containers become those of the stack. */
function placed(text: string): string {
  return (Object.keys(places) as PlaceName[]).reduce((found, name) => {
    const port = portOf(name, stack)
    return found
      .replaceAll(addressOf(name), `${host}:${port}`)
      .replaceAll(`localhost:${places[name].port}`, `${host}:${port}`)
      .replaceAll(`localhost/${places[name].port}`, `${host}/${port}`)
  }, text)
}

interface Service {
  readonly healthcheck: { readonly test: readonly string[] }
  readonly environment: Readonly<Record<string, string>>
}

const { services } = parse(await readFile(join(root, 'docker-compose.yml'), 'utf8')) as {
  services: Readonly<Record<string, Service>>
}

async function isHealthy(name: string): Promise<boolean> {
  const [kind, command = '', ...args] = services[name]!.healthcheck.test
  expect(kind).toBe('CMD')
  try {
    await run(command, args.map(placed), { timeout: 10_000 })
    return true
  } catch {
    return false
  }
}

async function writeConfig(program: Program): Promise<void> {
  const text = placed(await readFile(join(root, 'deploy/compose/forager.yaml'), 'utf8'))
  const config = parse(text) as GivenConfig
  expect(config.warehouse).toMatchObject({ host: 'hiveserver2', port: 10_000 })
  Object.assign(config.warehouse, { host, port: portOf('hiveserver2', stack) })
  for (const settings of Object.values(config.connectors.configs)) {
    const name = settings['database.hostname'] as 'mariadb' | 'postgres'
    expect(settings['database.port']).toBe(String(places[name].port))
    const port = String(portOf(name, stack))
    Object.assign(settings, { 'database.hostname': host, 'database.port': port })
  }
  config.state = { path: program.path('state') }
  config.http = { host, port: 29_466 }
  await writeFile(program.path('forager.yaml'), JSON.stringify(config))
}

it('keep Hive in step, with nothing but places changed', async () => {
  const sessions = new HiveSessions({ host, port: portOf('hiveserver2', stack) }, systemClock, 1)
  const rows = async (sql: string): Promise<readonly string[]> => {
    const found = await sessions.use(session => session.query(sql)).catch(() => ({ rows: [] }))
    return found.rows.map(row => row.map(value => String(value)).join(' '))
  }
  const products = () => rows('SELECT id, name, price FROM ods.product ORDER BY id')
  await inFolder(async program => {
    await writeConfig(program)
    try {
      await runMariadb(stack, [
        await readFile(join(root, 'deploy/compose/mariadb/2-demo.sql'), 'utf8'),
      ])
      await runPostgres('-f', join(root, 'deploy/compose/postgres/2-demo.sql'))
      const applied = await program.run(['connectors', 'apply', 'forager.yaml'], {
        env: { DBZ_PASSWORD: 'dbz' },
      })
      expect(applied.stdout.split('\n')).toEqual([
        'ok    connector shop: created; it runs, 1 task.',
        'ok    connector crm: created; it runs, 1 task.',
        '',
      ])
      expect([applied.code, applied.stderr]).toEqual([0, ''])
      const instance = new Instance(program.path('forager.yaml'))
      try {
        await until('the snapshot is in Hive', async () => (await products()).length === 3, 240_000)
        await runMariadb(stack, ['UPDATE demo.product SET price = 1999 WHERE id = 1'])
        await runPostgres('-c', 'DELETE FROM customer WHERE id = 2')
        const expected = ['1 Phone 1999.00', '2 Cable 0.01', '3 Charger 19.90']
        const isThere = async () => (await products())[0] === expected[0]
        await until('the update is in Hive', isThere, 240_000)
        expect(await products()).toEqual(expected)
        const customers = () => rows('SELECT id, name, since FROM crm.customer ORDER BY id')
        await until('the delete is in Hive', async () => (await customers()).length === 1, 240_000)
        expect(await customers()).toEqual(['1 Ada 1990-12-10'])
      } finally {
        expect((await instance.stop()).code).toBe(0)
      }
    } finally {
      for (const name of ['shop', 'crm']) await deleteConnector(stack, name).catch(() => undefined)
      await runMariadb(stack, ['DROP TABLE IF EXISTS demo.product'])
      await runPostgres('-c', 'DROP TABLE IF EXISTS customer')
      for (const name of ['ods', 'crm']) {
        await sessions.use(session => session.execute(`DROP DATABASE IF EXISTS ${name} CASCADE`))
      }
      await sessions.close()
    }
  })
})

it('are asked for their health in words that servers of the stack understand', async () => {
  const asked = ['connect', 'namenode', 'datanode', 'metastore', 'hiveserver2']
  for (const name of asked) expect(await isHealthy(name), name).toBe(true)
  expect(await isHealthy('registry')).toBe(false)
})

it('give the registry variables that it takes, and it is healthy then', async () => {
  await fetchAll([apicurio], stack.home, () => undefined)
  await runPostgres('-c', 'CREATE DATABASE registry OWNER hive')
  const { command, args } = registryCommand(stack)
  const given = Object.entries(services.registry!.environment).map(([name, value]) => [
    name,
    placed(value),
  ])
  const child = spawn(command, args, {
    stdio: 'ignore',
    env: {
      PATH: process.env.PATH,
      ...Object.fromEntries(given),
      QUARKUS_HTTP_PORT: String(portOf('registry', stack)),
      QUARKUS_MANAGEMENT_PORT: String(portOf('registryManagement', stack)),
    },
  })
  const ended = once(child, 'exit')
  try {
    await until('the registry is healthy', () => isHealthy('registry'), 240_000)
    const tables = `SELECT count(*) > 5 FROM pg_tables WHERE schemaname = 'public'`
    expect(await runPostgres('-c', '\\connect registry', '-c', tables)).toBe('t')
  } finally {
    child.kill()
    await ended
    await runPostgres('-c', 'DROP DATABASE registry')
  }
}, 300_000)

it('are the databases of the stack, and the driver that it has', async () => {
  expect(await runMariadb(stack, ['SELECT version()'])).toMatch(
    new RegExp(`^${versions.mariadb}\\.`),
  )
  expect(await runPostgres('-c', 'SHOW server_version')).toMatch(
    new RegExp(`^${versions.postgres}\\.`),
  )
  const jar = join(folderOf(hiveJars, stack.home), `postgresql-${versions.postgresDriver}.jar`)
  const checksum = createHash('sha256')
    .update(await readFile(jar))
    .digest('hex')
  expect(await readFile(join(root, 'docker-compose.yml'), 'utf8')).toContain(`sha256:${checksum} `)
})
