/**
 * The Kafka clients behind one `Log`, each in a process of its own, in turns: loading, consuming and
 * producing 100,000 records of 350 bytes over six partitions.
 *
 *     npm run stack -- up kafka
 *     NODE_PATH=.cache/rdkafka/node_modules node bench/kafka-clients.ts [rounds]
 *
 * CPU is of the whole process, threads of librdkafka too. Without `node-rdkafka` it is left out.
 */
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import type { KafkaLogOptions } from '../log/kafka/kafka-log.ts'
import type { Log, LogConsumer, ProducerRecord, TopicPartition } from '../log/log.ts'
import { noMembership } from '../log/log.ts'
import { systemClock } from '../runtime/clock.ts'
import { systemRandom } from '../runtime/random.ts'
import { kafkaPort } from '../scripts/stack/parts.ts'

const broker = `127.0.0.1:${kafkaPort({ home: resolve('.cache/stack'), portOffset: 0 })}`
const topic = 'bench-clients'
const partitions = 6
const count = 100_000
const atOnce = 2000
const recordBytes = 350
const group = noMembership

type Parts = Pick<KafkaLogOptions, 'wire' | 'openReader'>

const clients: Readonly<Record<string, () => Promise<Parts>>> = {
  platformatic: () => Promise.resolve({}),
  kafkajs: async () => ({ wire: (await import('../log/kafkajs/wire.ts')).kafkaJsWire }),
  'node-rdkafka': async () => {
    const { rdkafkaReaders } = await import('../log/rdkafka/open-reader.ts')
    return { openReader: rdkafkaReaders() }
  },
}

interface Measured {
  readonly loadMs: number
  readonly loadMb: number
  readonly consumeUs: number
  readonly produceUs: number
  readonly peakMb: number
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

function batchFrom(from: number, into: string): ProducerRecord[] {
  return Array.from({ length: atOnce }, (_, index) => ({
    topic: into,
    partition: (from + index) % partitions,
    key: Buffer.from(`key ${from + index}`),
    value: Buffer.alloc(recordBytes, 'abcdefghij'),
    timestampMs: 1_700_000_000_000 + from,
  }))
}

async function produce(log: Log, into: string): Promise<number> {
  const producer = await log.openProducer(`${into}-${systemRandom.id()}`)
  const before = cpuUs()
  for (let from = 0; from < count; from += atOnce) {
    await producer.commit({ records: batchFrom(from, into), offsets: [], group })
  }
  await producer.close()
  return (cpuUs() - before) / count
}

async function assigned(consumer: LogConsumer): Promise<readonly TopicPartition[]> {
  for (;;) {
    const result = await consumer.poll({ maxWaitMs: 1000, maxBytes: 1 })
    if (result.kind === 'assigned') return result.assignment.partitions
  }
}

async function consume(log: Log): Promise<number> {
  const consumer = await log.openConsumer({ group: `bench-${systemRandom.id()}`, topics: [topic] })
  for (const at of await assigned(consumer)) consumer.seek(at, 0)
  const before = cpuUs()
  let found = 0
  while (found < count) {
    const result = await consumer.poll({ maxWaitMs: 10_000, maxBytes: 4 * 1024 * 1024 })
    if (result.kind === 'assigned') continue
    found += result.batches.reduce((sum, { records }) => sum + records.length, 0)
  }
  const spent = cpuUs() - before
  await consumer.close()
  if (found !== count) throw new Error(`${found} records were read, ${count} are there`)
  return spent / count
}

async function measure(client: string): Promise<Measured> {
  const before = { cpu: cpuUs(), memory: process.memoryUsage.rss() }
  const parts = await clients[client]!()
  const { KafkaLog } = await import('../log/kafka/kafka-log.ts')
  const loadMs = (cpuUs() - before.cpu) / 1000
  const loadMb = (process.memoryUsage.rss() - before.memory) / 1e6
  const log = new KafkaLog({
    brokers: [broker],
    clientId: 'bench',
    clock: systemClock,
    random: systemRandom,
    ...parts,
  })
  if (!(await log.topics()).some(({ name }) => name === topic)) {
    await log.createTopic({ name: topic, partitions, cleanup: 'delete' })
    await produce(log, topic)
  }
  const other = `bench-produced-${systemRandom.id().slice(0, 8)}`
  await log.createTopic({ name: other, partitions, cleanup: 'delete' })
  // Once each to warm up.
  await consume(log)
  await produce(log, other)
  const consumeUs = await consume(log)
  const produceUs = await produce(log, other)
  await log.close()
  return { loadMs, loadMb, consumeUs, produceUs, peakMb: process.resourceUsage().maxRSS / 1000 }
}

function isInstalled(client: string): boolean {
  if (client !== 'node-rdkafka') return true
  try {
    createRequire(import.meta.url).resolve(client)
    return true
  } catch {
    return false
  }
}

function runOnce(client: string): Measured {
  const args = [import.meta.filename, 'measure', client]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Measured
}

const [command = '5', client = ''] = process.argv.slice(2)
if (command === 'measure') console.log(JSON.stringify(await measure(client)))
else {
  const names = Object.keys(clients).filter(isInstalled)
  const found = new Map(names.map(name => [name, [] as Measured[]]))
  for (let round = 0; round < Number(command); round += 1) {
    for (const name of names) found.get(name)!.push(runOnce(name))
  }
  for (const [name, all] of found) {
    const shown = (['loadMs', 'loadMb', 'consumeUs', 'produceUs', 'peakMb'] as const).map(key => {
      const sorted = all.map(one => one[key]).sort((a, b) => a - b)
      const [least, middle] = [sorted[0]!, sorted[Math.floor(sorted.length / 2)]!]
      return `${key} ${least.toFixed(1)} / ${middle.toFixed(1)}`
    })
    console.log(`${name}: ${shown.join(', ')} (least / median of ${all.length})`)
  }
}
