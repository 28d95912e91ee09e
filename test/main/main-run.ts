/**
 * The main job in a test: the program's own topology over the in-memory log and files in memory, fed
 * with recorded events in any order that keeps each partition's.
 */
import { buildTopology } from '../../cli/application.ts'
import { rowText } from '../../cli/commands/tables.ts'
import { configSchema } from '../../cli/config-schema.ts'
import { EmbeddedLog, type ReadOnlySource } from '../../log/embedded-log.ts'
import { MemoryStorage } from '../../log/log-storage.ts'
import type { Column } from '../../model/table-schema.ts'
import { CounterRegistry } from '../../observe/metrics.ts'
import { Loop } from '../../runtime/loop.ts'
import { seededRandom } from '../../runtime/random.ts'
import { withDefaults } from '../../runtime/streams.ts'
import type { StreamsEvent } from '../../runtime/streams-events.ts'
import type { StoredRow } from '../../sinks/embedded/data-files.ts'
import { listTables } from '../../sinks/embedded/table-folders.ts'
import { openTable } from '../../sinks/embedded/table-reader.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { SimulatedFileSystem } from '../../testkit/simulated-file-system.ts'
import type { Topology } from '../../topology/topology.ts'

export interface MainRunOptions {
  readonly source: ReadOnlySource
  readonly seed: number
  /** Keys of the configuration beside source and warehouse. */
  readonly config?: Readonly<Record<string, unknown>>
  readonly maxPollBytes?: number
  /** Instead of the program's own. */
  readonly topology?: Topology
}

const root = '/warehouse'

/** The program's topology; a table keeps its name. */
export function mainTopology(config: Readonly<Record<string, unknown>> = {}): Topology {
  const { source, ...rest } = config
  const parsed = configSchema.parse({
    applicationId: 'main',
    tables: [{ from: '*.*', to: '{database}.{table}' }],
    warehouse: { type: 'embedded', path: root },
    ...rest,
    source: { type: 'file', path: 'events', format: 'debezium-json', ...(source as object) },
  })
  return buildTopology({ path: '/forager.yaml', folder: '/', config: parsed, shortSecrets: [] })
}

export class MainRun {
  readonly metrics = new CounterRegistry()
  readonly clock = new ManualClock()
  readonly #files: SimulatedFileSystem
  readonly #loop: Loop
  /** Tables that changed since they were last asked for. */
  readonly #changed = new Set<string>()

  private constructor(options: MainRunOptions, log: EmbeddedLog) {
    const random = seededRandom(options.seed)
    this.#files = new SimulatedFileSystem({ random })
    const given = withDefaults({
      applicationId: 'main',
      log,
      stateDir: '/state',
      fileSystem: this.#files,
      clock: this.clock,
      random,
      metrics: this.metrics,
      commitIntervalMs: 0,
      ...(options.maxPollBytes === undefined ? {} : { maxPollBytes: options.maxPollBytes }),
    })
    const topology = options.topology ?? mainTopology(options.config)
    this.#loop = new Loop(topology, given, event => this.#note(event))
  }

  static async start(options: MainRunOptions): Promise<MainRun> {
    const log = await EmbeddedLog.open({
      storage: new MemoryStorage(),
      clock: new ManualClock(),
      random: seededRandom(options.seed),
      sources: [options.source],
      isSkewed: true,
    })
    const run = new MainRun(options, log)
    await run.#loop.start()
    return run
  }

  /** One round of the loop, after some time. */
  async step(milliseconds = 0): Promise<void> {
    this.clock.advance(milliseconds)
    await this.#loop.step(0)
  }

  /** To the end of the source, and all of it applied. */
  async finish(): Promise<void> {
    do while (await this.#loop.step(0));
    while (!(await this.#loop.drainAll()))
  }

  takeChanged(): readonly string[] {
    const changed = [...this.#changed]
    this.#changed.clear()
    return changed
  }

  async tableNames(): Promise<readonly string[]> {
    return await listTables(this.#files, root)
  }

  /** Rows as `forager rows` prints them. */
  async lines(table: string): Promise<readonly string[]> {
    const found = await openTable(this.#files, root, table)
    return (await this.rows(table)).map(row => rowText(found, row, false))
  }

  async columns(table: string): Promise<readonly Column[]> {
    return (await openTable(this.#files, root, table)).schema.columns
  }

  async rows(table: string): Promise<readonly StoredRow[]> {
    const found = await openTable(this.#files, root, table)
    const rows: StoredRow[] = []
    for await (const part of found.rows()) rows.push(...part)
    return rows
  }

  #note(event: StreamsEvent): void {
    if (event.type === 'batch-applied') this.#changed.add(event.table)
  }
}
