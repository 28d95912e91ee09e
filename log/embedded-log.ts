/**
 * The log inside this process: what a broker does (groups, fencing, transactions, read committed) over
 * a `LogStorage`, and beside it sources that are only read (recorded events).
 */
import type { LogRecord } from '../model/change-event.ts'
import { assert, SourceError, StateError } from '../model/errors.ts'
import type { Clock } from '../runtime/clock.ts'
import { systemClock } from '../runtime/clock.ts'
import type { Random } from '../runtime/random.ts'
import { systemRandom } from '../runtime/random.ts'
import { Compactions, compactPartition, compactTopics } from './compaction.ts'
import { EmbeddedConsumer } from './embedded-consumer.ts'
import { GroupCoordinator } from './group-coordinator.ts'
import type {
  CommittedOffset,
  ConsumerOptions,
  Log,
  LogBatch,
  LogConsumer,
  LogProducer,
  TopicInfo,
  TopicPartition,
  TopicSpec,
  Transaction,
} from './log.ts'
import { noMembership, partitionName } from './log.ts'
import type { LogStorage, PartitionState, StoredAppend, StoredTopic } from './log-storage.ts'
import { recordBytes } from './log-storage.ts'

/** Topics that are only read. `log/recorded-source.ts` is one. */
export interface ReadOnlySource {
  readonly topics: readonly TopicInfo[]
  offsets(partition: TopicPartition): { readonly start: number; readonly end: number }
  read(partition: TopicPartition, offset: number, maxBytes: number): Promise<readonly LogRecord[]>
}

export interface EmbeddedLogOptions {
  readonly storage: LogStorage
  /** By default the system's. */
  readonly clock?: Clock
  /** By default the system's. */
  readonly random?: Random
  readonly sources?: readonly ReadOnlySource[]
  /** Reads partitions in an uneven order, as a cluster under load does. For tests. */
  readonly isSkewed?: boolean
}

const maxMetadataBytes = 4096
const scanBytes = 1024 * 1024

export class EmbeddedLog implements Log {
  readonly #options: EmbeddedLogOptions & { readonly clock: Clock; readonly random: Random }
  readonly #topics = new Map<string, StoredTopic>()
  readonly #partitions = new Map<string, PartitionState>()
  readonly #offsets = new Map<string, CommittedOffset>()
  readonly #epochs = new Map<string, number>()
  readonly #coordinator: GroupCoordinator
  readonly #compactions = new Compactions()
  readonly #waiting = new Set<() => void>()
  #committing: Promise<unknown> = Promise.resolve()

  private constructor(options: EmbeddedLogOptions) {
    this.#options = { clock: systemClock, random: systemRandom, ...options }
    this.#coordinator = new GroupCoordinator(topics => this.#partitionsOf(topics))
  }

  static async open(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
    const log = new EmbeddedLog(options)
    const state = await options.storage.open()
    try {
      if (options.storage.isReadOnly !== true) await compactTopics(options.storage, state)
    } catch (error) {
      await options.storage.close()
      throw error
    }
    for (const topic of state.topics) log.#topics.set(topic.name, topic)
    for (const found of state.partitions) log.#partitions.set(partitionName(found), found)
    for (const { group, topic, partition, offset, metadata } of state.offsets) {
      log.#offsets.set(`${group} ${partitionName({ topic, partition })}`, { offset, metadata })
    }
    return log
  }

