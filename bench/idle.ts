/**
 * What the program takes while nothing happens: CPU of one process that reads six partitions of a real
 * broker, exactly once, in which nobody writes.
 *
 *     npm run stack -- up kafka
 *     node bench/idle.ts [seconds]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { KafkaLog } from '../log/kafka/kafka-log.ts'
import { systemClock } from '../runtime/clock.ts'
import { systemRandom } from '../runtime/random.ts'
import { kafkaPort } from '../scripts/stack/parts.ts'
import { Process, usageOf } from './processes.ts'

const seconds = Number(process.argv[2] ?? 60)
const broker = `127.0.0.1:${kafkaPort({ home: resolve('.cache/stack'), portOffset: 0 })}`
const log = new KafkaLog({
  brokers: [broker],
  clientId: 'bench',
  clock: systemClock,
  random: systemRandom,
})
const applicationId = `idle-${systemRandom.id().slice(0, 8)}`
await log.createTopic({ name: `${applicationId}-source`, partitions: 6, cleanup: 'delete' })
const folder = mkdtempSync(join(tmpdir(), 'forager-idle-'))
const path = join(folder, 'forager.yaml')
const config = {
  applicationId,
  source: {
    type: 'kafka',
    brokers: [broker],
    topics: [`${applicationId}-source`],
    format: 'debezium-json',
  },
  tables: [{ from: 'shop.*', to: '{table}' }],
  warehouse: { type: 'embedded', path: 'warehouse' },
}
writeFileSync(path, JSON.stringify(config))
const program = new Process(
  process.execPath,
  ['cli/forager.js', 'run', path, '--log', 'json', '--quiet'],
  { cwd: join(import.meta.dirname, '..') },
)
while (!program.output.includes('"tasks.assigned"')) await sleep(20)
// It compiles what it runs in its first seconds.
await sleep(10_000)
const before = usageOf(program.pid).cpuSeconds
await sleep(seconds * 1000)
const after = usageOf(program.pid)
const percent = ((after.cpuSeconds - before) / seconds) * 100
console.log(`idle: ${percent.toFixed(2)} % of a core, ${after.peakMb.toFixed(0)} MB`)
await program.end('SIGTERM')
await log.close()
rmSync(folder, { recursive: true })
