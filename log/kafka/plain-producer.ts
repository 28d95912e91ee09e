/**
 * A producer without transactions, for `at_least_once`: records are written, then the offsets that they
 * account for. What dies in between is written again by the next owner. Nothing fences an owner before but
 * the generation of its membership, and that only before it writes and when it commits offsets.
 */
import type { LogProducer, Transaction } from '../log.ts'
import type { ProducerIdentity } from './batch-sender.ts'
import { BatchSender } from './batch-sender.ts'
import type { KafkaClient } from './client.ts'
import {
  checkMetadata,
  checkTopics,
  commitFailure,
  confirmMembership,
  fencedError,
  offsetsByTopic,
} from './commits.ts'

/** Of no meaning without transactions; the request has it. */
const transactionTimeoutMs = 60_000

export class PlainProducer implements LogProducer {
  readonly #client: KafkaClient
  readonly #id: string
  readonly #sender: BatchSender
  #isVoid = false

  private constructor(client: KafkaClient, id: string, identity: ProducerIdentity) {
    this.#client = client
    this.#id = id
    this.#sender = new BatchSender(client, id, identity, false)
  }

  static async open(client: KafkaClient, id: string): Promise<PlainProducer> {
    const identity = await client.retrying('get a producer id', {}, () =>
      client.control.askAny(client.requests.initProducerId, null, transactionTimeoutMs, -1n, -1),
    )
    return new PlainProducer(client, id, identity)
  }

  async commit({ records, offsets, group }: Transaction): Promise<readonly number[]> {
    if (this.#isVoid) throw fencedError(this.#id, 'the producer is void since it failed')
    checkMetadata(offsets)
    try {
      await confirmMembership(this.#client, this.#id, group)
      const written = await this.#sender.send(records)
      if (offsets.length > 0) await this.#commitOffsets(offsets, group)
      return written
    } catch (error) {
      this.#isVoid = true
      throw commitFailure(this.#id, error)
    }
  }

  close(): Promise<void> {
    this.#isVoid = true
    return Promise.resolve()
  }

  async #commitOffsets(offsets: Transaction['offsets'], membership: Transaction['group']) {
    const { group, generation, memberId } = membership
    await this.#client.retrying(`write offsets (${this.#id})`, {}, async () => {
      const ask = this.#client.control.askCoordinator(
        'group',
        group,
        this.#client.requests.offsetCommit,
        group,
        generation,
        memberId,
        null,
        offsetsByTopic(offsets),
      )
      await ask.catch((error: unknown) => checkTopics(this.#client, offsets, error))
    })
  }
}
