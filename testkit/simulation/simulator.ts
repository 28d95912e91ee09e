/**
 * The deterministic simulator: several processes of the real runtime over simulated brokers, files and
 * time, in one process, from one seed. They crash, stand still and go on, at any call of the interfaces that
 * are injected; a judge looks after every step that a reader could see. The same seed gives the same story.
 *
 *     workload ─▶ topics ─▶ [process 1: Streams] ─▶ staging, warehouse ─▶ judge
 *                     └───▶ [process 2: Streams] ─┘
 *                  brokers, files, clocks: each call is a step (scheduler.ts), and may fail (faults.ts)
 *
 * Random numbers for the workload, the schedule and each kind of fault are apart: to leave a fault out
 * changes nothing of what the source does.
 */
import { ForagerError } from '../../model/errors.ts'
import { seededRandom } from '../../runtime/random.ts'
import { tableOfCommit } from '../../sinks/embedded/table-folders.ts'
import { MemorySource } from '../memory-source.ts'
import { SimulatedFileSystem } from '../simulated-file-system.ts'
import { Application } from './application.ts'
import { Broker } from './broker.ts'
import { CommitJudge } from './commit-judge.ts'
import { ddlTopic } from './dropped-tables.ts'
import { Faults, faultKinds, streamOf } from './faults.ts'
import { HiveServer } from './hive-server.ts'
import { Judge, Violation } from './judge.ts'
import type {
  SimulatedDatabase,
  SimulationOptions,
  SimulationResult,
  TableReader,
} from './options.ts'
import { SimulationError } from './options.ts'
import type { Process, ProcessHost } from './process.ts'
import { Scheduler } from './scheduler.ts'
import type { CaseFailure } from './shrink.ts'
import { SourceJudge } from './source-judge.ts'
import { SourceProgram } from './source-program.ts'
import { stepLine } from './story.ts'
import { sourceTopic, Workload } from './workload.ts'

export type { FaultKind, FaultRates } from './faults.ts'
export { faultKinds } from './faults.ts'
export type {
  ProcessSite,
  SimulatedDatabase,
  SimulationOptions,
  SimulationResult,
  TableReader,
  Wraps,
} from './options.ts'
export { SimulationError } from './options.ts'

const streams = { workload: 100, schedule: 101, files: 102, shape: 103, resends: 104 } as const
const stagingPath = '/staging'
const warehousePath = '/warehouse'
const maxCrashes = 12
const maxSteps = 300_000
/** With all faults over it must come to its end within this. */
const maxQuietMs = 10 * 60_000
/** Nothing more comes: some windows close only when the processes stop. */
const stopAfterMs = 2 * 60_000
const maxMarkerMs = 4000

/** Throws SimulationError. */
export async function runSeed(options: SimulationOptions): Promise<SimulationResult> {
  const simulation = new Simulation(options)
  try {
    return await simulation.run()
  } catch (error) {
    throw new SimulationError(options.seed, simulation.failure(error), simulation.story, error)
  }
}

class Simulation {
  readonly story: string[] = []
  readonly #options: SimulationOptions
  readonly #faults: Faults
  readonly #scheduler: Scheduler
  readonly #files: SimulatedFileSystem
  readonly #database: SimulatedDatabase
  readonly #judge: TableReader
  readonly #commits: CommitJudge
  readonly #broker: Broker
  readonly #hive: HiveServer
  readonly #instances: number
  readonly #application: Application
  readonly #program: SourceProgram
  #calls = 0
  #crashes = 0
  #looks = 0
  #quietSinceMs: number | null = null
  #stops = 0
  #violation: unknown = null
  /** Once all is produced: as of the last look. */
  #unfinished: { readonly problem: string | null } | null = null