  topics(): Promise<readonly TopicInfo[]> {
    const own = [...this.#topics.values()].map(({ name, partitions, id }) => ({
      name,
      partitions,
      id,
      isFinite: false,
    }))
    return Promise.resolve([...own, ...this.#sources().flatMap(source => source.topics)])
  }

  createTopic(spec: TopicSpec): Promise<void> {
    return this.#serially(() => this.#createTopic(spec))
  }

  async #createTopic(spec: TopicSpec): Promise<void> {
    const existing = (await this.topics()).find(topic => topic.name === spec.name)
    if (existing !== undefined) {
      if (existing.partitions === spec.partitions) return
      throw new StateError(
        'topic-mismatch',
        `the topic has ${existing.partitions} partitions, the topology asks for ${spec.partitions}`,
        { context: { topic: spec.name } },
      )
    }
    const topic = { ...spec, id: this.#options.random.id() }
    await this.#options.storage.createTopic(topic)
    this.#topics.set(spec.name, topic)
    for (let partition = 0; partition < spec.partitions; partition += 1) {
      const state = { topic: spec.name, partition, start: 0, end: 0 }
      this.#partitions.set(partitionName(state), state)
    }
    this.#coordinator.topicAppeared(spec.name)
  }

  offsets(partition: TopicPartition): Promise<{ start: number; end: number }> {
    return Promise.resolve(this.currentOffsets(partition))
  }

  async offsetOfTime(partition: TopicPartition, timeMs: number): Promise<number> {
    const { start, end } = this.currentOffsets(partition)
    for (let offset = start; offset < end; ) {
      const { records, nextOffset } = await this.read(partition, offset, scanBytes)
      const found = records.find(({ timestampMs }) => timestampMs >= timeMs)
      if (found !== undefined) return found.offset
      offset = nextOffset
    }
    return end
  }

  decidedEnd(partition: TopicPartition): Promise<number> {
    return Promise.resolve(this.currentOffsets(partition).end)
  }

  read(partition: TopicPartition, offset: number, maxBytes: number): Promise<LogBatch> {
    const read = (): Promise<LogBatch> => this.#read(partition, offset, maxBytes)
    // Between two reads what is superseded may go, but not under one.
    return this.#isCompacted(partition) ? this.#serially(read) : read()
  }

  async #read(partition: TopicPartition, offset: number, maxBytes: number): Promise<LogBatch> {
    assert(maxBytes > 0, 'at least one byte is read', { ...partition, offset })
    const { end } = this.currentOffsets(partition)
    const { topic, partition: number } = partition
    if (offset >= end) return { topic, partition: number, records: [], nextOffset: offset, end }
    const source = this.#sourceOf(topic) ?? this.#options.storage
    // What is committed after this call began is not read: its end was taken first.
    const records = (await source.read(partition, offset, maxBytes)).filter(
      found => found.offset < end,
    )
    const bytes = records.reduce((sum, record) => sum + recordBytes(record), 0)
    // Fewer bytes than asked for: nothing but markers is left behind the last record.
    const nextOffset = bytes < maxBytes ? end : records.at(-1)!.offset + 1
    return { topic, partition: number, records, nextOffset, end }
  }

  committed(
    group: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly (CommittedOffset | null)[]> {
    return Promise.resolve(
      partitions.map(
        partition => this.#offsets.get(`${group} ${partitionName(partition)}`) ?? null,
      ),
    )
  }

  openProducer(transactionalId: string): Promise<LogProducer> {
    const epoch = (this.#epochs.get(transactionalId) ?? 0) + 1
    this.#epochs.set(transactionalId, epoch)
    const commit = (transaction: Transaction): Promise<readonly number[]> =>
      this.#serially(async () => {
        if (this.#epochs.get(transactionalId) !== epoch) {
          throw new StateError('task-fenced', `${transactionalId} has a newer owner`)
        }
        return await this.#commit(transaction)
      })
    // Waits for what the owner before has under way, as a coordinator does.
    return this.#serially(() => Promise.resolve({ commit, close: () => Promise.resolve() }))
  }

  async openConsumer(options: ConsumerOptions): Promise<LogConsumer> {
    const consumer = new EmbeddedConsumer({
      ...options,
      log: this,
      coordinator: this.#coordinator,
      clock: this.#options.clock,
      random: this.#options.random,
      isSkewed: this.#options.isSkewed ?? false,
    })
    await Promise.resolve()
    return consumer
  }

  /** The group loses the member as if its session had timed out; it joins anew when it polls. */
  expireMember(group: string, memberId: string): void {
    this.#coordinator.leave(group, memberId)
  }

  deleteRecords(partition: TopicPartition, beforeOffset: number): Promise<void> {
    return this.#serially(async () => {
      const state = this.#state(partition)
      if (beforeOffset <= state.start) return
      assert(beforeOffset <= state.end, 'records are deleted past the end', { ...partition })
      await this.#options.storage.deleteRecords(partition, beforeOffset)
      state.start = beforeOffset
    })
  }

  async close(): Promise<void> {
    await this.#serially(() => this.#options.storage.close())
  }

  currentOffsets(partition: TopicPartition): { start: number; end: number } {
    const source = this.#sourceOf(partition.topic)
    if (source !== undefined) return source.offsets(partition)
    const { start, end } = this.#state(partition)
    return { start, end }
  }

  /** Calls back once when something is committed; the result takes the call back. */
  onCommit(callback: () => void): () => void {
    this.#waiting.add(callback)
    return () => this.#waiting.delete(callback)
  }

  async #commit(transaction: Transaction): Promise<readonly number[]> {
    const { membership, offsets } = { membership: transaction.group, offsets: transaction.offsets }
    const isMember = membership.memberId !== noMembership.memberId || offsets.length > 0
    if (isMember) this.#coordinator.check(membership, offsets)
    const appends = new Map<string, { records: LogRecord[]; state: PartitionState }>()
    const written = transaction.records.map(record => {
      const state = this.#state(record)
      const append = appends.get(partitionName(record)) ?? { records: [], state }
      appends.set(partitionName(record), append)
      const offset = state.end + append.records.length
      append.records.push({ ...record, headers: record.headers ?? [], offset })
      return offset
    })
    const stored: StoredAppend[] = [...appends.values()].map(({ records, state }) => ({
      topic: state.topic,
      partition: state.partition,
      records,
      nextOffset: state.end + records.length + 1,
    }))
    for (const offset of offsets) {
      const size = Buffer.byteLength(offset.metadata)
      assert(size <= maxMetadataBytes, () => `offset metadata of ${size} bytes`, { ...offset })
    }
    for (const append of stored) await this.#compactIfDue(append)
    await this.#options.storage.commit(
      stored,
      offsets.map(offset => ({ ...offset, group: membership.group })),
    )
    for (const append of stored) {
      this.#state(append).end = append.nextOffset
      this.#compactions.added(append, append.records.length)
    }
    for (const { offset, metadata, ...partition } of offsets) {
      this.#offsets.set(`${membership.group} ${partitionName(partition)}`, { offset, metadata })
    }
    for (const wake of this.#waiting) wake()
    return written
  }

  #isCompacted({ topic }: TopicPartition): boolean {
    return this.#topics.get(topic)?.cleanup === 'compact'
  }

  /** Before anything of the transaction is written: when it fails, the transaction has failed. */
  async #compactIfDue(at: TopicPartition): Promise<void> {
    if (!this.#isCompacted(at) || !this.#compactions.isDue(at)) return
    const { topic, partition, start } = this.#state(at)
    const kept = await compactPartition(this.#options.storage, { topic, partition }, start)
    this.#compactions.compacted(at, kept)
  }

  #serially<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#committing.then(action, action)
    this.#committing = result.catch(() => undefined)
    return result
  }

  #sources(): readonly ReadOnlySource[] {
    return this.#options.sources ?? []
  }

  #sourceOf(topic: string): ReadOnlySource | undefined {
    return this.#sources().find(source => source.topics.some(found => found.name === topic))
  }

  #partitionsOf(topics: readonly string[]): TopicPartition[] {
    const known = [...this.#topics.values(), ...this.#sources().flatMap(source => source.topics)]
    return known
      .filter(topic => topics.includes(topic.name))
      .flatMap(topic =>
        Array.from({ length: topic.partitions }, (_, partition) => ({
          topic: topic.name,
          partition,
        })),
      )
  }

  #state(partition: TopicPartition): PartitionState {
    const state = this.#partitions.get(partitionName(partition))
    if (state === undefined) {
      const { topic, partition: number } = partition
      throw new SourceError('topic-missing', `there is no partition ${number} of ${topic}`, {
        context: { topic, partition: number },
      })
    }
    return state
  }
}
