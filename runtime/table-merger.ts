/**
 * One table's merger: the batches that wait for it, how far it is, and applying what can be applied at
 * once. It never commits: `take` says what the task's next transaction is to hold for the table, and until
 * that transaction is made nothing that it needs again is given away.
 */
import type { ProducerRecord, TopicPartition } from '../log/log.ts'
import { ForagerError, WarehouseError } from '../model/errors.ts'
import type { PartitionBy } from '../model/partition-by.ts'
import type { FollowedSchema } from '../model/schema-change.ts'
import type { StagedBatch } from '../model/staged-batch.ts'
import { batchName } from '../model/staged-batch.ts'
import type { ApplyPlan, WaitingBatch } from '../processors/merge.ts'
import { canPlan, foldStreams, planApply, planUnder } from '../processors/merge.ts'
import type { Staging } from '../sinks/staging.ts'
import type { AppliedThrough, Warehouse } from '../sinks/warehouse.ts'
import type { Pipeline } from '../topology/topology.ts'
import type { Claim, Quarantine, TableProgress } from './applied.ts'
import { appliedRecord } from './applied.ts'
import { dividedBy } from './divided-by.ts'
import { Doubt } from './doubt.ts'
import { HalfWaits } from './half-waits.ts'
import { areNew, withKeys } from './highest-keys.ts'
import { KeptBatches } from './kept-batches.ts'
import { paced } from './pacer.ts'
import type { ParkedBatch } from './parked.ts'
import { parkedRecord } from './parked.ts'
import { oldRowsOf, planStreams, repeatedPlan } from './plan-streams.ts'
import { isConflict, Retries } from './retries.ts'
import { withDrops } from './source-drops.ts'
import { Statement, tellHeld } from './statement.ts'
import { TableEvolution } from './table-evolution.ts'
import type { StagedLog } from './table-progress.ts'
import { openTable } from './table-progress.ts'
import type { TaskContext } from './task.ts'
import { WaitingBatches } from './waiting-batches.ts'

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

/** Each owner before can get in between once. More of it is another application. */
const maxConflicts = 5

export class TableMerger {
  readonly table: string
  readonly #options: TableMergerOptions
  readonly #waiting: WaitingBatches
  /** Batches that it has and whose files are kept. */
  readonly kept: KeptBatches
  #done: StagedBatch[] = []
  #progress: TableProgress
  /** The log does not have the progress yet. */
  #isChanged = false
  /** How far the table is; undefined before it was opened. */
  #applied: AppliedThrough | null | undefined
  #attempt = 0
  readonly #doubt: Doubt
  readonly halves: HalfWaits
  readonly #retries = new Retries()
  /** Monotonic milliseconds. */
  #retryAtMs = 0
  #failure: WarehouseError | null = null
  readonly #evolution: TableEvolution

  constructor(table: string, options: TableMergerOptions) {
    this.table = table
    this.#options = options
    this.#progress = options.logged
    this.#waiting = new WaitingBatches(options.logged.quarantine)
    this.kept = new KeptBatches(options.warehouse.keeps, options.logged, one =>
      this.#waiting.isBroughtBack(one),
    )
    this.#doubt = new Doubt(options.logged)
    this.halves = new HalfWaits(options.context, table)
    this.#evolution = new TableEvolution(table, options)
  }

  /** Why the table cannot be written. It waits until the task is opened anew, or until it is resumed. */
  get failure(): WarehouseError | null {
    return this.#failure
  }

  get batchesWaiting(): number {
    return this.#waiting.all.length
  }

  /** First staged offset that the table still needs; null when it needs none. */
  get heldFrom(): number | null {
    return this.#waiting.heldFrom
  }

  add(waiting: WaitingBatch): void {
    this.#waiting.add(waiting)
  }

  /** When there is something to apply, in monotonic milliseconds; null when there is nothing. */
  get dueMs(): number | null {
    return this.#canApply() ? this.#retryAtMs : null
  }

  /** The log has something to learn of the table. */
  get hasNews(): boolean {
    const isToPark = this.#waiting.isHeldBack && this.batchesWaiting > 0
    return this.#isChanged || this.#done.length > 0 || isToPark
  }

  /** Opens the table, where it was not yet: one that was removed is noticed without a change for it. */
  async open(): Promise<void> {
    await this.#guarded(async () => void (await this.#open()))
  }

