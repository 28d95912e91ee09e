/**
 * A producer of one transactional id. Opening it fences the one before and ends what that one left
 * open; each commit is one transaction: partitions named, records sent, offsets sent, decided. What
 * fails on the way is aborted. After a failure the id is void: whoever goes on opens it anew, and then
 * asks what was committed.
 */
import { assert, ForagerError, StateError } from '../../model/errors.ts'
import type { GroupMembership, LogProducer, ProducerRecord, Transaction } from '../log.ts'
import { partitionName } from '../log.ts'
import type { KafkaClient } from './client.ts'
import { isPassing } from './client.ts'
import { errorNameOf, requests } from './protocol.ts'
import { encodeBatch } from './record-batches.ts'

/** Errors that say that the id, or the membership that the offsets are committed under, is not ours. */
const fencing = new Set([
  'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_ID_MAPPING',
  'INVALID_TXN_STATE',
  'TRANSACTIONAL_ID_NOT_FOUND',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'REBALANCE_IN_PROGRESS',
  'FENCED_INSTANCE_ID',
])

/** A transaction that its owner does not end is aborted after this. */
const transactionTimeoutMs = 60_000
const maxMetadataBytes = 4096
/** Of one batch, and of one request: a broker's default limits are 1 MB and 100 MB. */
const maxBatchBytes = 900_000
const maxRequestBytes = 16 * 1024 * 1024

interface Identity {
  readonly producerId: bigint
  readonly producerEpoch: number
}

export class KafkaProducer implements LogProducer {
  readonly #client: KafkaClient
  readonly #id: string
  readonly #identity: Identity
  /** The next sequence number of each partition. */
  readonly #sequences = new Map<string, number>()
  #isVoid = false

  private constructor(client: KafkaClient, id: string, identity: Identity) {
    this.#client = client
    this.#id = id
    this.#identity = identity
  }

  static async open(client: KafkaClient, id: string): Promise<KafkaProducer> {
    const identity = await client.retrying(`open the transactional id ${id}`, {}, () =>
      client.control.askCoordinator(
        'transaction',
        id,
        requests.initProducerId,
        id,
        transactionTimeoutMs,
        -1n,
        -1,
      ),
    )
    return new KafkaProducer(client, id, identity)
  }

