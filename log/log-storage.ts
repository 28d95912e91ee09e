/**
 * Where the embedded log keeps what was committed. `MemoryStorage` is for tests and for the
 * simulator, where it is the broker that outlives its clients; `file-storage.ts` is durable.
 */
import type { LogRecord } from '../model/change-event.ts'
import type { CommittedOffset, TopicPartition, TopicSpec } from './log.ts'
import { partitionName } from './log.ts'

export interface StoredTopic extends TopicSpec {
  readonly id: string
}

export interface PartitionState extends TopicPartition {
  start: number
  end: number
}

export interface StoredOffset extends TopicPartition, CommittedOffset {
  readonly group: string
}

export interface StoredState {
  readonly topics: readonly StoredTopic[]
  readonly partitions: readonly PartitionState[]
  readonly offsets: readonly StoredOffset[]
}

/** Records for one partition. They have their offsets; `nextOffset` is past the marker. */
export interface StoredAppend extends TopicPartition {
  readonly records: readonly LogRecord[]
  readonly nextOffset: number
}

export interface LogStorage {
  /** It is only looked at: nothing may be written to it. */
  readonly isReadOnly?: boolean
  /** What was committed before. Called once, first. */
  open(): Promise<StoredState>
  createTopic(topic: StoredTopic): Promise<void>
  /** All of it durable when it resolves; after a crash all of it or nothing is there. */
  commit(appends: readonly StoredAppend[], offsets: readonly StoredOffset[]): Promise<void>
  /** Records from the offset on until `maxBytes` (by `recordBytes`) are reached or there are no more. */
  read(partition: TopicPartition, offset: number, maxBytes: number): Promise<readonly LogRecord[]>
  deleteRecords(partition: TopicPartition, beforeOffset: number): Promise<void>
  /**
   * Keeps these of the partition's records and no others; where it ends stays. After a crash all that
   * was there before is there, or these alone.
   */
  rewrite(partition: TopicPartition, kept: readonly LogRecord[]): Promise<void>
  close(): Promise<void>
}

export function recordBytes(record: LogRecord): number {
  return (record.key?.length ?? 0) + (record.value?.length ?? 0) + 64
}

/** Keeps everything in memory, for as long as the object lives. */
export class MemoryStorage implements LogStorage {
  readonly #topics = new Map<string, StoredTopic>()
  readonly #partitions = new Map<string, { state: PartitionState; records: LogRecord[] }>()
  readonly #offsets = new Map<string, StoredOffset>()

  open(): Promise<StoredState> {
    return Promise.resolve({
      topics: [...this.#topics.values()],
      partitions: [...this.#partitions.values()].map(({ state }) => ({ ...state })),
      offsets: [...this.#offsets.values()],
    })
  }

  createTopic(topic: StoredTopic): Promise<void> {
    this.#topics.set(topic.name, topic)
    for (let partition = 0; partition < topic.partitions; partition += 1) {
      const state = { topic: topic.name, partition, start: 0, end: 0 }
      this.#partitions.set(partitionName(state), { state, records: [] })
    }
    return Promise.resolve()
  }

  commit(appends: readonly StoredAppend[], offsets: readonly StoredOffset[]): Promise<void> {
    for (const append of appends) {
      const { state, records } = this.#partitions.get(partitionName(append))!
      // Not as arguments of one call: a transaction may have more records than a call takes.
      for (const record of append.records) records.push(record)
      state.end = append.nextOffset
    }
    for (const offset of offsets) {
      this.#offsets.set(`${offset.group} ${partitionName(offset)}`, offset)
    }
    return Promise.resolve()
  }

  read(partition: TopicPartition, offset: number, maxBytes: number): Promise<readonly LogRecord[]> {
    const { records } = this.#partitions.get(partitionName(partition))!
    return Promise.resolve(sliceRecords(records, offset, maxBytes))
  }

  deleteRecords(partition: TopicPartition, beforeOffset: number): Promise<void> {
    const { state, records } = this.#partitions.get(partitionName(partition))!
    records.splice(
      0,
      lowerBound(records, beforeOffset, record => record.offset),
    )
    state.start = Math.max(state.start, beforeOffset)
    return Promise.resolve()
  }

  rewrite(partition: TopicPartition, kept: readonly LogRecord[]): Promise<void> {
    const { records } = this.#partitions.get(partitionName(partition))!
    records.length = 0
    for (const record of kept) records.push(record)
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

/** The index of the first item whose offset is at or after the given one. */
export function lowerBound<T>(
  items: readonly T[],
  offset: number,
  offsetOf: (item: T) => number,
): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (offsetOf(items[middle]!) < offset) low = middle + 1
    else high = middle
  }
  return low
}

/** Where reading of records begins, and where it ends so that about `maxBytes` are read. */
export function sliceRecords(
  records: readonly LogRecord[],
  offset: number,
  maxBytes: number,
): readonly LogRecord[] {
  const first = lowerBound(records, offset, record => record.offset)
  let bytes = 0
  let last = first
  while (last < records.length && bytes < maxBytes) {
    bytes += recordBytes(records[last]!)
    last += 1
  }
  return records.slice(first, last)
}
