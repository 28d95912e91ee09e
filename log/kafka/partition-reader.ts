/**
 * What fetches the records of a member's partitions. `FetchReader` does it with Kafka's requests,
 * `../rdkafka/reader.ts` with librdkafka; who belongs to the group, and when, is the consumer's.
 */
import type { LogBatch, TopicPartition } from '../log.ts'
import type { KafkaClient } from './client.ts'

export interface PartitionReader {
  /** Reading goes on there; a partition that was never sought is not read. */
  seek(partition: TopicPartition, offset: number): void
  pause(partitions: readonly TopicPartition[]): void
  resume(partitions: readonly TopicPartition[]): void
  /** Forgets every other partition; null forgets all, and what was paused. */
  keep(names: ReadonlySet<string> | null): void
  /** What has come, up to about so many bytes; at least one partition's part. */
  take(maxBytes: number): LogBatch[]
  /** Sees to it that records come; `onNews` is called when some have, or when something failed. */
  start(maxBytes: number): Promise<void>
  /** What stands in the way and does not pass, once; null when nothing does. */
  takeFailure(): unknown
  close(): Promise<void>
}

export type OpenReader = (client: KafkaClient, group: string, onNews: () => void) => PartitionReader
