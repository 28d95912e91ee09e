/**
 * Reads partitions with Kafka's requests. From each broker at most one fetch is under way, begun when
 * records are handed out, so that the broker prepares the next ones meanwhile; what has come is kept
 * undecoded until it is asked for. Nothing is fetched beyond that: who does not poll does not fill memory.
 */
import { SourceError, StateError } from '../../model/errors.ts'
import type { LogBatch, TopicPartition } from '../log.ts'
import type { KafkaClient, Lane } from './client.ts'
import { isPassing, refused } from './client.ts'
import { fetchPartitions } from './fetch.ts'
import type { PartitionReader } from './partition-reader.ts'
import { Positions } from './positions.ts'
import { decodeBatches } from './record-batches.ts'
import type { FetchedPartition } from './wire.ts'

/** How long a broker keeps a fetch that finds nothing. */
const fetchWaitMs = 500
const maxFetchBytes = 4 * 1024 * 1024

interface Position extends TopicPartition {
  offset: number
  /** What came for this offset and was not handed out. */
  fetched: FetchedPartition | null
}

export class FetchReader implements PartitionReader {
  readonly #client: KafkaClient
  readonly #lane: Lane
  readonly #onNews: () => void
  readonly #positions = new Positions<Position>(({ offset }) => offset)
  /** Brokers with a fetch under way. */
  readonly #fetching = new Set<number>()
  #failure: unknown = null
  #tries = 0
  #isClosed = false

  constructor(client: KafkaClient, onNews: () => void) {
    this.#client = client
    this.#onNews = onNews
    this.#lane = client.openLane(client.options.requestTimeoutMs + fetchWaitMs)
  }

  seek({ topic, partition }: TopicPartition, offset: number): void {
    this.#positions.set({ topic, partition, offset, fetched: null })
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#positions.pause(partitions)
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#positions.resume(partitions)
  }

  keep(names: ReadonlySet<string> | null): void {
    this.#positions.keep(names)
  }

  /** Decodes what has come, up to about so many bytes; at least one partition's part. */
  take(maxBytes: number): LogBatch[] {
    const batches: LogBatch[] = []
    let bytes = 0
    for (const position of this.#positions.readable()) {
      const { fetched, offset } = position
      if (fetched === null) continue
      if (bytes > 0 && bytes + fetched.batches.length > maxBytes) continue
      bytes += fetched.batches.length
      const batch = this.#decode(position, fetched, batches.length > 0)
      if (batch === null) break
      position.fetched = null
      position.offset = batch.nextOffset
      // Brokers, and this loop, serve in order.
      this.#positions.moveBehind(position)
      const { topic, partition } = position
      const end = Math.max(fetched.lastStableOffset, batch.nextOffset)
      if (batch.nextOffset > offset) batches.push({ ...batch, topic, partition, end })
    }
    return batches
  }

  /** Null: it cannot be decoded, which the next call says. What was taken already goes out first. */
  #decode(
    position: Position,
    { batches, aborted }: FetchedPartition,
    isOthers: boolean,
  ): ReturnType<typeof decodeBatches> | null {
    try {
      return decodeBatches(position, batches, position.offset, aborted)
    } catch (error) {
      if (isOthers) return null
      throw error
    }
  }

  /** One fetch for each broker that has none under way, of all that waits for records there. */
  async start(maxBytes: number): Promise<void> {
    // What waits goes out first: of many partitions at many brokers it would become much.
    if (this.#heldBytes() >= maxFetchBytes) return
    const byLeader = new Map<number, Position[]>()
    for (const position of this.#positions.readable()) {
      if (position.fetched !== null) continue
      const leader = await this.#leaderOf(position)
      if (leader === null || this.#fetching.has(leader)) continue
      const own = byLeader.get(leader)
      if (own === undefined) byLeader.set(leader, [position])
      else own.push(position)
    }
    for (const [leader, positions] of byLeader) {
      this.#fetching.add(leader)
      void this.#fetch(leader, positions, Math.min(maxBytes, maxFetchBytes))
    }
  }

  takeFailure(): unknown {
    const failure = this.#failure
    this.#failure = null
    return this.#positions.isStale(failure) ? null : failure
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#positions.clear()
    await this.#client.closeLane(this.#lane)
  }

  /** Of those that a poll would hand out. */
  #heldBytes(): number {
    const readable = this.#positions.readable()
    return readable.reduce((sum, { fetched }) => sum + (fetched?.batches.length ?? 0), 0)
  }

  /** Null while nobody leads it. A topic that is gone may only be new; who reads it looks after that. */
  async #leaderOf(position: Position): Promise<number | null> {
    try {
      return await this.#client.leader(position)
    } catch (error) {
      const isGone = error instanceof SourceError && error.code === 'topic-missing'
      if (!isGone && !isPassing(error)) throw error
      return null
    }
  }

  async #fetch(leader: number, positions: readonly Position[], maxBytes: number): Promise<void> {
    try {
      const fetched = await fetchPartitions(this.#client, this.#lane, leader, positions, {
        maxWaitMs: fetchWaitMs,
        maxBytes,
      })
      for (const { position, part } of fetched) this.#take(position, part)
      this.#tries = 0
    } catch (error) {
      await this.#afterFailure(error, positions)
    } finally {
      this.#fetching.delete(leader)
      this.#onNews()
    }
  }

  #take(position: Position, part: FetchedPartition): void {
    // It was sought elsewhere, or lost, while the fetch was under way.
    if (!this.#positions.isCurrent(position)) return
    if (part.batches.length > 0) position.fetched = part
  }

  /** What passes is fetched again after a pause; what does not is thrown by the next poll. */
  async #afterFailure(error: unknown, positions: readonly Position[]): Promise<void> {
    if (this.#isClosed || this.#client.isClosed) return
    const current = positions.filter(one => this.#positions.isCurrent(one))
    if (isPassing(error)) {
      for (const { topic } of current) this.#client.forgetTopic(topic)
      await this.#client.backoff(this.#tries)
      this.#tries += 1
      return
    }
    // Nobody waits for a partition that was lost meanwhile.
    if (error instanceof StateError && current.length === 0) return
    this.#failure = refused('fetch records', {}, error)
  }
}
