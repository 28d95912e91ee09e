/**
 * Sub-topology 2: one partition of the staged topic, and so the only merger of its tables. Batches that
 * wait are folded and applied, table by table (`table-merger.ts`); then one transaction says how far each
 * table is and moves the offset. The partition's offset is the low-water mark: batches that a truncate
 * holds back stay above it, and are skipped for the tables that already have them.
 *
 * Where the warehouse is a server, tables are applied to beside each other while the instance goes on, and
 * each table's progress is committed when its own statement is answered.
 */
import type { LogBatch, TopicPartition } from '../log/log.ts'
import { ForagerError } from '../model/errors.ts'
import { partitionOfBytes } from '../model/partitioner.ts'
import type { StagedBatch } from '../model/staged-batch.ts'
import { decodeStagedBatch } from '../model/staged-batch.ts'
import type { Staging } from '../sinks/staging.ts'
import type { Warehouse } from '../sinks/warehouse.ts'
import type { Pipeline } from '../topology/topology.ts'
import type { TableProgress } from './applied.ts'
import { noProgress, readApplied } from './applied.ts'
import { readParked } from './parked.ts'
import { readAll } from './read-all.ts'
import { TableMerger } from './table-merger.ts'
import type { Task, TaskContext } from './task.ts'
import { TaskCommitter } from './task.ts'

export interface MergeTaskOptions {
  readonly context: TaskContext
  readonly pipeline: Pipeline
  readonly input: TopicPartition
  /** Identity of the staged topic, and its partitions. */
  readonly topicId: string
  readonly partitions: number
  /** Topic of batches of tables that are held back; it has as many partitions. */
  readonly parked: string
  readonly warehouse: Warehouse
  readonly staging: Staging
}

/**
 * After applying it rests for some times as long, so that batches come together: a table that takes long
 * to rewrite is rewritten less often. Applying takes a tenth of the time where a rest of ten seconds is enough
 * for that, and never more than a quarter. (A server's tables do not rest: what waits for a session comes
 * together meanwhile.)
 */
const restFactor = 9
const longRestMs = 10_000
const minRestFactor = 3

export class MergeTask implements Task {
  readonly id: string
  readonly input: TopicPartition
  readonly stage = 2
  readonly #options: MergeTaskOptions
  readonly #committer: TaskCommitter
  readonly #tables = new Map<string, TableMerger>()
  /** What the log says of tables, from before this task was opened. */
  #logged = new Map<string, TableProgress>()
  /** Tables that are applied to now. */
  readonly #running = new Map<string, Promise<void>>()
  readonly #closing = new AbortController()
  /** The transactions of the task, one after the other. */
  #committing: Promise<unknown> = Promise.resolve()
  /** What went wrong meanwhile; the next turn throws it. */
  #failure: unknown = null
  /** Batches whose progress is committed; their files go. */
  readonly #applied: StagedBatch[] = []
  #token = -1
  /** Monotonic milliseconds. */
  #restsUntil = 0
  #end = 0
  #next = 0
  #committed = 0

  constructor(options: MergeTaskOptions) {
    const { context, pipeline, input } = options
    this.#options = options
    this.input = input
    this.id = `${pipeline.firstSubTopology + 2}_${input.partition}`
    this.#committer = new TaskCommitter(context, this.id, input)
  }

  async open(): Promise<number> {
    const { context, warehouse } = this.#options
    const { offset } = await this.#committer.open()
    context.reach('merge.before-token')
    this.#token = await this.#committer.takeToken()
    context.reach('merge.token-taken')
    this.#end = await context.log.decidedEnd(this.input)
    this.#logged = await this.#readLogged()
    await this.#removeApplied(offset)
    this.#next = offset
    this.#committed = offset
    this.#tellTables()
    for (const [table, { through, quarantine }] of this.#logged) {
      const merger = this.#mergerOf(table)
      context.metrics.set('forager_table_quarantined', quarantine === null ? 0 : 1, { table })
      if (quarantine !== null) {
        const { code, reason } = quarantine
        context.logger.warn('table.quarantined', { table, code, reason })
      }
      // A table that was removed is noticed now, and not when its next change comes.
      else if (through !== null && !warehouse.isRemote) await merger.open()
    }
    return offset
  }

  process(batch: LogBatch): Promise<null> {
    for (const record of batch.records) {
      const staged = decodeStagedBatch(record.value!)
      this.#mergerOf(staged.table).add({ offset: record.offset, batch: staged })
      this.#committer.noteRecord(record)
    }
    this.#next = batch.nextOffset
    this.#measureWaiting()
    return Promise.resolve(null)
  }

