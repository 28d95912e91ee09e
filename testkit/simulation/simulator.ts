/**
 * The deterministic simulator: the real runtime over simulated files, time and a log, driven by one
 * seed. The process crashes at calls of the interfaces that are injected (before the call takes effect
 * or after), loses what it had not synced, and starts anew; the producer sends blocks again. The judge
 * looks after every commit that a reader could see. The same seed gives the same story.
 */
import { EmbeddedLog } from '../../log/embedded-log.ts'
import { FileStorage } from '../../log/file-storage.ts'
import { partitionName } from '../../log/log.ts'
import type { LogStorage, StoredAppend, StoredOffset } from '../../log/log-storage.ts'
import { MemoryStorage } from '../../log/log-storage.ts'
import { decodeStagedBatch } from '../../model/staged-batch.ts'
import { Loop } from '../../runtime/loop.ts'
import type { Random } from '../../runtime/random.ts'
import { seededRandom } from '../../runtime/random.ts'
import { withDefaults } from '../../runtime/streams.ts'
import type { Topology } from '../../topology/topology.ts'
import { ManualClock } from '../manual-clock.ts'
import { MemorySource } from '../memory-source.ts'
import { SimulatedFileSystem } from '../simulated-file-system.ts'
import { Judge, Violation } from './judge.ts'
import { sourceTopic, Workload } from './workload.ts'

export interface SimulationOptions {
  readonly seed: number
  /** Reads topics `sim.shop.<table>` and writes the tables `<table>` to `/warehouse`. */
  readonly topology: (random: Random) => Topology
  readonly tables: readonly string[]
  readonly statements?: number
  /** `ordered`: only where the topics have one partition. Default true. */
  readonly truncates?: boolean | 'ordered'
  /** The producer sends the changes of a row through any partition. */
  readonly spreads?: boolean
  /** Where the log is: a broker that outlives the process, or files that a crash tears. */
  readonly log?: 'memory' | 'files'
  /** Crashes at this call and at no other; absent: at random ones. */
  readonly crashAtCall?: number
}

export interface SimulationResult {
  /** Calls of injected interfaces: as many points to crash at. */
  readonly calls: number
  readonly crashes: number
  readonly looks: number
  /** What happened, line by line. */
  readonly story: readonly string[]
}

/** What a failed simulation throws: the seed, and the story up to the broken promise. */
export class SimulationError extends Error {
  readonly story: readonly string[]

  constructor(seed: number, story: readonly string[], cause: unknown) {
    const what = cause instanceof Error ? cause.message : String(cause)
    super(`seed ${seed}: ${what}\n  ${story.slice(-25).join('\n  ')}`, { cause })
    this.name = 'SimulationError'
    this.story = story
  }
}

const applicationId = 'sim'
const maxCrashes = 8

export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const simulation = new Simulation(options)
  try {
    return await simulation.run()
  } catch (error) {
    throw new SimulationError(options.seed, simulation.story, error)
  }
}

class Simulation {
  readonly story: string[] = []
  readonly #options: SimulationOptions
  readonly #random: Random
  readonly #clock = new ManualClock()
  readonly #files: SimulatedFileSystem
  readonly #source: MemorySource
  readonly #workload: Workload
  readonly #judge: Judge
  readonly #broker = new MemoryStorage()
  /** Committed offsets, by partition: the ranges of the windows of a task tile. */
  readonly #committed = new Map<string, number>()
  readonly #crashChance: number
  #loop: Loop | null = null
  #calls = 0
  #crashes = 0
  #looks = 0
  #isQuiet = false
  #onCrash: () => void = () => undefined
  #violation: unknown = null

