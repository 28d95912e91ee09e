/**
 * Drives a topology as it will run: the real runtime over the in-memory log and files in memory, with
 * several partitions, a clock that stands until it is told to go on, and crashes on demand.
 *
 *     const driver = await TopologyTestDriver.open(topology, { topics: { orders: 3 } })
 *     await driver.pipeInput(records)
 *     await driver.advance(60_000)
 *     await driver.rows('dw.orders')
 */
import { EmbeddedLog } from '../log/embedded-log.ts'
import type { ProducerRecord } from '../log/log.ts'
import { MemoryStorage } from '../log/log-storage.ts'
import type { LogHeader } from '../model/change-event.ts'
import type { CrashPoint } from '../model/crash-points.ts'
import { assert, StateError } from '../model/errors.ts'
import type { Value } from '../model/value.ts'
import type { Logger } from '../observe/logger.ts'
import { silentLogger } from '../observe/logger.ts'
import { CounterRegistry } from '../observe/metrics.ts'
import type { FileSystem } from '../runtime/file-system.ts'
import { Loop } from '../runtime/loop.ts'
import type { Random } from '../runtime/random.ts'
import { seededRandom } from '../runtime/random.ts'
import type { StreamsOptions } from '../runtime/streams.ts'
import { withDefaults } from '../runtime/streams.ts'
import type { StreamsEvent } from '../runtime/streams-events.ts'
import type { Topology } from '../topology/topology.ts'
import { ManualClock } from './manual-clock.ts'
import { readRows } from './read-rows.ts'
import { SimulatedFileSystem } from './simulated-file-system.ts'

export interface DriverOptions {
  /** Source topics and their partitions. */
  readonly topics?: Readonly<Record<string, number>>
  readonly applicationId?: string
  readonly seed?: number
  readonly logger?: Logger
  /** Reads partitions unevenly, so that some lag far behind. */
  readonly isSkewed?: boolean
  readonly commitIntervalMs?: number
  /** Folder of the embedded warehouse, as the topology names it. */
  readonly warehousePath?: string
}

/** A record of a source topic; text is taken as UTF-8. */
export interface DriverRecord {
  readonly topic: string
  /** Default 0. */
  readonly partition?: number
  readonly key: Uint8Array | string | null
  readonly value: Uint8Array | string | null
  readonly headers?: readonly LogHeader[]
  /** Default: what the driver's clock shows. */
  readonly timestampMs?: number
}

/** What the driver throws when it was told to crash, and what its log is left with. */
export class CrashedError extends Error {
  readonly point: CrashPoint

  constructor(point: CrashPoint) {
    super(`crashed at ${point}, as it was told to`)
    this.name = 'CrashedError'
    this.point = point
  }
}

const group = 'test-driver-producer'

export class TopologyTestDriver {
  readonly clock = new ManualClock()
  readonly metrics = new CounterRegistry()
  readonly events: StreamsEvent[] = []
  readonly fileSystem: FileSystem
  readonly #files: SimulatedFileSystem
  readonly #topology: Topology
  readonly #random: Random
  readonly #options: DriverOptions
  #log: EmbeddedLog
  #loop: Loop | null = null
  #crash: { readonly point: CrashPoint; left: number } | null = null
  /** The storage is the broker: it outlives the application. */
  readonly #storage = new MemoryStorage()

  private constructor(topology: Topology, options: DriverOptions, log: EmbeddedLog) {
    this.#topology = topology
    this.#options = options
    this.#random = seededRandom(options.seed ?? 1)
    this.#files = new SimulatedFileSystem({ random: this.#random })
    this.fileSystem = this.#files
    this.#log = log
  }

  static async open(topology: Topology, options: DriverOptions = {}): Promise<TopologyTestDriver> {
    const driver = new TopologyTestDriver(topology, options, undefined as never)
    driver.#log = await driver.#openLog()
    for (const [name, partitions] of Object.entries(options.topics ?? {})) {
      await driver.#log.createTopic({ name, partitions, cleanup: 'delete' })
    }
    return driver
  }

  /** Appends records to source topics, in order and in one transaction, and lets them be processed. */
  async pipeInput(records: readonly DriverRecord[]): Promise<void> {
    await this.#checkPlaces(records)
    await this.#append(records.map(record => this.#inBytes(record)))
    await this.settle()
  }