  remainingMs(): number | null {
    if (this.#failure !== null) return 0
    const { clock } = this.#options.context
    const now = clock.monotonic()
    const tables = [...this.#tables.values()]
    const expiry = Math.min(...tables.map(({ kept }) => kept.expiresMs ?? Infinity)) - clock.now()
    if (tables.some(table => table.hasNews && !this.#running.has(table.table))) {
      return Math.max(0, this.#restsUntil - now)
    }
    if (this.#running.size >= this.#options.warehouse.parallel) return null
    const due = tables.flatMap(table => (this.#running.has(table.table) ? [] : (table.dueMs ?? [])))
    if (due.length === 0) {
      const waits = Math.min(...tables.map(({ halves }) => halves.endMs ?? Infinity)) - now
      const next = Math.min(expiry > 0 ? expiry : Infinity, waits > 0 ? waits : Infinity)
      return next < Infinity ? next : null
    }
    return Math.max(0, Math.max(this.#restsUntil, Math.min(...due)) - now)
  }

  async maintain(): Promise<void> {
    this.#throwFailure()
    const { clock } = this.#options.context
    const began = clock.monotonic()
    if (began < this.#restsUntil) return
    if (this.#options.warehouse.isRemote) {
      this.#letGo()
      this.#startDue()
      if (this.#hasNews()) await this.#commit()
      return
    }
    await this.#applyAll()
    const ended = clock.monotonic()
    this.#restsUntil = ended + restAfter(ended - began)
  }

  /** All that there is was read. */
  async drain(): Promise<void> {
    for (const { halves } of this.#tables.values()) halves.isAtEnd = true
    try {
      await this.#drain()
    } finally {
      for (const { halves } of this.#tables.values()) halves.isAtEnd = false
    }
  }

  async #drain(): Promise<void> {
    while (this.#running.size > 0 || this.#due(null).length > 0) {
      this.#startDue()
      await (this.#running.size > 0 ? Promise.race(this.#running.values()) : this.#waitForDue())
      this.#throwFailure()
    }
    this.#letGo()
    await this.#commit()
    this.#throwTableFailure()
    for (const { table, batchesWaiting: batches } of this.#tables.values()) {
      if (batches > 0) this.#options.context.logger.warn('truncate.waiting', { table, batches })
    }
  }

  confirm(): Promise<void> {
    return this.#inTurn(() => this.#committer.confirm())
  }

  /** Statements that run are cancelled; whoever has the tables next waits for their end. */
  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all(this.#running.values())
    for (const table of this.#tables.keys()) {
      this.#options.context.metrics.forget('forager_batches_waiting', { table })
      this.#options.context.metrics.forget('forager_batches_kept', { table })
      this.#options.context.metrics.forget('forager_batches_kept_bytes', { table })
      this.#options.context.metrics.forget('forager_table_quarantined', { table })
    }
    await this.#committer.close()
  }

  #mergerOf(table: string): TableMerger {
    const known = this.#tables.get(table)
    if (known !== undefined) return known
    const { context, pipeline, warehouse, staging, topicId, parked } = this.#options
    const parkedAt = { topic: parked, partition: this.input.partition }
    const merger = new TableMerger(table, {
      context,
      pipeline,
      warehouse,
      staging,
      staged: { log: context.log, at: this.input, topicId, end: this.#end },
      parkedAt,
      token: this.#token,
      logged: this.#logged.get(table) ?? noProgress,
      commit: async record => {
        await this.#inTurn(() => this.#committer.commit([record], null))
      },
      confirm: () => this.confirm(),
      readParked: () => readParked(context.log, parkedAt),
      signal: this.#closing.signal,
    })
    this.#tables.set(table, merger)
    return merger
  }

  #tellTables(): void {
    const { context, topicId } = this.#options
    const tables = [...this.#logged].map(([table, { through }]) => {
      return { table, through: through?.offset ?? -1 }
    })
    context.emit({ type: 'tables-opened', task: this.id, token: this.#token, topicId, tables })
  }

  /** Applies of each table what one apply takes, then commits all of it at once. */
  async #applyAll(): Promise<void> {
    for (const table of this.#due()) await table.apply()
    await this.#commit()
    this.#measureWaiting()
    this.#throwTableFailure()
  }

  /** Tables that something can be applied to, those first that wait for the longest. */
  #due(now: number | null = this.#options.context.clock.monotonic()): readonly TableMerger[] {
    const isDue = ({ table, dueMs }: TableMerger): boolean => {
      return !this.#running.has(table) && dueMs !== null && (now === null || dueMs <= now)
    }
    const since = ({ heldFrom }: TableMerger): number => heldFrom ?? 0
    return [...this.#tables.values()].filter(isDue).sort((a, b) => since(a) - since(b))
  }

  /** Until a table may be tried again. */
  async #waitForDue(): Promise<void> {
    const { clock } = this.#options.context
    const dueMs = Math.min(...this.#due(null).map(table => table.dueMs ?? 0))
    await clock.sleep(Math.max(0, dueMs - clock.monotonic()), this.#closing.signal)
  }

  #startDue(): void {
    for (const merger of this.#due()) {
      if (this.#running.size >= this.#options.warehouse.parallel) return
      const running = this.#run(merger).finally(() => this.#running.delete(merger.table))
      this.#running.set(merger.table, running)
    }
  }

  /** Never rejects: it runs beside the loop, which throws what is set down. */
  async #run(merger: TableMerger): Promise<void> {
    try {
      await merger.apply()
      await this.#commit()
      this.#measureWaiting()
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#failure ??= error
    }
  }

  #letGo(): void {
    for (const table of this.#tables.values()) if (!this.#running.has(table.table)) table.letGo()
  }

  #hasNews(): boolean {
    return [...this.#tables.values()].some(({ hasNews }) => hasNews)
  }

  #throwFailure(): void {
    const failure = this.#failure
    this.#failure = null
    if (failure !== null) throw failure
  }

  #throwTableFailure(): void {
    for (const { failure } of this.#tables.values()) if (failure !== null) throw failure
  }

  #measureWaiting(): void {
    for (const { table, batchesWaiting, kept } of this.#tables.values()) {
      this.#options.context.metrics.set('forager_batches_waiting', batchesWaiting, { table })
      this.#options.context.metrics.set('forager_batches_kept', kept.count, { table })
      this.#options.context.metrics.set('forager_batches_kept_bytes', kept.bytes, { table })
    }
  }

  /** The tables' progress and the low-water mark, in one transaction; then the files go. */
  #commit(): Promise<void> {
    return this.#inTurn(async () => {
      const { context } = this.#options
      const outcomes = [...this.#tables.values()].map(table => table.take())
      const records = outcomes.flatMap(outcome => outcome.records)
      const done = outcomes.flatMap(outcome => outcome.done)
      const offset = this.#lowWaterMark()
      if (records.length === 0 && done.length === 0 && offset === this.#committed) return
      await this.#committer.commit(records, offset)
      context.reach('merge.committed')
      this.#committed = offset
      this.#applied.push(...done)
      // The records go last: while they are there, the next owner knows the files.
      if (!(await this.#removeFiles())) return
      await context.log.deleteRecords(this.input, this.#keptFrom(offset))
      context.reach('merge.files-removed')
    })
  }

  /** False when staging does not answer: what is left is removed the next time. */
  async #removeFiles(): Promise<boolean> {
    const { context, staging, warehouse } = this.#options
    for (let [batch] = this.#applied; batch !== undefined; [batch] = this.#applied) {
      try {
        await staging.remove(batch)
      } catch (error) {
        const isPassing = error instanceof ForagerError && error.retry === 'backoff'
        if (!isPassing || !warehouse.isRemote) throw error
        context.logger.warn('staging.files-left', {
          files: this.#applied.length,
          reason: error.message,
        })
        return false
      }
      this.#applied.shift()
    }
    return true
  }

  /** The task has one transaction at a time. */
  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#committing.then(action)
    this.#committing = turn.catch(() => undefined)
    return turn
  }

  /** What the owner before had committed, and did not come to remove. */
  async #removeApplied(offset: number): Promise<void> {
    const { context, staging } = this.#options
    const { start } = await context.log.offsets(this.input)
    if (start >= offset) return
    const isHeldBack = (batch: StagedBatch): boolean => {
      return (this.#logged.get(batch.table)?.quarantine ?? null) !== null
    }
    for await (const record of readAll(context.log, this.input)) {
      if (record.offset >= offset) break
      const batch = decodeStagedBatch(record.value!)
      const applied = this.#logged.get(batch.table)?.through?.offset ?? -1
      // What was parked needs its files.
      if (isHeldBack(batch) && record.offset > applied) continue
      const sinceMs = this.#logged.get(batch.table)?.appliedAtMs ?? context.clock.now()
      const { kept } = this.#mergerOf(batch.table)
      if (!kept.keepAgain({ offset: record.offset, batch }, sinceMs)) await staging.remove(batch)
    }
    await context.log.deleteRecords(this.input, this.#keptFrom(offset))
  }

  /** What is below in the log nobody needs: the next owner finds what is kept by its records. */
  #keptFrom(offset: number): number {
    const kept = [...this.#tables.values()].flatMap(table => table.kept.from ?? [])
    return Math.min(offset, ...kept)
  }

  #lowWaterMark(): number {
    const held = [...this.#tables.values()].flatMap(({ heldFrom }) => heldFrom ?? [])
    return Math.min(this.#next, ...held)
  }

  /** Of the tables that come through this partition. */
  async #readLogged(): Promise<Map<string, TableProgress>> {
    const { context, topicId, partitions } = this.#options
    const logged = new Map<string, TableProgress>()
    for await (const { table, ...found } of readApplied(context.log, context.applicationId)) {
      const isOurs = partitionOfBytes(Buffer.from(table), partitions) === this.input.partition
      const isOfThisLog = found.through === null || found.through.topicId === topicId
      if (isOurs && isOfThisLog) logged.set(table, found)
    }
    return logged
  }
}

function restAfter(applyMs: number): number {
  return Math.max(Math.min(applyMs * restFactor, longRestMs), applyMs * minRestFactor)
}
