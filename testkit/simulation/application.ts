/** The processes of the application: how they are started, end, are stopped, and started again. */
import { EmbeddedLog } from '../../log/embedded-log.ts'
import { FileStorage } from '../../log/file-storage.ts'
import type { Log } from '../../log/log.ts'
import type { LogStorage } from '../../log/log-storage.ts'
import { ForagerError } from '../../model/errors.ts'
import { seededRandom } from '../../runtime/random.ts'
import { Streams } from '../../runtime/streams.ts'
import type { MemorySource } from '../memory-source.ts'
import type { Broker } from './broker.ts'
import type { CommitJudge } from './commit-judge.ts'
import { lineOf } from './event-lines.ts'
import { streamOf } from './faults.ts'
import type { HiveServer } from './hive-server.ts'
import { Violation } from './judge.ts'
import type { ProcessSite, SimulationOptions } from './options.ts'
import type { ProcessHost } from './process.ts'
import { Process } from './process.ts'
import { simulatedHive } from './simulated-hive.ts'
import { SimulatedLog } from './simulated-log.ts'

export interface ApplicationOptions extends SimulationOptions {
  readonly instances: number
  readonly broker: Broker
  readonly hive: HiveServer
  readonly source: MemorySource
  readonly commits: CommitJudge
  readonly host: ProcessHost
  readonly fail: (error: unknown) => void
  readonly tell: (line: string) => void
}

/** A place for one process after the other. */
interface Slot {
  readonly number: number
  process: Process | null
  stop: AbortController | null
}

export const applicationId = 'sim'
/** Of random numbers: each process has a stream of its own. */
const firstStream = 1000
const maxRestartMs = 4000
/** With all faults over a process may still end by what came before, but not again and again. */
const maxQuietFailures = 6

/** What a process may end with because of what was injected. It is started again. */
const passing = new Set([
  'kafka-unreachable',
  'state-locked',
  'statement-unknown',
  'stop-timed-out',
  'storage-failed',
  'storage-unreachable',
  'table-busy',
  'task-fenced',
  'warehouse-conflict',
  'warehouse-unreachable',
])

export class Application {
  readonly #options: ApplicationOptions
  readonly #slots: readonly Slot[]
  #starts = 0
  #quietFailures = 0
  isStopping = false
  /** A process ended with the error that it may end with, or a table is held back by it. */
  hasStopped = false

  constructor(options: ApplicationOptions) {
    this.#options = options
    this.#slots = Array.from({ length: options.instances }, (_, index) => {
      return { number: index + 1, process: null, stop: null }
    })
  }

  get processes(): readonly Process[] {
    return this.#slots.flatMap(({ process }) => process ?? [])
  }

  get isStopped(): boolean {
    return this.processes.length === 0
  }

  startAll(): void {
    for (const slot of this.#slots) this.#start(slot)
  }

  /** These are gone: others take their places after a while. */
  restart(processes: readonly Process[]): void {
    for (const slot of this.#slots) {
      if (slot.process !== null && processes.includes(slot.process)) this.#restart(slot)
    }
  }

  /** Each of them stops, commits what it has, and is started again. */
  restartAll(): void {
    for (const { stop } of this.#slots) stop?.abort()
  }

  /** All of them stop, and stay so. */
  stop(): void {
    this.isStopping = true
    this.restartAll()
  }

  startAgain(): void {
    this.isStopping = false
    this.startAll()
  }

  #restart(slot: Slot): void {
    slot.process = null
    if (this.isStopping) return
    const { scheduler } = this.#options.host
    const afterMs = seededRandom(streamOf(this.#options.seed, -this.#starts)).next() * maxRestartMs
    scheduler.at(scheduler.nowMs + afterMs, () => {
      if (!this.isStopping) this.#start(slot)
    })
  }

  #start(slot: Slot): void {
    this.#starts += 1
    const { host, seed, tell } = this.#options
    const random = seededRandom(streamOf(seed, firstStream + this.#starts))
    const process = new Process(`process ${slot.number}.${this.#starts}`, random, host)
    slot.process = process
    slot.stop = new AbortController()
    tell(`${process.name} starts`)
    void this.#run(slot, process, slot.stop.signal)
  }

  async #run(slot: Slot, process: Process, signal: AbortSignal): Promise<void> {
    const { tell } = this.#options
    try {
      await (await this.#streams(process, this.#starts)).run(signal)
      tell(`${process.name} has stopped`)
    } catch (error) {
      tell(
        `${process.name} ends: ${error instanceof ForagerError ? error.describe() : String(error)}`,
      )
      this.#judgeEnd(error)
    }
    process.end()
    process.files.crash()
    this.#restart(slot)
  }

  async #streams(process: Process, start: number): Promise<Streams> {
    const { topology, wrap, hive: server, host } = this.#options
    const { random, clock } = process
    const log = await this.#openLog(process)
    const hive: ProcessSite['hive'] = given => simulatedHive(server, process, host.faults, given)
    const isLast = host.faults.isOver
    const streams = new Streams(topology({ random, start, isLast, hive }), {
      applicationId,
      log: wrap?.log?.(log) ?? log,
      stateDir: `/state-${process.name.split(/[ .]/)[1]}`,
      fileSystem: wrap?.files?.(process.files) ?? process.files,
      clock,
      random,
      commitIntervalMs: Math.floor(random.next() * 2000),
      // Little at a time, so that windows close in the middle of what is sent again.
      maxPollBytes: 1 + Math.floor(random.next() ** 2 * 20_000),
    })
    void streams.events.forEach(event => {
      const line = lineOf(event)
      if (line !== null) this.#options.tell(`${process.name} ${line}`)
      if (event.type !== 'table-held' || event.reason === null) return
      if (event.reason.code === this.#options.stopsWith) this.hasStopped = true
      else {
        const problem = `${event.table} is held back: ${event.reason.message}`
        this.#options.fail(new Violation('no-table-held-back', problem))
      }
    })
    return streams
  }

  async #openLog(process: Process): Promise<Log> {
    const { host, broker, source, log } = this.#options
    const { scheduler, faults } = host
    if (log !== 'files') return new SimulatedLog({ broker, process, scheduler, faults })
    const { clock, random, files } = process
    const storage = this.#judged(new FileStorage(files, '/state-1/log'))
    const embedded = await EmbeddedLog.open({
      storage,
      clock,
      random,
      sources: [source],
      isSkewed: true,
    })
    // To be polled is a step, as with brokers.
    return embedded
  }

  #judged(storage: LogStorage): LogStorage {
    const { commits } = this.#options
    return {
      open: async () => {
        const state = await storage.open()
        commits.found(state.offsets)
        return state
      },
      commit: async (appends, offsets) => {
        await storage.commit(appends, offsets)
        try {
          await commits.decided(
            appends.flatMap(({ records }) => records),
            offsets,
          )
        } catch (error) {
          this.#options.fail(error)
        }
      },
      createTopic: topic => storage.createTopic(topic),
      read: (at, offset, maxBytes) => storage.read(at, offset, maxBytes),
      deleteRecords: (at, offset) => storage.deleteRecords(at, offset),
      rewrite: (at, kept) => storage.rewrite(at, kept),
      close: () => storage.close(),
    }
  }

  #judgeEnd(error: unknown): void {
    const code = error instanceof ForagerError ? error.code : 'unknown'
    if (code === this.#options.stopsWith) {
      this.hasStopped = true
      return
    }
    const isPassing = passing.has(code)
    if (this.#options.host.faults.isOver) this.#quietFailures += 1
    if (isPassing && this.#quietFailures <= maxQuietFailures) return
    this.#options.fail(error)
  }
}
