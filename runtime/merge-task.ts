/**
 * Sub-topology 2: one partition of the staged topic, and so the only merger of its tables. Batches that
 * wait are folded and applied, table by table; then one transaction says how far each table is and
 * moves the offset. The partition's offset is the low-water mark: batches that a truncate holds back
 * stay above it, and are skipped for the tables that already have them.
 */
import type { LogBatch, ProducerRecord, TopicPartition } from '../log/log.ts'
import type { ErrorCode } from '../model/errors.ts'
import { ForagerError, WarehouseError } from '../model/errors.ts'
import { toJson } from '../model/json.ts'
import type { PartitionBy } from '../model/partition-by.ts'
import { partitionOfBytes } from '../model/partitioner.ts'
import type { ApplyReceipt, StagedBatch } from '../model/staged-batch.ts'
import { batchName, decodeStagedBatch } from '../model/staged-batch.ts'
import type { TableSchema } from '../model/table-schema.ts'
import { unionSchema } from '../model/table-schema.ts'
import type { ApplyPlan, WaitingBatch } from '../processors/merge.ts'
import { foldStreams, planApply } from '../processors/merge.ts'
import type { Staging } from '../sinks/staging.ts'
import type { AppliedThrough, Warehouse } from '../sinks/warehouse.ts'
import { noLog } from '../sinks/warehouse.ts'
import type { Pipeline } from '../topology/topology.ts'
import { appliedRecord, readApplied } from './applied.ts'
import { paced } from './pacer.ts'
import { readAll } from './read-all.ts'
import type { Task, TaskContext } from './task.ts'
import { TaskCommitter } from './task.ts'

export interface MergeTaskOptions {
  readonly context: TaskContext
  readonly pipeline: Pipeline
  readonly input: TopicPartition
  /** Identity of the staged topic, and its partitions. */
  readonly topicId: string
  readonly partitions: number
  readonly warehouse: Warehouse
  readonly staging: Staging
}

/** Staged files that one apply reads; what is beyond waits for the next one. */
const maxApplyBytes = 64 * 1024 * 1024
/** Each owner before can get in between once. More of it is another application. */
const maxConflicts = 5

