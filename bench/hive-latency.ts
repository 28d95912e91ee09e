/**
 * From the commit in MariaDB to being seen in Hive: a table is changed 1,000 times a second while Forager
 * runs as a process, and a row of a known number is written four times a second. Who asks Hive for
 * those rows sees which of them are there; the time of its own query is part of the result.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Admin } from '@platformatic/kafka'
import mysql from 'mysql2/promise'
import {
  deleteConnector,
  mariadbConnector,
  registerConnector,
  untilRunning,
} from '../scripts/stack/connectors.ts'
import { mariadbAdmin, runMariadb } from '../scripts/stack/databases.ts'
import { portOf } from '../scripts/stack/parts.ts'
import {
  files,
  folder,
  hdfs,
  load,
  name,
  oneTask,
  openSessions,
  row,
  spread,
  stack,
} from './hive-site.ts'
import { Process } from './processes.ts'

const firstProbe = 1_000_000_000
const loadMs = 40_000
const batchMs = 100
const probeMs = 250
const probeCount = loadMs / probeMs
const sourceRows = 50_000

/** Numbers of the probes that Hive has now. */
type Probes = () => Promise<readonly number[]>

interface Seen {
  readonly there: ReadonlySet<number>
  readonly atMs: number
}

export async function latency(): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'forager-bench-hive-'))
  const http = await freePort()
  const config = join(home, 'forager.yaml')
  await writeFile(config, configText(http))
  const sessions = openSessions()
  const sql = await connect()
  let forager: Process | null = null
  try {
    await makeSource(sql)
    await registerConnector(
      stack,
      name,
      mariadbConnector(stack, { topicPrefix: name, include: [name] }),
    )
    await untilRunning(stack, name)
    const program = join(import.meta.dirname, '../cli/forager.js')
    forager = new Process(process.execPath, [program, 'run', config, '--quiet'], { cwd: home })
    const alive = forager
    const probes: Probes = async () => {
      if (!alive.isRunning) throw new Error(`forager ended: ${alive.output.slice(-2000)}`)
      const query = `SELECT id FROM ${name}.orders WHERE id >= ${firstProbe}`
      const found = await sessions.use(session => session.query(query)).catch(() => ({ rows: [] }))
      return found.rows.map(([id]) => Number(id) - firstProbe)
    }
    // All of the snapshot, and one change that comes after it.
    await sql.query(`INSERT INTO ${name}.orders VALUES ${valuesOf(firstProbe)}`)
    await poll(1, probes)
    await measureLatency(sql, probes, http)
  } finally {
    await forager?.end('SIGTERM').catch((error: Error) => console.error(error.message))
    await deleteConnector(stack, name).catch(() => undefined)
    await removeTopics()
    await sql.end()
    await runMariadb(stack, [`DROP DATABASE IF EXISTS ${name}`])
    await sessions.use(one => one.execute(`DROP DATABASE IF EXISTS ${name} CASCADE`))
    await sessions.close()
    await files.remove(folder)
    await rm(home, { recursive: true, force: true })
  }
}

async function measureLatency(sql: mysql.Connection, probes: Probes, http: number): Promise<void> {
  const before = await appliesOf(http)
  const loads = [load()]
  const writing = writeLoad(sql)
  const probeSql = await connect()
  const probing = writeProbes(probeSql)
  const polling = poll(1 + probeCount, probes)
  const [{ changes, seconds }, committed, seen] = await Promise.all([writing, probing, polling])
  await probeSql.end()
  loads.push(load())
  const after = await appliesOf(http)
  const latencies = committed.map((atMs, index) => {
    // There are two partitions: a later probe may be there before an earlier one.
    const first = seen.find(({ there }) => there.has(index + 1))!
    return (first.atMs - atMs) / 1000
  })
  latencies.sort((a, b) => a - b)
  const at = (share: number): string =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))]!.toFixed(1)
  const gaps = seen.slice(1).map(({ atMs }, index) => (atMs - seen[index]!.atMs) / 1000)
  const applies = after.count - before.count
  const mean = (after.seconds - before.seconds) / applies
  row([
    'changes/s',
    'probes',
    'median s',
    '99th percentile s',
    'max s',
    'applies',
    'mean of one, s',
    'between polls, s',
    'load',
  ])
  row(Array.from({ length: 9 }, () => '---'))
  row([
    Math.round(changes / seconds),
    latencies.length,
    at(0.5),
    at(0.99),
    at(1),
    applies,
    mean.toFixed(1),
    spread(gaps),
    loads.join(' – '),
  ])
}

function connect(): Promise<mysql.Connection> {
  const port = portOf('mariadb', stack)
  return mysql.createConnection({ host: '127.0.0.1', port, ...mariadbAdmin })
}

