/** What a simulation is told, and what it tells. */
import type { Log } from '../../log/log.ts'
import type { Row } from '../../model/value.ts'
import type { FileSystem } from '../../runtime/file-system.ts'
import type { Random } from '../../runtime/random.ts'
import type { WarehouseSink } from '../../sinks/warehouse.ts'
import type { Topology } from '../../topology/topology.ts'
import type { MemorySource } from '../memory-source.ts'
import type { Broker } from './broker.ts'
import type { Drops } from './dropped-tables.ts'
import type { FaultRates } from './faults.ts'
import type { CaseFailure } from './shrink.ts'
import type { SimulatedHiveOptions } from './simulated-hive.ts'
import { withoutSteps } from './story.ts'

/** A database with its connector, and who judges the tables that follow it. */
export interface SimulatedDatabase {
  readonly source: MemorySource
  /** Each of its changes is to come through: the topology leaves none out. */
  readonly isWhole: boolean
  /** The next statement, which may be one that is left out. */
  step(): void
  /** Sometimes the producer crashes, and sends again what it sent last. */
  mayResend(): void
  /** One change of the table. */
  touch?(table: string): void
  /** The table's topic is deleted. */
  lose?(table: string): void
  /** Another one of its name is made. */
  makeAnew?(table: string): void
  /** `rowsOf` reads tables that are not in the folder; null: it is not there either. */
  judge(files: FileSystem, root: string, rowsOf: RowsOf): TableReader
}

export type RowsOf = (table: string) => readonly Row[] | null

export interface TableReader {
  /** At one table. Throws Violation. */
  look(table: string): Promise<void>
  /** At all tables, with all faults over. Throws Violation. */
  lookFinally(): Promise<void>
  /** What of the source the tables did not have when they were last looked at; null: nothing. */
  unfinished(): string | null
}

/** What a process of the application is started with. */
export interface ProcessSite {
  /** Other numbers for each process: what is chosen by them changes over restarts. */
  readonly random: Random
  /** 1 for the first process of the simulation. */
  readonly start: number
  /** Nothing goes wrong any more: what was left out for a while is to be there. */
  readonly isLast: boolean
  /** Tables of the simulation's Hive, which outlives the processes. */
  readonly hive: (options?: SimulatedHiveOptions) => WarehouseSink
}

/** Where a test puts something of its own between the runtime and the simulation. */
export interface Wraps {
  /** Of each process. */
  readonly log?: (log: Log) => Log
  /** Of each process. */
  readonly files?: (files: FileSystem) => FileSystem
  /** Once, before the first process starts. */
  readonly broker?: (broker: Broker) => void
}

export interface SimulationOptions {
  readonly seed: number
  /**
   * Made for each process. It reads topics `sim.shop.<table>`, stages in `/staging`, and writes the tables
   * `<table>` to `/warehouse` (`embedded`) or to `site.hive()`. Names of windows and tasks must stay over restarts.
   */
  readonly topology: (site: ProcessSite) => Topology
  readonly tables: readonly string[]
  /** Instead of these tables: a database of one's own. */
  readonly database?: (tell: (line: string) => void) => SimulatedDatabase
  /** How many statements the source makes, or which ones, by their numbers from 1. Default 60. */
  readonly statements?: number | readonly number[]
  /** Processes at once: 1 to 3, by the seed. Over `files` it is one. */
  readonly instances?: number
  /** Of kinds that are not named the seed chooses which there are, and how often. */
  readonly faults?: FaultRates
  /** Names of faults, as the story has them, that are not injected. */
  readonly skippedFaults?: readonly string[]
  /** `ordered`: only where the topics have one partition. Default true. */
  readonly truncates?: boolean | 'ordered'
  /** Of the statements; by default one of a hundred. */
  readonly truncateShare?: number
  /** The producer sends the changes of a row through any partition. */
  readonly spreads?: boolean
  /** In the middle of it source topics lose the records that they have, read or not. */
  readonly expires?: boolean
  /** Tables whose topics are deleted in the middle of it; `anew`: and made anew, a while later. */
  readonly deleting?: { readonly tables: readonly string[]; readonly anew: boolean }
  /** Tables whose topics are not there before the middle of it. */
  readonly appearing?: readonly string[]
  /** Code of an error that a process may end with, or a table be held back by, and the simulation ends with it. */
  readonly stopsWith?: string
  /** See `WorkloadOptions`. */
  readonly connector?: 'mysql' | 'postgresql'
  readonly oldKeysStayFree?: boolean
  readonly snapshots?: boolean
  readonly drops?: Drops
  /** Where the log is: brokers that outlive the processes, or files that a crash tears. */
  readonly log?: 'brokers' | 'files'
  /** A process crashes at this call and at no other; nothing else goes wrong. */
  readonly crashAtCall?: number
  readonly wrap?: Wraps
}

export interface SimulationResult {
  /** Calls of injected interfaces, before and after each: as many points to crash at. */
  readonly calls: number
  readonly steps: number
  readonly crashes: number
  /** Faults that were injected. */
  readonly faults: number
  readonly looks: number
  /** It ended with the error that it may end with; else tables are what the source is. */
  readonly hasStopped: boolean
  /** Simulated time. */
  readonly elapsedMs: number
  /** What happened, line by line. */
  readonly story: readonly string[]
}

/** A simulation that broke a promise: which one, and what had happened by then. `cause` is what was thrown. */
export class SimulationError extends Error {
  readonly seed: number
  readonly failure: CaseFailure
  readonly story: readonly string[]

  constructor(seed: number, failure: CaseFailure, story: readonly string[], cause: unknown) {
    const what = cause instanceof Error ? cause.message : String(cause)
    super(`seed ${seed}: ${what}\n  ${withoutSteps(story).slice(-25).join('\n  ')}`, { cause })
    this.name = 'SimulationError'
    this.seed = seed
    this.failure = failure
    this.story = story
  }
}