/**
 * After applying it rests for some times as long, so that batches come together: a table that takes long
 * to rewrite is rewritten less often. Applying takes a tenth of the time where a rest of ten seconds is enough
 * for that, and never more than a quarter.
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
  readonly #waiting = new Map<string, WaitingBatch[]>()
  /** How far each table is; filled when a table is first met. */
  readonly #applied = new Map<string, AppliedThrough | null>()
  /** What the log says of the same, from before this task was opened. */
  #loggedApplied = new Map<string, AppliedThrough>()
  /** Tables that cannot be written. What comes for them waits until the task is opened anew. */
  readonly #failed = new Set<string>()
  #token = -1
  /** Monotonic milliseconds. */
  #restsUntil = 0
  /** End of the staged partition when this task was opened: no table can be applied beyond it. */
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
    const { context } = this.#options
    const { offset } = await this.#committer.open()
    context.reach('merge.before-token')
    this.#token = await this.#committer.takeToken()
    context.reach('merge.token-taken')
    this.#end = await context.log.decidedEnd(this.input)
    await this.#removeApplied(offset)
    this.#loggedApplied = await this.#readApplied()
    // A table that was removed is noticed now, and not when its next change comes.
    for (const table of this.#loggedApplied.keys()) await this.#openTable(table)
    this.#next = offset
    this.#committed = offset
    return offset
  }

  process(batch: LogBatch): Promise<null> {
    for (const record of batch.records) {
      const staged = decodeStagedBatch(record.value!)
      const waiting = this.#waiting.get(staged.table) ?? []
      this.#waiting.set(staged.table, waiting)
      waiting.push({ offset: record.offset, batch: staged })
      this.#committer.noteRecord(record)
    }
    this.#next = batch.nextOffset
    this.#measureWaiting()
    return Promise.resolve(null)
  }

  remainingMs(): number | null {
    if (this.#next === this.#committed || !this.#canApply()) return null
    return Math.max(0, this.#restsUntil - this.#options.context.clock.monotonic())
  }

  async maintain(): Promise<void> {
    const { clock } = this.#options.context
    const began = clock.monotonic()
    if (began < this.#restsUntil) return
    await this.#applyAll()
    const ended = clock.monotonic()
    this.#restsUntil = ended + restAfter(ended - began)
  }

  /**
   * Applies of each table what one apply takes. A table that cannot be written is set aside and does not
   * hold back the others: its error is thrown when they are applied and committed.
   */
  async #applyAll(): Promise<void> {
    const records: ProducerRecord[] = []
    const done: StagedBatch[] = []
    const failures: WarehouseError[] = []
    for (const [table, waiting] of this.#waiting) {
      if (this.#failed.has(table)) continue
      const before = done.length
      try {
        await this.#applyTable(table, waiting, done)
      } catch (error) {
        if (!(error instanceof WarehouseError)) throw error
        this.#options.context.logger.error('table.failed', { table, reason: error.describe() })
        this.#failed.add(table)
        failures.push(error)
      }
      const through = this.#applied.get(table) ?? null
      if (done.length === before || through === null) continue
      const appliedAtMs = this.#options.context.clock.now()
      const { applicationId } = this.#options.context
      records.push(appliedRecord(applicationId, { table, through, appliedAtMs }))
    }
    await this.#commit(records, done)
    this.#measureWaiting()
    if (failures[0] !== undefined) throw failures[0]
  }

  async drain(): Promise<void> {
    while (this.#canApply()) await this.#applyAll()
    await this.#applyAll()
    for (const [table, waiting] of this.#waiting) {
      if (waiting.length === 0 || this.#failed.has(table)) continue
      this.#options.context.logger.warn('truncate.waiting', { table, batches: waiting.length })
    }
  }

  confirm(): Promise<void> {
    return this.#committer.confirm()
  }

  close(): Promise<void> {
    for (const table of this.#waiting.keys()) {
      this.#options.context.metrics.forget('forager_batches_waiting', { table })
    }
    return this.#committer.close()
  }

  #canApply(): boolean {
    return [...this.#waiting].some(([table, waiting]) => {
      return !this.#failed.has(table) && planApply(waiting, maxApplyBytes) !== null
    })
  }

  #measureWaiting(): void {
    for (const [table, waiting] of this.#waiting) {
      this.#options.context.metrics.set('forager_batches_waiting', waiting.length, { table })
    }
  }

  /** Applies what can be applied of one table at once. What is in the table then is added to `done`. */
  async #applyTable(table: string, waiting: WaitingBatch[], done: StagedBatch[]): Promise<void> {
    for (let conflicts = 0; ; conflicts += 1) {
      try {
        await this.#applyOnce(table, waiting, done)
        return
      } catch (error) {
        if (!isOf(error, ['warehouse-conflict']) || conflicts >= maxConflicts) throw error
        // An owner before that was paused made its commit after all. The table is ours: look again.
        await this.confirm()
        this.#options.context.logger.warn('table.conflict', { table, reason: error.message })
        this.#applied.delete(table)
      }
    }
  }

  async #applyOnce(table: string, waiting: WaitingBatch[], done: StagedBatch[]): Promise<void> {
    const applied = await this.#openTable(table)
    const old = waiting.filter(({ offset }) => applied !== null && offset <= applied.offset)
    waiting.splice(0, old.length)
    done.push(...old.map(({ batch }) => batch))
    this.#options.context.metrics.count('forager_batches_applied_total', old.length, {
      table,
      outcome: 'already-applied',
    })
    const plan = planApply(waiting, maxApplyBytes)
    if (plan === null) return
    // An ordered truncate of a table that never had a row leaves nothing to empty.
    const isEmpty = unionOf(plan.covered).columns.length === 0
    const isNothing = applied === null && plan.truncate === 'all' && isEmpty
    if (!isNothing) await this.#apply(table, plan, applied)
    // First: a plan may cover the very list of those that wait.
    done.push(...plan.covered.map(({ batch }) => batch))
    waiting.splice(0, plan.covered.length)
  }

  async #apply(table: string, plan: ApplyPlan, after: AppliedThrough | null): Promise<void> {
    const { context, staging, warehouse, topicId } = this.#options
    const { offset, batch: last } = plan.covered.at(-1)!
    const through = { topicId, offset, batch: batchName(last) }
    const began = context.clock.monotonic()
    context.reach('merge.before-apply')
    const receipt = await this.#dividedBy(table, last.partitionBy, partitionBy => {
      const streams = plan.sources.map(({ batch }) => staging.read(batch))
      return warehouse.apply({
        table,
        token: this.#token,
        after,
        through,
        schema: unionOf(plan.covered),
        partitionBy,
        truncate: plan.truncate,
        changes: paced(foldStreams(streams), context.rest),
      })
    })
    this.#applied.set(table, through)
    context.reach('merge.applied')
    const { metrics, logger } = context
    const { outcome, rowsInserted, rowsUpdated, rowsDeleted, rowsSearched } = receipt
    const batches = plan.covered.length
    metrics.count('forager_batches_applied_total', batches, { table, outcome })
    metrics.count('forager_rows_inserted_total', rowsInserted, { table })
    metrics.count('forager_rows_updated_total', rowsUpdated, { table })
    metrics.count('forager_rows_deleted_total', rowsDeleted, { table })
    metrics.count('forager_partition_searches_total', rowsSearched, { table })
    const seconds = (context.clock.monotonic() - began) / 1000
    metrics.observe('forager_apply_duration_seconds', seconds, { table })
    metrics.set('forager_table_applied_time_seconds', context.clock.now() / 1000, { table })
    logger.info('batch.applied', { table, batches, through: through.offset, ...receipt })
    context.emit({ type: 'batch-applied', table, batches, through: through.offset, receipt })
  }

  /**
   * By what a batch was to be divided when it was staged may be a mistake that the configuration has mended
   * since: where it cannot be applied so, what the configuration says now is tried.
   */
  async #dividedBy(
    table: string,
    staged: PartitionBy | null,
    apply: (partitionBy: PartitionBy | null) => Promise<ApplyReceipt>,
  ): Promise<ApplyReceipt> {
    try {
      return await this.#locate(table, async () => await apply(staged))
    } catch (error) {
      if (!isOf(error, ['partition-column-missing', 'partitioning-changed'])) throw error
      const { partitionBy } = this.#options.pipeline.warehouse.sink.targetOf(table)
      if (toJson(partitionBy) === toJson(staged)) throw error
      return await this.#locate(table, async () => await apply(partitionBy))
    }
  }

  async #locate<T>(table: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action()
    } catch (error) {
      throw error instanceof ForagerError ? error.at({ table }) : error
    }
  }

  /** How far the table is, by its own word; what the log says must not be more. */
  async #openTable(table: string): Promise<AppliedThrough | null> {
    const known = this.#applied.get(table)
    if (known !== undefined) return known
    const { warehouse } = this.#options
    const applied = await this.#locate(table, () => warehouse.open(table))
    if (applied !== null) {
      const problem = await this.#problemOf(applied)
      if (problem !== null) {
        throw new WarehouseError('warehouse-ahead', problem, { context: { table } })
      }
    }
    const logged = this.#loggedApplied.get(table)
    if (logged !== undefined && logged.offset > (applied?.offset ?? -1)) {
      throw new WarehouseError(
        'warehouse-behind',
        `the table was applied through offset ${logged.offset}, and it ` +
          (applied === null ? 'does not exist' : `has only ${applied.offset}`),
        { context: { table } },
      )
    }
    this.#applied.set(table, applied)
    return applied
  }

  /** Why a table that is applied so far was not written through this log; null: it was. */
  async #problemOf(applied: AppliedThrough): Promise<string | null> {
    const { context, topicId } = this.#options
    if (applied.topicId === noLog.topicId) return null
    if (applied.topicId !== topicId) {
      return `the table was written through the log ${applied.topicId}, and this is ${topicId}`
    }
    if (applied.offset >= this.#end) {
      return `the table is applied through offset ${applied.offset}, and the log ended at ${this.#end}`
    }
    const { start } = await context.log.offsets(this.input)
    // What is deleted was applied: no batch that waits is below.
    if (applied.offset < start || applied.batch === undefined) return null
    const { records } = await context.log.read(this.input, applied.offset, 1)
    const record = records[0]?.offset === applied.offset ? records[0] : null
    const found = record === null ? 'none' : batchName(decodeStagedBatch(record.value!))
    if (found === applied.batch) return null
    return `the table has batch ${applied.batch} of offset ${applied.offset}, and the log has ${found}`
  }

  /** The tables' progress and the low-water mark, in one transaction; then the files go. */
  async #commit(records: readonly ProducerRecord[], done: readonly StagedBatch[]): Promise<void> {
    const { context, staging } = this.#options
    const offset = this.#lowWaterMark()
    if (records.length === 0 && offset === this.#committed) return
    await this.#committer.commit(records, offset)
    context.reach('merge.committed')
    this.#committed = offset
    // The records go last: while they are there, the next owner knows the files.
    for (const batch of done) await staging.remove(batch)
    await context.log.deleteRecords(this.input, offset)
    context.reach('merge.files-removed')
  }

  /** What the owner before had committed, and did not come to remove. */
  async #removeApplied(offset: number): Promise<void> {
    const { context, staging } = this.#options
    const { start } = await context.log.offsets(this.input)
    if (start >= offset) return
    for await (const record of readAll(context.log, this.input)) {
      if (record.offset >= offset) break
      await staging.remove(decodeStagedBatch(record.value!))
    }
    await context.log.deleteRecords(this.input, offset)
  }

  #lowWaterMark(): number {
    const held = [...this.#waiting.values()].flatMap(waiting => waiting[0]?.offset ?? [])
    return Math.min(this.#next, ...held)
  }

  /** Of the tables that come through this partition. */
  async #readApplied(): Promise<Map<string, AppliedThrough>> {
    const { context, topicId, partitions } = this.#options
    const applied = new Map<string, AppliedThrough>()
    for await (const { table, through } of readApplied(context.log, context.applicationId)) {
      const isOurs = partitionOfBytes(Buffer.from(table), partitions) === this.input.partition
      if (isOurs && through.topicId === topicId) applied.set(table, through)
    }
    return applied
  }
}

function isOf(error: unknown, codes: readonly ErrorCode[]): error is ForagerError {
  return error instanceof ForagerError && codes.includes(error.code)
}

/** A schema that holds the rows of every batch. */
function unionOf(covered: readonly WaitingBatch[]): TableSchema {
  return covered.map(({ batch }) => batch.schema).reduce((a, b) => unionSchema(a, b))
}

function restAfter(applyMs: number): number {
  return Math.max(Math.min(applyMs * restFactor, longRestMs), applyMs * minRestFactor)
}