  constructor(options: SimulationOptions) {
    const { seed, crashAtCall } = options
    this.#options = options
    const shape = this.#random('shape')
    const partitions = 1 + Math.floor(shape.next() * 3)
    const isExact = crashAtCall !== undefined
    this.#faults = new Faults({
      seed,
      rates: isExact ? noFaults : (options.faults ?? {}),
      skipped: options.skippedFaults ?? [],
      tell: line => this.#tell(line),
    })
    this.#scheduler = new Scheduler({
      random: this.#random('schedule'),
      maxStepMs: 1 + shape.next() ** 2 * 20,
      maxSteps,
      tell: (actor, what) => this.#tell(stepLine(actor.name, what)),
    })
    this.#files = new SimulatedFileSystem({ random: this.#random('files') })
    this.#hive = new HiveServer({
      scheduler: this.#scheduler,
      faults: this.#faults,
      files: this.#files,
      onCommit: table => void this.#look(table),
    })
    const shop = this.#shop(partitions, 3 + Math.floor(shape.next() * 12))
    this.#database = options.database?.(line => this.#tell(line)) ?? shop
    this.#judge = this.#database.judge(this.#files, warehousePath, table => {
      return this.#hive.rowsOf(table)?.map(({ values }) => values) ?? null
    })
    const { source, isWhole } = this.#database
    this.#commits = new CommitJudge(
      this.#files,
      stagingPath,
      isWhole ? new SourceJudge(source) : null,
    )
    this.#broker = this.#makeBroker()
    options.wrap?.broker?.(this.#broker)
    this.#program = new SourceProgram({
      ...options,
      database: this.#database,
      broker: this.#broker,
      hive: this.#hive,
      scheduler: this.#scheduler,
      faults: this.#faults,
      random: this.#random('schedule'),
      resends: this.#random('resends'),
      tell: line => this.#tell(line),
    })
    const { instances = 1 + Math.floor(shape.next() * 3) } = options
    this.#instances = options.log === 'files' ? 1 : instances
    this.#application = new Application({
      ...options,
      instances: this.#instances,
      broker: this.#broker,
      hive: this.#hive,
      source: this.#database.source,
      commits: this.#commits,
      host: this.#host(),
      fail: error => this.#fail(error),
      tell: line => this.#tell(line),
    })
  }

  /** What had happened when it was thrown. */
  failure(error: unknown): CaseFailure {
    return {
      promise: promiseOf(error),
      statement: this.#program.statement,
      instances: this.#instances,
      faults: [...this.#faults.injected],
    }
  }

  async run(): Promise<SimulationResult> {
    this.#application.startAll()
    void this.#program.run()
    await this.#scheduler.run(() => this.#isOver())
    const { hasStopped } = this.#application
    if (!hasStopped) {
      await this.#look('finally')
      this.#checkDefaults()
    }
    this.#throwViolation()
    const { story } = this
    return {
      calls: this.#calls,
      steps: this.#scheduler.steps,
      crashes: this.#crashes,
      faults: this.#faults.injected.length,
      looks: this.#looks,
      hasStopped,
      elapsedMs: Math.round(this.#scheduler.nowMs),
      story,
    }
  }

  #random(stream: keyof typeof streams) {
    return seededRandom(streamOf(this.#options.seed, streams[stream]))
  }

  #shop(partitions: number, maxId: number): SimulatedDatabase {
    const { tables, truncates = true, truncateShare, spreads = false } = this.#options
    const { connector = 'mysql', snapshots = false, oldKeysStayFree = false, drops } = this.#options
    const topics = Object.fromEntries(tables.map(table => [sourceTopic(table), partitions]))
    if (drops !== undefined) topics[ddlTopic] = 1
    const source = new MemorySource(topics, { isFinite: false })
    for (const table of this.#options.appearing ?? []) source.hide(sourceTopic(table))
    const { statements } = this.#options
    const seed = streamOf(this.#options.seed, streams.workload)
    const workload = new Workload({
      randomOf: statement => seededRandom(streamOf(seed, statement)),
      statements: typeof statements === 'object' ? statements : null,
      tell: line => this.#tell(line),
      source,
      tables,
      partitions,
      maxId,
      ...(truncateShare === undefined ? {} : { truncateShare }),
      truncates: truncates === 'ordered' ? partitions === 1 : truncates,
      spreads,
      restarts: connector === 'mysql',
      connector,
      oldKeysStayFree,
      snapshots,
      ...(drops === undefined ? {} : { drops }),
    })
    return {
      source,
      isWhole: true,
      step: () => workload.step(),
      mayResend: () => workload.mayResend(),
      touch: table => workload.touch(table),
      lose: table => workload.lose(table),
      makeAnew: table => workload.makeAnew(table),
      judge: (files, root, rowsOf) => new Judge(workload, files, root, rowsOf),
    }
  }

  #makeBroker(): Broker {
    return new Broker({
      source: this.#database.source,
      random: this.#random('shape'),
      onDecided: ({ records, offsets }) => {
        this.#commits.decided(records, offsets).catch((error: unknown) => this.#fail(error))
      },
      mark: ({ id }, where, write) => {
        const isLate = this.#faults.strikes('late-marker', () => `${where} of ${id}`)
        if (!isLate) write()
        else {
          const lateMs = this.#faults.amount('late-marker', maxMarkerMs)
          this.#scheduler.at(this.#scheduler.nowMs + lateMs, write)
        }
      },
    })
  }

  #host(): ProcessHost {
    return {
      scheduler: this.#scheduler,
      faults: this.#faults,
      files: this.#files,
      isLast: () => {
        this.#calls += 1
        return this.#calls === this.#options.crashAtCall
      },
      onCrash: (process, where) => this.#crash([process], where),
      onPowerCut: where => this.#crash(this.#application.processes, where),
      onFileCall: (operation, path) => {
        const table = operation === 'linked' ? tableOfCommit(warehousePath, path) : null
        return table === null ? undefined : this.#look(table)
      },
    }
  }

  #crash(processes: readonly Process[], where: string): void {
    for (const process of processes) {
      this.#crashes += 1
      this.#tell(`${process.name} crashes: ${where}`)
      process.end()
      process.files.crash()
    }
    if (this.#crashes >= maxCrashes) this.#faults.end('crash', 'power')
    this.#application.restart(processes)
  }

  #isOver(): boolean {
    this.#throwViolation()
    if (this.#application.hasStopped) return true
    if (!this.#program.isOver) return false
    const { nowMs } = this.#scheduler
    if (this.#quietSinceMs === null) {
      this.#tell('nothing goes wrong any more')
      this.#faults.isOver = true
      this.#quietSinceMs = nowMs
    }
    if (this.#application.isStopping) {
      if (!this.#application.isStopped) return false
      if (this.#judge.unfinished() === null) return true
      // A statement that nobody waited for brought rows of before.
      this.#application.startAgain()
    }
    const quietMs = nowMs - this.#quietSinceMs
    this.#unfinished ??= { problem: this.#judge.unfinished() }
    const { problem } = this.#unfinished
    if (problem === null) this.#application.stop()
    else if (quietMs > maxQuietMs) throw this.#notDone(problem)
    else if (quietMs > stopAfterMs * (this.#stops + 1)) {
      this.#stops += 1
      this.#application.restartAll()
    }
    return false
  }

  #notDone(problem: string): Violation {
    const minutes = maxQuietMs / 60_000
    return new Violation('ends-equal', `${problem}, ${minutes} minutes after all faults were over`)
  }

  async #look(what: string): Promise<void> {
    // Until its next change after a change of its columns that came late: W11 of docs/exactly-once.md.
    if (this.#hive.cut.includes(what)) return
    this.#looks += 1
    try {
      if (what === 'finally') await this.#judge.lookFinally()
      else await this.#judge.look(what)
    } catch (error) {
      this.#fail(error)
    }
    this.#unfinished = null
  }

  /** A column that was added has its default in every row of before. */
  #checkDefaults(): void {
    for (const table of this.#hive.tables) {
      const lacking = this.#hive.rowsOf(table)!.find(({ values }) => values.extra === null)
      if (lacking === undefined) continue
      this.#fail(new Violation('only-rows-that-were', `${table} has a row without a default`))
    }
  }

  #fail(error: unknown): void {
    this.#violation ??= error
  }

  #throwViolation(): void {
    if (this.#violation === null) return
    const error = this.#violation
    this.#tell(`the judge: ${error instanceof Error ? error.message : 'something else failed'}`)
    throw error
  }

  #tell(line: string): void {
    this.story.push(`${this.#scheduler.nowMs.toFixed(0)} ${line}`)
  }
}

const noFaults = Object.fromEntries(Object.keys(faultKinds).map(kind => [kind, false]))

/** Of what a run threw: the promise that was broken, or the code of what ended an application. */
function promiseOf(error: unknown): string {
  if (error instanceof Violation) return error.promise
  return error instanceof ForagerError ? error.code : 'no-other-error'
}
