/**
 * Sub-topology 1: one partition of the hop. Changes are folded in the open window; when it closes its
 * net changes are written as ORC to staging, and one transaction names the files and moves the offset
 * past the window. The store needs no changelog: until that transaction the offset stands at the
 * window's beginning, and after a crash the window is read again.
 */
import type { LogBatch, ProducerRecord, TopicPartition } from '../log/log.ts'
import type { HopChangeCursor, HopFrame } from '../model/hop-frame.ts'
import { decodeHopFrame } from '../model/hop-frame.ts'
import { partitionOfBytes } from '../model/partitioner.ts'
import type { StagedBatch } from '../model/staged-batch.ts'
import { decodeStagedBatch, encodeStagedBatch } from '../model/staged-batch.ts'
import type { CloseReason, WindowPart } from '../processors/compact.ts'
import { OpenWindow } from '../processors/compact.ts'
import type { StagedWindow, Staging, TaskOwner } from '../sinks/staging.ts'
import type { StateStore } from '../state/state-store.ts'
import type { Pipeline } from '../topology/topology.ts'
import { LastPositions } from './last-positions.ts'
import { paced } from './pacer.ts'
import { readParked } from './parked.ts'
import { readAll } from './read-all.ts'
import type { Task, TaskContext } from './task.ts'
import { TaskCommitter } from './task.ts'

const windowGauges = [
  'forager_window_rows',
  'forager_window_bytes',
  'forager_window_age_seconds',
] as const

export interface CompactTaskOptions {
  readonly context: TaskContext
  readonly pipeline: Pipeline
  readonly input: TopicPartition
  /** `parked` is the topic of batches of tables that are held back. */
  readonly staged: {
    readonly topic: string
    readonly partitions: number
    readonly parked: string
  }
  readonly staging: Staging
  /** For the task's store. */
  readonly folder: string
  /** Null: the order of the log counts. */
  readonly byPosition: ByPosition | null
}

/** Topics of a pipeline whose changes are ordered by position. */
export interface ByPosition {
  /** Of the last positions of keys. */
  readonly changelog: string
  /** Changes that come through it are dead letters that were replayed. */
  readonly replay: string
}

export class CompactTask implements Task {
  readonly id: string
  readonly input: TopicPartition
  readonly stage = 1
  readonly #options: CompactTaskOptions
  readonly #committer: TaskCommitter
  #owner: TaskOwner | null = null
  #store: StateStore | null = null
  #window: OpenWindow | null = null
  #positions: LastPositions | null = null

  constructor(options: CompactTaskOptions) {
    const { context, pipeline, input } = options
    this.#options = options
    this.input = input
    this.id = `${pipeline.firstSubTopology + 1}_${input.partition}`
    this.#committer = new TaskCommitter(context, this.id, input)
  }

  async open(): Promise<number> {
    const { context, pipeline, staging, folder } = this.#options
    const { offset } = await this.#committer.open()
    const token = await this.#committer.takeToken()
    context.reach('window.token-taken')
    this.#owner = { task: this.id, token }
    await staging.sweep(this.#owner, offset, await this.#stagedBatches())
    this.#store = await pipeline.compact.store.open(folder)
    this.#window = new OpenWindow(this.#store, context.metrics, offset)
    await this.#restorePositions()
    return offset
  }

  async #restorePositions(): Promise<void> {
    const { context, pipeline, folder, byPosition } = this.#options
    if (byPosition === null) return
    const at = { topic: byPosition.changelog, partition: this.input.partition }
    const store = await pipeline.compact.store.open(`${folder}-positions`)
    this.#positions = new LastPositions(context, this.id, at, store)
    await this.#positions.restore()
  }

  async process(batch: LogBatch): Promise<null> {
    const { context, pipeline } = this.#options
    const window = this.#window!
    for (const record of batch.records) {
      const now = context.clock.monotonic()
      const frame = decodeHopFrame(record.value!)
      if (!window.accepts(frame)) await this.#close('schema')
      window.add(frame, now, this.#takesOf(frame))
      window.advance(record.offset + 1, now)
      this.#committer.noteRecord(record)
      await this.#store!.settle()
      await this.#positions?.settle()
      await context.rest()
      const isFull = this.#positions?.isFull === true
      const reason = isFull ? 'rows' : window.dueReason(pipeline.compact.limits, now)
      if (reason !== null) await this.#close(reason)
    }
    window.advance(batch.nextOffset, context.clock.monotonic())
    return null
  }

  /** Which changes of the frame the window takes: those that came after a later one of their key are not. */
  #takesOf(frame: HopFrame): ((changes: HopChangeCursor) => boolean) | undefined {
    const positions = this.#positions
    if (positions === null || frame.kind === 'truncate') return undefined
    const isReplayed = frame.topic === this.#options.byPosition?.replay
    return changes => positions.accepts(changes, isReplayed)
  }

