/** A transaction step by step, as no producer of ours does it: begun, and left wherever a test wants. */
import { KafkaClient } from '../../log/kafka/client.ts'
import { requests } from '../../log/kafka/protocol.ts'
import { encodeBatch } from '../../log/kafka/record-batches.ts'
import type { TopicPartition } from '../../log/log.ts'
import { systemClock } from '../../runtime/clock.ts'
import { systemRandom } from '../../runtime/random.ts'

const timeoutMs = 10_000

export function newClient(brokers: readonly string[]): KafkaClient {
  return new KafkaClient({
    brokers,
    clientId: 'half',
    clock: systemClock,
    random: systemRandom,
    requestTimeoutMs: timeoutMs,
    retryTimeoutMs: 60_000,
  })
}

export class HalfTransaction {
  readonly #client: KafkaClient
  readonly #id: string
  readonly #owner: { readonly producerId: bigint; readonly producerEpoch: number }

  private constructor(
    client: KafkaClient,
    id: string,
    owner: { readonly producerId: bigint; readonly producerEpoch: number },
  ) {
    this.#client = client
    this.#id = id
    this.#owner = owner
  }

  static async open(client: KafkaClient, id: string): Promise<HalfTransaction> {
    const owner = await client.retrying('open', {}, () =>
      client.control.askCoordinator(
        'transaction',
        id,
        requests.initProducerId,
        id,
        60_000,
        -1n,
        -1,
      ),
    )
    return new HalfTransaction(client, id, owner)
  }

  async write({ topic, partition }: TopicPartition, value: string): Promise<void> {
    const topics = [{ name: topic, partitions: [partition] }]
    const named = { transactionalId: this.#id, ...this.#owner, verifyOnly: false, topics }
    await this.#asked('name', requests.addPartitionsToTxn, [named])
    const record = { topic, partition, key: null, timestampMs: 0, value: Buffer.from(value) }
    const batch = encodeBatch([record], { ...this.#owner, sequence: 0 })
    await this.#client.retrying('write', {}, async () => {
      const leader = await this.#client.leader({ topic, partition })
      const part = { topic, partition, batch }
      return await this.#client.control.ask(leader, requests.produce, this.#id, timeoutMs, part)
    })
  }

  async commitOffset(group: string, { topic, partition }: TopicPartition, offset: number) {
    const { producerId, producerEpoch } = this.#owner
    await this.#asked(
      'name the group',
      requests.addOffsetsToTxn,
      this.#id,
      producerId,
      producerEpoch,
      group,
    )
    const committed = {
      partitionIndex: partition,
      committedOffset: BigInt(offset),
      committedLeaderEpoch: -1,
      committedMetadata: '',
    }
    await this.#client.retrying('write the offset', {}, () =>
      this.#client.control.askCoordinator(
        'group',
        group,
        requests.txnOffsetCommit,
        this.#id,
        group,
        producerId,
        producerEpoch,
        -1,
        '',
        null,
        [{ name: topic, partitions: [committed] }],
      ),
    )
  }

  /** Resolves when the coordinator has decided; the markers follow when they can. */
  async decide(): Promise<void> {
    const { producerId, producerEpoch } = this.#owner
    await this.#asked('decide', requests.endTxn, this.#id, producerId, producerEpoch, true)
  }

  async #asked<A extends unknown[], R>(
    what: string,
    api: { async(connection: object, ...args: A): Promise<R> },
    ...args: A
  ): Promise<R> {
    return await this.#client.retrying(what, {}, () =>
      this.#client.control.askCoordinator('transaction', this.#id, api, ...args),
    )
  }
}
