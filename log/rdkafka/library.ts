/**
 * librdkafka by way of node-rdkafka: the only file that loads it, with the types of what is used. It is
 * an optional peer dependency, compiled where it is installed: neither it nor its types need be there.
 */
import { createRequire } from 'node:module'
import { ConfigError } from '../../model/errors.ts'
import type { TopicPartition } from '../log.ts'

export interface PartitionOffset extends TopicPartition {
  readonly offset: number
}

export interface Message extends PartitionOffset {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: number
  /** One name each. */
  readonly headers?: readonly Readonly<Record<string, Buffer>>[]
}

export interface LibrdkafkaError extends Error {
  readonly code: number
}

type Done<T> = (error: LibrdkafkaError | null, found: T) => void

/** A consumer without a group: it reads what it is told to. */
export interface Consumer {
  connect(options: { readonly timeout: number }, done: Done<unknown>): void
  disconnect(done: Done<unknown>): void
  setOauthBearerToken(token: string): void
  setDefaultConsumeTimeout(ms: number): void
  incrementalAssign(partitions: readonly PartitionOffset[]): void
  incrementalUnassign(partitions: readonly TopicPartition[]): void
  /** So many at most; it ends when none came for the consume timeout. */
  consume(count: number, done: Done<readonly Message[]>): void
  getWatermarkOffsets(topic: string, partition: number): { readonly highOffset: number }
  on(event: 'partition.eof', listener: (at: PartitionOffset) => void): void
}

export interface Library {
  readonly KafkaConsumer: new (
    options: Readonly<Record<string, unknown>>,
    topicOptions: Readonly<Record<string, unknown>>,
  ) => Consumer
  /** Of librdkafka as it was compiled, like `zstd`. */
  readonly features: readonly string[]
}

export const rdkafkaVersion = '3.6.1'

/** ConfigError `kafka-client-missing` when it is not installed, or not for this Node. */
export function loadLibrary(): Library {
  try {
    return createRequire(import.meta.url)('node-rdkafka') as Library
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const reason = code === 'MODULE_NOT_FOUND' ? 'it is not installed' : message.split('\n')[0]
    throw new ConfigError(
      'kafka-client-missing',
      `source.client is node-rdkafka, and node-rdkafka could not be loaded: ${reason}`,
      { cause },
    )
  }
}
