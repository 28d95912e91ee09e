/** What the source does, from its first statement to its last, and what becomes of its topics meanwhile. */
import { partitionName } from '../../log/log.ts'
import type { Random } from '../../runtime/random.ts'
import { applicationId } from './application.ts'
import type { Broker } from './broker.ts'
import type { Faults } from './faults.ts'
import type { HiveServer } from './hive-server.ts'
import type { SimulatedDatabase, SimulationOptions } from './options.ts'
import type { Actor, Scheduler } from './scheduler.ts'
import { sourceTopic } from './workload.ts'

export interface SourceProgramOptions
  extends Pick<SimulationOptions, 'appearing' | 'deleting' | 'expires' | 'statements'> {
  readonly database: SimulatedDatabase
  readonly broker: Broker
  readonly hive: HiveServer
  readonly scheduler: Scheduler
  readonly faults: Faults
  readonly random: Random
  /** Of what is sent again. */
  readonly resends: Random
  readonly tell: (line: string) => void
}

const maxSentAtOnce = 6
const maxPauseMs = 1500
const lookEveryMs = 2000
const maxMissingMs = 20_000
const noticedWithinMs = 3 * 60_000

export class SourceProgram {
  readonly #options: SourceProgramOptions
  readonly #actor: Actor = { name: 'source', pausedUntilMs: 0, isGone: false }
  /** The last one that was made. */
  statement = 0
  isOver = false

  constructor(options: SourceProgramOptions) {
    this.#options = options
  }

  /** The statements, one after the other. */
  async run(): Promise<void> {
    const { random, statements = 60, expires = false, scheduler, database } = this.#options
    const last = typeof statements === 'number' ? statements : statements.at(-1)!
    for (let number = 1; number <= last; number += 1) {
      if (number === 1 + (last >>> 1)) {
        this.#showTopics()
        if (expires) this.#expireRecords()
        this.#deleteTopics()
      }
      if (random.next() < 0.3) await scheduler.sleep(this.#actor, random.next() * 3000)
      await scheduler.turn(this.#actor, 'a statement')
      database.step()
      const { faults, broker } = this.#options
      if (faults.strikes('compaction', () => 'of the topics of the log')) broker.compact()
      await this.#mayResend()
      this.statement = number
    }
    await this.#outlast()
    this.isOver = true
  }

  /** What is sent again comes little by little: windows end in the midst of it. */
  async #mayResend(): Promise<void> {
    const { database, broker, scheduler, resends } = this.#options
    const { source } = database
    source.hold()
    database.mayResend()
    while (source.release(1 + Math.floor(resends.next() * maxSentAtOnce))) {
      broker.wake()
      await scheduler.sleep(this.#actor, resends.next() * maxPauseMs)
    }
    broker.wake()
  }

  /** A table whose columns were changed late is mended with its next change: there is one. */
  async #outlast(): Promise<void> {
    const { hive, database, broker, scheduler, deleting } = this.#options
    // Topics are looked up again.
    if (deleting?.anew === true) await scheduler.sleep(this.#actor, noticedWithinMs)
    while (hive.hasLateChanges || hive.cut.length > 0) {
      await scheduler.sleep(this.#actor, lookEveryMs)
      if (hive.hasLateChanges) continue
      for (const table of hive.cut) database.touch?.(table)
      broker.wake()
    }
  }

  #showTopics(): void {
    for (const table of this.#options.appearing ?? []) {
      this.#options.tell(`${sourceTopic(table)} is there`)
      this.#options.database.source.show(sourceTopic(table))
    }
  }

  #deleteTopics(): void {
    const { deleting, database, broker, tell, scheduler, random } = this.#options
    for (const table of deleting?.tables ?? []) {
      tell(`${sourceTopic(table)} is deleted`)
      database.lose?.(table)
      if (deleting?.anew !== true) continue
      scheduler.at(scheduler.nowMs + random.next() * maxMissingMs, () => {
        tell(`${sourceTopic(table)} is made anew`)
        database.makeAnew?.(table)
        broker.coordinator.topicAppeared(sourceTopic(table))
        broker.wake()
      })
    }
  }

  /** Of partitions that were read before: no retention is so short that it takes others. */
  #expireRecords(): void {
    const { broker, database, tell } = this.#options
    for (const { name: topic, partitions } of database.source.topics) {
      for (let partition = 0; partition < partitions; partition += 1) {
        const at = { topic, partition }
        if ((broker.committed(applicationId, at) ?? null) === null) continue
        const { end } = database.source.offsets(at)
        tell(`${partitionName(at)} loses its records below ${end}`)
        database.source.expire(at, end)
      }
    }
  }
}
