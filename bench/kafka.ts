/**
 * The benchmark over a real broker: W1 (compact and write) and W2 (upsert into a big table) of
 * `orders.ts`, run by the program as processes of its own and by its peers, in turn, each result verified
 * by checksum. It prints the table, and with `--write` puts it into `docs/benchmarks.md`.
 *
 *     npm run stack -- up kafka
 *     npm run bench -- [w1|w2] [--runs N] [--systems 'A; B'] [--port-offset N] [--write]
 *
 * CPU seconds are of the system's own processes: from the first assignment to the last apply, and for
 * the peers from their mark "ready" to "done".
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { KafkaLog } from '../log/kafka/kafka-log.ts'
import type { ProducerRecord } from '../log/log.ts'
import { noMembership } from '../log/log.ts'
import { partitionOfBytes } from '../model/partitioner.ts'
import { systemClock } from '../runtime/clock.ts'
import { nodeFileSystem } from '../runtime/file-system.ts'
import { systemRandom } from '../runtime/random.ts'
import { kafkaPort } from '../scripts/stack/parts.ts'
import { openTable } from '../sinks/embedded/table-reader.ts'
import type { Checksum, Order, OrderEvent } from './orders.ts'
import { expected, Orders, orderChecksum } from './orders.ts'
import { buildPeer, checksumOf, runPeer } from './peers.ts'
import type { Measured } from './processes.ts'
import { Process, together, usageOf } from './processes.ts'

const root = join(import.meta.dirname, '..')
const partitions = 6

/** What is run: ours by name of the variant, and the peers. */
const systems = {
  forager: { instances: 1, settings: {} },
  'forager, at least once': { instances: 1, settings: { processingGuarantee: 'at_least_once' } },
  'forager, exactly once, commits each 5 s': { instances: 1, settings: { commitInterval: '5s' } },
  'forager, at least once, commits each 5 s': {
    instances: 1,
    settings: { commitInterval: '5s', processingGuarantee: 'at_least_once' },
  },
  'forager, without the hop': { instances: 1, settings: {}, keyedBy: 'primary-key' },
  'forager, two processes': { instances: 2, settings: {} },
  floor: null,
  'kafka-streams': null,
} as const satisfies Readonly<Record<string, Variant | null>>
type System = keyof typeof systems

interface Variant {
  readonly instances: number
  readonly settings: object
  readonly keyedBy?: 'primary-key' | 'unknown'
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '3' },
    systems: { type: 'string', default: Object.keys(systems).join(';') },
    write: { type: 'boolean', default: false },
    'port-offset': { type: 'string', default: '0' },
  },
})
const portOffset = Number(options['port-offset'])
const broker = `127.0.0.1:${kafkaPort({ home: resolve('.cache/stack'), portOffset })}`
const workload = positionals[0] ?? 'w1'
if (workload !== 'w1' && workload !== 'w2') refuse('the workload is w1 or w2')
if (!/^[1-9]\d*$/.test(options.runs)) refuse(`--runs is a number, not ${options.runs}`)
const chosen = options.systems.split(/; */) as System[]
for (const name of chosen) {
  if (!Object.hasOwn(systems, name)) refuse(`there is no system "${name}"`)
}

function refuse(why: string): never {
  const names = Object.keys(systems).join('; ')
  console.error(
    `${why}\n\nnpm run bench -- [w1|w2] [--runs N] [--systems 'A; B'] [--port-offset N] [--write]\n${names}`,
  )
  process.exit(2)
}

const types = {
  id: 'bigint',
  uid: 'int',
  pid: 'int',
  status: 'string',
  note: 'string',
  amount: 'decimal(12,2)',
  created_at: 'bigint',
  updated_at: 'bigint',
}

const client = { brokers: [broker], clientId: 'bench', clock: systemClock, random: systemRandom }
const log = new KafkaLog(client)
/** Without transactions: a peer counts offsets to know the end, and markers take some. */
const plainLog = new KafkaLog({ ...client, processingGuarantee: 'at_least_once' })

