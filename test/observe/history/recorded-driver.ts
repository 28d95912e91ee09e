/** A topology in the test driver, whose processes record what they do in a file, and may die on the way. */
import { DatabaseSync } from 'node:sqlite'
import { EventRows } from '../../../cli/history/event-rows.ts'
import { debeziumJson } from '../../../formats/debezium/debezium-json.ts'
import type { CrashPoint } from '../../../model/crash-points.ts'
import type { GapReport } from '../../../observe/history/gaps.ts'
import { findGaps } from '../../../observe/history/gaps.ts'
import type { History } from '../../../observe/history/history.ts'
import { Recorder } from '../../../observe/history/recorder.ts'
import { sqliteHistory } from '../../../observe/history/sqlite-history.ts'
import { silentLogger } from '../../../observe/logger.ts'
import { CounterRegistry } from '../../../observe/metrics.ts'
import type { Clock } from '../../../runtime/clock.ts'
import { embedded } from '../../../sinks/embedded/embedded.ts'
import { inMemory } from '../../../state/memory-store.ts'
import { CrashedError, TopologyTestDriver } from '../../../testkit/topology-test-driver.ts'
import { StreamsBuilder } from '../../../topology/streams-builder.ts'
import type { Topology } from '../../../topology/topology.ts'
import { changeLine } from '../../cli/recorded.ts'

export const application = 'test'
export const topic = 's.demo.user'

export const limits = { maxWaiting: 10_000, retainMs: 1e12, maxRows: 1e6, stopMs: 5000 }

export interface RecorderParts {
  readonly history: History
  readonly clock: Clock
  readonly run: string
  readonly metrics?: CounterRegistry
  readonly limits?: Partial<typeof limits>
}

export function recorderOf({ metrics = new CounterRegistry(), ...parts }: RecorderParts): Recorder {
  return new Recorder({
    application,
    instance: 'here',
    version: '1',
    logger: silentLogger,
    metrics,
    ...parts,
    limits: { ...limits, ...parts.limits },
  })
}

export function topologyOf(keyedBy: 'unknown' | 'primary-key' = 'unknown'): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream([topic], { name: 'events', format: debeziumJson(), keyedBy })
    .repartition({ name: 'rows', partitions: 3 })
    .compact({ name: 'window', flush: { maxAgeMs: 1000 }, store: inMemory() })
    .to(embedded({ path: '/warehouse' }), { name: 'tables' })
  return builder.build()
}

/** Of what tests ask there is no null. */
export type SqlRow = Readonly<Record<string, string | number>>

export class RecordedDriver {
  readonly driver: TopologyTestDriver
  readonly path: string
  #recorder: Recorder
  #rows: EventRows
  #history: History
  #taken = 0
  #runs = 0
  #changes = 0

  private constructor(driver: TopologyTestDriver, path: string) {
    this.driver = driver
    this.path = path
    this.#history = sqliteHistory({ path, isWriter: true })
    this.#recorder = this.#nextRecorder()
    this.#rows = new EventRows(this.#recorder, driver.clock)
  }

  static async open(path: string, topology = topologyOf(), seed = 1): Promise<RecordedDriver> {
    const driver = await TopologyTestDriver.open(topology, { topics: { [topic]: 2 }, seed })
    return new RecordedDriver(driver, path)
  }

  /** Rows of so many ids, each changed once, then time goes on. False when the process died. */
  async change(ids: readonly number[], advanceMs: number): Promise<boolean> {
    return await this.#survives(async () => {
      const records = ids.map(id => {
        this.#changes += 1
        const row = JSON.stringify({ id, name: `n${this.#changes}` })
        const { key, value } = changeLine(this.#changes, 'u', id, row)
        return { topic, partition: id % 2, key, value }
      })
      await this.driver.pipeInput(records)
      await this.driver.advance(advanceMs)
    })
  }

  crashAt(point: CrashPoint, occurrence: number): void {
    this.driver.crashAt(point, occurrence)
  }

  async drain(): Promise<boolean> {
    return await this.#survives(() => this.driver.drain())
  }

  async flush(): Promise<boolean> {
    return await this.#recorder.flush()
  }

  /** The run ends well, and another one begins. */
  async restart(): Promise<void> {
    await this.#recorder.close(null)
    await this.driver.crash()
    this.#begin()
  }

  /** The process is gone, and what it had not written down yet. */
  async begin(): Promise<void> {
    await this.#history.close()
    this.#begin()
  }

  async end(): Promise<void> {
    await this.#recorder.close(null)
  }

  async gaps(table: string | null = null): Promise<GapReport> {
    return await gapsOf(this.path, table)
  }

  /** By hand. */
  sql(text: string): readonly SqlRow[] {
    return sqlIn(this.path, text)
  }

  async #survives(action: () => Promise<void>): Promise<boolean> {
    try {
      await action()
      return true
    } catch (error) {
      if (!(error instanceof CrashedError)) throw error
      return false
    } finally {
      const { events } = this.driver
      for (; this.#taken < events.length; this.#taken += 1) this.#rows.take(events[this.#taken]!)
    }
  }

  #begin(): void {
    this.#history = sqliteHistory({ path: this.path, isWriter: true })
    this.#recorder = this.#nextRecorder()
    this.#rows = new EventRows(this.#recorder, this.driver.clock)
  }

  #nextRecorder(): Recorder {
    this.#runs += 1
    return recorderOf({
      history: this.#history,
      clock: this.driver.clock,
      run: `run-${String(this.#runs).padStart(3, '0')}`,
    })
  }
}

export async function gapsOf(
  path: string,
  table: string | null = null,
  of = application,
): Promise<GapReport> {
  const history = sqliteHistory({ path, isWriter: false })
  try {
    await history.open()
    return await findGaps(history, of, table)
  } finally {
    await history.close()
  }
}

export function sqlIn(path: string, text: string): readonly SqlRow[] {
  const database = new DatabaseSync(path)
  try {
    return database.prepare(text).all() as readonly SqlRow[]
  } finally {
    database.close()
  }
}
