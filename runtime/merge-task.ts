/**
 * Sub-topology 2: one partition of the staged topic, and so the only merger of its tables. Batches that
 * wait are folded and applied, table by table; then one transaction says how far each table is and
 * moves the offset. The partition's offset is the low-water mark: batches that a truncate holds back
 * stay above it, and are skipped for the tables that already have them.
 */
import type { LogBatch, ProducerRecord, TopicPartition } from '../log/log.ts'
import { assert, ForagerError, WarehouseError } from '../model/errors.ts'
import { fromJson, toJson } from '../model/json.ts'
import { partitionOfBytes } from '../model/partitioner.ts'
import type { StagedBatch } from '../model/staged-batch.ts'
import { decodeStagedBatch } from '../model/staged-batch.ts'
import type { TableSchema } from '../model/table-schema.ts'
import { unionSchema } from '../model/table-schema.ts'
import type { ApplyPlan, WaitingBatch } from '../processors/merge.ts'
import { foldStreams, planApply } from '../processors/merge.ts'
import type { Staging } from '../sinks/staging.ts'
import type { AppliedThrough, Warehouse } from '../sinks/warehouse.ts'
import { appliedTopic } from '../topology/internal-topics.ts'
import type { Pipeline } from '../topology/topology.ts'
import { paced } from './pacer.ts'
import type { Task, TaskContext } from './task.ts'
import { readAll, TaskCommitter } from './task.ts'

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
  #token = -1
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
    // The offset of this record is the token: it ascends with every owner, and is fenced as they are.
    const [token] = await this.#committer.commit([this.#committer.ownerRecord()], null)
    assert(token !== undefined, 'a merger got no token')
    context.reach('merge.token-taken')
    this.#token = token
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
    return Promise.resolve(null)
  }

  remainingMs(): number | null {
    return this.#next > this.#committed && this.#canApply() ? 0 : null
  }

  async maintain(): Promise<void> {
    const records: ProducerRecord[] = []
    const done: StagedBatch[] = []
    for (const [table, waiting] of this.#waiting) {
      const applied = await this.#applyTable(table, waiting)
      if (applied === null) continue
      done.push(...applied.covered)
      if (this.#applied.get(table) !== null) records.push(this.#appliedRecord(table))
    }
    await this.#commit(records)
    for (const batch of done) await this.#options.staging.remove(batch)
    if (done.length > 0) this.#options.context.reach('merge.files-removed')
  }

  async drain(): Promise<void> {
    while (this.#canApply()) await this.maintain()
    await this.maintain()
    for (const [table, waiting] of this.#waiting) {
      if (waiting.length === 0) continue
      this.#options.context.logger.warn('truncate.waiting', { table, batches: waiting.length })
    }
  }

  confirm(): Promise<void> {
    return this.#committer.confirm()
  }

  close(): Promise<void> {
    return this.#committer.close()
  }

  #canApply(): boolean {
    return [...this.#waiting.values()].some(waiting => planApply(waiting, maxApplyBytes) !== null)
  }

  /** Applies what can be applied of one table at once; null when nothing can. */
  async #applyTable(
    table: string,
    waiting: WaitingBatch[],
  ): Promise<{ readonly covered: readonly StagedBatch[] } | null> {
    const applied = await this.#openTable(table)
    const old = waiting.filter(({ offset }) => applied !== null && offset <= applied.offset)
    waiting.splice(0, old.length)
    this.#options.context.metrics.count('forager_batches_applied_total', old.length, {
      table,
      outcome: 'already-applied',
    })
    const plan = planApply(waiting, maxApplyBytes)
    if (plan === null) {
      return old.length === 0 ? null : { covered: old.map(({ batch }) => batch) }
    }
    // An ordered truncate of a table that never had a row leaves nothing to empty.
    const isEmpty = unionOf(plan.covered).columns.length === 0
    const isNothing = applied === null && plan.truncate === 'all' && isEmpty
    if (!isNothing) await this.#apply(table, plan, applied)
    // Copied first: a plan may cover the very list of those that wait.
    const covered = [...old, ...plan.covered].map(({ batch }) => batch)
    waiting.splice(0, plan.covered.length)
    return { covered }
  }

  async #apply(table: string, plan: ApplyPlan, after: AppliedThrough | null): Promise<void> {
    const { context, staging, warehouse, topicId } = this.#options
    const through = { topicId, offset: plan.covered.at(-1)!.offset }
    const streams = plan.sources.map(({ batch }) => staging.read(batch))
    context.reach('merge.before-apply')
    const receipt = await this.#locate(table, () =>
      warehouse.apply({
        table,
        token: this.#token,
        after,
        through,
        schema: unionOf(plan.covered),
        partitionBy: plan.covered.at(-1)!.batch.partitionBy,
        truncate: plan.truncate,
        changes: paced(foldStreams(streams), context.rest),
      }),
    )
    this.#applied.set(table, through)
    context.reach('merge.applied')
    const { metrics, logger } = context
    const { outcome, rowsInserted, rowsUpdated, rowsDeleted } = receipt
    const batches = plan.covered.length
    metrics.count('forager_batches_applied_total', batches, { table, outcome })
    metrics.count('forager_rows_inserted_total', rowsInserted, { table })
    metrics.count('forager_rows_updated_total', rowsUpdated, { table })
    metrics.count('forager_rows_deleted_total', rowsDeleted, { table })
    logger.info('batch.applied', { table, batches, through: through.offset, ...receipt })
    context.emit({ type: 'batch-applied', table, batches, through: through.offset, receipt })
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
    const { warehouse, topicId } = this.#options
    const applied = await this.#locate(table, () => warehouse.open(table))
    if (applied !== null && applied.topicId !== topicId) {
      throw new WarehouseError(
        'warehouse-ahead',
        `the table was written through the log ${applied.topicId}, and this is ${topicId}`,
        { context: { table } },
      )
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

  /** The tables' progress and the low-water mark, in one transaction. */
  async #commit(records: readonly ProducerRecord[]): Promise<void> {
    const offset = this.#lowWaterMark()
    if (records.length === 0 && offset === this.#committed) return
    await this.#committer.commit(records, offset)
    this.#options.context.reach('merge.committed')
    this.#committed = offset
    await this.#options.context.log.deleteRecords(this.input, offset)
  }

  #lowWaterMark(): number {
    const held = [...this.#waiting.values()].flatMap(waiting => waiting[0]?.offset ?? [])
    return Math.min(this.#next, ...held)
  }

  #appliedRecord(table: string): ProducerRecord {
    const { context } = this.#options
    return {
      topic: appliedTopic(context.applicationId),
      partition: 0,
      key: Buffer.from(table),
      value: Buffer.concat([Buffer.from([1]), Buffer.from(toJson(this.#applied.get(table)))]),
      timestampMs: context.clock.now(),
    }
  }

  /** Of the tables that come through this partition. */
  async #readApplied(): Promise<Map<string, AppliedThrough>> {
    const { context, topicId, partitions } = this.#options
    const at = { topic: appliedTopic(context.applicationId), partition: 0 }
    const applied = new Map<string, AppliedThrough>()
    for await (const { key, value } of readAll(context.log, at)) {
      const through = fromJson(Buffer.from(value!.subarray(1)).toString()) as AppliedThrough
      const isOurs = partitionOfBytes(key!, partitions) === this.input.partition
      if (isOurs && through.topicId === topicId) applied.set(Buffer.from(key!).toString(), through)
    }
    return applied
  }
}

/** A schema that holds the rows of every batch. */
function unionOf(covered: readonly WaitingBatch[]): TableSchema {
  return covered.map(({ batch }) => batch.schema).reduce((a, b) => unionSchema(a, b))
}
