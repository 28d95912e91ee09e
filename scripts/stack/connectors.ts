/**
 * Debezium's connectors on the worker of the stack: their settings for its databases, and Connect's REST
 * interface as far as tests and the demo need it.
 */
import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { connectUrl } from './connect.ts'
import type { ConnectorConfig, ConnectorOptions, ConnectorPlaces } from './connector-settings.ts'
import { mariadbSettings, postgresSettings } from './connector-settings.ts'
import { psql } from './databases.ts'
import type { StackOptions } from './parts.ts'
import { portOf } from './parts.ts'

const run = promisify(execFile)

export type { ConnectorConfig, ConnectorOptions } from './connector-settings.ts'

function placesOf(stack: StackOptions): ConnectorPlaces {
  const host = '127.0.0.1'
  return {
    mariadb: { host, port: portOf('mariadb', stack) },
    postgres: { host, port: portOf('postgres', stack) },
    kafka: `${host}:${portOf('kafka', stack)}`,
    password: 'dbz',
  }
}

export function mariadbConnector(stack: StackOptions, options: ConnectorOptions): ConnectorConfig {
  return mariadbSettings(placesOf(stack), options)
}

/** Of the database `demo`. Tables that are made after its start are not followed until it starts again. */
export function postgresConnector(stack: StackOptions, options: ConnectorOptions): ConnectorConfig {
  return postgresSettings(placesOf(stack), options)
}

/** Makes it, or changes its settings. */
export async function registerConnector(
  stack: StackOptions,
  name: string,
  config: ConnectorConfig,
): Promise<void> {
  await ask(stack, 'PUT', `/connectors/${encodeURIComponent(name)}/config`, config)
}

/** Ends it, and takes from PostgreSQL what it would keep its log for. */
export async function deleteConnector(stack: StackOptions, name: string): Promise<void> {
  const path = `/connectors/${encodeURIComponent(name)}`
  const config = (await ask(stack, 'GET', `${path}/config`)) as ConnectorConfig
  await ask(stack, 'DELETE', path)
  const slot = config['slot.name']
  if (slot !== undefined) await dropSlot(stack, config['database.dbname'] ?? '', slot, config)
}

async function dropSlot(
  stack: StackOptions,
  database: string,
  slot: string,
  config: ConnectorConfig,
): Promise<void> {
  const { command, args, env } = psql(stack, database)
  const ask = async (sql: string): Promise<string> => {
    const asked = await run(command, [...args, '-Atqc', sql], { env: { ...process.env, ...env } })
    return asked.stdout.trim()
  }
  const found = `FROM pg_replication_slots WHERE slot_name = '${slot}'`
  // The connector lets go of it a little later than Connect says that it is deleted.
  await until(`slot ${slot} is free`, 30_000, async () => {
    return (await ask(`SELECT count(*) ${found} AND active`)) === '0'
  })
  await ask(`SELECT pg_drop_replication_slot(slot_name) ${found}`)
  const publication = config['publication.name']
  if (publication !== undefined) await ask(`DROP PUBLICATION IF EXISTS "${publication}"`)
}

interface Status {
  readonly connector: { readonly state: string; readonly trace?: string }
  readonly tasks: readonly { readonly state: string; readonly trace?: string }[]
}

/** The connector and its task run; throws what Connect knows when one of them failed. */
export async function untilRunning(
  stack: StackOptions,
  name: string,
  withinMs = 60_000,
): Promise<void> {
  await until(`connector ${name} runs`, withinMs, async () => {
    const path = `/connectors/${encodeURIComponent(name)}/status`
    // Not there yet: Connect reads its own topic first.
    const status = (await ask(stack, 'GET', path, undefined, [404])) as Status | null
    if (status === null) return false
    const all = [status.connector, ...status.tasks]
    const failed = all.find(({ state }) => state === 'FAILED')
    if (failed !== undefined) throw new Error(`connector ${name} failed: ${failed.trace ?? ''}`)
    return status.tasks.length > 0 && all.every(({ state }) => state === 'RUNNING')
  })
}

/** Null for a status that is allowed. */
async function ask(
  stack: StackOptions,
  method: string,
  path: string,
  body?: object,
  allowed: readonly number[] = [],
): Promise<unknown> {
  const response = await fetch(`${connectUrl(stack)}${path}`, {
    method,
    signal: AbortSignal.timeout(30_000),
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })
  const text = await response.text()
  if (allowed.includes(response.status)) return null
  if (!response.ok) throw new Error(`Connect: ${method} ${path}: ${response.status} ${text}`)
  return text === '' ? null : JSON.parse(text)
}

async function until(what: string, withinMs: number, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited too long until ${what}`)
    await sleep(200)
  }
}