async function makeSource(sql: mysql.Connection): Promise<void> {
  await sql.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`)
  await sql.query(`CREATE TABLE ${name}.orders (id BIGINT PRIMARY KEY, customer INT, quantity INT,
amount DECIMAL(12,2), status VARCHAR(20), note VARCHAR(60), created_at DATETIME, shop INT)`)
  for (let from = 0; from < sourceRows; from += 1000) {
    const rows = Array.from({ length: 1000 }, (_, index) => valuesOf(from + index))
    await sql.query(`INSERT INTO ${name}.orders VALUES ${rows.join(', ')}`)
  }
}

function valuesOf(id: number): string {
  return `(${id}, ${id % 5000}, 0, ${id % 1000}.25, 'NEW', 'note of order ${id}', '2025-03-01 12:00:00', ${id % 40})`
}

/** Each tenth of a second 80 rows are changed and 20 are new; when the machine is late, it catches up. */
async function writeLoad(sql: mysql.Connection): Promise<{ changes: number; seconds: number }> {
  const began = performance.now()
  const batches = loadMs / batchMs
  for (let batch = 0; batch < batches; batch += 1) {
    await sleep(Math.max(0, began + batch * batchMs - performance.now()))
    const changed = Array.from(
      { length: 80 },
      (_, index) => ((batch * 80 + index) * 7919) % sourceRows,
    )
    const added = Array.from({ length: 20 }, (_, index) =>
      valuesOf(sourceRows + batch * 20 + index),
    )
    await sql.query(
      `UPDATE ${name}.orders SET quantity = quantity + 1, amount = amount + 1, status = 'PAID'
WHERE id IN (${changed.join(', ')})`,
    )
    await sql.query(`INSERT INTO ${name}.orders VALUES ${added.join(', ')}`)
  }
  return { changes: batches * 100, seconds: (performance.now() - began) / 1000 }
}

/** Resolves to the times at which the answers to the commits came. */
async function writeProbes(sql: mysql.Connection): Promise<readonly number[]> {
  const began = performance.now()
  const committed: number[] = []
  for (let probe = 1; probe <= probeCount; probe += 1) {
    await sleep(Math.max(0, began + probe * probeMs - performance.now()))
    await sql.query(`INSERT INTO ${name}.orders VALUES ${valuesOf(firstProbe + probe)}`)
    committed.push(performance.now())
  }
  return committed
}

/** Until so many are there: what was there when, by the time of the answer. */
async function poll(count: number, probes: Probes): Promise<readonly Seen[]> {
  const seen: Seen[] = []
  const deadline = performance.now() + 240_000
  while ((seen.at(-1)?.there.size ?? 0) < count) {
    if (performance.now() > deadline) throw new Error('Hive did not follow within four minutes')
    const asked = performance.now()
    const there = new Set(await probes())
    seen.push({ there, atMs: performance.now() })
    await sleep(Math.max(0, asked + 500 - performance.now()))
  }
  return seen
}

/** Of all tables of the process, which are one. */
async function appliesOf(port: number): Promise<{ count: number; seconds: number }> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const sumOf = (metric: string): number => {
    const found = text.matchAll(new RegExp(`^${metric}\\S* (\\S+)$`, 'gm'))
    return [...found].reduce((sum, match) => sum + Number(match[1]), 0)
  }
  return {
    count: sumOf('forager_apply_duration_seconds_count'),
    seconds: sumOf('forager_apply_duration_seconds_sum'),
  }
}

/** Of the connector and of Forager: the name is in all of them. */
async function removeTopics(): Promise<void> {
  const bootstrapBrokers = [`127.0.0.1:${portOf('kafka', stack)}`]
  const admin = new Admin({ clientId: name, bootstrapBrokers })
  try {
    const topics = (await admin.listTopics()).filter(topic => topic.includes(name))
    if (topics.length > 0) await admin.deleteTopics({ topics })
  } finally {
    await admin.close()
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  await new Promise(done => server.close(done))
  return typeof address === 'object' && address !== null ? address.port : 0
}

function configText(http: number): string {
  return `applicationId: ${name}
source:
  type: kafka
  brokers: ["127.0.0.1:${portOf('kafka', stack)}"]
  topics: ["${name}.${name}.*"]
  format: debezium-json
tables:
  - { from: "${name}.*", to: "${name}.{table}" }
warehouse: { type: hive, host: 127.0.0.1, port: ${portOf('hiveserver2', stack)}, settings: ${JSON.stringify(oneTask)} }
staging: { type: webhdfs, urls: ["${hdfs.urls[0]}"], location: "${hdfs.location}", path: /forager, user: forager }
repartition: { partitions: 2 }
window: { maxAge: 5s }
http: { port: ${http} }
`
}
