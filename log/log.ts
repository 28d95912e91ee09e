/**
 * The log: topics of partitions, groups that share them, and transactions. Kafka is one; the
 * in-memory and the local log are the same to whoever runs over them, and
 * `testkit/log-conformance.ts` is the suite that each of them passes.
 *
 * What a transaction writes is read as a whole or not at all. Offsets ascend and have gaps (a
 * transaction takes one for its marker), so a range counts offsets, never records.
 */
import type { LogHeader, LogRecord } from '../model/change-event.ts'

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface TopicSpec {
  readonly name: string
  readonly partitions: number
  /** `compact` keeps the last record of a key; `delete` keeps all, until `deleteRecords`. */
  readonly cleanup: 'delete' | 'compact'
}

export interface TopicInfo {
  readonly name: string
  readonly partitions: number
  /** Another one when a topic was removed and made anew. */
  readonly id: string
  /** True when no record will ever be added: a file of recorded events. */
  readonly isFinite: boolean
}

/** Records of one partition, in order. */
export interface LogBatch extends TopicPartition {
  readonly records: readonly LogRecord[]
  /** Where reading goes on: past the last record, and the markers that are known behind it. */
  readonly nextOffset: number
  /** The partition's end, as it was known when this was read. */
  readonly end: number
}

/** A committed offset, with what its task wrote beside it (at most 4,096 bytes). */
export interface CommittedOffset {
  readonly offset: number
  readonly metadata: string
}

export interface ProducerRecord {
  readonly topic: string
  readonly partition: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers?: readonly LogHeader[]
  readonly timestampMs: number
}

/** The outputs of one task and the offsets that they account for: all of it, or nothing. */
export interface Transaction {
  readonly records: readonly ProducerRecord[]
  readonly offsets: readonly (TopicPartition & CommittedOffset)[]
  /** The group whose offsets they are, and the membership that fences a member that was replaced. */
  readonly group: GroupMembership
}

export interface GroupMembership {
  readonly group: string
  readonly memberId: string
  readonly generation: number
}

/** Of who is in no group: its transactions have no offsets. */
export const noMembership: GroupMembership = { group: '', memberId: '', generation: -1 }

/** A producer of one transactional id. Opening it fences the one before. */
export interface LogProducer {
  /**
   * Commits, and resolves to the offsets of the records, in order. Readers see it a moment later; who
   * opens the id next waits for that. StateError `task-fenced` when the id or the membership has a newer
   * owner: then nothing was written. The same when the outcome is not known: opening the id tells.
   */
  commit(transaction: Transaction): Promise<readonly number[]>
  close(): Promise<void>
}

export interface Assignment {
  readonly membership: GroupMembership
  readonly partitions: readonly TopicPartition[]
}

export type PollResult =
  /**
   * The group gave this member other partitions. None is read before it is sought; one that stays with
   * the member goes on where it was. A member that the group had given up on comes back under another
   * id, and none of its partitions stayed.
   */
  | { readonly kind: 'assigned'; readonly assignment: Assignment }
  | { readonly kind: 'records'; readonly batches: readonly LogBatch[] }

export interface ConsumerOptions {
  readonly group: string
  readonly topics: readonly string[]
  /** Topics of one set are spread over the members by themselves. Absent: all are one set. */
  readonly setOf?: (topic: string) => string
}

/** A member of a group. */
export interface LogConsumer {
  /**
   * At most about `maxBytes` of records; waits up to `maxWaitMs` when there is none. One that throws loses none of
   * those of other partitions: they come with a later one.
   */
  poll(options: { maxWaitMs: number; maxBytes: number }): Promise<PollResult>
  seek(partition: TopicPartition, offset: number): void
  pause(partitions: readonly TopicPartition[]): void
  resume(partitions: readonly TopicPartition[]): void
  /**
   * Asks for these topics from now on, as the same member. The group assigns anew also when they are the
   * same: a topic may have more partitions than before.
   */
  changeTopics(topics: readonly string[]): void
  /** Ends a poll that waits. */
  wakeup(): void
  close(): Promise<void>
}

export interface Log {
  topics(): Promise<readonly TopicInfo[]>
  /** StateError `topic-mismatch` when it exists with another number of partitions. */
  createTopic(spec: TopicSpec): Promise<void>
  /** The first offset that is still there, and the one after the last committed record. */
  offsets(partition: TopicPartition): Promise<{ readonly start: number; readonly end: number }>
  /** Offset of the first record of that time (milliseconds since the epoch) or later, else the end. */
  offsetOfTime(partition: TopicPartition, timeMs: number): Promise<number>
  /**
   * Where everything that was begun before the call is decided: reading up to it misses nothing. A
   * transaction of somebody else that is under way hides what was committed behind it; this waits for it.
   */
  decidedEnd(partition: TopicPartition): Promise<number>
  /** Reads without a group, committed records only. Empty at the end of the partition. */
  read(partition: TopicPartition, offset: number, maxBytes: number): Promise<LogBatch>
  committed(
    group: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly (CommittedOffset | null)[]>
  openProducer(transactionalId: string): Promise<LogProducer>
  openConsumer(options: ConsumerOptions): Promise<LogConsumer>
  deleteRecords(partition: TopicPartition, beforeOffset: number): Promise<void>
  close(): Promise<void>
}

export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}
