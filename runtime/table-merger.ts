/**
 * One table's merger: the batches that wait for it, how far it is, and applying what can be applied at
 * once. It never commits: `take` says what the task's next transaction is to hold for the table, and until
 * that transaction is made nothing that it needs again is given away.
 */
import type { ProducerRecord, TopicPartition } from '../log/log.ts'
import type { ErrorCode } from '../model/errors.ts'
import { ForagerError, WarehouseError } from '../model/errors.ts'
import { toJson } from '../model/json.ts'
import type { PartitionBy } from '../model/partition-by.ts'
import type { ApplyReceipt, StagedBatch } from '../model/staged-batch.ts'
import { batchName } from '../model/staged-batch.ts'
import type { ApplyPlan, WaitingBatch } from '../processors/merge.ts'
import { canPlan, foldStreams, planApply, unionOf, withoutLeaves } from '../processors/merge.ts'
import type { Staging } from '../sinks/staging.ts'
import type { AppliedThrough, Warehouse } from '../sinks/warehouse.ts'
import type { Pipeline } from '../topology/topology.ts'
import type { Claim, Quarantine, TableProgress } from './applied.ts'
import { appliedRecord } from './applied.ts'
import { areNew, withKeys } from './highest-keys.ts'
import { paced } from './pacer.ts'
import type { ParkedBatch } from './parked.ts'
import { parkedRecord } from './parked.ts'
import { Retries } from './retries.ts'
import type { StagedLog } from './table-progress.ts'
import { openTable } from './table-progress.ts'
import type { TaskContext } from './task.ts'

export interface TableMergerOptions {
  readonly context: TaskContext
  readonly pipeline: Pipeline
  readonly warehouse: Warehouse
  readonly staging: Staging
  readonly staged: StagedLog
  /** Where batches of the table go while it is held back. */
  readonly parkedAt: TopicPartition
  readonly token: number
  /** What the log said of the table when the task was opened. */
  readonly logged: TableProgress
  /** Commits a record, with the fence of the task. */
  readonly commit: (record: ProducerRecord) => Promise<void>
  /** StateError `task-fenced` when the task has another owner. */
  readonly confirm: () => Promise<void>
  readonly readParked: () => AsyncIterable<ParkedBatch>
  readonly signal: AbortSignal
}

/** What one transaction holds of a table. */
export interface TableOutcome {
  readonly records: readonly ProducerRecord[]
  /** Batches that are in the table: when the transaction is made, their files go. */
  readonly done: readonly StagedBatch[]
}

/** Staged files that one apply reads; what is beyond waits for the next one. */
const maxApplyBytes = 64 * 1024 * 1024
/** Each owner before can get in between once. More of it is another application. */
const maxConflicts = 5

export class TableMerger {
  readonly table: string
  readonly #options: TableMergerOptions
  #waiting: WaitingBatch[] = []
  #done: StagedBatch[] = []
  #progress: TableProgress
  /** The log does not have the progress yet. */
  #isChanged = false
  /** How far the table is; undefined before it was opened. */
  #applied: AppliedThrough | null | undefined
  #attempt = 0
  /** How far statements went that may be under way, or may have taken effect; -1: there is none. */
  #doubtfulThrough: number
  readonly #retries = new Retries()
  /** Monotonic milliseconds. */
  #retryAtMs = 0
  #failure: WarehouseError | null = null
  /** Staged offset of the operator's word that the table may go on; what is below was parked. */
  #resumesAt: number | null = null
  #isParkedRead = false
  /** Highest staged offset that was read for the table. */
  #lastOffset = -1
  /** Of those that wait. */
  #broughtBack: ReadonlySet<WaitingBatch> = new Set()

  constructor(table: string, options: TableMergerOptions) {
    this.table = table
    this.#options = options
    this.#progress = options.logged
    this.#doubtfulThrough = options.logged.claim?.through ?? -1
  }

  /** Why the table cannot be written. It waits until the task is opened anew, or until it is resumed. */
  get failure(): WarehouseError | null {
    return this.#failure
  }

  get batchesWaiting(): number {
    return this.#waiting.length
  }