async function fill(topic: string, count: number, next: () => OrderEvent): Promise<void> {
  if ((await log.topics()).some(({ name }) => name === topic)) {
    for (let index = 0; index < count; index += 1) next()
    return
  }
  await log.createTopic({ name: topic, partitions, cleanup: 'delete' })
  const producer = await plainLog.openProducer(`${topic}-producer`)
  let records: ProducerRecord[] = []
  for (let index = 1; index <= count; index += 1) {
    const { key, value } = next()
    const bytes = Buffer.from(key)
    const partition = partitionOfBytes(bytes, partitions)
    records.push({ topic, partition, key: bytes, value: Buffer.from(value), timestampMs: 0 })
    if (records.length < 6000 && index < count) continue
    await producer.commit({ records, offsets: [], group: noMembership })
    records = []
  }
  await producer.close()
}

interface Work {
  readonly topic: string
  readonly events: number
  readonly result: Checksum
}

/** The topics in the order in which they are read; the last one is measured. */
async function prepare(): Promise<readonly Work[]> {
  const orders = new Orders(workload === 'w1' ? 'w1' : 'w2')
  if (workload === 'w1') {
    await fill('orders-w1', 1_000_000, () => orders.change(220 / 300))
    return [{ topic: 'orders-w1', events: 1_000_000, result: expected.w1 }]
  }
  await fill('orders-w2base', 1_000_000, () => orders.snapshot())
  orders.shuffle()
  await fill('orders-w2', 100_000, () => orders.change(0.9))
  return [
    { topic: 'orders-w2base', events: 1_000_000, result: expected.w2base },
    { topic: 'orders-w2', events: 100_000, result: expected.w2 },
  ]
}

/** Processes of one application over the topic, in the folder, until all of it is applied. */
async function runForager(
  folder: string,
  { instances, settings, keyedBy = 'unknown' }: Variant,
  application: string,
  { topic, result }: Work,
): Promise<Measured> {
  const config = {
    applicationId: application,
    source: {
      type: 'kafka',
      brokers: [broker],
      topics: [topic],
      format: 'debezium-json',
      connector: { 'decimal.handling.mode': 'string' },
      keyedBy,
    },
    tables: [{ from: 'shop.orders', to: 'orders', columns: { types } }],
    warehouse: { type: 'embedded', path: 'warehouse' },
    window: { maxAge: '5s', maxRows: 500_000 },
    commitInterval: '1s',
    ...settings,
  }
  const path = join(folder, `${topic}.yaml`)
  writeFileSync(path, JSON.stringify(config))
  const args = ['cli/forager.js', 'run', path, '--log', 'json', '--quiet']
  const processes = Array.from({ length: instances }, () => {
    return new Process(process.execPath, args, { cwd: root })
  })
  for (const one of processes) while (!one.output.includes('"tasks.assigned"')) await sleep(20)
  const before = together(processes.map(one => usageOf(one.pid)))
  const beganMs = performance.now()
  await untilApplied(application, topic, processes)
  const after = together(processes.map(one => usageOf(one.pid)))
  const wallSeconds = (performance.now() - beganMs) / 1000
  for (const one of processes) await one.end('SIGTERM')
  check(await checksumOfTable(folder), result)
  return { cpuSeconds: after.cpuSeconds - before.cpuSeconds, wallSeconds, peakMb: after.peakMb }
}

async function untilApplied(
  application: string,
  topic: string,
  processes: readonly Process[],
): Promise<void> {
  const known = (await log.topics()).map(({ name }) => name)
  const topics = [topic, `${application}-rows-repartition`, `${application}-tables-staged`]
  const all = topics
    .filter(name => known.includes(name))
    .flatMap(name =>
      Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
    )
  for (;;) {
    const ended = processes.find(one => !one.isRunning)
    if (ended !== undefined) throw new Error(`it ended: ${ended.output.slice(-2000)}`)
    const committed = await log.committed(application, all)
    const ends = await Promise.all(all.map(at => log.offsets(at)))
    const isDone = ends.every(({ end }, index) => (committed[index]?.offset ?? 0) >= end)
    if (isDone && committed.some(one => (one?.offset ?? 0) > 0)) return
    await sleep(250)
  }
}

