/** The frames that a source task has for the hop, by partition, until its next commit. */
import type { ProducerRecord, TopicInfo, TopicPartition } from '../log/log.ts'
import type { ChangeEvent } from '../model/change-event.ts'
import type { HopChange, TableFrame } from '../model/hop-frame.ts'
import { encodeTableFrame, HopFrameWriter } from '../model/hop-frame.ts'
import type { Target } from '../model/partition-by.ts'
import { partitionOfKey } from '../model/partitioner.ts'
import { truncateMarker } from './hop-change.ts'
import type { SourceBeginning, SourceOutput, TruncateHow } from './source-output.ts'
import type { TaskCommitter, TaskContext } from './task.ts'

/** A frame goes out when it is about this large; brokers take 1 MB by default. */
const maxFrameBytes = 512 * 1024
/** Frames that wait for a commit. */
const maxBytes = 16 * 1024 * 1024

export interface HopOutputOptions {
  readonly context: TaskContext
  readonly input: TopicPartition
  /** The input topic. */
  readonly source: TopicInfo
  readonly hop: { readonly topic: string; readonly partitions: number }
  readonly isByPosition: boolean
  readonly commitIntervalMs: number
}

export class HopOutput implements SourceOutput {
  readonly #options: HopOutputOptions
  readonly #open: readonly HopFrameWriter[]
  #finished: { readonly partition: number; readonly value: Buffer }[] = []
  #finishedBytes = 0
  /** Monotonic milliseconds. */
  #waitingSinceMs: number | null = null

  constructor(options: HopOutputOptions) {
    const { input, source, hop, isByPosition: hasPositions } = options
    this.#options = options
    // Sent again, a truncate is not judged where changes are ordered by position: its place has to tell.
    const form = { hasPositions, isSpread: source.partitions > 1 || hasPositions }
    this.#open = Array.from(
      { length: hop.partitions },
      () => new HopFrameWriter(input.topic, input.partition, form),
    )
  }

  open(_: TaskCommitter, { isNew }: SourceBeginning): Promise<boolean> {
    // Where it begins is committed at once: what comes before its first record must not be passed over.
    if (isNew) this.advance()
    return Promise.resolve(!isNew)
  }

  get isEmpty(): boolean {
    return this.#finished.length === 0 && this.#open.every(frame => frame.isEmpty)
  }

  get sizeBytes(): number {
    return this.#open.reduce((sum, frame) => sum + frame.sizeBytes, this.#finishedBytes)
  }

  get isFull(): boolean {
    return this.sizeBytes >= maxBytes
  }

  add(change: HopChange): void {
    const { partitions } = this.#options.hop
    const partition = partitionOfKey(change.target.table, change.change.key, partitions)
    const frame = this.#open[partition]!
    frame.add(change)
    if (frame.sizeBytes >= maxFrameBytes) this.#finish(partition)
  }

  /** The marker goes to every partition of the hop. */
  truncate(target: Target, event: ChangeEvent, { isRefused, isByPlace }: TruncateHow): void {
    const { source, hop, isByPosition } = this.#options
    const isOrdered = source.partitions === 1 && !isByPosition && !isByPlace
    const { partitions } = hop
    const marker = truncateMarker(event, { isOrdered, partitions, source, isRefused })
    const value = encodeTableFrame({ kind: 'truncate', target, marker })
    for (let partition = 0; partition < partitions; partition += 1) {
      this.#finish(partition)
      this.#push(partition, value)
    }
  }

  /** To one partition: which one does not matter, as long as it is always the same. */
  tell(frame: TableFrame): void {
    const partition = partitionOfKey(frame.target.table, '', this.#options.hop.partitions)
    this.#push(partition, encodeTableFrame(frame))
  }

  advance(): void {
    this.#waitingSinceMs ??= this.#options.context.clock.monotonic()
  }

  settle(): Promise<void> {
    return Promise.resolve()
  }

  remainingMs(): number | null {
    if (this.isFull) return 0
    if (this.#waitingSinceMs === null) return null
    const age = this.#options.context.clock.monotonic() - this.#waitingSinceMs
    return Math.max(0, this.#options.commitIntervalMs - age)
  }

  clear(): Promise<void> {
    for (const frame of this.#open) if (!frame.isEmpty) frame.take()
    this.#finished = []
    this.#finishedBytes = 0
    return Promise.resolve()
  }

  async take(): Promise<readonly ProducerRecord[]> {
    const { context, hop } = this.#options
    for (const partition of this.#open.keys()) this.#finish(partition)
    const timestampMs = context.clock.now()
    const records = this.#finished.map(({ partition, value }) => {
      return { topic: hop.topic, partition, key: null, value, timestampMs }
    })
    this.#waitingSinceMs = null
    await this.clear()
    return records
  }

  committed(): Promise<void> {
    return Promise.resolve()
  }

  measure(): void {
    // Frames are gone within a commit interval.
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #finish(partition: number): void {
    const frame = this.#open[partition]!
    if (frame.isEmpty) return
    this.#push(partition, frame.take())
  }

  #push(partition: number, value: Buffer): void {
    this.#finished.push({ partition, value })
    this.#finishedBytes += value.length
  }
}
