/**
 * The open window of a task and its way to staging: changes are folded in the task's store; when the
 * window closes, its net changes are written as ORC, and the records that name the files are handed to the
 * task, whose transaction passes the window. The store needs no changelog: until that transaction the
 * offset stands at the window's beginning, and after a crash the window is read again.
 */
import type { ProducerRecord, TopicPartition } from '../log/log.ts'
import { assert } from '../model/errors.ts'
import type { NetChange } from '../model/net-change.ts'
import { NewestMarks } from '../model/newest-marks.ts'
import { partitionOfBytes } from '../model/partitioner.ts'
import type { OffsetRange, StagedBatch } from '../model/staged-batch.ts'
import {
  batchName,
  decodeStagedBatch,
  encodeStagedBatch,
  windowName,
} from '../model/staged-batch.ts'
import type { CloseReason, WindowLimits, WindowPart } from '../processors/compact.ts'
import { OpenWindow } from '../processors/compact.ts'
import type { StagedWindow, Staging, TaskOwner } from '../sinks/staging.ts'
import type { StateStore, StateStoreSupplier } from '../state/state-store.ts'
import { paced } from './pacer.ts'
import { readParked } from './parked.ts'
import { readAll } from './read-all.ts'
import type { WindowClosing } from './streams-events.ts'
import type { TaskContext } from './task.ts'

const windowGauges = [
  'forager_window_rows',
  'forager_window_bytes',
  'forager_window_age_seconds',
] as const

export interface TaskWindowOptions {
  readonly context: TaskContext
  readonly task: string
  /** What the task reads, and the identity of that topic. */
  readonly input: TopicPartition
  readonly topicId: string
  readonly limits: WindowLimits
  readonly store: StateStoreSupplier
  /** For the store. */
  readonly folder: string
  /** `parked` is the topic of batches of tables that are held back. */
  readonly staged: {
    readonly topic: string
    readonly id: string
    readonly partitions: number
    readonly parked: string
  }
  readonly staging: Staging
  /** Whether a truncate, or drop, may have to find in what was staged which rows of the part are newer. */
  readonly marksLastRows: (part: WindowPart) => boolean
}

/** A window that was staged, until its transaction is committed. */
interface Staged {
  readonly range: OffsetRange
  readonly reason: CloseReason
  readonly batches: readonly StagedBatch[]
  readonly partitions: readonly number[]
  /** Monotonic milliseconds. */
  readonly beganMs: number
}

export class TaskWindow {
  readonly #options: TaskWindowOptions
  #owner: TaskOwner | null = null
  #store: StateStore | null = null
  #window: OpenWindow | null = null
  #staged: Staged | null = null
  #isSwept = false

  constructor(options: TaskWindowOptions) {
    this.#options = options
  }

  /** After the owner before was fenced. `token` is this one's. */
  async open(token: number, offset: number): Promise<void> {
    const { context, task, store, folder } = this.#options
    context.reach('window.token-taken')
    this.#owner = { task, token }
    this.#store = await store.open(folder)
    this.#window = new OpenWindow(this.#store, context.metrics, offset)
  }

  /** What is in it. */
  get content(): OpenWindow {
    return this.#window!
  }

  get sizeBytes(): number {
    return this.#store!.sizeBytes
  }

  get dueReason(): CloseReason | null {
    const { context, limits } = this.#options
    return this.#window!.dueReason(limits, context.clock.monotonic())
  }

  remainingMs(): number | null {
    const { context, limits } = this.#options
    return this.#window!.remainingMs(limits, context.clock.monotonic())
  }

  async settle(): Promise<void> {
    await this.#store!.settle()
  }

