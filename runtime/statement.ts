/** What a merger tells of its statements, from the plan to the receipt: as events, log lines and counts. */
import { ForagerError } from '../model/errors.ts'
import type { ApplyReceipt } from '../model/staged-batch.ts'
import type { WaitingBatch } from '../processors/merge.ts'
import type { Quarantine } from './applied.ts'
import type { StatementTold } from './streams-events.ts'
import type { TaskContext } from './task.ts'

interface StatementPlan {
  readonly table: string
  readonly token: number
  /** 0: nothing is submitted. */
  readonly attempt: number
  readonly topicId: string
  /** In their order; not empty. */
  readonly covered: readonly WaitingBatch[]
}

export class Statement {
  readonly #context: TaskContext
  readonly #told: Omit<StatementTold, 'state'>

  /** It is planned. */
  constructor(context: TaskContext, { covered, ...plan }: StatementPlan) {
    const { table, token, attempt } = plan
    const { offset: from } = covered[0]!
    const { offset: through } = covered.at(-1)!
    // Batches of several tasks come in any order: which is the first of the source is told by its clock.
    const batches = covered.map(({ batch }) => batch)
    const first = batches.reduce((a, b) => (b.sourceMs.first < a.sourceMs.first ? b : a))
    const last = batches.reduce((a, b) => (b.sourceMs.last >= a.sourceMs.last ? b : a))
    this.#context = context
    this.#told = {
      ...plan,
      type: 'statement',
      statement: `${table}/${token}-${attempt}`,
      from,
      through,
      batches: batches.length,
      positions: { first: first.positions?.first ?? '', last: last.positions?.last ?? '' },
      sourceMs: { first: first.sourceMs.first, last: last.sourceMs.last },
    }
    this.#tell({ state: 'requested' })
  }

  /** From here on it may take effect. */
  submitted(): void {
    const { statement, table, from, through, batches } = this.#told
    const told = { statement, table, from, through, batches }
    this.#context.logger.debug('statement.submitted', told)
    this.#tell({ state: 'inflight' })
  }

  /** Tells how it ends. A warehouse that is not asked for a claim submits at once. */
  async follow(isClaimed: boolean, apply: () => Promise<ApplyReceipt>): Promise<ApplyReceipt> {
    if (!isClaimed) this.submitted()
    try {
      const receipt = await apply()
      this.#tell({ state: 'completed', outcome: receipt.outcome, receipt })
      return receipt
    } catch (error) {
      const code = error instanceof ForagerError ? error.code : 'unknown'
      const message = error instanceof Error ? error.message : String(error)
      const { statement, table } = this.#told
      this.#context.logger.info('statement.failed', { statement, table, code, reason: message })
      this.#tell({ state: 'failed', error: { code, message } })
      throw error
    }
  }

  /** Nothing has to be submitted: the table has the batches, or there is nothing in them for it. */
  covered(outcome: 'found' | 'nothing'): void {
    this.#tell({ state: 'completed', outcome })
  }

  /** Counts what it did; `beganMs` is monotonic. */
  report(receipt: ApplyReceipt, beganMs: number): void {
    const { metrics, logger, clock, emit } = this.#context
    const { statement, table, batches, through } = this.#told
    const { outcome, rowsInserted, rowsUpdated, rowsDeleted, rowsSearched } = receipt
    metrics.count('forager_batches_applied_total', batches, { table, outcome })
    metrics.count('forager_rows_inserted_total', rowsInserted, { table })
    metrics.count('forager_rows_updated_total', rowsUpdated, { table })
    metrics.count('forager_rows_deleted_total', rowsDeleted, { table })
    metrics.count('forager_partition_searches_total', rowsSearched, { table })
    const seconds = (clock.monotonic() - beganMs) / 1000
    metrics.observe('forager_apply_duration_seconds', seconds, { table })
    metrics.set('forager_table_applied_time_seconds', clock.now() / 1000, { table })
    logger.info('batch.applied', { statement, table, batches, through, ...receipt })
    emit({ type: 'batch-applied', table, batches, through, receipt })
  }

  #tell(now: Pick<StatementTold, 'state' | 'outcome' | 'receipt' | 'error'>): void {
    this.#context.emit({ ...this.#told, ...now })
  }
}

/** Null: it goes on. */
export function tellHeld(
  { emit }: TaskContext,
  table: string,
  quarantine: Quarantine | null,
): void {
  const reason = quarantine === null ? null : { code: quarantine.code, message: quarantine.reason }
  emit({ type: 'table-held', table, reason })
}
