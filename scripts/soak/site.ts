/** Where a soak runs: over the local log, or over a broker of the stack. */
import type { ChildProcess } from 'node:child_process'
import { fork, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { KafkaLog } from '../../log/kafka/kafka-log.ts'
import type { LogProducer } from '../../log/log.ts'
import { noMembership } from '../../log/log.ts'
import { systemClock } from '../../runtime/clock.ts'
import { systemRandom } from '../../runtime/random.ts'
import type { Ordering } from '../../topology/nodes.ts'
import type { FedThrough, FeedBatch } from './local-program.ts'
import type { SoakRecord } from './workload.ts'
import { soakTables, soakTopic } from './workload.ts'

const root = join(import.meta.dirname, '../..')

export const sessionMs = 6000
/** Where processes tell of their memory. */
export const memoryFolderOf = (folder: string): string => join(folder, 'memory')

/** Of a process: what the soak was given, and the probe. */
function envOf(folder: string, settings: ProcessEnv): NodeJS.ProcessEnv {
  const probe = `--import=${join(root, 'scripts/soak/memory-probe.ts')}`
  const memory = memoryFolderOf(folder)
  mkdirSync(memory, { recursive: true })
  const options = [process.env.NODE_OPTIONS, settings.NODE_OPTIONS, probe]
  const nodeOptions = options.filter(option => option !== undefined).join(' ')
  return { ...process.env, ...settings, NODE_OPTIONS: nodeOptions, SOAK_MEMORY: memory }
}

/** Environment variables of the processes under soak. */
export type ProcessEnv = Readonly<Record<string, string>>

/**
 * What the image has, too (`Dockerfile`, docs/containers.md): the C library gives buffers of 32 KB and more back when they
 * are freed, and V8 lets less garbage lie. Without them both go up in steps for hours, and a leak is not seen before
 * it is larger.
 */
export const imageSettings: ProcessEnv = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '32768',
  MALLOC_TRIM_THRESHOLD_: '65536',
  MALLOC_TOP_PAD_: '0',
  NODE_OPTIONS: '--max-semi-space-size=8',
}

/** With the bound of the heap that Compose's container has: V8 lets garbage lie by what the heap may have. */
export const soakSettings: ProcessEnv = {
  ...imageSettings,
  NODE_OPTIONS: '--max-semi-space-size=8 --max-old-space-size=256',
}
export const topicPartitions = 2

export interface Site {
  readonly instances: number
  /** The process of a slot, and the port of its metrics. Its predecessor has ended. */
  start(slot: number): Promise<{ readonly child: ChildProcess; readonly port: number }>
  /** Writes the records, in order, when it can; at once or after what was fed before. */
  feed(records: readonly SoakRecord[]): void
  /** What was fed and is not written. */
  readonly waiting: number
  /** Of all writes that failed, the first one. */
  readonly failure: unknown
  close(): Promise<void>
}

export interface SiteOptions {
  readonly folder: string
  readonly ordering: Ordering
  readonly settings: ProcessEnv
}

interface ConfigParts {
  readonly folder: string
  readonly slot: number
  readonly port: number
  readonly broker: string
  readonly topics: readonly string[]
  readonly applicationId: string
  readonly ordering: Ordering
}

