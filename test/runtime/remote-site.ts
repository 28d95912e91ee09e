/** An application whose tables are on a server: its instances, one after the other, and what outlives them. */
import { debeziumJson } from '../../formats/debezium/debezium-json.ts'
import { EmbeddedLog } from '../../log/embedded-log.ts'
import type { ProducerRecord } from '../../log/log.ts'
import { MemoryStorage } from '../../log/log-storage.ts'
import type { PartitionBy } from '../../model/partition-by.ts'
import { decodeStagedBatch } from '../../model/staged-batch.ts'
import { TableRouter } from '../../processors/route-tables.ts'
import type { TableProgress } from '../../runtime/applied.ts'
import { readApplied } from '../../runtime/applied.ts'
import { Loop } from '../../runtime/loop.ts'
import type { ParkedBatch } from '../../runtime/parked.ts'
import { readParked } from '../../runtime/parked.ts'
import { seededRandom } from '../../runtime/random.ts'
import { readAll } from '../../runtime/read-all.ts'
import { resumeTables } from '../../runtime/resume.ts'
import { withDefaults } from '../../runtime/streams.ts'
import { inMemory } from '../../state/memory-store.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { MemorySource } from '../../testkit/memory-source.ts'
import { SimulatedFileSystem } from '../../testkit/simulated-file-system.ts'
import { parkedTopic, stagedTopic } from '../../topology/internal-topics.ts'
import type { Ordering } from '../../topology/nodes.ts'
import { StreamsBuilder } from '../../topology/streams-builder.ts'
import type { Topology } from '../../topology/topology.ts'
import { change, topicOf, topicOfDdl } from '../main/messages.ts'
import { RemoteServer } from './remote-server.ts'

const applicationId = 'main'
const windowMs = 1000
const maxRounds = 500

export class RemoteSite {
  readonly server = new RemoteServer()
  readonly clock = new ManualClock()
  readonly #storage = new MemoryStorage()
  readonly #random = seededRandom(1)
  readonly #files = new SimulatedFileSystem({ random: this.#random })
  readonly #source: MemorySource
  readonly #hopPartitions: number
  partitionBy: PartitionBy | null = null
  ordering: Ordering = 'log'
  /** Tables that were told to be held back. */
  readonly held: string[] = []
  #position = 0
  #instance: { readonly loop: Loop; readonly log: EmbeddedLog } | null = null