  /**
   * Writes the window's files and makes them durable. Resolves to the records that name them, for the
   * transaction that moves the offset to `to`; then `committed`.
   */
  async stage(to: number, reason: CloseReason): Promise<readonly ProducerRecord[]> {
    const { context, staged } = this.#options
    const beganMs = context.clock.monotonic()
    context.reach('window.closing')
    await this.#sweep()
    const range = { from: this.#window!.range.from, to }
    assert(range.to >= range.from, 'a window ends before it begins', { task: this.#options.task })
    context.emit({ type: 'window-closing', ...this.#told(range, reason) })
    const batches = await this.#write(range)
    const timestampMs = context.clock.now()
    const records = batches.map(batch => {
      const key = Buffer.from(batch.table)
      const partition = partitionOfBytes(key, staged.partitions)
      return { topic: staged.topic, partition, key, value: encodeStagedBatch(batch), timestampMs }
    })
    const partitions = records.map(({ partition }) => partition)
    this.#staged = { range, reason, batches, partitions, beganMs }
    return records
  }

  /** The transaction is committed: the next window begins. `offsets` are those of its first records. */
  async committed(offsets: readonly number[]): Promise<void> {
    const { context, task } = this.#options
    const { range, beganMs, ...told } = this.#staged!
    context.reach('window.committed')
    this.#staged = null
    await this.#window!.reset(range.to)
    const seconds = (context.clock.monotonic() - beganMs) / 1000
    context.metrics.observe('forager_window_close_duration_seconds', seconds, { task })
    this.#report(range, told, offsets)
  }

  measure(): void {
    const { context, task } = this.#options
    const { metrics, clock } = context
    const { rows, bytes, ageMs } = this.#window!.measure(clock.monotonic())
    metrics.set('forager_window_rows', rows, { task })
    metrics.set('forager_window_bytes', bytes, { task })
    metrics.set('forager_window_age_seconds', ageMs / 1000, { task })
  }

  async close(): Promise<void> {
    const { context, task } = this.#options
    for (const name of windowGauges) context.metrics.forget(name, { task })
    await this.#store?.close()
  }

  /**
   * Removes what a crash of an owner before left. Not when the task is opened: whoever died may have had
   * transactions of other tasks under way, and to know all records takes until those are opened as well.
   */
  async #sweep(): Promise<void> {
    if (this.#isSwept) return
    await this.#options.staging.sweep(this.#owner!, await this.#stagedBatches())
    this.#isSwept = true
  }

  /** A window that nets to nothing has no file. */
  async #write(range: OffsetRange): Promise<readonly StagedBatch[]> {
    const { context, staging } = this.#options
    const batches: StagedBatch[] = []
    let staged: StagedWindow | null = null
    for await (const part of this.#window!.close()) {
      staged ??= await staging.openWindow(this.#owner!, range)
      batches.push(await this.#writePart(staged, part, range))
    }
    context.reach('window.files-written')
    await staged?.seal()
    context.reach('window.sealed')
    return batches
  }

  async #writePart(
    staged: StagedWindow,
    part: WindowPart,
    range: OffsetRange,
  ): Promise<StagedBatch> {
    const { context, task } = this.#options
    const { schema, truncate, creates, eventCount, sourceMs, newest, positions, changedKeys } = part
    const { table, partitionBy } = part.target
    const lastRows = this.#options.marksLastRows(part) ? new NewestMarks() : null
    const changes = lastRows === null ? part.changes : noting(part.changes, lastRows)
    const file = await staged.write(table, schema, paced(changes, context.rest))
    return {
      table,
      partitionBy,
      task,
      range,
      schema,
      files: [file],
      rowCount: file.rowCount,
      eventCount,
      truncate,
      ...(creates ? { creates } : {}),
      sourceMs,
      ...(newest === null ? {} : { newest }),
      positions,
      ...(changedKeys.length === 0 ? {} : { changedKeys }),
      ...(lastRows === null ? {} : { lastRows: lastRows.marks }),
    }
  }

  #told(range: OffsetRange, reason: CloseReason): Omit<WindowClosing, 'type'> {
    const { task, input, topicId } = this.#options
    const window = windowName(task, range.from)
    return { task, window, input: { ...input, topicId }, range, reason }
  }

  #report(
    range: OffsetRange,
    { reason, batches, partitions }: Omit<Staged, 'range' | 'beganMs'>,
    offsets: readonly number[],
  ): void {
    const { context, task, staged } = this.#options
    const { metrics, logger } = context
    const window = windowName(task, range.from)
    metrics.count('forager_windows_closed_total', 1, { reason })
    let events = 0
    let netChanges = 0
    for (const [index, batch] of batches.entries()) {
      const { table } = batch
      events += batch.eventCount
      netChanges += batch.rowCount
      metrics.count('forager_net_changes_total', batch.rowCount, { table })
      metrics.count('forager_batches_staged_total', 1, { table })
      const bytes = batch.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
      metrics.count('forager_bytes_staged_total', bytes, { table })
      logger.info('batch.staged', { batch: batchName(batch), table, window, rows: batch.rowCount })
      const place = { topicId: staged.id, partition: partitions[index]!, offset: offsets[index]! }
      context.emit({ type: 'batch-staged', batch, window, ...place })
    }
    logger.info('window.closed', { window, task, ...range, reason, events, netChanges })
    const told = this.#told(range, reason)
    context.emit({ type: 'window-closed', ...told, events, netChanges, batches: batches.length })
  }

  /** All batches that are staged or parked: their files are not to be swept. */
  async #stagedBatches(): Promise<readonly StagedBatch[]> {
    const { context, task, staged } = this.#options
    const batches: StagedBatch[] = []
    for (let partition = 0; partition < staged.partitions; partition += 1) {
      const at = { topic: staged.topic, partition }
      for await (const record of readAll(context.log, at)) {
        batches.push(decodeStagedBatch(record.value!))
      }
      const parkedAt = { topic: staged.parked, partition }
      for await (const { batch } of readParked(context.log, parkedAt)) batches.push(batch)
    }
    return batches.filter(batch => batch.task === task)
  }
}

async function* noting(
  parts: AsyncIterable<readonly NetChange[]>,
  lastRows: NewestMarks,
): AsyncGenerator<readonly NetChange[]> {
  for await (const part of parts) {
    for (const { last } of part) lastRows.note(last)
    yield part
  }
}
