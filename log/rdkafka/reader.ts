/**
 * Reads partitions with librdkafka, which fetches in threads of its own. It is told what to read from
 * where and belongs to no group. Before it is told, a fetch of the client's asks whether the offset is
 * there, in the topic that it was read from before: librdkafka's own word on that is lost when records
 * of other partitions come with it.
 */
import { ForagerError, SourceError } from '../../model/errors.ts'
import type { KafkaClient, Lane } from '../kafka/client.ts'
import { isPassing } from '../kafka/client.ts'
import type { FetchPosition } from '../kafka/fetch.ts'
import { fetchPartitions } from '../kafka/fetch.ts'
import type { PartitionReader } from '../kafka/partition-reader.ts'
import { Positions } from '../kafka/positions.ts'
import type { LogBatch, TopicPartition } from '../log.ts'
import { partitionName } from '../log.ts'
import { ConsumerHandle } from './consumer-handle.ts'
import type { Library, LibrdkafkaError, Message, PartitionOffset } from './library.ts'
import { toLogRecord } from './records.ts'

/** Of one call; what is converted at once holds up everything else. */
const maxMessages = 5000
/** After so long without records the offsets are asked about again. */
const idleMs = 5000

/** librdkafka's errors that do not pass: what came cannot be read, or may not. */
const lasting = new Set([-199, -198, -170, -169, 29])

interface Position extends TopicPartition {
  /** Where the next batch that is handed out begins. */
  offset: number
  /** Where librdkafka goes on. */
  nextOffset: number
  records: Message[]
  isChecked: boolean
  /** Of the topic, since it was first asked about. */
  topicId?: string
}

export class RdkafkaReader implements PartitionReader {
  readonly #client: KafkaClient
  readonly #lane: Lane
  readonly #handle: ConsumerHandle
  readonly #onNews: () => void
  readonly #positions = new Positions<Position>(({ nextOffset }) => nextOffset)
  /** What librdkafka reads now. */
  readonly #assigned = new Map<string, Position>()
  #round: Promise<void> | null = null
  #messageBytes = 1000
  #quietSinceMs = 0
  #tries = 0
  #failure: unknown = null
  #isClosed = false

  constructor(library: Library, client: KafkaClient, group: string, onNews: () => void) {
    this.#client = client
    this.#lane = client.openLane(client.options.requestTimeoutMs)
    this.#onNews = onNews
    this.#handle = new ConsumerHandle(library, client.options, group)
  }

  seek({ topic, partition }: TopicPartition, offset: number): void {
    const at = { topic, partition, offset, nextOffset: offset }
    this.#positions.set({ ...at, records: [], isChecked: false })
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#positions.pause(partitions)
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#positions.resume(partitions)
  }

  keep(names: ReadonlySet<string> | null): void {
    this.#positions.keep(names)
  }