  remainingMs(): number | null {
    const { context, pipeline } = this.#options
    return this.#window!.remainingMs(pipeline.compact.limits, context.clock.monotonic())
  }

  async maintain(): Promise<void> {
    const { context, pipeline } = this.#options
    const reason = this.#window!.dueReason(pipeline.compact.limits, context.clock.monotonic())
    if (reason !== null) await this.#close(reason)
    this.#measure()
  }

  async drain(): Promise<void> {
    if (!this.#window!.isEmpty) await this.#close('end')
  }

  confirm(): Promise<void> {
    return this.#committer.confirm()
  }

  async close(): Promise<void> {
    for (const name of windowGauges) {
      this.#options.context.metrics.forget(name, { task: this.id })
    }
    await this.#store?.close()
    await this.#positions?.close()
    await this.#committer.close()
  }

  async #close(reason: CloseReason): Promise<void> {
    const { context, staged } = this.#options
    const window = this.#window!
    const { range } = window
    const began = context.clock.monotonic()
    context.reach('window.closing')
    const batches = await this.#stage(window)
    const now = context.clock.now()
    const records = batches.map((batch): ProducerRecord => {
      const key = Buffer.from(batch.table)
      const partition = partitionOfBytes(key, staged.partitions)
      return {
        topic: staged.topic,
        partition,
        key,
        value: encodeStagedBatch(batch),
        timestampMs: now,
      }
    })
    const changes = (await this.#positions?.changes()) ?? []
    await this.#committer.commit([...records, ...changes], range.to)
    context.reach('window.committed')
    this.#positions?.committed()
    await window.reset()
    await context.log.deleteRecords(this.input, range.to)
    const seconds = (context.clock.monotonic() - began) / 1000
    context.metrics.observe('forager_window_close_duration_seconds', seconds, { task: this.id })
    this.#report(reason, batches, range)
  }

  #measure(): void {
    const { metrics, clock } = this.#options.context
    const { rows, bytes, ageMs } = this.#window!.measure(clock.monotonic())
    metrics.set('forager_window_rows', rows, { task: this.id })
    metrics.set('forager_window_bytes', bytes, { task: this.id })
    metrics.set('forager_window_age_seconds', ageMs / 1000, { task: this.id })
    this.#positions?.measure()
  }

  /** Writes the window's files and makes them durable. A window that nets to nothing has none. */
  async #stage(window: OpenWindow): Promise<readonly StagedBatch[]> {
    const { context, staging } = this.#options
    const { range } = window
    const batches: StagedBatch[] = []
    let staged: StagedWindow | null = null
    for await (const part of window.close()) {
      staged ??= await staging.openWindow(this.#owner!, range)
      batches.push(await this.#stagePart(staged, part, range))
    }
    context.reach('window.files-written')
    await staged?.seal()
    context.reach('window.sealed')
    return batches
  }

  async #stagePart(
    staged: StagedWindow,
    part: WindowPart,
    range: StagedBatch['range'],
  ): Promise<StagedBatch> {
    const { schema, changes, truncate, eventCount, sourceMs } = part
    const { table, partitionBy } = part.target
    const file = await staged.write(table, schema, paced(changes, this.#options.context.rest))
    return {
      table,
      partitionBy,
      task: this.id,
      range,
      schema,
      files: [file],
      rowCount: file.rowCount,
      eventCount,
      truncate,
      sourceMs,
    }
  }

  #report(reason: CloseReason, batches: readonly StagedBatch[], range: StagedBatch['range']): void {
    const { context } = this.#options
    const { metrics } = context
    metrics.count('forager_windows_closed_total', 1, { reason })
    let events = 0
    let netChanges = 0
    for (const batch of batches) {
      const { table } = batch
      events += batch.eventCount
      netChanges += batch.rowCount
      metrics.count('forager_net_changes_total', batch.rowCount, { table })
      metrics.count('forager_batches_staged_total', 1, { table })
      const bytes = batch.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
      metrics.count('forager_bytes_staged_total', bytes, { table })
      context.emit({ type: 'batch-staged', batch })
    }
    context.logger.info('window.closed', { task: this.id, ...range, reason, events, netChanges })
    context.emit({ type: 'window-closed', task: this.id, range, reason, events, netChanges })
  }

  /** All batches that are staged or parked: their files are not to be swept. */
  async #stagedBatches(): Promise<readonly StagedBatch[]> {
    const { context, staged } = this.#options
    const batches: StagedBatch[] = []
    for (let partition = 0; partition < staged.partitions; partition += 1) {
      const at = { topic: staged.topic, partition }
      for await (const record of readAll(context.log, at)) {
        batches.push(decodeStagedBatch(record.value!))
      }
      const parkedAt = { topic: staged.parked, partition }
      for await (const { batch } of readParked(context.log, parkedAt)) batches.push(batch)
    }
    return batches.filter(batch => batch.task === this.id)
  }
}
