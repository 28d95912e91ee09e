/**
 * The benchmark over a real broker: W1 (compact and write) and W2 (upsert into a big table) of
 * `orders.ts`, each run by the program as a process of its own, verified by checksum.
 *
 *     npm run stack -- up kafka
 *     node bench/kafka.ts [w1|w2] [runs]
 *
 * CPU seconds are of Forager's process alone, from the first assignment to the last apply.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { KafkaLog } from '../log/kafka/kafka-log.ts'
import type { ProducerRecord } from '../log/log.ts'
import { partitionOfBytes } from '../model/partitioner.ts'
import { systemClock } from '../runtime/clock.ts'
import { nodeFileSystem } from '../runtime/file-system.ts'
import { systemRandom } from '../runtime/random.ts'
import { kafkaPort } from '../scripts/stack/parts.ts'
import { openTable } from '../sinks/embedded/table-reader.ts'
import type { Checksum, Order, OrderEvent } from './orders.ts'
import { expected, Orders, orderChecksum } from './orders.ts'

const root = join(import.meta.dirname, '..')
const broker = `127.0.0.1:${kafkaPort({ home: resolve('.cache/stack'), portOffset: 0 })}`
const [workload = 'w1', runs = '3'] = process.argv.slice(2)
const partitions = 6
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

const log = new KafkaLog({
  brokers: [broker],
  clientId: 'bench',
  clock: systemClock,
  random: systemRandom,
})

async function fill(topic: string, count: number, next: () => OrderEvent): Promise<void> {
  if ((await log.topics()).some(({ name }) => name === topic)) {
    for (let index = 0; index < count; index += 1) next()
    return
  }
  await log.createTopic({ name: topic, partitions, cleanup: 'delete' })
  const producer = await log.openProducer(`${topic}-producer`)
  const group = { group: 'none', memberId: '', generation: -1 }
  let records: ProducerRecord[] = []
  for (let index = 1; index <= count; index += 1) {
    const { key, value } = next()
    const bytes = Buffer.from(key)
    const partition = partitionOfBytes(bytes, partitions)
    records.push({ topic, partition, key: bytes, value: Buffer.from(value), timestampMs: 0 })
    if (records.length < 6000 && index < count) continue
    await producer.commit({ records, offsets: [], group })
    records = []
  }
  await producer.close()
}

async function prepare(): Promise<readonly string[]> {
  const orders = new Orders(workload === 'w1' ? 'w1' : 'w2')
  if (workload === 'w1') {
    await fill('bench-w1', 1_000_000, () => orders.change(220 / 300))
    return ['bench-w1']
  }
  await fill('bench-w2base', 1_000_000, () => orders.snapshot())
  orders.shuffle()
  await fill('bench-w2', 100_000, () => orders.change(0.9))
  return ['bench-w2base', 'bench-w2']
}

interface Measured {
  readonly cpuSeconds: number
  readonly wallSeconds: number
  readonly peakMb: number
}

/** One process over the topics, in the folder, until all of them are applied. */
async function measure(folder: string, application: string, topic: string): Promise<Measured> {
  const config = {
    applicationId: application,
    source: {
      type: 'kafka',
      brokers: [broker],
      topics: [topic],
      format: 'debezium-json',
      connector: { 'decimal.handling.mode': 'string' },
    },
    tables: [{ from: 'shop.orders', to: 'orders', columns: { types } }],
    warehouse: { type: 'embedded', path: 'warehouse' },
    window: { maxAge: '5s', maxRows: 500_000 },
    commitInterval: '1s',
  }
  const path = join(folder, `${application}.yaml`)
  writeFileSync(path, JSON.stringify(config))
  const args = ['cli/forager.js', 'run', path, '--log', 'json', '--quiet']
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] })
  let output = ''
  child.stderr.on('data', chunk => {
    output += chunk
  })
  while (!output.includes('"tasks.assigned"')) await sleep(20)
  const before = usageOf(child.pid!)
  const beganMs = performance.now()
  await untilApplied(application, topic)
  const after = usageOf(child.pid!)
  const wallSeconds = (performance.now() - beganMs) / 1000
  child.kill('SIGTERM')
  const code = await new Promise<number | null>(done => child.on('close', done))
  if (code !== 0) throw new Error(`exit code ${code}: ${output.slice(-2000)}`)
  return { cpuSeconds: after.cpuSeconds - before.cpuSeconds, wallSeconds, peakMb: after.peakMb }
}

async function untilApplied(application: string, topic: string): Promise<void> {
  const topics = [topic, `${application}-rows-repartition`, `${application}-tables-staged`]
  const all = topics.flatMap(name =>
    Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
  )
  for (;;) {
    const committed = await log.committed(application, all)
    const ends = await Promise.all(all.map(at => log.offsets(at)))
    const isDone = ends.every(({ end }, index) => (committed[index]?.offset ?? 0) >= end)
    if (isDone && committed.some(one => (one?.offset ?? 0) > 0)) return
    await sleep(250)
  }
}

function usageOf(pid: number): { readonly cpuSeconds: number; readonly peakMb: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticksPerSecond = 100
  const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return { cpuSeconds, peakMb: Number(peak![1]) / 1024 }
}

async function verify(folder: string, wanted: Checksum): Promise<void> {
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
  const found = JSON.stringify({ rows, sumCrc, sumId })
  if (found !== JSON.stringify(wanted)) {
    throw new Error(`the table is wrong: ${found}, must be ${JSON.stringify(wanted)}`)
  }
}

const topics = await prepare()
const measured: Measured[] = []
for (let run = 0; run < Number(runs); run += 1) {
  const folder = mkdtempSync(join(tmpdir(), 'forager-bench-'))
  const application = `bench-${systemRandom.id().slice(0, 8)}`
  for (const [index, topic] of topics.entries()) {
    // The second workload goes into the table that the first one made.
    const one = await measure(folder, `${application}`, topic)
    if (index === topics.length - 1) measured.push(one)
    const shown = Object.entries(one).map(([name, value]) => `${name} ${value.toFixed(1)}`)
    console.log(`${topic}, run ${run + 1}: ${shown.join(', ')}`)
    await verify(folder, expected[topic.replace('bench-', '') as 'w1'])
  }
  rmSync(folder, { recursive: true })
}
for (const name of ['cpuSeconds', 'wallSeconds', 'peakMb'] as const) {
  const sorted = measured.map(one => one[name]).sort((a, b) => a - b)
  const shown = [sorted[0]!, sorted[Math.floor(sorted.length / 2)]!, sorted.at(-1)!]
  const texts = shown.map(one => one.toFixed(1))
  console.log(`${workload} ${name}, min/median/max of ${sorted.length}: ${texts.join(' / ')}`)
}
await log.close()
