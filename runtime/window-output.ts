/**
 * The output of a source task without a hop: the source is keyed by primary key, so all changes of a row
 * come through the task's own partition, in order, and are folded here. The source's offset stands at the
 * window's beginning until the window closes.
 */
import type { ProducerRecord, TopicInfo } from '../log/log.ts'
import type { ChangeEvent } from '../model/change-event.ts'
import type { HopChange, TableFrame } from '../model/hop-frame.ts'
import type { Target } from '../model/partition-by.ts'
import { truncateMarker } from './hop-change.ts'
import { isHopDrained } from './hop-drained.ts'
import { hopUndrained, targetOfTopics, truncateWithoutHop } from './source-errors.ts'
import type { SourceBeginning, SourceOutput, TruncateHow } from './source-output.ts'
import type { TaskCommitter } from './task.ts'
import type { TaskWindowOptions } from './task-window.ts'
import { TaskWindow } from './task-window.ts'

export interface WindowOutputOptions extends TaskWindowOptions {
  /** The input topic. */
  readonly source: TopicInfo
  /** Name of the hop: an earlier configuration may have left something in it. */
  readonly hop: string
  /** Which topic each target gets, of all tasks of the pipeline. */
  readonly topicOfTarget: Map<string, string>
}

export class WindowOutput implements SourceOutput {
  readonly #options: WindowOutputOptions
  readonly #window: TaskWindow
  /** Checked last. */
  #table = ''

  constructor(options: WindowOutputOptions) {
    this.#options = options
    this.#window = new TaskWindow(options)
  }

  async open(committer: TaskCommitter, { offset, isNew }: SourceBeginning): Promise<boolean> {
    const { context, hop } = this.#options
    // Whoever read this partition into the hop is fenced: from now on nothing of it comes there.
    if (!(await isHopDrained(context, hop))) throw hopUndrained(hop)
    // Where a new task begins is committed at once: a window may be open for long.
    const token = await committer.takeToken(isNew ? offset : null)
    await this.#window.open(token, offset)
    return true
  }

  get isEmpty(): boolean {
    return !this.#window.content.hasChanges
  }

  get sizeBytes(): number {
    return this.#window.sizeBytes
  }

  get isFull(): boolean {
    return this.#window.dueReason !== null
  }

  add(hopChange: HopChange): void {
    if (hopChange.target.table !== this.#table) this.#claim(hopChange.target)
    this.#window.content.addChange(hopChange, this.#nowMs())
  }

  truncate(target: Target, event: ChangeEvent, { isRefused, isByPlace }: TruncateHow): void {
    const { source } = this.#options
    if (source.partitions > 1) throw truncateWithoutHop(event, source.partitions)
    this.#claim(target)
    const isOrdered = !isByPlace
    const marker = truncateMarker(event, { isOrdered, partitions: 1, source, isRefused })
    this.#window.content.add({ kind: 'truncate', target, marker }, this.#nowMs())
  }

  /** It may come through another topic than the rows. */
  tell(frame: TableFrame): void {
    this.#window.content.add(frame, this.#nowMs())
  }

  advance(nextOffset: number): void {
    this.#window.content.advance(nextOffset, this.#nowMs())
  }

  async settle(): Promise<void> {
    await this.#window.settle()
  }

  remainingMs(): number | null {
    return this.isFull ? 0 : this.#window.remainingMs()
  }

  async clear(offset: number): Promise<void> {
    await this.#window.content.reset(offset)
  }

  take(offset: number): Promise<readonly ProducerRecord[]> {
    return this.#window.stage(offset, this.#window.dueReason ?? 'end')
  }

  committed(offsets: readonly number[]): Promise<void> {
    return this.#window.committed(offsets)
  }

  measure(): void {
    this.#window.measure()
  }

  close(): Promise<void> {
    return this.#window.close()
  }

  #nowMs(): number {
    return this.#options.context.clock.monotonic()
  }

  /** Windows of two topics would be staged in any order, and the rows of a target have one. */
  #claim({ table }: Target): void {
    const { source, topicOfTarget } = this.#options
    const topic = topicOfTarget.get(table)
    if (topic !== undefined && topic !== source.name) {
      throw targetOfTopics(table, [topic, source.name])
    }
    topicOfTarget.set(table, source.name)
    this.#table = table
  }
}
