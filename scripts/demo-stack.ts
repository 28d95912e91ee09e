/**
 * `npm run demo:stack`: a row is changed in MariaDB, and is seen changed in Hive. It needs the stack
 * (`npm run stack -- up`), works in a folder and in databases of its own, and takes them away at the end.
 */
import { spawn } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command, InvalidArgumentError } from 'commander'
import { systemClock } from '../runtime/clock.ts'
import { HiveSessions } from '../sinks/hive/hive-sessions.ts'
import {
  deleteConnector,
  mariadbConnector,
  registerConnector,
  untilRunning,
} from './stack/connectors.ts'
import { runMariadb } from './stack/databases.ts'
import type { StackOptions } from './stack/parts.ts'
import { portOf } from './stack/parts.ts'
import { partsNamed } from './stack/stack.ts'

const database = 'forager_demo'
const deadlineMs = 180_000

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('must be a whole number')
  return Number(text)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function demo(stack: StackOptions): Promise<void> {
  await requireStack(stack)
  const port = portOf('hiveserver2', stack)
  const sessions = new HiveSessions({ host: '127.0.0.1', port }, systemClock, 1)
  const folder = resolve('.cache/demo-stack')
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const config = join(folder, 'forager.yaml')
  await writeFile(config, configText(stack))
  const sql = (...statements: string[]): Promise<string> => runMariadb(stack, statements)
  const rows = async (): Promise<readonly string[]> => {
    const query = `SELECT id, name, price FROM ${database}.product ORDER BY id`
    const found = await sessions.use(session => session.query(query)).catch(() => ({ rows: [] }))
    return found.rows.map(row => row.map(value => `${value as string}`).join(' | '))
  }
  try {
    await sql(
      `DROP DATABASE IF EXISTS ${database}`,
      `CREATE DATABASE ${database} CHARACTER SET utf8mb4`,
      `CREATE TABLE ${database}.product (id INT PRIMARY KEY, name VARCHAR(40), price DECIMAL(10,2))`,
      `INSERT INTO ${database}.product VALUES (1, 'Phone', 2999.00), (2, 'Cable', 0.01)`,
    )
    say(
      `MariaDB has ${database}.product with 2 rows. Debezium reads it; Forager runs with ${config}:`,
    )
    await registerConnector(stack, database, mariadbConnector(stack, demoConnector))
    await untilRunning(stack, database)
    await withForager(config, async () => {
      await untilRows(rows, found => found.length === 2)
      say('The snapshot is in Hive:')
      for (const row of await rows()) say(`  ${row}`)
      say(
        `MariaDB: UPDATE product SET price = 1999.00 WHERE id = 1; DELETE FROM product WHERE id = 2`,
      )
      await sql(
        `UPDATE ${database}.product SET price = 1999.00 WHERE id = 1`,
        `DELETE FROM ${database}.product WHERE id = 2`,
      )
      const began = performance.now()
      await untilRows(rows, found => found.length === 1 && found[0]!.includes('1999.00'))
      say(`Hive, ${((performance.now() - began) / 1000).toFixed(1)} s later:`)
      for (const row of await rows()) say(`  ${row}`)
    })
  } finally {
    await deleteConnector(stack, database).catch(() => undefined)
    await sql(`DROP DATABASE IF EXISTS ${database}`).catch(() => undefined)
    const drop = `DROP DATABASE IF EXISTS ${database} CASCADE`
    await sessions.use(session => session.execute(drop)).catch(() => undefined)
    await sessions.close()
  }
}

const demoConnector = { topicPrefix: database, include: [database] }

async function requireStack(stack: StackOptions): Promise<void> {
  for (const part of partsNamed([])) {
    if (await part.answers(stack)) continue
    throw new Error(`${part.name} does not answer: first \`npm run stack -- up\``)
  }
}

function configText(stack: StackOptions): string {
  return `# Written by npm run demo:stack.
applicationId: forager-demo-${process.pid}
source:
  type: kafka
  brokers: ["127.0.0.1:${portOf('kafka', stack)}"]
  topics: ["${database}.${database}.*"]
  format: debezium-json
tables:
  - { from: "${database}.*", to: "${database}.{table}" }
warehouse: { type: hive, host: 127.0.0.1, port: ${portOf('hiveserver2', stack)} }
staging:
  type: webhdfs
  urls: ["http://127.0.0.1:${portOf('namenodeHttp', stack)}"]
  location: "hdfs://127.0.0.1:${portOf('namenode', stack)}"
  path: /forager
  user: ${process.env.USER ?? 'root'}
repartition: { partitions: 1 }
window: { maxAge: 1s }
`
}

/** Forager runs as a process of its own while the action does. */
async function withForager(config: string, action: () => Promise<void>): Promise<void> {
  const args = [join(import.meta.dirname, '../cli/forager.js'), 'run', config, '--quiet']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  const ended = new Promise<number | null>(done => child.once('exit', done))
  const failed = ended.then((code): never => {
    throw new Error(`forager ended with ${code}`)
  })
  try {
    await Promise.race([action(), failed])
  } finally {
    failed.catch(() => undefined)
    if (child.exitCode === null) child.kill('SIGTERM')
    await ended
  }
}

async function untilRows(
  rows: () => Promise<readonly string[]>,
  holds: (rows: readonly string[]) => boolean,
): Promise<void> {
  const deadline = performance.now() + deadlineMs
  while (!holds(await rows())) {
    if (performance.now() > deadline) throw new Error('Hive did not follow within three minutes')
    await sleep(500)
  }
}

const program = new Command('demo-stack')
  .description('Changes a row in MariaDB and shows it in Hive.')
  .option('--home <folder>', 'of the stack', '.cache/stack')
  .option('--port-offset <n>', 'of the stack', wholeNumber, 0)
  .action(async ({ home, portOffset }: { home: string; portOffset: number }) => {
    await demo({ home: resolve(home), portOffset })
  })

try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 1
}
