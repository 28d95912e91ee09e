/**
 * The brokers of a simulation, as far as clients can tell them from Kafka's: partitions with records of
 * transactions that are open, decided, or have their markers; transactional ids with epochs; groups. They
 * outlive the instances. Everything here takes effect at once; `simulated-log.ts` lets time pass between.
 *
 *     partition   | a a | b | C | b | c …      a: committed, b: of an open transaction, C: a marker
 *                       ▲ last stable offset: readers of committed records see nothing from here on
 */
import { GroupCoordinator } from '../../log/group-coordinator.ts'
import type {
  CommittedOffset,
  GroupMembership,
  LogBatch,
  ProducerRecord,
  TopicInfo,
  TopicPartition,
  TopicSpec,
} from '../../log/log.ts'
import { noMembership, partitionName } from '../../log/log.ts'
import { lowerBound, recordBytes, sliceRecords } from '../../log/log-storage.ts'
import type { LogRecord } from '../../model/change-event.ts'
import { assert, SourceError, StateError } from '../../model/errors.ts'
import type { Random } from '../../runtime/random.ts'
import type { MemorySource } from '../memory-source.ts'

/** A transaction of one id and epoch. */
export class Transaction {
  readonly id: string
  readonly partitions = new Map<string, PartitionLog>()
  readonly records: LogRecord[] = []
  offsets: readonly (TopicPartition & CommittedOffset)[] = []
  group = ''
  state: 'open' | 'committed' | 'aborted' = 'open'
  /** Partitions that have no marker yet, by name; with offsets the group is one. */
  readonly unmarked = new Set<string>()

  constructor(id: string) {
    this.id = id
  }

  /** Its markers are written: nobody waits for it any more. */
  get isComplete(): boolean {
    return this.state !== 'open' && this.unmarked.size === 0
  }
}

interface Entry {
  readonly record: LogRecord
  readonly transaction: Transaction
}

class PartitionLog {
  readonly at: TopicPartition
  entries: Entry[] = []
  start = 0
  end = 0
  /** With the offset of the first record of each. */
  readonly undecided = new Map<Transaction, number>()

  constructor(at: TopicPartition) {
    this.at = at
  }

  get stableEnd(): number {
    return Math.min(this.end, ...this.undecided.values())
  }
}

interface TransactionalId {
  epoch: number
  current: Transaction | null
}

/** What is looked at when a transaction is decided to be committed, before anybody can read it. */
export type OnDecided = (transaction: Transaction) => void

export interface BrokerOptions {
  readonly source: MemorySource
  readonly random: Random
  /** Writes a marker: at once, or later. */
  readonly mark: (transaction: Transaction, where: string, write: () => void) => void
  readonly onDecided: OnDecided
}

const groupMark = 'offsets'

