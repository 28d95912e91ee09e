/** A consumer of librdkafka as promises. It is made when it is first needed, and anew when that failed. */
import type { KafkaClientOptions } from '../kafka/client.ts'
import type { TopicPartition } from '../log.ts'
import type { Consumer, Library, LibrdkafkaError, Message, PartitionOffset } from './library.ts'
import { consumerOptions, topicOptions } from './options.ts'

/** How long a call waits for records, and for more behind those that came. */
const consumeTimeoutMs = 100

export class ConsumerHandle {
  readonly #library: Library
  readonly #options: KafkaClientOptions
  readonly #group: string
  #consumer: Consumer | null = null
  #ends: PartitionOffset[] = []

  constructor(library: Library, options: KafkaClientOptions, group: string) {
    this.#library = library
    this.#options = options
    this.#group = group
  }

  async open(): Promise<void> {
    if (this.#consumer !== null) return
    const options = consumerOptions(this.#options, this.#group)
    const consumer = new this.#library.KafkaConsumer(options, topicOptions)
    const { sasl, requestTimeoutMs } = this.#options
    if (sasl?.token !== undefined) consumer.setOauthBearerToken(sasl.token)
    consumer.setDefaultConsumeTimeout(consumeTimeoutMs)
    consumer.on('partition.eof', at => this.#ends.push(at))
    await promised<unknown>(done => consumer.connect({ timeout: requestTimeoutMs }, done))
    this.#consumer = consumer
  }

  assign(partitions: readonly PartitionOffset[]): void {
    if (partitions.length > 0) this.#consumer?.incrementalAssign(partitions)
  }

  unassign(partitions: readonly TopicPartition[]): void {
    if (partitions.length > 0) this.#consumer?.incrementalUnassign(partitions)
  }

  /** What came, and the partitions whose end was reached, with where that is. */
  async consume(count: number): Promise<{
    readonly messages: readonly Message[]
    readonly ends: readonly PartitionOffset[]
  }> {
    this.#ends = []
    const messages = await promised<readonly Message[]>(done => {
      this.#consumer?.consume(count, done)
    })
    return { messages, ends: this.#ends }
  }

  /** The partition's end as the last fetch told it. */
  endOf({ topic, partition }: TopicPartition): number {
    return this.#consumer?.getWatermarkOffsets(topic, partition).highOffset ?? 0
  }

  async close(): Promise<void> {
    const consumer = this.#consumer
    this.#consumer = null
    if (consumer !== null) await promised<unknown>(done => consumer.disconnect(done))
  }
}

function promised<T>(
  action: (done: (error: LibrdkafkaError | null, found: T) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    action((error, found) => {
      // An error is a plain object in some of its calls.
      if (error) reject(error instanceof Error ? error : new Error(String(error)))
      else resolve(found)
    })
  })
}