  constructor(options: SimulationOptions) {
    const { seed, tables } = options
    this.#options = options
    this.#random = seededRandom(seed)
    const partitions = 1 + Math.floor(this.#random.next() * 3)
    this.#crashChance = options.crashAtCall === undefined ? this.#random.next() ** 2 * 0.02 : 0
    this.#files = new SimulatedFileSystem({
      random: this.#random,
      onCall: (operation, path) => this.#call(operation, path),
    })
    this.#source = new MemorySource(
      Object.fromEntries(tables.map(table => [sourceTopic(table), partitions])),
    )
    const { random } = this
    this.#workload = new Workload({
      random,
      source: this.#source,
      tables,
      partitions,
      maxId: 3 + Math.floor(random.next() * 12),
      truncates: options.truncates === 'ordered' ? partitions === 1 : (options.truncates ?? true),
      spreads: options.spreads ?? false,
    })
    this.#judge = new Judge(this.#workload, this.#files, '/warehouse')
  }

  get random(): Random {
    return this.#random
  }

  async run(): Promise<SimulationResult> {
    for (let left = this.#options.statements ?? 60; left > 0; left -= 1) {
      this.#workload.step()
      if (this.#random.next() < 0.06) this.#workload.resend()
      if (this.#random.next() < 0.5) await this.#round()
    }
    // Faults are over: everything must come to its end.
    this.#isQuiet = this.#options.crashAtCall === undefined
    for (let rounds = 0; !(await this.#isDone()); rounds += 1) {
      if (rounds > 1000) throw new Violation('it does not come to an end')
    }
    await this.#look('finally')
    const { story } = this
    return { calls: this.#calls, crashes: this.#crashes, looks: this.#looks, story }
  }

  async #round(): Promise<void> {
    this.#clock.advance(Math.floor(this.#random.next() * 1500))
    await this.#alive(async loop => {
      await loop.step(0)
    })
  }

  async #isDone(): Promise<boolean> {
    this.#clock.advance(5000)
    let isDone = false
    await this.#alive(async loop => {
      isDone = !(await loop.step(0)) && (await loop.drainAll())
    })
    return isDone
  }

  /** Runs an action of the process until it is done or the process has crashed. */
  async #alive(action: (loop: Loop) => Promise<void>): Promise<void> {
    const crashed = new Promise<'crashed'>(resolve => {
      this.#onCrash = () => resolve('crashed')
    })
    const done = (async () => {
      this.#loop ??= await this.#start()
      await action(this.#loop)
    })()
    const outcome = await Promise.race([done, crashed])
    if (this.#violation !== null) throw this.#violation
    if (outcome !== 'crashed') return
    // The action hangs for ever in the call that it crashed in; nobody waits for it any more.
    this.#loop = null
    this.#files.crash()
    await this.#look('after the crash')
  }

  async #start(): Promise<Loop> {
    this.story.push('the process starts')
    const { random } = this
    const log = await EmbeddedLog.open({
      storage: this.#watched(
        this.#options.log === 'files' ? new FileStorage(this.#files, '/state/log') : this.#broker,
      ),
      clock: this.#clock,
      random,
      sources: [this.#source],
      isSkewed: true,
    })
    const given = {
      applicationId,
      log,
      stateDir: '/state',
      fileSystem: this.#files,
      clock: this.#clock,
      random,
      commitIntervalMs: Math.floor(random.next() * 2000),
      // Little at a time, so that windows close in the middle of what is sent again.
      maxPollBytes: 1 + Math.floor(random.next() ** 2 * 20_000),
    }
    const loop = new Loop(this.#options.topology(random), withDefaults(given), event => {
      if (event.type !== 'progress') this.story.push(JSON.stringify(event).slice(0, 200))
    })
    await loop.start()
    return loop
  }

  /** The log's storage, with a place to crash before and after each commit, and its own judge. */
  #watched(storage: LogStorage): LogStorage {
    return {
      open: async () => {
        const state = await storage.open()
        // A commit in which the process crashed may have come about or not.
        for (const offset of state.offsets)
          this.#committed.set(partitionName(offset), offset.offset)
        return state
      },
      createTopic: topic => storage.createTopic(topic),
      commit: async (appends, offsets) => {
        await this.#call('commit', 'log')
        await storage.commit(appends, offsets)
        this.#checkTiling(appends, offsets)
        await this.#call('committed', 'log')
      },
      read: async (partition, offset, maxBytes) => {
        await this.#call('read', 'log')
        return await storage.read(partition, offset, maxBytes)
      },
      deleteRecords: (partition, offset) => storage.deleteRecords(partition, offset),
      rewrite: (partition, kept) => storage.rewrite(partition, kept),
      close: () => storage.close(),
    }
  }

  /** Windows of a task follow each other without a gap, and a commit moves past just its window. */
  #checkTiling(appends: readonly StoredAppend[], offsets: readonly StoredOffset[]): void {
    for (const { topic, partition, offset } of offsets) {
      const name = partitionName({ topic, partition })
      const from = this.#committed.get(name) ?? 0
      const batches = appends
        .filter(append => append.topic.endsWith('-staged'))
        .flatMap(({ records }) => records.map(record => decodeStagedBatch(record.value!)))
      const isTiled = batches.every(({ range }) => range.from === from && range.to === offset)
      if (!isTiled || offset < from) {
        this.#violation ??= new Violation(`${name}: a window does not begin at ${from}`)
      }
      this.#committed.set(name, offset)
    }
  }

  /** Every call of an injected interface comes through here: it may be the last one. */
  async #call(operation: string, path: string): Promise<void> {
    if (this.#looking) return
    this.#calls += 1
    if (operation === 'linked') await this.#look(`after ${path}`)
    if (!this.#shouldCrash()) return
    this.#crashes += 1
    this.story.push(`crash in call ${this.#calls}: ${operation} ${path}`)
    this.#onCrash()
    await new Promise(() => undefined)
  }

  #shouldCrash(): boolean {
    const { crashAtCall } = this.#options
    if (crashAtCall !== undefined) return this.#calls === crashAtCall
    if (this.#isQuiet || this.#crashes >= maxCrashes) return false
    return this.#random.next() < this.#crashChance
  }

  #looking = false

  async #look(when: string): Promise<void> {
    this.#looking = true
    this.#looks += 1
    try {
      if (when === 'finally') await this.#judge.lookFinally()
      else await this.#judge.look()
    } catch (error) {
      this.#violation ??= error
      this.story.push(`the judge, ${when}: ${(error as Error).message}`)
      this.#onCrash()
      throw error
    } finally {
      this.#looking = false
    }
  }
}
