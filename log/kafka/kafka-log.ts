/** The log that is a Kafka cluster. */
import { StateError } from '../../model/errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Random } from '../../runtime/random.ts'
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
} from '../log.ts'
import { KafkaClient, PassingError } from './client.ts'
import { KafkaConsumer } from './consumer.ts'
import { fetchPartitions } from './fetch.ts'
import { FetchReader } from './fetch-reader.ts'
import { GroupMember } from './group-member.ts'
import type { OpenReader } from './partition-reader.ts'
import { PlainProducer } from './plain-producer.ts'
import { KafkaProducer } from './producer.ts'
import { errorNameOf } from './protocol.ts'
import { decodeBatches } from './record-batches.ts'
import type { SaslOptions, TlsOptions, Wire } from './wire.ts'

export interface KafkaLogOptions {
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly clock: Clock
  readonly random: Random
  readonly requestTimeoutMs?: number
  readonly retryTimeoutMs?: number
  readonly sessionTimeoutMs?: number
  readonly heartbeatIntervalMs?: number
  readonly rebalanceTimeoutMs?: number
  /** By default `exactly_once_v2`. */
  readonly processingGuarantee?: 'exactly_once_v2' | 'at_least_once'
  /** Of internal topics; −1 takes the brokers' default. */
  readonly replicationFactor?: number
  readonly instanceId?: string
  readonly tls?: TlsOptions
  readonly sasl?: SaslOptions
  /** Absent: @platformatic/kafka's. */
  readonly wire?: Wire
  /** How members of groups read. Absent: by requests of the wire. */
  readonly openReader?: OpenReader
}

const openFetchReader: OpenReader = (client, _group, onNews) => new FetchReader(client, onNews)

const earliest = -2n
const latest = -1n
const readCommitted = 1
const readUncommitted = 0
/** One record of a source may be as large; a broker's own limit is lower, and only for new topics. */
const maxInternalMessageBytes = 64 * 1024 * 1024