  take(maxBytes: number): LogBatch[] {
    const batches: LogBatch[] = []
    let bytes = 0
    for (const position of this.#positions.readable()) {
      if (position.nextOffset === position.offset) continue
      if (bytes > 0 && bytes >= maxBytes) break
      const count = countUpTo(position.records, maxBytes - bytes)
      const taken = position.records.splice(0, count)
      bytes += taken.reduce((sum, message) => sum + sizeOf(message), 0)
      const { topic, partition, nextOffset } = position
      position.offset = position.records[0]?.offset ?? nextOffset
      const records = taken.map(toLogRecord)
      const end = Math.max(this.#handle.endOf(position), nextOffset)
      batches.push({ topic, partition, records, nextOffset: position.offset, end })
      this.#positions.moveBehind(position)
    }
    return batches
  }

  /** One call of librdkafka at a time, and none while records wait here. */
  start(maxBytes: number): Promise<void> {
    const readable = this.#positions.readable()
    const isFull = readable.some(({ records }) => records.length > 0)
    if (this.#round !== null || this.#isClosed || isFull) return Promise.resolve()
    if (this.#assigned.size === 0 && readable.length === 0) return Promise.resolve()
    this.#round = this.#read(maxBytes)
      .catch((error: unknown) => this.#afterFailure(error))
      .finally(() => {
        this.#round = null
        this.#onNews()
      })
    return Promise.resolve()
  }

  takeFailure(): unknown {
    const failure = this.#failure
    this.#failure = null
    return this.#positions.isStale(failure) ? null : failure
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#positions.clear()
    await this.#client.closeLane(this.#lane)
    await this.#round
    await this.#handle.close()
  }

  async #read(maxBytes: number): Promise<void> {
    await this.#check()
    await this.#handle.open()
    this.#assign()
    if (this.#assigned.size === 0) return
    const count = Math.floor(maxBytes / this.#messageBytes)
    const { messages, ends } = await this.#handle.consume(Math.max(1, Math.min(maxMessages, count)))
    this.#accept(messages, ends)
    this.#tries = 0
  }

  /** Whether the offsets are there, of what librdkafka is to be told, and of all when nothing comes. */
  async #check(): Promise<void> {
    const now = this.#client.options.clock.monotonic()
    if (now - this.#quietSinceMs > idleMs) {
      this.#quietSinceMs = now
      for (const position of this.#assigned.values()) position.isChecked = false
    }
    const asked = this.#positions.readable().filter(({ isChecked }) => !isChecked)
    const leaders = await Promise.all(asked.map(position => this.#client.leader(position)))
    for (const [leader, own] of Map.groupBy(asked, (_, index) => leaders[index]!)) {
      const probes = own.map(probeOf)
      const limits = { maxWaitMs: 0, maxBytes: 1 }
      const answered = await fetchPartitions(this.#client, this.#lane, leader, probes, limits)
      for (const { position: probe } of answered) {
        const { position, topicId } = probe
        position.isChecked = true
        if (topicId !== undefined) position.topicId = topicId
      }
    }
  }

  /** Tells librdkafka what changed. What it had fetched of a partition that is taken from it is dropped. */
  #assign(): void {
    const wanted = new Set(this.#positions.readable().filter(({ isChecked }) => isChecked))
    const removed = [...this.#assigned.values()].filter(position => !wanted.has(position))
    const had = new Set(this.#assigned.values())
    const added = [...wanted].filter(position => !had.has(position))
    this.#handle.unassign(removed)
    for (const position of removed) this.#assigned.delete(partitionName(position))
    this.#handle.assign(added.map(probeOf))
    for (const position of added) this.#assigned.set(partitionName(position), position)
  }

  #accept(messages: readonly Message[], ends: readonly PartitionOffset[]): void {
    if (messages.length > 0) this.#quietSinceMs = this.#client.options.clock.monotonic()
    let bytes = 0
    for (const message of messages) {
      bytes += sizeOf(message)
      const position = this.#current(message)
      if (position === undefined) continue
      position.records.push(message)
      position.nextOffset = message.offset + 1
    }
    for (const end of ends) {
      const position = this.#current(end)
      if (position !== undefined) position.nextOffset = Math.max(position.nextOffset, end.offset)
    }
    if (messages.length > 0) this.#messageBytes = Math.max(1, bytes / messages.length)
  }

  /** Undefined when it was sought elsewhere, or lost, while librdkafka was asked. */
  #current(at: TopicPartition): Position | undefined {
    const position = this.#assigned.get(partitionName(at))
    return position !== undefined && this.#positions.isCurrent(position) ? position : undefined
  }

  /** What passes is tried again after a pause; what does not is thrown by the next poll. */
  async #afterFailure(error: unknown): Promise<void> {
    if (this.#isClosed || this.#client.isClosed) return
    if (!isPassing(error) && (error instanceof ForagerError || isLasting(error))) {
      this.#failure = error instanceof ForagerError ? error : unreadable(error as Error)
      return
    }
    for (const position of this.#positions.all()) {
      position.isChecked = false
      this.#client.forgetTopic(position.topic)
    }
    await this.#client.backoff(this.#tries)
    this.#tries += 1
  }
}

interface Probe extends FetchPosition {
  readonly position: Position
}

function probeOf(position: Position): Probe {
  const { topic, partition, nextOffset: offset, topicId } = position
  return { position, topic, partition, offset, ...(topicId === undefined ? {} : { topicId }) }
}

function isLasting(error: unknown): boolean {
  return error instanceof Error && lasting.has((error as LibrdkafkaError).code)
}

function unreadable(cause: Error): SourceError {
  return new SourceError('source-unreadable', `librdkafka cannot read on: ${cause.message}`, {
    cause,
  })
}

function sizeOf({ key, value }: Message): number {
  return (key?.length ?? 0) + (value?.length ?? 0) + 50
}

/** How many of the messages make up so many bytes; at least one. */
function countUpTo(messages: readonly Message[], maxBytes: number): number {
  let bytes = 0
  for (const [index, message] of messages.entries()) {
    bytes += sizeOf(message)
    if (bytes > maxBytes && index > 0) return index
  }
  return messages.length
}
