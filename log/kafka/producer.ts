/**
 * A producer of one transactional id. Opening it fences the one before and ends what that one left
 * open; each commit is one transaction: partitions named, records sent, offsets sent, decided. What
 * fails on the way is aborted. After a failure the id is void: whoever goes on opens it anew, and then
 * asks what was committed.
 */
import type { StateError } from '../../model/errors.ts'
import { ForagerError } from '../../model/errors.ts'
import type { LogProducer, Transaction } from '../log.ts'
import { partitionName } from '../log.ts'
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

/** A transaction that its owner does not end is aborted after this. */
const transactionTimeoutMs = 60_000

export class KafkaProducer implements LogProducer {
  readonly #client: KafkaClient
  readonly #id: string
  readonly #identity: ProducerIdentity
  readonly #sender: BatchSender
  #underWay = Promise.resolve()
  #isVoid = false

  private constructor(client: KafkaClient, id: string, identity: ProducerIdentity) {
    this.#client = client
    this.#id = id
    this.#identity = identity
    this.#sender = new BatchSender(client, id, identity, true)
  }

  static async open(client: KafkaClient, id: string): Promise<KafkaProducer> {
    const identity = await client.retrying(`open the transactional id ${id}`, {}, () =>
      client.control.askCoordinator(
        'transaction',
        id,
        client.requests.initProducerId,
        id,
        transactionTimeoutMs,
        -1n,
        -1,
      ),
    )
    return new KafkaProducer(client, id, identity)
  }

  /** An id has one transaction at a time: one that is asked for meanwhile waits. */
  commit(transaction: Transaction): Promise<readonly number[]> {
    const decided = this.#underWay.then(() => this.#commit(transaction))
    this.#underWay = decided.then(
      () => undefined,
      () => undefined,
    )
    return decided
  }

  async #commit(transaction: Transaction): Promise<readonly number[]> {
    if (this.#isVoid) throw this.#fenced('the id is void since its last transaction')
    checkMetadata(transaction.offsets)
    let isDecided = false
    try {
      await this.#begin(transaction)
      const offsets = await this.#sender.send(transaction.records)
      await this.#sendOffsets(transaction)
      if (isEmpty(transaction)) await confirmMembership(this.#client, this.#id, transaction.group)
      isDecided = true
      await this.#end(true)
      return offsets
    } catch (error) {
      this.#isVoid = true
      // Once it was asked to commit, only the coordinator knows; opening the id anew tells.
      if (!isDecided) await this.#end(false).catch(() => undefined)
      throw commitFailure(this.#id, error)
    }
  }

  close(): Promise<void> {
    this.#isVoid = true
    return Promise.resolve()
  }

  async #begin({ records, offsets, group }: Transaction): Promise<void> {
    const partitions = [...new Map(records.map(at => [partitionName(at), at])).values()]
    for (const at of partitions) {
      await this.#client.leader(at).catch((error: unknown) => {
        if (error instanceof ForagerError) throw error
      })
    }
    const { control } = this.#client
    if (partitions.length > 0) {
      const named = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, own]) => ({
        name,
        partitions: own.map(({ partition }) => partition),
      }))
      await this.#retrying('name the partitions of a transaction', () =>
        control.askCoordinator('transaction', this.#id, this.#client.requests.addPartitionsToTxn, [
          { transactionalId: this.#id, ...this.#identity, verifyOnly: false, topics: named },
        ]),
      )
    }
    // An empty transaction asks whether the id is ours: the coordinator must hear of it all the same.
    if (offsets.length === 0 && partitions.length > 0) return
    const { producerId, producerEpoch } = this.#identity
    await this.#retrying('name the group of a transaction', () =>
      control.askCoordinator(
        'transaction',
        this.#id,
        this.#client.requests.addOffsetsToTxn,
        this.#id,
        producerId,
        producerEpoch,
        group.group,
      ),
    )
  }

  async #sendOffsets({ offsets, group }: Transaction): Promise<void> {
    if (offsets.length === 0) return
    const topics = offsetsByTopic(offsets)
    const { producerId, producerEpoch } = this.#identity
    await this.#retrying('write offsets', async () => {
      const ask = this.#client.control.askCoordinator(
        'group',
        group.group,
        this.#client.requests.txnOffsetCommit,
        this.#id,
        group.group,
        producerId,
        producerEpoch,
        group.generation,
        group.memberId,
        null,
        topics,
      )
      await ask.catch((error: unknown) => checkTopics(this.#client, offsets, error))
    })
  }

  async #end(isCommit: boolean): Promise<void> {
    const { producerId, producerEpoch } = this.#identity
    await this.#retrying(isCommit ? 'commit' : 'abort', () =>
      this.#client.control.askCoordinator(
        'transaction',
        this.#id,
        this.#client.requests.endTxn,
        this.#id,
        producerId,
        producerEpoch,
        isCommit,
      ),
    )
  }

  #retrying<T>(what: string, action: () => Promise<T>): Promise<T> {
    return this.#client.retrying(`${what} (${this.#id})`, {}, action)
  }

  #fenced(reason: string): StateError {
    return fencedError(this.#id, reason)
  }
}

function isEmpty({ records, offsets }: Transaction): boolean {
  return records.length === 0 && offsets.length === 0
}