  constructor(tables: readonly string[], partitions = 1, hopPartitions = 1) {
    this.#hopPartitions = hopPartitions
    this.#source = new MemorySource({
      ...Object.fromEntries(tables.map(table => [topicOf({ table }), partitions])),
      [topicOfDdl]: 1,
    })
  }

  /** Of the log it reads at once `maxPollBytes`, or all that there is. */
  async start(maxPollBytes?: number): Promise<void> {
    const log = await EmbeddedLog.open({
      storage: this.#storage,
      clock: this.clock,
      random: this.#random,
      sources: [this.#source],
    })
    const { clock } = this
    const loop = new Loop(
      this.#topology(),
      withDefaults({
        applicationId,
        log,
        stateDir: '/state',
        fileSystem: this.#files,
        clock,
        random: this.#random,
        commitIntervalMs: 0,
        quarantines: true,
        ...(maxPollBytes === undefined ? {} : { maxPollBytes }),
      }),
      event => {
        if (event.type === 'table-held' && event.reason !== null) this.held.push(event.table)
      },
    )
    this.#instance = { loop, log }
    await loop.start()
    if (maxPollBytes === undefined) await this.rounds()
  }

  async close(): Promise<void> {
    await this.#instance?.loop.close()
    this.#instance = null
  }

  /** The process ends; its statements go on. */
  crash(): void {
    this.#instance = null
    this.#files.crash()
    for (const statement of this.server.open) statement.isOpen = false
  }

  /** A row of each table, in a window of its own; resolves when that is staged. */
  async stage(id: number, ...tables: readonly string[]): Promise<void> {
    for (const table of tables) this.#write(table, { id, name: 'a' }, { id, name: 'z' })
    await this.#closeWindow()
  }

  /** A row of columns of its own, in a window of its own; the merger has met it. */
  async sendRow(table: string, row: Readonly<Record<string, unknown>>): Promise<void> {
    this.#write(table, row, row)
    await this.#closeWindow()
    await this.rounds()
  }

  #write(
    table: string,
    after: Readonly<Record<string, unknown>>,
    before: Readonly<Record<string, unknown>>,
  ): void {
    this.#position += 1
    const message = change('u', { before, after }, { table, pos: this.#position })
    this.#source.append({ headers: [], ...message })
  }

  async #closeWindow(): Promise<void> {
    await this.rounds()
    this.clock.advance(windowMs)
    await this.#step()
  }

  /** A change, in the window that is open. */
  write(record: ProducerRecord): void {
    this.#source.append({ headers: [], ...record })
  }

  /** A change that ends its window, of which the merger has met the batch. */
  async append(record: ProducerRecord): Promise<void> {
    this.write(record)
    await this.rounds()
    this.clock.advance(windowMs)
    await this.rounds()
  }

  /** The same, and the merger has met it. */
  async send(id: number, ...tables: readonly string[]): Promise<void> {
    await this.stage(id, ...tables)
    await this.rounds()
  }

  /** As another owner does that takes the merger over. */
  async fenceMerger(): Promise<void> {
    await this.#log.openProducer(`${applicationId}-2_0`)
  }

  async resume(table: string): Promise<void> {
    const { clock } = this
    const topology = this.#topology()
    await resumeTables(this.#log, { applicationId, topology, clock, tables: [table] })
  }

  /** Enough of them for everything that no answer is needed for. */
  async rounds(): Promise<void> {
    for (let round = 0; round < 20; round += 1) await this.#step()
  }

  async until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
    for (let round = 0; !(await isTrue()); round += 1) {
      if (round > maxRounds) throw new Error('it did not come to that')
      await this.#step()
    }
  }

  /** Answers what comes until nothing does. */
  async answerAll(): Promise<void> {
    for (;;) {
      await this.rounds()
      const { open } = this.server
      if (open.length === 0) return
      for (const statement of open) statement.succeed()
    }
  }

  async progressOf(table: string): Promise<TableProgress | null> {
    let last: TableProgress | null = null
    for await (const { table: of, ...progress } of readApplied(this.#log, applicationId)) {
      if (of === table) last = progress
    }
    return last
  }

  async parked(): Promise<readonly ParkedBatch[]> {
    const at = { topic: parkedTopic(applicationId, 'tables'), partition: 0 }
    const found: ParkedBatch[] = []
    for await (const one of readParked(this.#log, at)) found.push(one)
    return found
  }

  /** Names of all files of staged windows. */
  async stagedFiles(): Promise<readonly string[]> {
    const found: string[] = []
    for (const task of await this.#files.list('/staging')) {
      for (const window of await this.#files.list(`/staging/${task}`)) {
        found.push(...(await this.#files.list(`/staging/${task}/${window}`)))
      }
    }
    return found
  }

  /** Tables of the staged batches that the merger's offset has not passed. */
  async unpassed(): Promise<readonly string[]> {
    const at = { topic: stagedTopic(applicationId, 'tables'), partition: 0 }
    const [committed] = await this.#log.committed(applicationId, [at])
    const found: string[] = []
    for await (const { offset, value } of readAll(this.#log, at)) {
      if (offset >= (committed?.offset ?? 0)) found.push(decodeStagedBatch(value!).table)
    }
    return found
  }

  get #log(): EmbeddedLog {
    return this.#instance!.log
  }

  async #step(): Promise<void> {
    await this.#instance!.loop.step(0)
    // What goes on beside the loop has its turn.
    await new Promise(resolve => setImmediate(resolve))
  }

  #topology(): Topology {
    const builder = new StreamsBuilder()
    const router = new TableRouter([{ from: 'shop.*', to: '{table}' }])
    builder
      .stream(/^db\./, { name: 'events', format: debeziumJson(), ordering: this.ordering })
      .route(router, { name: 'route' })
      .repartition({ name: 'rows', partitions: this.#hopPartitions })
      .compact({ name: 'window', flush: { maxRows: 1000, maxAgeMs: windowMs }, store: inMemory() })
      .to(this.server.sink(this.partitionBy), { name: 'tables' })
    return builder.build()
  }
}
