/** Forager as real processes over the broker: started, killed, paused, stopped; and what they said. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { KafkaLog } from '../../log/kafka/kafka-log.ts'
import type { Log, LogProducer, TopicPartition } from '../../log/log.ts'
import { noMembership } from '../../log/log.ts'
import type { LogRecord } from '../../model/change-event.ts'
import { SourceError } from '../../model/errors.ts'
import { systemClock } from '../../runtime/clock.ts'
import { systemRandom } from '../../runtime/random.ts'

const root = join(import.meta.dirname, '../..')

export function openKafka(broker: string): KafkaLog {
  return new KafkaLog({
    brokers: [broker],
    clientId: 'test',
    clock: systemClock,
    random: systemRandom,
    requestTimeoutMs: 10_000,
  })
}

/** Names that no other run has: the broker keeps its data. */
export function newName(prefix: string): string {
  return `${prefix}-${systemRandom.id().slice(0, 8)}`
}

/** A line of the JSON log. */
export interface LogLine {
  readonly event: string
  readonly level: string
  readonly [field: string]: unknown
}

export class Instance {
  readonly lines: LogLine[] = []
  stderr = ''
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  readonly #child: ChildProcess

  constructor(config: string, env: NodeJS.ProcessEnv = {}) {
    this.#child = spawn(
      process.execPath,
      ['cli/forager.js', 'run', config, '--log', 'json', '--quiet'],
      { cwd: root, stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } },
    )
    let rest = ''
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk.toString()).split('\n')
      rest = parts.pop() ?? ''
      for (const line of parts) this.#take(line)
    })
    this.ended = new Promise(resolve => {
      this.#child.on('close', (code, signal) => resolve({ code, signal }))
    })
  }

  get pid(): number {
    return this.#child.pid!
  }

  get #hasTasks(): boolean {
    return this.lines.some(({ event }) => event === 'tasks.assigned')
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  async stop(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    // While it starts a signal ends it like any program.
    await until('the instance runs', () => !this.isRunning || this.#hasTasks)
    if (this.isRunning) this.signal('SIGTERM')
    return await this.ended
  }

  async kill(): Promise<void> {
    if (this.isRunning) this.signal('SIGKILL')
    await this.ended
  }

  #take(line: string): void {
    if (line.startsWith('{')) this.lines.push(JSON.parse(line) as LogLine)
    else this.stderr += `${line}\n`
  }
}

export function newFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'forager-stack-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** Keeps what the instances said of a test that failed, for who looks into it; says where. */
export function keepLogs(name: string, instances: readonly Instance[]): string {
  const folder = join(root, '.cache', 'stack', 'failed', newName(name))
  mkdirSync(folder, { recursive: true })
  for (const [index, { lines, stderr }] of instances.entries()) {
    const text = lines.map(line => `${JSON.stringify(line)}\n`).join('')
    writeFileSync(join(folder, `${index}.jsonl`), `${text}${stderr}`)
  }
  return folder
}

/** YAML reads JSON. */
export function writeConfig(folder: string, config: unknown): string {
  const path = join(folder, 'forager.yaml')
  writeFileSync(path, JSON.stringify(config, null, 2))
  return path
}

/** Writes records where they say, in their order, a transaction each so many. */
export async function produce(
  log: Log,
  records: readonly LogRecord[],
  { atOnce = 2000, pauseMs = 0 } = {},
): Promise<void> {
  const producer: LogProducer = await log.openProducer(newName('test-producer'))
  for (let from = 0; from < records.length; from += atOnce) {
    const part = records.slice(from, from + atOnce)
    await producer.commit({ records: part, offsets: [], group: noMembership })
    if (pauseMs > 0) await sleep(pauseMs)
  }
  await producer.close()
}

export function partitionsOf(topic: string, count: number): TopicPartition[] {
  return Array.from({ length: count }, (_, partition) => ({ topic, partition }))
}

/** How many records of the partitions the group has not passed. */
export async function lagOf(
  log: Log,
  group: string,
  partitions: readonly TopicPartition[],
): Promise<number> {
  const committed = await log.committed(group, partitions)
  const ends = await Promise.all(partitions.map(at => log.offsets(at)))
  return ends.reduce(
    (sum, { start, end }, index) => sum + end - (committed[index]?.offset ?? start),
    0,
  )
}

/** Waits until all that the application reads is read, staged and applied. */
export async function untilApplied(
  log: Log,
  applicationId: string,
  sources: readonly TopicPartition[],
  options: { readonly deadlineMs: number; readonly whileWaiting?: () => void },
): Promise<void> {
  const deadline = performance.now() + options.deadlineMs
  let quiet = 0
  while (quiet < 2) {
    options.whileWaiting?.()
    if (performance.now() > deadline) throw new Error(`${applicationId} does not come to an end`)
    const topics = await log.topics()
    const own = ['rows-repartition', 'tables-staged'].flatMap(name => {
      const topic = topics.find(found => found.name === `${applicationId}-${name}`)
      return topic === undefined ? [] : partitionsOf(topic.name, topic.partitions)
    })
    // A topic that was made just now may not be known everywhere yet.
    const lag = await lagOf(log, applicationId, [...sources, ...own]).catch((error: unknown) => {
      if (error instanceof SourceError && error.code === 'topic-missing') return 1
      throw error
    })
    quiet = own.length > 0 && lag === 0 ? quiet + 1 : 0
    await sleep(300)
  }
}

/** Waits for something that somebody else does. */
export async function until(
  what: string,
  condition: () => Promise<boolean> | boolean,
  deadlineMs = 120_000,
): Promise<void> {
  const deadline = performance.now() + deadlineMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited for in vain: ${what}`)
    await sleep(100)
  }
}