export class Broker {
  readonly coordinator = new GroupCoordinator(topics => this.#partitionsOf(topics))
  readonly #options: BrokerOptions
  readonly #topics = new Map<string, TopicSpec & TopicInfo>()
  readonly #partitions = new Map<string, PartitionLog>()
  readonly #ids = new Map<string, TransactionalId>()
  readonly #offsets = new Map<string, CommittedOffset>()
  readonly #waiting = new Set<() => void>()

  constructor(options: BrokerOptions) {
    this.#options = options
  }

  topics(): readonly TopicInfo[] {
    return [...this.#topics.values(), ...this.#options.source.topics]
  }

  /** Null: there is no such topic. */
  topicId(topic: string): string | null {
    return this.topics().find(({ name }) => name === topic)?.id ?? null
  }

  createTopic(spec: TopicSpec): void {
    const existing = this.#topics.get(spec.name)
    if (existing !== undefined) {
      if (existing.partitions === spec.partitions) return
      const message = `the topic has ${existing.partitions} partitions; the topology asks for ${spec.partitions}`
      throw new StateError('topic-mismatch', message, { context: { topic: spec.name } })
    }
    this.#topics.set(spec.name, { ...spec, id: this.#options.random.id(), isFinite: false })
    for (let partition = 0; partition < spec.partitions; partition += 1) {
      const at = { topic: spec.name, partition }
      this.#partitions.set(partitionName(at), new PartitionLog(at))
    }
    this.coordinator.topicAppeared(spec.name)
  }

  offsets(at: TopicPartition): { readonly start: number; readonly end: number } {
    if (this.#isSource(at)) return this.#options.source.offsets(at)
    const { start, stableEnd } = this.#partition(at)
    return { start, end: stableEnd }
  }

  /** Past records of transactions that are open, too. */
  writtenEnd(at: TopicPartition): number {
    return this.#isSource(at) ? this.#options.source.offsets(at).end : this.#partition(at).end
  }

  /** StateError `offset-out-of-range` when the records are gone. */
  read(at: TopicPartition, offset: number, maxBytes: number): LogBatch {
    const { start, end } = this.offsets(at)
    if (offset < start) {
      const message = `the offset ${offset} is not there: the partition has ${start} to ${end}`
      throw new StateError('offset-out-of-range', message, { context: { ...at, offset } })
    }
    const { records, nextOffset } = this.#isSource(at)
      ? this.#sourceRecords(at, offset, maxBytes)
      : committedIn(this.#partition(at), offset, maxBytes)
    return { topic: at.topic, partition: at.partition, records, nextOffset, end }
  }

  /** Undefined: a transaction that moves it has no marker yet. */
  committed(group: string, at: TopicPartition): CommittedOffset | null | undefined {
    const name = partitionName(at)
    for (const { current } of this.#ids.values()) {
      if (current?.group !== group || !current.unmarked.has(groupMark)) continue
      if (current.offsets.some(one => partitionName(one) === name)) return undefined
    }
    return this.#offsets.get(`${group} ${name}`) ?? null
  }

  /** A higher epoch: what the one before has open is aborted. */
  initId(id: string): number {
    const known = this.#ids.get(id) ?? { epoch: 0, current: null }
    this.#ids.set(id, known)
    known.epoch += 1
    if (known.current?.state === 'open') this.#decide(known.current, 'aborted')
    return known.epoch
  }

  /** Whether nothing is under way of the id. */
  isIdComplete(id: string): boolean {
    return this.#ids.get(id)?.current?.isComplete ?? true
  }

  /** StateError `task-fenced`. */
  checkEpoch(id: string, epoch: number): TransactionalId {
    const known = this.#ids.get(id)
    if (known?.epoch === epoch) return known
    throw new StateError('task-fenced', `the transactional id ${id} has a newer owner`)
  }

  /** Adds records of one partition to the id's transaction, which is begun by it. Resolves to their offsets. */
  append(id: string, epoch: number, records: readonly ProducerRecord[]): readonly number[] {
    const transaction = this.#begun(id, epoch)
    return records.map(record => {
      const partition = this.#partition(record)
      const offset = partition.end
      partition.end += 1
      const name = partitionName(record)
      transaction.partitions.set(name, partition)
      transaction.unmarked.add(name)
      if (!partition.undecided.has(transaction)) partition.undecided.set(transaction, offset)
      const { topic, partition: number, key, value, timestampMs, headers = [] } = record
      const written = { topic, partition: number, offset, key, value, timestampMs, headers }
      partition.entries.push({ record: written, transaction })
      transaction.records.push(written)
      return offset
    })
  }

  /** Offsets with the id's transaction. StateError `task-fenced` when the membership is not the newest. */
  addOffsets(
    id: string,
    epoch: number,
    offsets: readonly (TopicPartition & CommittedOffset)[],
    membership: GroupMembership,
  ): void {
    const transaction = this.#begun(id, epoch)
    if (membership.memberId !== noMembership.memberId) this.coordinator.check(membership, offsets)
    if (offsets.length === 0) return
    transaction.offsets = offsets
    transaction.group = membership.group
    transaction.unmarked.add(groupMark)
  }

  end(id: string, epoch: number, isCommit: boolean): void {
    const { current } = this.checkEpoch(id, epoch)
    if (current?.state === 'open') this.#decide(current, isCommit ? 'committed' : 'aborted')
  }

  /** The id's transaction as it is now. */
  currentOf(id: string): Transaction | null {
    return this.#ids.get(id)?.current ?? null
  }

  /** Its owner did not end it for a minute: the coordinator does. */
  expire(transaction: Transaction): void {
    if (transaction.state === 'open') this.initId(transaction.id)
  }

  deleteRecords(at: TopicPartition, before: number): void {
    const partition = this.#partition(at)
    assert(before <= partition.stableEnd, 'records are deleted that are not decided', { ...at })
    if (before <= partition.start) return
    partition.start = before
    partition.entries = partition.entries.filter(({ record }) => record.offset >= before)
  }

  /** Of compacted topics: records that another of their key follows go. */
  compact(): void {
    for (const partition of this.#partitions.values()) {
      if (this.#topics.get(partition.at.topic)?.cleanup !== 'compact') continue
      const { stableEnd } = partition
      const latest = new Map<string, number>()
      for (const { record, transaction } of partition.entries) {
        const isRead = transaction.state === 'committed' && record.offset < stableEnd
        if (isRead) latest.set(Buffer.from(record.key!).toString('latin1'), record.offset)
      }
      partition.entries = partition.entries.filter(({ record, transaction }) => {
        if (record.offset >= stableEnd) return true
        const isCommitted = transaction.state === 'committed'
        return (
          isCommitted && latest.get(Buffer.from(record.key!).toString('latin1')) === record.offset
        )
      })
    }
  }

  /** Calls back when there is something new to read; the result takes the call back. */
  onNews(callback: () => void): () => void {
    this.#waiting.add(callback)
    return () => this.#waiting.delete(callback)
  }

  /** There is something new to read. */
  wake(): void {
    for (const callback of this.#waiting) callback()
  }

  #begun(id: string, epoch: number): Transaction {
    const known = this.checkEpoch(id, epoch)
    if (known.current === null || known.current.state !== 'open') {
      assert(known.current?.isComplete !== false, `${id} begins before its last transaction ended`)
      known.current = new Transaction(id)
    }
    return known.current
  }

  #decide(transaction: Transaction, state: 'committed' | 'aborted'): void {
    transaction.state = state
    if (state === 'committed') this.#options.onDecided(transaction)
    // Without records or offsets there is nothing to mark.
    for (const where of transaction.unmarked) {
      this.#options.mark(transaction, where, () => this.#mark(transaction, where))
    }
  }

  #mark(transaction: Transaction, where: string): void {
    transaction.unmarked.delete(where)
    const partition = transaction.partitions.get(where)
    if (partition === undefined) {
      if (transaction.state === 'aborted') return
      for (const { offset, metadata, ...at } of transaction.offsets) {
        this.#offsets.set(`${transaction.group} ${partitionName(at)}`, { offset, metadata })
      }
    } else {
      partition.undecided.delete(transaction)
      partition.end += 1
    }
    this.wake()
  }

  #sourceRecords(at: TopicPartition, offset: number, maxBytes: number) {
    const { source } = this.#options
    const records = sliceRecords(source.records(at), offset, maxBytes)
    return { records, nextOffset: (records.at(-1)?.offset ?? source.offsets(at).end - 1) + 1 }
  }

  #isSource({ topic }: TopicPartition): boolean {
    return this.#options.source.has(topic)
  }

  #partition(at: TopicPartition): PartitionLog {
    const found = this.#partitions.get(partitionName(at))
    if (found !== undefined) return found
    const { topic, partition } = at
    throw new SourceError('topic-missing', `there is no partition ${partition} of ${topic}`, {
      context: { topic, partition },
    })
  }

  #partitionsOf(topics: readonly string[]): TopicPartition[] {
    return this.topics()
      .filter(({ name }) => topics.includes(name))
      .flatMap(({ name: topic, partitions }) =>
        Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
      )
  }
}

function committedIn(
  { entries, stableEnd }: PartitionLog,
  offset: number,
  maxBytes: number,
): Pick<LogBatch, 'records' | 'nextOffset'> {
  const records: LogRecord[] = []
  let bytes = 0
  for (let index = lowerBound(entries, offset, entry => entry.record.offset); ; index += 1) {
    const entry = entries[index]
    if (entry === undefined || entry.record.offset >= stableEnd) {
      return { records, nextOffset: Math.max(offset, stableEnd) }
    }
    if (entry.transaction.state === 'aborted') continue
    if (bytes >= maxBytes) return { records, nextOffset: records.at(-1)!.offset + 1 }
    records.push(entry.record)
    bytes += recordBytes(entry.record)
  }
}
