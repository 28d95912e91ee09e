/** Hive as a sink of a topology in a simulation: all of `sinks/hive` but the wire, over a simulated server. */
import type { PartitionBy } from '../../model/partition-by.ts'
import type { GivenPolicy } from '../../model/schema-change.ts'
import { policyOf } from '../../model/schema-change.ts'
import { AttemptFiles } from '../../sinks/hive/attempt-files.ts'
import type { HiveRows } from '../../sinks/hive/hive-rows.ts'
import type { Session, SessionStatementOptions } from '../../sinks/hive/hive-session.ts'
import type { Sessions } from '../../sinks/hive/hive-sessions.ts'
import { HiveWarehouse } from '../../sinks/hive/hive-warehouse.ts'
import { localStagingFiles } from '../../sinks/local-staging-files.ts'
import { StagedFiles } from '../../sinks/staged-files.ts'
import type { KeepLimits, WarehouseSink } from '../../sinks/warehouse.ts'
import type { Faults } from './faults.ts'
import type { HiveServer, TemporaryTables } from './hive-server.ts'
import { sessionGone } from './hive-server.ts'
import type { Process } from './process.ts'

export interface SimulatedHiveOptions {
  readonly partitionBy?: (table: string) => PartitionBy | null
  readonly schemaChanges?: GivenPolicy
  readonly keeps?: KeepLimits
}

const stagingPath = '/staging'
const maxSessions = 2
/** Longer than the latest statement takes. */
const drainTimeoutMs = 600_000

export function simulatedHive(
  server: HiveServer,
  process: Process,
  faults: Faults,
  options: SimulatedHiveOptions = {},
): WarehouseSink {
  const policy = policyOf(options.schemaChanges)
  return {
    name: 'hive:simulated',
    targetOf: table => ({ table, partitionBy: options.partitionBy?.(table) ?? null }),
    policyOf: () => policy,
    open: context => {
      const { random, fileSystem } = context
      const files = localStagingFiles(fileSystem)
      return {
        staging: new StagedFiles({ files, root: stagingPath, random }),
        warehouse: new HiveWarehouse({
          ...context,
          name: 'hive:simulated',
          sessions: new SimulatedSessions(server, process, faults),
          attempts: new AttemptFiles({
            files,
            root: `${stagingPath}/apply`,
            random,
            compression: 'none',
          }),
          version: '4.0',
          database: 'default',
          parallel: maxSessions,
          keeps: options.keeps,
          drainTimeoutMs,
          buckets: 1,
        }),
      }
    },
  }
}

class SimulatedSessions implements Sessions {
  readonly #make: () => SimulatedSession
  readonly #idle: SimulatedSession[] = []
  readonly #waiting: ((session: SimulatedSession) => void)[] = []
  #count = 0

  constructor(server: HiveServer, process: Process, faults: Faults) {
    this.#make = () => new SimulatedSession(server, process, faults)
  }

  async use<T>(action: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.#take()
    try {
      return await action(session)
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#idle.push(session)
      else next(session)
    }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #take(): Promise<SimulatedSession> {
    const idle = this.#idle.pop()
    if (idle !== undefined) return Promise.resolve(idle)
    if (this.#count === maxSessions) return new Promise(resolve => this.#waiting.push(resolve))
    this.#count += 1
    return Promise.resolve(this.#make())
  }
}

class SimulatedSession implements Session {
  readonly #server: HiveServer
  readonly #process: Process
  readonly #faults: Faults
  #tables: TemporaryTables = new Map()
  incarnation = 1

  constructor(server: HiveServer, process: Process, faults: Faults) {
    this.#server = server
    this.#process = process
    this.#faults = faults
  }

  async execute(sql: string, options: SessionStatementOptions = {}): Promise<void> {
    await this.#process.call('statement', sql.split('\n')[0]!.slice(0, 120), async () => {
      this.#mayEnd()
      const isSame = (options.incarnation ?? this.incarnation) === this.incarnation
      if (!isSame || options.signal?.aborted === true) throw sessionGone()
      try {
        await this.#server.execute(sql, { tables: this.#tables, signal: options.signal })
      } finally {
        await this.#process.answered()
      }
    })
  }

  async query(sql: string): Promise<HiveRows> {
    return await this.#process.call('statement', sql.slice(0, 120), () => {
      this.#mayEnd()
      return this.#server.query(sql, this.#tables)
    })
  }

  /** What comes next finds another session. */
  #mayEnd(): void {
    if (!this.#faults.strikes('session-lost', () => this.#process.name)) return
    this.incarnation += 1
    this.#tables = new Map()
    throw sessionGone()
  }
}