  /** Runs until there is nothing to do before time goes on. Throws what stops the application. */
  async settle(): Promise<void> {
    this.#loop ??= await this.#start()
    while (await this.#guard(() => this.#loop!.step(0)));
  }

  /** Lets time go on: commits and windows become due. */
  async advance(milliseconds: number): Promise<void> {
    this.clock.advance(milliseconds)
    await this.settle()
  }

  /** Brings everything that was put in to the tables, due or not. */
  async drain(): Promise<void> {
    do await this.settle()
    while (!(await this.#guard(() => this.#loop!.drainAll())))
  }

  /** The next time that the application passes the point, it crashes: CrashedError is thrown. */
  crashAt(point: CrashPoint, occurrence = 1): void {
    this.#crash = { point, left: occurrence }
  }

  /** Ends the application as a crash does. What it had not made durable is lost; the log stays. */
  async crash(): Promise<void> {
    this.#loop = null
    this.#crash = null
    this.#files.crash()
    this.#log = await this.#openLog()
  }

  /** The rows of a table, in key order: by column, or null when there is no such table. */
  async rows(table: string): Promise<readonly Readonly<Record<string, Value>>[] | null> {
    return (await readRows(this.fileSystem, this.#warehousePath(), table))?.rows ?? null
  }

  /** The committed records of a topic, internal ones too: `<applicationId>-<name>-repartition`. */
  get log(): EmbeddedLog {
    return this.#log
  }

  async #checkPlaces(records: readonly DriverRecord[]): Promise<void> {
    const counts = new Map((await this.#log.topics()).map(one => [one.name, one.partitions]))
    for (const { topic, partition = 0 } of records) {
      if (partition < (counts.get(topic) ?? 0)) continue
      const own = Object.entries(this.#options.topics ?? {})
      const known = own.map(([name, count]) => `${name}: ${count}`).join(', ')
      throw new StateError(
        'offset-out-of-range',
        `there is no partition ${partition} of "${topic}": the driver was opened with topics { ${known} }`,
        { context: { topic, partition } },
      )
    }
  }

  #inBytes({ key, value, ...rest }: DriverRecord): ProducerRecord {
    const inBytes = (given: Uint8Array | string | null): Uint8Array | null =>
      typeof given === 'string' ? Buffer.from(given) : given
    const place = { partition: 0, timestampMs: this.clock.now() }
    return { ...place, ...rest, key: inBytes(key), value: inBytes(value) }
  }

  async #append(records: readonly ProducerRecord[]): Promise<void> {
    const consumer = await this.#log.openConsumer({ group, topics: [] })
    const polled = await consumer.poll({ maxWaitMs: 0, maxBytes: 1 })
    assert(polled.kind === 'assigned', 'a new member is told of its assignment first')
    const producer = await this.#log.openProducer(group)
    await producer.commit({ records, offsets: [], group: polled.assignment.membership })
    await consumer.close()
  }

  async #start(): Promise<Loop> {
    const loop = new Loop(this.#topology, this.#runtimeOptions(), event => this.events.push(event))
    await this.#guard(() => loop.start())
    return loop
  }

  #runtimeOptions(): StreamsOptions {
    return withDefaults({
      applicationId: this.#options.applicationId ?? 'test',
      log: this.#log,
      stateDir: '/state',
      fileSystem: this.fileSystem,
      clock: this.clock,
      random: this.#random,
      metrics: this.metrics,
      logger: this.#options.logger ?? silentLogger,
      commitIntervalMs: this.#options.commitIntervalMs ?? 0,
      reach: point => this.#reach(point),
    })
  }

  #reach(point: CrashPoint): void {
    if (this.#crash?.point !== point) return
    this.#crash.left -= 1
    if (this.#crash.left === 0) throw new CrashedError(point)
  }

  /** A crash in the middle of an action is a crash of the application. */
  async #guard<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action()
    } catch (error) {
      if (error instanceof CrashedError) await this.crash()
      throw error
    }
  }

  async #openLog(): Promise<EmbeddedLog> {
    return await EmbeddedLog.open({
      storage: this.#storage,
      clock: this.clock,
      random: this.#random,
      isSkewed: this.#options.isSkewed ?? false,
    })
  }

  #warehousePath(): string {
    const path = this.#options.warehousePath ?? '/warehouse'
    if (!path.startsWith('/')) {
      throw new StateError('storage-failed', `the warehouse of a test begins at the root: /${path}`)
    }
    return path
  }
}
