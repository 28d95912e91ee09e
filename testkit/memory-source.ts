/** Source topics in memory, that a test appends to while they are read: what a producer does. */
import type { ReadOnlySource } from '../log/embedded-log.ts'
import type { TopicInfo, TopicPartition } from '../log/log.ts'
import { partitionName } from '../log/log.ts'
import { sliceRecords } from '../log/log-storage.ts'
import type { LogRecord } from '../model/change-event.ts'
import { assert } from '../model/errors.ts'

/** A record without its place: the source gives it one. */
export type NewRecord = Omit<LogRecord, 'offset'>

export class MemorySource implements ReadOnlySource {
  readonly #topics = new Map<string, TopicInfo>()
  readonly #hidden = new Set<string>()
  readonly #removed = new Set<string>()
  readonly #isFinite: boolean
  #held: NewRecord[] | null = null
  readonly #partitions = new Map<string, LogRecord[]>()
  /** First offsets of partitions that lost records. */
  readonly #starts = new Map<string, number>()

  /** Topics by name, with their number of partitions. Finite ones are as a file has them. */
  constructor(topics: Readonly<Record<string, number>>, given = { isFinite: true }) {
    this.#isFinite = given.isFinite
    for (const [name, partitions] of Object.entries(topics)) this.setTopic(name, partitions)
  }

  get topics(): readonly TopicInfo[] {
    return [...this.#topics.values()].filter(({ name }) => this.has(name))
  }

  /** Makes a topic, or gives it more partitions. */
  setTopic(name: string, partitions: number, id = `source of ${name}`): void {
    this.#removed.delete(name)
    this.#topics.set(name, { name, partitions, id, isFinite: this.#isFinite })
  }

  has(topic: string): boolean {
    return this.#topics.has(topic) && !this.#hidden.has(topic)
  }

  /** To readers it is not there, until it is shown. */
  hide(topic: string): void {
    this.#hidden.add(topic)
  }

  show(topic: string): void {
    this.#hidden.delete(topic)
  }

  /** With its records. What is sent to it from here on is lost. */
  removeTopic(name: string): void {
    this.#topics.delete(name)
    this.#removed.add(name)
    for (const at of this.#starts.keys()) if (at.startsWith(`${name}-`)) this.#starts.delete(at)
    for (const at of this.#partitions.keys()) {
      if (at.startsWith(`${name}-`)) this.#partitions.delete(at)
    }
  }

  /** What is sent from here on is not there before it is released. */
  hold(): void {
    this.#held ??= []
  }

  /** The first `count` of what is held are there. Whether more is held: else nothing is held any more. */
  release(count: number): boolean {
    const released = this.#held?.splice(0, count) ?? []
    const held = this.#held ?? []
    this.#held = null
    for (const record of released) this.append(record)
    if (held.length > 0) this.#held = held
    return held.length > 0
  }

  isRemoved(topic: string): boolean {
    return this.#removed.has(topic)
  }

  append(record: NewRecord): void {
    if (this.#held !== null) {
      this.#held.push(record)
      return
    }
    if (this.#removed.has(record.topic)) return
    const records = this.records(record)
    records.push({ ...record, offset: this.offsets(record).end })
  }

  /**
   * Sends the last records of a partition again, as a producer does after a crash. `place` chooses the
   * partition of a record without a key: it need not be the one that it had.
   */
  resend(partition: TopicPartition, count: number, place?: (record: LogRecord) => number): void {
    for (const record of this.records(partition).slice(-count)) {
      const moved = record.key === null ? place?.(record) : undefined
      this.append({ ...record, partition: moved ?? record.partition })
    }
  }

  offsets(partition: TopicPartition): { start: number; end: number } {
    const start = this.#starts.get(partitionName(partition)) ?? 0
    // A test may take records out, as compaction does.
    return { start, end: Math.max(start, (this.records(partition).at(-1)?.offset ?? -1) + 1) }
  }

  read(partition: TopicPartition, offset: number, maxBytes: number): Promise<readonly LogRecord[]> {
    return Promise.resolve(sliceRecords(this.records(partition), offset, maxBytes))
  }

  /** The topic's retention took the records below the offset. */
  expire(partition: TopicPartition, beforeOffset: number): void {
    const records = this.records(partition)
    this.#starts.set(partitionName(partition), beforeOffset)
    records.splice(0, records.filter(({ offset }) => offset < beforeOffset).length)
  }

  records(partition: TopicPartition): LogRecord[] {
    const topic = this.#topics.get(partition.topic)
    assert(topic !== undefined && partition.partition < topic.partitions, 'no such partition', {
      ...partition,
    })
    const name = partitionName(partition)
    const records = this.#partitions.get(name) ?? []
    this.#partitions.set(name, records)
    return records
  }
}
