/**
 * Sub-topology 1: one partition of the hop. Changes are folded in the open window; when it closes, one
 * transaction names its files and moves the offset past it.
 */
import type { LogBatch, TopicPartition } from '../log/log.ts'
import type { HopChangeCursor, HopFrame } from '../model/hop-frame.ts'
import { decodeHopFrame } from '../model/hop-frame.ts'
import type { CloseReason, WindowPart } from '../processors/compact.ts'
import type { Staging } from '../sinks/staging.ts'
import type { Pipeline } from '../topology/topology.ts'
import { LastPositions } from './last-positions.ts'
import type { Task, TaskContext } from './task.ts'
import { TaskCommitter } from './task.ts'
import { TaskWindow } from './task-window.ts'

export interface CompactTaskOptions {
  readonly context: TaskContext
  readonly pipeline: Pipeline
  readonly input: TopicPartition
  /** Identity of the hop. */
  readonly topicId: string
  /** `parked` is the topic of batches of tables that are held back. */
  readonly staged: {
    readonly topic: string
    readonly id: string
    readonly partitions: number
    readonly parked: string
  }
  readonly staging: Staging
  readonly marksLastRows: (part: WindowPart) => boolean
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
  readonly #window: TaskWindow
  #positions: LastPositions | null = null

  constructor(options: CompactTaskOptions) {
    const { context, pipeline, input } = options
    this.#options = options
    this.input = input
    this.id = `${pipeline.firstSubTopology + 1}_${input.partition}`
    this.#committer = new TaskCommitter(context, this.id, input)
    this.#window = new TaskWindow({ ...options, ...pipeline.compact, task: this.id })
  }

  async open(): Promise<number> {
    const { context, topicId } = this.#options
    const { offset, isNew } = await this.#committer.open()
    const input = { ...this.input, topicId }
    context.emit({ type: 'task-opened', task: this.id, input, offset, isNew })
    await this.#window.open(await this.#committer.takeToken(), offset)
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
    const { context } = this.#options
    const { content } = this.#window
    for (const record of batch.records) {
      const now = context.clock.monotonic()
      const frame = decodeHopFrame(record.value!)
      content.add(frame, now, this.#takesOf(frame))
      content.advance(record.offset + 1, now)
      this.#committer.noteRecord(record)
      await this.#window.settle()
      await this.#positions?.settle()
      await context.rest()
      const reason = this.#positions?.isFull === true ? 'rows' : this.#window.dueReason
      if (reason !== null) await this.#close(reason)
    }
    content.advance(batch.nextOffset, context.clock.monotonic())
    return null
  }

  /** Which changes of the frame the window takes: those that came after a later one of their key are not. */
  #takesOf(frame: HopFrame): ((changes: HopChangeCursor) => boolean) | undefined {
    const positions = this.#positions
    if (positions === null || frame.kind !== 'changes') return undefined
    const isReplayed = frame.topic === this.#options.byPosition?.replay
    return changes => positions.accepts(changes, isReplayed)
  }

  remainingMs(): number | null {
    return this.#window.remainingMs()
  }

  async maintain(): Promise<void> {
    const reason = this.#window.dueReason
    if (reason !== null) await this.#close(reason)
    this.#window.measure()
    this.#positions?.measure()
  }

  async drain(): Promise<void> {
    if (!this.#window.content.isEmpty) await this.#close('end')
  }

  confirm(): Promise<void> {
    return this.#committer.confirm()
  }

  async close(): Promise<void> {
    await this.#window.close()
    await this.#positions?.close()
    await this.#committer.close()
  }

  async #close(reason: CloseReason): Promise<void> {
    const { to } = this.#window.content.range
    const records = await this.#window.stage(to, reason)
    const changes = (await this.#positions?.changes()) ?? []
    const offsets = await this.#committer.commit([...records, ...changes], to)
    this.#positions?.committed()
    await this.#window.committed(offsets)
    await this.#options.context.log.deleteRecords(this.input, to)
  }
}
