/** The frames that a source task has for the hop, by partition, until its next commit. */
import type { ProducerRecord, TopicPartition } from '../log/log.ts'
import type { HopChange } from '../model/hop-frame.ts'
import { encodeTruncate, HopFrameWriter } from '../model/hop-frame.ts'
import type { Target } from '../model/partition-by.ts'
import { partitionOfKey } from '../model/partitioner.ts'
import type { TruncateMarker } from '../model/staged-batch.ts'

/** A frame goes out when it is about this large; brokers take 1 MB by default. */
const maxFrameBytes = 512 * 1024

export class HopWriter {
  readonly #hop: { readonly topic: string; readonly partitions: number }
  readonly #open: readonly HopFrameWriter[]
  #finished: { readonly partition: number; readonly value: Buffer }[] = []
  #finishedBytes = 0

  constructor(
    source: TopicPartition,
    hop: { readonly topic: string; readonly partitions: number },
    hasPositions: boolean,
  ) {
    this.#hop = hop
    this.#open = Array.from(
      { length: hop.partitions },
      () => new HopFrameWriter(source.topic, source.partition, hasPositions),
    )
  }

  get isEmpty(): boolean {
    return this.#finished.length === 0 && this.#open.every(frame => frame.isEmpty)
  }

  get sizeBytes(): number {
    return this.#open.reduce((sum, frame) => sum + frame.sizeBytes, this.#finishedBytes)
  }

  add(change: HopChange): void {
    const partition = partitionOfKey(change.target.table, change.change.key, this.#hop.partitions)
    const frame = this.#open[partition]!
    if (!frame.add(change)) {
      this.#finish(partition)
      frame.add(change)
    }
    if (frame.sizeBytes >= maxFrameBytes) this.#finish(partition)
  }

  /** The marker follows, in every partition, all that was added before. */
  truncate(target: Target, marker: TruncateMarker): void {
    const value = encodeTruncate(target, marker)
    for (let partition = 0; partition < this.#hop.partitions; partition += 1) {
      this.#finish(partition)
      this.#finished.push({ partition, value })
      this.#finishedBytes += value.length
    }
  }

  take(timestampMs: number): readonly ProducerRecord[] {
    for (const partition of this.#open.keys()) this.#finish(partition)
    const records = this.#finished.map(({ partition, value }) => {
      return { topic: this.#hop.topic, partition, key: null, value, timestampMs }
    })
    this.clear()
    return records
  }

  clear(): void {
    for (const frame of this.#open) if (!frame.isEmpty) frame.take()
    this.#finished = []
    this.#finishedBytes = 0
  }

  #finish(partition: number): void {
    const frame = this.#open[partition]!
    if (frame.isEmpty) return
    const value = frame.take()
    this.#finished.push({ partition, value })
    this.#finishedBytes += value.length
  }
}