/** Of one instance: a state folder of its own, and the warehouse of all. */
function writeConfig(parts: ConfigParts): string {
  const { folder, slot, port, broker, topics, applicationId, ordering } = parts
  const config = {
    applicationId,
    source: {
      type: 'kafka',
      brokers: [broker],
      topics,
      format: 'debezium-json',
      ordering,
      sessionTimeout: `${sessionMs}ms`,
      requestTimeout: '5s',
      retryTimeout: '5m',
    },
    tables: [
      {
        from: 'shop.orders',
        to: 'orders',
        partitionBy: 'year_month(month)',
        columns: { types: { month: 'date' } },
        schemaChanges: { drop: 'evolve' },
      },
      { from: 'shop.*', to: '{table}', schemaChanges: { drop: 'evolve' } },
    ],
    warehouse: { type: 'embedded', path: 'warehouse', retain: '20s' },
    window: { maxAge: '2s', maxRows: 5000 },
    state: { path: `state-${slot}`, store: 'persistent', memory: '1MiB' },
    http: { port },
    stopTimeout: '60s',
  }
  const path = join(folder, `forager-${slot}.yaml`)
  // YAML reads JSON.
  writeFileSync(path, JSON.stringify(config, null, 2))
  return path
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

/** One process, whose log is its own: what feeds it goes by a pipe, and comes again until it is durable. */
export class LocalSite implements Site {
  readonly instances = 1
  readonly failure = null
  readonly #folder: string
  readonly #ordering: Ordering
  readonly #settings: ProcessEnv
  #child: ChildProcess | null = null
  #batches: FeedBatch[] = []
  #number = 0
  #isSent = false

  constructor({ folder, ordering, settings }: SiteOptions) {
    this.#folder = folder
    this.#ordering = ordering
    this.#settings = settings
  }

  get waiting(): number {
    return this.#batches.length
  }

  async start(slot: number): Promise<{ child: ChildProcess; port: number }> {
    const port = await freePort()
    const topics = soakTables.map(soakTopic)
    const parts = {
      folder: this.#folder,
      slot,
      port,
      topics,
      applicationId: 'soak',
      ordering: this.#ordering,
    }
    const config = writeConfig({ ...parts, broker: '127.0.0.1:1' })
    const env = envOf(this.#folder, this.#settings)
    const child = fork(
      join(root, 'scripts/soak/local-program.ts'),
      [config, topics.join(','), String(topicPartitions)],
      { cwd: root, env, serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
    )
    this.#child = child
    this.#isSent = true
    child.on('message', message => {
      if (child !== this.#child) return
      const { fedThrough } = message as FedThrough
      this.#batches = this.#batches.filter(({ number }) => number > fedThrough)
      this.#isSent = false
      this.#send()
    })
    // What is sent to a process that was killed is sent again.
    child.on('error', () => undefined)
    return { child, port }
  }

  feed(records: readonly SoakRecord[]): void {
    this.#number += 1
    this.#batches.push({ number: this.#number, records })
    this.#send()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #send(): void {
    const [next] = this.#batches
    if (this.#isSent || next === undefined || this.#child?.connected !== true) return
    this.#isSent = true
    this.#child.send(next, () => undefined)
  }
}

/** Two instances of the program over topics of their own. */
export class KafkaSite implements Site {
  readonly instances = 2
  failure: unknown = null
  waiting = 0
  readonly #options: SiteOptions
  readonly #broker: string
  readonly #log: KafkaLog
  readonly #producer: LogProducer
  readonly #prefix: string
  #writing: Promise<void> = Promise.resolve()

  private constructor(
    options: SiteOptions,
    broker: string,
    opened: { log: KafkaLog; producer: LogProducer; prefix: string },
  ) {
    this.#options = options
    this.#broker = broker
    this.#log = opened.log
    this.#producer = opened.producer
    this.#prefix = opened.prefix
  }

  static async open(options: SiteOptions, broker: string): Promise<KafkaSite> {
    // The broker keeps what other soaks wrote.
    const prefix = `soak-${systemRandom.id().slice(0, 8)}`
    const client = { clientId: prefix, clock: systemClock, random: systemRandom }
    const log = new KafkaLog({ brokers: [broker], ...client })
    for (const table of soakTables) {
      const name = `${prefix}.${soakTopic(table)}`
      await log.createTopic({ name, partitions: topicPartitions, cleanup: 'delete' })
    }
    const producer = await log.openProducer(`${prefix}-feed`)
    return new KafkaSite(options, broker, { log, producer, prefix })
  }

  async start(slot: number): Promise<{ child: ChildProcess; port: number }> {
    const { folder, ordering, settings } = this.#options
    const port = await freePort()
    const topics = soakTables.map(table => `${this.#prefix}.${soakTopic(table)}`)
    const parts = {
      folder,
      slot,
      port,
      topics,
      applicationId: this.#prefix,
      ordering,
    }
    const config = writeConfig({ ...parts, broker: this.#broker })
    const args = [join(root, 'cli/forager.js'), 'run', config, '--log', 'json', '--quiet']
    const stdio = ['ignore', 'ignore', 'pipe'] as const
    const env = envOf(folder, settings)
    return { child: spawn(process.execPath, args, { cwd: root, env, stdio: [...stdio] }), port }
  }

  feed(records: readonly SoakRecord[]): void {
    const named = records.map(record => ({ ...record, topic: `${this.#prefix}.${record.topic}` }))
    this.waiting += 1
    this.#writing = this.#writing.then(async () => {
      try {
        await this.#producer.commit({ records: named, offsets: [], group: noMembership })
      } catch (error) {
        this.failure ??= error
      }
      this.waiting -= 1
    })
  }

  async close(): Promise<void> {
    await this.#writing
    await this.#producer.close()
    await this.#log.close()
  }
}
