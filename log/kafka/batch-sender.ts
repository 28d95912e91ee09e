/**
 * Sends records as batches: a producer id, and a sequence number for each partition, so that a broker
 * drops what it has seen already and refuses what is out of order.
 */
import type { ProducerRecord } from '../log.ts'
import { partitionName } from '../log.ts'
import type { KafkaClient } from './client.ts'
import { isPassing } from './client.ts'
import { encodeBatch } from './record-batches.ts'

/** Of one batch, and of one request: a broker's default limits are 1 MB and 100 MB. */
const maxBatchBytes = 900_000
const maxRequestBytes = 16 * 1024 * 1024
const sequenceCount = 2 ** 31

export interface ProducerIdentity {
  readonly producerId: bigint
  readonly producerEpoch: number
}

export class BatchSender {
  readonly #client: KafkaClient
  readonly #id: string
  readonly #identity: ProducerIdentity
  readonly #isTransactional: boolean
  /** The next sequence number of each partition. */
  readonly #sequences = new Map<string, number>()

  /** `id` is the transactional id; without transactions it only names the sender in errors. */
  constructor(
    client: KafkaClient,
    id: string,
    identity: ProducerIdentity,
    isTransactional: boolean,
  ) {
    this.#client = client
    this.#id = id
    this.#identity = identity
    this.#isTransactional = isTransactional
  }

  /** Resolves to the offsets of the records, in order. */
  async send(records: readonly ProducerRecord[]): Promise<readonly number[]> {
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
    // Behind the last one follows the first.
    this.#sequences.set(name, (sequence + indexes.length) % sequenceCount)
    const own = indexes.map(index => records[index]!)
    const batch = encodeBatch(own, { ...this.#identity, sequence }, this.#isTransactional)
    const base = await this.#client.retrying(`write records (${this.#id})`, {}, async () => {
      const node = await this.#client.leader({ topic, partition })
      try {
        const answer = await this.#client.control.ask(
          node,
          this.#client.requests.produce,
          this.#isTransactional ? this.#id : null,
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