  async commit(transaction: Transaction): Promise<readonly number[]> {
    if (this.#isVoid) throw this.#fenced('the id is void since its last transaction')
    for (const offset of transaction.offsets) {
      const size = Buffer.byteLength(offset.metadata)
      assert(size <= maxMetadataBytes, () => `offset metadata of ${size} bytes`, { ...offset })
    }
    let isDecided = false
    try {
      await this.#begin(transaction)
      const offsets = await this.#send(transaction.records)
      await this.#sendOffsets(transaction)
      if (isEmpty(transaction)) await this.#confirmMembership(transaction.group)
      isDecided = true
      await this.#end(true)
      return offsets
    } catch (error) {
      this.#isVoid = true
      // Once it was asked to commit, only the coordinator knows; opening the id anew tells.
      if (!isDecided) await this.#end(false).catch(() => undefined)
      throw this.#failure(error)
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
        control.askCoordinator('transaction', this.#id, requests.addPartitionsToTxn, [
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
        requests.addOffsetsToTxn,
        this.#id,
        producerId,
        producerEpoch,
        group.group,
      ),
    )
  }

  /** Resolves to the offsets of the records, in order. */
  async #send(records: readonly ProducerRecord[]): Promise<readonly number[]> {
    const offsets = Array.from(records, () => -1)
    for (const round of roundsOf(records)) {
      const sent = round.map(({ partition, indexes }) =>
        this.#sendBatch(partition, indexes, records, offsets),
      )
      // None may still be on its way when the transaction is ended.
      const settled = await Promise.allSettled(sent)
      const failed = settled.find(one => one.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    }
    return offsets
  }

  async #sendBatch(
    name: string,
    indexes: readonly number[],
    records: readonly ProducerRecord[],
    offsets: number[],
  ): Promise<void> {
    const { topic, partition } = records[indexes[0]!]!
    const sequence = this.#sequences.get(name) ?? 0
    this.#sequences.set(name, sequence + indexes.length)
    const own = indexes.map(index => records[index]!)
    const batch = encodeBatch(own, { ...this.#identity, sequence })
    const base = await this.#retrying('write records', async () => {
      const node = await this.#client.leader({ topic, partition })
      try {
        const answer = await this.#client.control.ask(
          node,
          requests.produce,
          this.#id,
          this.#client.options.requestTimeoutMs,
          { topic, partition, batch },
        )
        return Number(answer.responses[0]!.partitionResponses[0]!.baseOffset)
      } catch (error) {
        if (isPassing(error)) this.#client.forgetTopic(topic)
        throw error
      }
    })
    for (const [place, index] of indexes.entries()) offsets[index] = base + place
  }

  async #sendOffsets({ offsets, group }: Transaction): Promise<void> {
    if (offsets.length === 0) return
    const topics = [...Map.groupBy(offsets, ({ topic }) => topic)].map(([name, own]) => ({
      name,
      partitions: own.map(({ partition, offset, metadata }) => ({
        partitionIndex: partition,
        committedOffset: BigInt(offset),
        committedLeaderEpoch: -1,
        committedMetadata: metadata,
      })),
    }))
    const { producerId, producerEpoch } = this.#identity
    await this.#retrying('write offsets', async () => {
      const ask = this.#client.control.askCoordinator(
        'group',
        group.group,
        requests.txnOffsetCommit,
        this.#id,
        group.group,
        producerId,
        producerEpoch,
        group.generation,
        group.memberId,
        null,
        topics,
      )
      await ask.catch((error: unknown) => this.#checkTopics(offsets, error))
    })
  }

  /** A topic that was deleted does not come back by asking again. */
  async #checkTopics(offsets: Transaction['offsets'], error: unknown): Promise<never> {
    if (errorNameOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') {
      for (const at of offsets) {
        this.#client.forgetTopic(at.topic)
        await this.#client.leader(at)
      }
    }
    throw error
  }

  /** A heartbeat, which the group refuses from who is not its member any more. */
  async #confirmMembership({ group, generation, memberId }: GroupMembership): Promise<void> {
    if (memberId === '') return
    await this.#retrying('confirm the membership', async () => {
      const ask = this.#client.control.askCoordinator(
        'group',
        group,
        requests.heartbeat,
        group,
        generation,
        memberId,
        null,
      )
      await ask.catch((error: unknown) => {
        // It rebalances, and this is still a member of it.
        if (errorNameOf(error) !== 'REBALANCE_IN_PROGRESS') throw error
      })
    })
  }

  async #end(isCommit: boolean): Promise<void> {
    const { producerId, producerEpoch } = this.#identity
    await this.#retrying(isCommit ? 'commit' : 'abort', () =>
      this.#client.control.askCoordinator(
        'transaction',
        this.#id,
        requests.endTxn,
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

  /** What the task is told: that it lost its id, or what else stands in the way. */
  #failure(error: unknown): Error {
    if (!(error instanceof Error)) return this.#fenced(String(error))
    const name = errorNameOf((error as { cause?: unknown }).cause ?? error)
    if (fencing.has(name)) return this.#fenced(name, error)
    const isUnknown = error instanceof ForagerError && error.code === 'kafka-unreachable'
    return isUnknown ? this.#fenced(`its outcome is not known: ${error.message}`, error) : error
  }

  #fenced(reason: string, cause?: unknown): StateError {
    return new StateError('task-fenced', `the transaction of ${this.#id} ended: ${reason}`, {
      cause,
    })
  }
}

function isEmpty({ records, offsets }: Transaction): boolean {
  return records.length === 0 && offsets.length === 0
}

interface PartitionBatch {
  readonly partition: string
  readonly indexes: number[]
  bytes: number
}

/** The records by partition, in rounds of at most one batch a partition: batches stay in order. */
function roundsOf(records: readonly ProducerRecord[]): PartitionBatch[][] {
  const queues = new Map<string, PartitionBatch[]>()
  for (const [index, record] of records.entries()) {
    const partition = partitionName(record)
    const queue = queues.get(partition) ?? []
    queues.set(partition, queue)
    const bytes = (record.key?.length ?? 0) + (record.value?.length ?? 0) + 100
    const open = queue.at(-1)
    if (open !== undefined && open.bytes + bytes <= maxBatchBytes) {
      open.indexes.push(index)
      open.bytes += bytes
    } else queue.push({ partition, indexes: [index], bytes })
  }
  const rounds: PartitionBatch[][] = []
  while (queues.size > 0) {
    const round: PartitionBatch[] = []
    let bytes = 0
    for (const [partition, queue] of queues) {
      if (bytes > maxRequestBytes) break
      const batch = queue.shift()!
      bytes += batch.bytes
      round.push(batch)
      if (queue.length === 0) queues.delete(partition)
    }
    rounds.push(round)
  }
  return rounds
}