async function checksumOfTable(folder: string): Promise<Checksum> {
  const table = await openTable(nodeFileSystem, join(folder, 'warehouse'), 'orders')
  const names = table.schema.columns.map(({ name }) => name)
  let [rows, sumCrc, sumId] = [0, 0, 0]
  for await (const part of table.rows()) {
    for (const { values } of part) {
      const row = Object.fromEntries(names.map((name, index) => [name, values[index]]))
      const cents = String(row.amount).padStart(3, '0')
      const amount = `${cents.slice(0, -2)}.${cents.slice(-2)}`
      rows += 1
      sumCrc += orderChecksum({ ...row, amount } as unknown as Order)
      sumId += Number(row.id)
    }
  }
  return { rows, sumCrc, sumId }
}

function check(found: Checksum, wanted: Checksum): void {
  if (JSON.stringify(found) === JSON.stringify(wanted)) return
  throw new Error(`the table is wrong: ${JSON.stringify(found)}, must be ${JSON.stringify(wanted)}`)
}

async function measure(system: System, works: readonly Work[]): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'forager-bench-'))
  const application = `bench-${systemRandom.id().slice(0, 8)}`
  const ours = systems[system]
  try {
    if (ours !== null) {
      let last: Measured | null = null
      // The second workload goes into the table that the first one made.
      for (const work of works) last = await runForager(folder, ours, application, work)
      return last!
    }
    const { topic, events, result } = works.at(-1)!
    const measured = await runPeer(system as 'floor', {
      broker,
      topic,
      events,
      folder,
      application,
    })
    // Of W2 the peers write the changed rows alone.
    if (works.length === 1) check(await checksumOf(folder), result)
    return measured
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Minimum / median / maximum. */
function spread(values: readonly number[], digits: number): string {
  const sorted = values.toSorted((a, b) => a - b)
  const shown = [sorted[0]!, sorted[Math.floor(sorted.length / 2)]!, sorted.at(-1)!]
  return shown.map(value => value.toFixed(digits)).join(' / ')
}

function tableOf(results: ReadonlyMap<System, readonly Measured[]>): string {
  const rows = [...results].map(([system, runs]) => {
    const cells = [
      spread(
        runs.map(one => one.cpuSeconds),
        1,
      ),
      spread(
        runs.map(one => one.wallSeconds),
        1,
      ),
      spread(
        runs.map(one => one.peakMb),
        0,
      ),
    ]
    return `| ${[system, ...cells].join(' | ')} |`
  })
  const head = '| system | CPU s, min / median / max | wall s | peak MB |\n|---|---|---|---|'
  return [head, ...rows].join('\n')
}

/** Replaces what is between the marks of the workload. */
function write(table: string): void {
  const path = join(root, 'docs', 'benchmarks.md')
  const [begin, end] = [`<!-- ${workload}: begin -->`, `<!-- ${workload}: end -->`]
  const text = readFileSync(path, 'utf8')
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${path} has no place for ${workload}`)
  const command = `npm run bench -- ${process.argv.slice(2).join(' ')}`
  const machine = `${cpus().length} cores of ${cpus()[0]!.model}, Node ${process.version.slice(1)}`
  const date = new Date(systemClock.now()).toISOString().slice(0, 10)
  const note = `${date}, ${machine}, ${options.runs} runs of each in turn: \`${command}\``
  writeFileSync(path, `${text.slice(0, from)}${begin}\n${note}\n\n${table}\n${text.slice(to)}`)
}

for (const system of chosen) if (systems[system] === null) await buildPeer(system as 'floor')
const works = await prepare()
const results = new Map<System, Measured[]>(chosen.map(system => [system, []]))
for (let run = 1; run <= Number(options.runs); run += 1) {
  for (const system of chosen) {
    const measured = await measure(system, works)
    results.get(system)!.push(measured)
    const shown = Object.entries(measured).map(([name, value]) => `${name} ${value.toFixed(1)}`)
    console.log(`${workload}, run ${run}, ${system}: ${shown.join(', ')}`)
  }
}
console.log(tableOf(results))
if (options.write) write(tableOf(results))
await log.close()
await plainLog.close()