  /** First staged offset that the table still needs; null when it needs none. */
  get heldFrom(): number | null {
    // What was brought back is in its topic until the table is resumed; else it may only be here.
    const unparked = this.#waiting.find(one => !this.#broughtBack.has(one))?.offset ?? null
    if (this.#resumesAt === null || unparked === null) return this.#resumesAt ?? unparked
    return Math.min(this.#resumesAt, unparked)
  }

  add(waiting: WaitingBatch): void {
    const { offset, batch } = waiting
    if (batch.resumes === true) {
      const { quarantine } = this.#progress
      // Of a word that was given before this time it was held back, nothing is to be heard again.
      if (quarantine !== null && offset > (quarantine.afterOffset ?? -1)) this.#resumesAt ??= offset
    } else if (offset > (this.#waiting.at(-1)?.offset ?? -1)) this.#waiting.push(waiting)
    this.#lastOffset = Math.max(this.#lastOffset, offset)
  }

  /** When there is something to apply, in monotonic milliseconds; null when there is nothing. */
  get dueMs(): number | null {
    return this.#canApply() ? this.#retryAtMs : null
  }

  /** The log has something to learn of the table. */
  get hasNews(): boolean {
    return (
      this.#isChanged || this.#done.length > 0 || (this.#isHeldBack && this.#waiting.length > 0)
    )
  }

  /** Opens the table, where it was not yet: one that was removed is noticed without a change for it. */
  async open(): Promise<void> {
    await this.#guarded(async () => void (await this.#open()))
  }

  /** Applies once what can be applied together. What the warehouse fails with is taken in. */
  async apply(): Promise<void> {
    await this.#guarded(async () => {
      if (this.#resumesAt !== null) await this.#bringBack()
      for (let conflicts = 0; ; conflicts += 1) {
        try {
          await this.#applyOnce()
          break
        } catch (error) {
          if (!isOf(error, ['warehouse-conflict']) || conflicts >= maxConflicts) throw error
          // An owner before that was paused made its commit after all. The task is ours: look again.
          await this.#options.confirm()
          const { message: reason } = error
          this.#options.context.logger.warn('table.conflict', { table: this.table, reason })
          this.#applied = undefined
        }
      }
      this.#retries.reset()
      this.#endQuarantine()
    })
  }

  /** What the next transaction holds. From here on it is the transaction's. */
  take(): TableOutcome {
    const { context, parkedAt } = this.#options
    const parked = this.#isHeldBack ? this.#waiting : []
    if (parked.length > 0) this.#waiting = []
    const records = parked.map(one => parkedRecord(parkedAt, one, context.clock.now()))
    if (this.#isChanged) records.push(this.#record())
    const done = this.#done
    this.#done = []
    this.#isChanged = false
    return { records, done }
  }

  get #isHeldBack(): boolean {
    return this.#progress.quarantine !== null && this.#resumesAt === null
  }

  #canApply(): boolean {
    if (this.#failure !== null || this.#isHeldBack) return false
    const isToBringBack = this.#resumesAt !== null && !this.#isParkedRead
    if (isToBringBack) return true
    // Readers may have seen all of a statement that is in doubt: less of it would be a step back.
    const isLess = (this.#waiting.at(-1)?.offset ?? -1) < this.#doubtfulThrough
    return !isLess && canPlan(this.#waiting)
  }

  #record(): ProducerRecord {
    const { context } = this.#options
    const { applicationId, clock } = context
    return appliedRecord(applicationId, { table: this.table, ...this.#progress }, clock.now())
  }

  async #open(): Promise<AppliedThrough | null> {
    if (this.#applied !== undefined) return this.#applied
    const { warehouse, staged } = this.#options
    this.#applied = await openTable(this.table, warehouse, this.#progress.through, staged)
    return this.#applied
  }

  async #applyOnce(): Promise<void> {
    const { context } = this.#options
    const applied = await this.#open()
    const isOld = ({ offset }: WaitingBatch): boolean =>
      applied !== null && offset <= applied.offset
    const old = this.#waiting.filter(isOld)
    this.#waiting = this.#waiting.filter(one => !isOld(one))
    this.#done.push(...old.map(({ batch }) => batch))
    if (old.length > 0) this.#advance(applied!, this.#progress.claim)
    const labels = { table: this.table, outcome: 'already-applied' }
    context.metrics.count('forager_batches_applied_total', old.length, labels)
    const plan = planApply(this.#waiting, maxApplyBytes)
    if (plan === null) return
    // An ordered truncate of a table that never had a row leaves nothing to empty.
    const isEmpty = unionOf(plan.covered).columns.length === 0
    const isNothing = applied === null && plan.truncate === 'all' && isEmpty
    if (!isNothing) await this.#applyPlan(plan, applied)
    else this.#finish(plan)
  }

  #finish({ covered }: ApplyPlan): void {
    this.#done.push(...covered.map(({ batch }) => batch))
    // While they were applied, others may have come.
    this.#waiting = this.#waiting.slice(covered.length)
  }

  async #applyPlan(plan: ApplyPlan, after: AppliedThrough | null): Promise<void> {
    const { context, staging, warehouse, staged, token, signal } = this.#options
    const { offset, batch: last } = plan.covered.at(-1)!
    const through = { topicId: staged.topicId, offset, batch: batchName(last) }
    const began = context.clock.monotonic()
    context.reach('merge.before-apply')
    const isNew = areNew(plan, this.#progress.highest ?? null)
    const receipt = await this.#dividedBy(last.partitionBy, async partitionBy => {
      this.#attempt += 1
      const attempt = this.#attempt
      const streams = plan.sources.map(({ batch }) => {
        const isSame = toJson(batch.partitionBy) === toJson(partitionBy)
        return isSame ? staging.read(batch) : withoutLeaves(staging.read(batch))
      })
      return await warehouse.apply({
        table: this.table,
        token,
        after,
        through,
        schema: unionOf(plan.covered),
        partitionBy,
        truncate: plan.truncate,
        changes: paced(foldStreams(streams), context.rest),
        attempt,
        isInDoubt: this.#doubtfulThrough >= 0,
        areNew: isNew,
        claim: () => this.#claim(attempt, offset),
        signal,
      })
    })
    this.#applied = through
    // One apply may not cover all that is in doubt: a batch with another schema ends it.
    if (offset >= this.#doubtfulThrough) this.#doubtfulThrough = -1
    this.#progress = withKeys(this.#progress, plan.covered, { isNew, ...receipt })
    this.#advance(through, this.#doubtfulThrough < 0 ? null : this.#progress.claim)
    this.#finish(plan)
    context.reach('merge.applied')
    this.#report(receipt, plan.covered.length, offset, began)
  }

  /** A claim stays for as long as its statement may be under way. */
  #advance(through: AppliedThrough, claim: Claim | null): void {
    const appliedAtMs = this.#options.context.clock.now()
    this.#progress = { ...this.#progress, through, appliedAtMs, claim }
    this.#isChanged = true
  }

  /** From here on nobody can know whether the statement takes effect, until it is answered. */
  async #claim(attempt: number, through: number): Promise<void> {
    const { context, token, commit } = this.#options
    context.reach('merge.before-claim')
    const claim = { token, attempt, through: Math.max(through, this.#doubtfulThrough) }
    this.#progress = { ...this.#progress, claim }
    await commit(this.#record())
    this.#doubtfulThrough = claim.through
    context.reach('merge.claimed')
  }

  #report(receipt: ApplyReceipt, batches: number, through: number, beganMs: number): void {
    const { context } = this.#options
    const { table } = this
    const { metrics, logger } = context
    const { outcome, rowsInserted, rowsUpdated, rowsDeleted, rowsSearched } = receipt
    metrics.count('forager_batches_applied_total', batches, { table, outcome })
    metrics.count('forager_rows_inserted_total', rowsInserted, { table })
    metrics.count('forager_rows_updated_total', rowsUpdated, { table })
    metrics.count('forager_rows_deleted_total', rowsDeleted, { table })
    metrics.count('forager_partition_searches_total', rowsSearched, { table })
    const seconds = (context.clock.monotonic() - beganMs) / 1000
    metrics.observe('forager_apply_duration_seconds', seconds, { table })
    metrics.set('forager_table_applied_time_seconds', context.clock.now() / 1000, { table })
    logger.info('batch.applied', { table, batches, through, ...receipt })
    context.emit({ type: 'batch-applied', table, batches, through, receipt })
  }

  /**
   * By what a batch was to be divided when it was staged may be a mistake that the configuration has mended
   * since: where it cannot be applied so, what the configuration says now is tried.
   */
  async #dividedBy(
    staged: PartitionBy | null,
    apply: (partitionBy: PartitionBy | null) => Promise<ApplyReceipt>,
  ): Promise<ApplyReceipt> {
    try {
      return await apply(staged)
    } catch (error) {
      if (!isOf(error, ['partition-column-missing', 'partitioning-changed'])) throw error
      const { partitionBy } = this.#options.pipeline.warehouse.sink.targetOf(this.table)
      if (toJson(partitionBy) === toJson(staged)) throw error
      return await apply(partitionBy)
    }
  }

  /** What was parked comes before what waits. Files of batches that the table has by now are gone. */
  async #bringBack(): Promise<void> {
    if (this.#isParkedRead) return
    const applied = (await this.#open())?.offset ?? -1
    const parked = new Map<number, WaitingBatch>()
    for await (const { offset, batch } of this.#options.readParked()) {
      if (batch.table === this.table && offset > applied) parked.set(offset, { offset, batch })
    }
    this.#isParkedRead = true
    this.#broughtBack = new Set(parked.values())
    // A batch that was parked may have been read again since: it has its place among the others.
    const unparked = this.#waiting.filter(({ offset }) => !parked.has(offset))
    this.#waiting = [...parked.values(), ...unparked].sort((a, b) => a.offset - b.offset)
    this.#options.context.logger.info('table.resuming', { table: this.table, batches: parked.size })
  }

  /** When all that was parked is applied. */
  #endQuarantine(): void {
    const resumesAt = this.#resumesAt
    if (resumesAt === null) return
    const isBefore = (one: WaitingBatch): boolean => {
      return one.offset < resumesAt || this.#broughtBack.has(one)
    }
    if (this.#waiting.some(isBefore)) return
    this.#setQuarantine(null)
    this.#options.context.logger.info('table.resumed', { table: this.table })
  }

  #setQuarantine(quarantine: Quarantine | null): void {
    // What was parked is in its topic still.
    this.#waiting = this.#waiting.filter(one => !this.#broughtBack.has(one))
    this.#broughtBack = new Set()
    this.#resumesAt = null
    this.#isParkedRead = false
    // While a table is held back it is mended by hand: nobody knows any more which rows are in it.
    this.#progress = { ...this.#progress, quarantine, highest: null }
    this.#isChanged = true
    const { metrics } = this.#options.context
    metrics.set('forager_table_quarantined', quarantine === null ? 0 : 1, { table: this.table })
  }

  /** What the warehouse cannot do now is tried again; what it never can holds the table back. */
  async #guarded(action: () => Promise<void>): Promise<void> {
    try {
      await action()
    } catch (error) {
      if (!(error instanceof ForagerError) || this.#options.signal.aborted) throw error
      const isPassing = error.retry === 'backoff' && this.#options.warehouse.isRemote
      if (!(error instanceof WarehouseError) && !isPassing) throw error
      this.#fail(error.at({ table: this.table }), isPassing)
    }
  }

  #fail(error: ForagerError, isPassing: boolean): void {
    const { context } = this.#options
    const { table } = this
    const { clock, logger, metrics } = context
    metrics.count('forager_apply_failures_total', 1, { table, code: error.code })
    // Which statement was refused is not known here: an attempt before may be under way still.
    const waitMs = this.#retries.afterFailure(error.code === 'statement-failed')
    if (isPassing && waitMs !== null) {
      this.#retryAtMs = clock.monotonic() + waitMs
      logger.warn('table.retrying', { table, waitMs, reason: error.describe() })
      return
    }
    logger.error('table.failed', { table, reason: error.describe() })
    if (!context.quarantines) {
      this.#failure = error instanceof WarehouseError ? error : asWarehouseError(error)
      return
    }
    const { code, message: reason } = error
    const afterOffset = this.#lastOffset
    this.#setQuarantine({ code, reason, sinceMs: clock.now(), afterOffset })
    this.#retries.reset()
  }
}

function asWarehouseError({ code, message, retry, context, cause }: ForagerError): WarehouseError {
  return new WarehouseError(code, message, { retry, context, cause })
}

function isOf(error: unknown, codes: readonly ErrorCode[]): error is ForagerError {
  return error instanceof ForagerError && codes.includes(error.code)
}