  /** Applies once what can be applied together. What the warehouse fails with is taken in. */
  async apply(): Promise<void> {
    await this.#guarded(async () => {
      if (this.#waiting.isToBringBack) await this.#bringBack()
      for (let conflicts = 0; ; conflicts += 1) {
        try {
          await this.#applyOnce()
          break
        } catch (error) {
          if (!isConflict(error) || conflicts >= maxConflicts) throw error
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
    const parked = this.#waiting.takeHeldBack()
    const records = parked.map(one => parkedRecord(parkedAt, one, context.clock.now()))
    if (this.#isChanged) records.push(this.#record())
    const done = this.#done
    this.#done = []
    this.#isChanged = false
    return { records, done }
  }

  /** Files that were kept for long enough go; not while an apply may read them, or has to be repeated. */
  letGo(): void {
    if (this.#doubt.isOfApply) return
    const gone = this.kept.letGo(this.#options.context.clock.now())
    this.#isChanged ||= gone.length > 0
    this.#done.push(...gone)
  }

  #canApply(): boolean {
    const { isHeldBack, isToBringBack, all } = this.#waiting
    if (this.#failure !== null || isHeldBack) return false
    if (isToBringBack) return true
    // What the table has may be half a truncate: the other half need not be read again.
    const isPassed = all.length > 0 && all[0]!.offset <= (this.#progress.through?.offset ?? -1)
    const isLess = this.#doubt.isBeyond(all.at(-1)?.offset ?? -1)
    return (
      !isLess &&
      (isPassed || repeatedPlan(this.#doubt, all) !== null || canPlan(all, this.halves.waits))
    )
  }

  #record(): ProducerRecord {
    const { context } = this.#options
    const { applicationId, clock } = context
    const progress = { ...this.#progress, ...this.kept.progress }
    return appliedRecord(applicationId, { table: this.table, ...progress }, clock.now())
  }

  async #open(): Promise<AppliedThrough | null> {
    if (this.#applied !== undefined) return this.#applied
    const { warehouse, staged } = this.#options
    const opened = await openTable(this.table, warehouse, this.#progress, staged)
    this.#evolution.begin(opened)
    this.#applied = opened?.through ?? null
    return this.#applied
  }

  async #applyOnce(): Promise<void> {
    const { context } = this.#options
    const applied = await this.#open()
    const passed = this.#waiting.passThrough(this.#progress.passed ?? -1)
    this.#done.push(...passed.map(({ batch }) => batch))
    const old = this.#waiting.passThrough(applied?.offset ?? -1)
    this.#done.push(...this.kept.keep(old, this.#progress, context.clock.now()))
    if (old.length > 0) {
      this.#statement(old).covered('found')
      this.#advance(applied!, this.#progress.claim)
    }
    const labels = { table: this.table, outcome: 'already-applied' }
    context.metrics.count('forager_batches_applied_total', old.length, labels)
    const { all } = this.#waiting
    const chosen = repeatedPlan(this.#doubt, all) ?? planApply(all, this.halves.waits)
    if (chosen === null) return
    const policy = this.#options.pipeline.warehouse.sink.policyOf(this.table)
    // Who resumes the table was told that rows are missing.
    const isLossAccepted = this.#progress.quarantine?.code === 'truncate-too-late'
    const plan = this.kept.planned(
      planUnder(policy, chosen, this.#evolution.isThere),
      this.#progress,
      isLossAccepted,
    )
    const followed = await this.#evolution.follow(plan, {
      token: this.#options.token,
      begun: () => this.#progress.evolving,
      isInDoubt: () => this.#doubt.isThere,
      nextAttempt: () => (this.#attempt += 1),
      commit: async change => {
        this.#progress = { ...this.#progress, ...change }
        await this.#options.commit(this.#record())
        this.#doubt.evolving(change.evolving !== null)
      },
    })
    if (followed === null) {
      this.#statement(plan.covered).covered('nothing')
      this.kept.passed(plan, this.#progress)
      this.#done.push(...plan.covered.map(({ batch }) => batch))
      this.#waiting.passFirst(plan.covered.length)
      // Their files go, and they may be read again.
      this.#progress = { ...this.#progress, passed: plan.covered.at(-1)!.offset }
      this.#isChanged = true
    } else await this.#applyPlan(plan, applied, followed)
  }

  #statement(covered: readonly WaitingBatch[], attempt = 0): Statement {
    const { context, token, staged } = this.#options
    const { topicId } = staged
    return new Statement(context, { table: this.table, token, attempt, topicId, covered })
  }

  async #applyPlan(
    plan: ApplyPlan,
    after: AppliedThrough | null,
    followed: FollowedSchema,
  ): Promise<void> {
    const { context, staging, warehouse, staged, token, signal } = this.#options
    const { offset, batch: last } = plan.covered.at(-1)!
    const through = { topicId: staged.topicId, offset, batch: batchName(last) }
    const began = context.clock.monotonic()
    context.reach('merge.before-apply')
    const { quarantine, highest = null } = this.#progress
    const isNew = areNew(plan, highest)
    let statement: Statement | null = null
    const configured = (): PartitionBy | null =>
      this.#options.pipeline.warehouse.sink.targetOf(this.table).partitionBy
    const receipt = await dividedBy(last.partitionBy, configured, async partitionBy => {
      this.#attempt += 1
      const attempt = this.#attempt
      const isInDoubt = this.#doubt.isThere
      const { kept } = this
      const streaming = { staging, kept, followed, partitionBy, isInDoubt, quarantine }
      const streams = await planStreams(plan, streaming)
      const told = this.#statement(plan.covered, attempt)
      statement = told
      const request = {
        table: this.table,
        token,
        after,
        through,
        followed,
        partitionBy,
        truncate: plan.truncate,
        changes: paced(foldStreams(streams), context.rest),
        attempt,
        isInDoubt,
        areNew: isNew,
        ...oldRowsOf(plan, quarantine),
        claim: () => this.#claim(attempt, offset, followed).then(() => told.submitted()),
        signal,
      }
      return await told.follow(warehouse.isRemote, () => warehouse.apply(request))
    })
    this.#applied = through
    this.#evolution.report(followed)
    this.#evolution.set(followed)
    // What was begun of its columns is not complete by that: rows of a batch before it lack their defaults.
    this.#progress = { ...this.#progress, followed }
    this.#doubt.applied(offset)
    this.#progress = withKeys(this.#progress, plan.covered, { isNew, ...receipt })
    this.#progress = withDrops(this.#progress, plan.covered, this.table, this.#options)
    this.#done.push(...this.kept.applied(plan, this.#progress, context.clock.now()))
    this.#waiting.passFirst(plan.covered.length)
    this.#advance(through, this.#doubt.isOfApply ? this.#progress.claim : null)
    context.reach('merge.applied')
    statement!.report(receipt, began)
  }

  /** A claim stays for as long as its statement may be under way. */
  #advance(through: AppliedThrough, claim: Claim | null): void {
    this.halves.end()
    const appliedAtMs = this.#options.context.clock.now()
    this.#progress = { ...this.#progress, through, appliedAtMs, claim }
    this.#isChanged = true
  }

  /** From here on nobody can know whether the statement takes effect, until it is answered. */
  async #claim(attempt: number, through: number, followed: FollowedSchema): Promise<void> {
    const { context, token, commit } = this.#options
    context.reach('merge.before-claim')
    const claim = { token, attempt, through: this.#doubt.with(through) }
    // A table that is made for the statement has these columns.
    this.#progress = { ...this.#progress, claim, followed }
    await commit(this.#record())
    this.#doubt.claimed(claim.through)
    context.reach('merge.claimed')
  }

  async #bringBack(): Promise<void> {
    const { context, readParked, warehouse } = this.#options
    const { table } = this
    const applied = (await this.#open())?.offset ?? -1
    // While it was held back somebody may have changed its columns.
    this.#evolution.begin(await warehouse.open(table, this.#progress))
    const known = Math.max(applied, this.#progress.passed ?? -1)
    const batches = await this.#waiting.bringBack(table, readParked(), known)
    context.logger.info('table.resuming', { table, batches })
  }

  /** When all that was parked is applied. */
  #endQuarantine(): void {
    if (!this.#waiting.isResumed) return
    this.#setQuarantine(null)
    this.#options.context.logger.info('table.resumed', { table: this.table })
  }

  #setQuarantine(quarantine: Quarantine | null): void {
    this.#waiting.holdBack(quarantine)
    // While a table is held back it is mended by hand: nobody knows any more which rows are in it.
    this.#progress = { ...this.#progress, quarantine, highest: null }
    this.#isChanged = true
    const { metrics } = this.#options.context
    metrics.set('forager_table_quarantined', quarantine === null ? 0 : 1, { table: this.table })
    tellHeld(this.#options.context, this.table, quarantine)
  }

  /** What the warehouse cannot do now is tried again; what it never can holds the table back. */
  async #guarded(action: () => Promise<void>): Promise<void> {
    try {
      await action()
    } catch (error) {
      if (!(error instanceof ForagerError) || this.#options.signal.aborted) throw error
      const isPassing = error.retry === 'backoff' && this.#options.warehouse.isRemote
      if (!(error instanceof WarehouseError) && !isPassing) throw error
      await this.#fail(error.at({ table: this.table }), isPassing)
    }
  }

  async #fail(error: ForagerError, isPassing: boolean): Promise<void> {
    const { context } = this.#options
    const { table } = this
    const { clock, logger, metrics } = context
    metrics.count('forager_apply_failures_total', 1, { table, code: error.code })
    // Which statement was refused is not known here: an attempt before may be under way still.
    const waitMs = this.#retries.afterFailure(error.code === 'statement-failed')
    if (isPassing && waitMs !== null) {
      // It may have made the table: which columns that has is to be seen before the next one.
      this.#applied = undefined
      this.#retryAtMs = clock.monotonic() + waitMs
      logger.warn('table.retrying', { table, waitMs, reason: error.describe() })
      return
    }
    // Of an owner that was paused, and replaced meanwhile, it says nothing of the table.
    await this.#options.confirm()
    logger.error('table.failed', { table, reason: error.describe() })
    if (!context.quarantines) {
      this.#failure = WarehouseError.of(error)
      return
    }
    const { code, message: reason } = error
    const afterOffset = this.#waiting.lastOffset
    this.#setQuarantine({ code, reason, sinceMs: clock.now(), afterOffset })
    this.#retries.reset()
  }
}