const topicConfigs: Readonly<Record<TopicSpec['cleanup'], Readonly<Record<string, string>>>> = {
  // Never by age or size: what is not applied yet must be there after a month.
  delete: { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' },
  compact: { 'cleanup.policy': 'compact' },
}

export class KafkaLog implements Log {
  readonly #client: KafkaClient
  readonly #options: KafkaLogOptions

  constructor(options: KafkaLogOptions) {
    this.#options = options
    this.#client = openClient(options)
  }

  async topics(): Promise<readonly TopicInfo[]> {
    const found = await this.#client.allTopics()
    return found.map(({ name, partitions, id }) => ({ name, partitions, id, isFinite: false }))
  }

  async createTopic(spec: TopicSpec): Promise<void> {
    const { name, partitions, cleanup } = spec
    const configs = {
      ...topicConfigs[cleanup],
      'max.message.bytes': String(maxInternalMessageBytes),
    }
    const topic = {
      name,
      numPartitions: partitions,
      replicationFactor: this.#options.replicationFactor ?? -1,
      assignments: [],
      configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    }
    const context = { topic: name }
    await this.#client.retrying('create a topic', context, async () => {
      // What is known of it may be from before somebody removed it.
      if ((await this.#client.findTopic(name, true)) !== null) return
      const { requestTimeoutMs } = this.#client.options
      try {
        await this.#client.control.askAny(
          this.#client.requests.createTopics,
          [topic],
          requestTimeoutMs,
          false,
        )
      } catch (error) {
        if (errorNameOf(error) !== 'TOPIC_ALREADY_EXISTS') throw error
      }
    })
    await this.#client.retrying('wait for a new topic', context, async () => {
      const found = await this.#client.findTopic(name, true)
      if (found === null || found.leaders.some(leader => leader < 0)) {
        throw new PassingError('it has no leader yet')
      }
      if (found.partitions !== partitions) throw mismatch(spec, `${found.partitions} partitions`)
    })
    await this.#checkConfigs(spec)
  }

  async offsets(partition: TopicPartition): Promise<{ start: number; end: number }> {
    const [start, end] = await Promise.all([
      this.#listOffset(partition, earliest),
      this.#listOffset(partition, latest),
    ])
    return { start, end }
  }

  async offsetOfTime(partition: TopicPartition, timeMs: number): Promise<number> {
    const found = await this.#listOffset(partition, BigInt(timeMs))
    return found >= 0 ? found : (await this.offsets(partition)).end
  }

  async decidedEnd(partition: TopicPartition): Promise<number> {
    const written = await this.#listOffset(partition, latest, readUncommitted)
    return await this.#client.retrying('wait for a transaction', partition, async () => {
      const { end } = await this.offsets(partition)
      if (end < written) throw new PassingError('somebody else’s transaction is not decided')
      return end
    })
  }

  async read(partition: TopicPartition, offset: number, maxBytes: number): Promise<LogBatch> {
    const { topic, partition: number } = partition
    const position = { topic, partition: number, offset }
    return await this.#client.retrying('read records', { topic, partition: number }, async () => {
      const leader = await this.#client.leader(partition)
      const [fetched] = await fetchPartitions(
        this.#client,
        this.#client.control,
        leader,
        [position],
        { maxWaitMs: 0, maxBytes },
      )
      const at = { topic, partition: number }
      if (fetched === undefined) return { ...at, records: [], nextOffset: offset, end: offset }
      const { batches, aborted, lastStableOffset: end } = fetched.part
      return { ...decodeBatches(at, batches, offset, aborted), end }
    })
  }

  async committed(
    group: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly (CommittedOffset | null)[]> {
    const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, own]) => ({
      name,
      partitionIndexes: own.map(({ partition }) => partition),
    }))
    // Stable: a transaction that is not decided yet is waited for.
    const { groups } = await this.#client.retrying('fetch committed offsets', {}, () =>
      this.#client.control.askCoordinator(
        'group',
        group,
        this.#client.requests.offsetFetch,
        [{ groupId: group, memberEpoch: -1, topics }],
        true,
      ),
    )
    return partitions.map(({ topic, partition }) => {
      const own = groups[0]?.topics.find(({ name }) => name === topic)?.partitions
      const found = own?.find(({ partitionIndex }) => partitionIndex === partition)
      if (found === undefined || found.committedOffset < 0n) return null
      return { offset: Number(found.committedOffset), metadata: found.metadata ?? '' }
    })
  }

  openProducer(transactionalId: string): Promise<LogProducer> {
    return this.#options.processingGuarantee === 'at_least_once'
      ? PlainProducer.open(this.#client, transactionalId)
      : KafkaProducer.open(this.#client, transactionalId)
  }

  openConsumer({ group, topics, setOf }: ConsumerOptions): Promise<LogConsumer> {
    const member = new GroupMember({
      client: this.#client,
      group,
      topics,
      setOf: setOf ?? (() => ''),
      sessionTimeoutMs: this.#options.sessionTimeoutMs ?? 45_000,
      heartbeatIntervalMs: this.#options.heartbeatIntervalMs ?? 3000,
      rebalanceTimeoutMs: this.#options.rebalanceTimeoutMs ?? 300_000,
      instanceId: this.#options.instanceId ?? null,
      onRebalance: () => consumer.notify(),
    })
    const openReader = this.#options.openReader ?? openFetchReader
    const reader = openReader(this.#client, group, () => consumer.notify())
    const consumer: KafkaConsumer = new KafkaConsumer(this.#client, member, reader)
    return Promise.resolve(consumer)
  }

  async deleteRecords(partition: TopicPartition, beforeOffset: number): Promise<void> {
    const { topic, partition: number } = partition
    await this.#client.retrying('delete records', { topic, partition: number }, async () => {
      const leader = await this.#client.leader(partition)
      const partitions = [{ partitionIndex: number, offset: BigInt(beforeOffset) }]
      const { requestTimeoutMs } = this.#client.options
      try {
        await this.#client.control.ask(
          leader,
          this.#client.requests.deleteRecords,
          [{ name: topic, partitions }],
          requestTimeoutMs,
        )
      } catch (error) {
        // Below the start they are gone already.
        if (errorNameOf(error) !== 'OFFSET_OUT_OF_RANGE') throw error
      }
    })
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  async #listOffset(
    partition: TopicPartition,
    timestamp: bigint,
    isolation = readCommitted,
  ): Promise<number> {
    const { topic, partition: number } = partition
    return await this.#client.retrying('list offsets', { topic, partition: number }, async () => {
      const leader = await this.#client.leader(partition)
      const { topics } = await this.#client.control.ask(
        leader,
        this.#client.requests.listOffsets,
        -1,
        isolation,
        [
          {
            name: topic,
            partitions: [{ partitionIndex: number, currentLeaderEpoch: -1, timestamp }],
          },
        ],
      )
      return Number(topics[0]!.partitions[0]!.offset)
    })
  }

  /** A topic that somebody made by hand must not lose records. */
  async #checkConfigs(spec: TopicSpec): Promise<void> {
    const wanted = topicConfigs[spec.cleanup]
    const { results } = await this.#client.retrying(
      'read the settings of a topic',
      { topic: spec.name },
      () =>
        this.#client.control.askAny(this.#client.requests.describeConfigs, [
          { resourceType: 2, resourceName: spec.name, configurationKeys: Object.keys(wanted) },
        ]),
    )
    const found = new Map(results[0]?.configs.map(({ name, value }) => [name, value]))
    for (const [name, value] of Object.entries(wanted)) {
      if (found.get(name) !== value)
        throw mismatch(spec, `${name}=${found.get(name)}, not ${value}`)
    }
  }
}

function mismatch({ name, partitions }: TopicSpec, found: string): StateError {
  return new StateError(
    'topic-mismatch',
    `the topic has ${found}; the topology asks for ${partitions} partitions that never expire`,
    { context: { topic: name } },
  )
}

export function openClient(options: KafkaLogOptions): KafkaClient {
  const { brokers, clientId, clock, random, tls, sasl, wire } = options
  return new KafkaClient({
    brokers,
    clientId,
    clock,
    random,
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    retryTimeoutMs: options.retryTimeoutMs ?? 120_000,
    ...(tls === undefined ? {} : { tls }),
    ...(sasl === undefined ? {} : { sasl }),
    ...(wire === undefined ? {} : { wire }),
  })
}
