/**
 * A member of a group that reads its partitions. From each broker at most one fetch is under way, begun
 * when records are handed out, so that the broker prepares the next ones meanwhile; what has come is kept
 * undecoded until it is asked for. Nothing is fetched beyond that: who does not poll does not fill memory.
 */
import { assert, SourceError, StateError } from '../../model/errors.ts'
import type { Assignment, LogBatch, LogConsumer, PollResult, TopicPartition } from '../log.ts'
import { partitionName } from '../log.ts'
import type { KafkaClient, Lane } from './client.ts'
import { isPassing, refused } from './client.ts'
import { fetchPartitions } from './fetch.ts'
import type { GroupMember } from './group-member.ts'
import type { FetchedPartition } from './protocol.ts'
import { decodeBatches } from './record-batches.ts'

/** How long a broker keeps a fetch that finds nothing. */
const fetchWaitMs = 500
const maxFetchBytes = 4 * 1024 * 1024

interface Position extends TopicPartition {
  offset: number
  /** What came for this offset and was not handed out. */
  fetched: FetchedPartition | null
}

export class KafkaConsumer implements LogConsumer {
  readonly #client: KafkaClient
  readonly #member: GroupMember
  readonly #lane: Lane
  readonly #positions = new Map<string, Position>()
  readonly #paused = new Set<string>()
  /** Brokers with a fetch under way. */
  readonly #fetching = new Set<number>()
  #memberId = ''
  #joining: Promise<void> | null = null
  /** What the group gave; the next poll hands it out, however long joining took. */
  #assigned: Assignment | null = null
  /** What a fetch failed with that does not pass; the next poll throws it. */
  #failure: unknown = null
  #tries = 0
  #wake: (() => void) | null = null
  #isWoken = false
  #isClosed = false

  constructor(client: KafkaClient, member: GroupMember) {
    this.#client = client
    this.#member = member
    this.#lane = client.openLane(client.options.requestTimeoutMs + fetchWaitMs)
  }

  async poll({
    maxWaitMs,
    maxBytes,
  }: {
    maxWaitMs: number
    maxBytes: number
  }): Promise<PollResult> {
    assert(!this.#isClosed, 'a consumer polls after it was closed')
    const { clock } = this.#client.options
    const deadline = clock.monotonic() + maxWaitMs
    for (;;) {
      const assignment = this.#assigned
      this.#assigned = null
      if (assignment !== null) return { kind: 'assigned', assignment }
      this.#throwFailure()
      if (this.#member.isJoinDue && this.#joining === null) this.#joining = this.#join()
      const waitMs = Math.max(0, deadline - clock.monotonic())
      if (this.#joining !== null) {
        await this.#orWoken(this.#joining, waitMs)
        if (this.#assigned !== null) continue
      } else {
        const batches = this.#takeFetched(maxBytes)
        await this.#startFetches(maxBytes)
        if (batches.length > 0) return { kind: 'records', batches }
        await this.#orWoken(null, waitMs)
        this.#throwFailure()
      }
      if (!this.#isWoken && clock.monotonic() < deadline) continue
      this.#isWoken = false
      const batches = this.#joining === null ? this.#takeFetched(maxBytes) : []
      return { kind: 'records', batches }
    }
  }

  seek(partition: TopicPartition, offset: number): void {
    const { topic, partition: number } = partition
    const position = { topic, partition: number, offset, fetched: null }
    this.#positions.set(partitionName(partition), position)
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#paused.add(partitionName(partition))
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#paused.delete(partitionName(partition))
  }

  changeTopics(topics: readonly string[]): void {
    this.#member.changeTopics(topics)
    this.#wake?.()
  }

  wakeup(): void {
    this.#isWoken = true
    this.#wake?.()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#positions.clear()
    this.wakeup()
    const joining = this.#joining
    await Promise.all([this.#member.leave(), this.#client.closeLane(this.#lane)])
    await joining
  }

  /** Called by the member when the group wants it to join again. */
  rebalance(): void {
    this.#wake?.()
  }

  async #join(): Promise<void> {
    try {
      const assignment = await this.#member.join()
      const { memberId } = assignment.membership
      // Another id: somebody else may have had the partitions meanwhile.
      if (memberId !== this.#memberId) {
        this.#positions.clear()
        this.#paused.clear()
      }
      this.#memberId = memberId
      const kept = new Set(assignment.partitions.map(partitionName))
      for (const name of this.#positions.keys()) if (!kept.has(name)) this.#positions.delete(name)
      this.#assigned = assignment
    } catch (error) {
      if (!this.#isClosed) this.#failure = error
    } finally {
      this.#joining = null
    }
  }

  /** Waits until the action is done, the time is over, or something wakes the consumer. */
  async #orWoken(action: Promise<void> | null, waitMs: number): Promise<void> {
    if (this.#isWoken) return
    const controller = new AbortController()
    this.#wake = () => controller.abort()
    try {
      const { clock } = this.#client.options
      const waiting = clock.sleep(Math.min(waitMs, 2 ** 31 - 1), controller.signal)
      await (action === null ? waiting : Promise.race([action, waiting]))
    } finally {
      this.#wake = null
      controller.abort()
    }
  }

  #throwFailure(): void {
    const failure = this.#failure
    this.#failure = null
    if (failure !== null && !this.#isStale(failure)) throw failure
  }

  /** Paused, sought or lost since: if it still holds, the next fetch says so again. */
  #isStale(failure: unknown): boolean {
    if (!(failure instanceof StateError) || failure.code !== 'offset-out-of-range') return false
    const { topic, partition, offset } = failure.context
    const name = partitionName({ topic: topic!, partition: partition! })
    return this.#paused.has(name) || this.#positions.get(name)?.offset !== offset
  }

  /** Decodes what has come, up to about so many bytes; at least one partition's part. */
  #takeFetched(maxBytes: number): LogBatch[] {
    const batches: LogBatch[] = []
    let bytes = 0
    for (const [name, position] of this.#positions) {
      const { fetched, offset } = position
      if (fetched === null || this.#paused.has(name)) continue
      if (bytes > 0 && bytes + fetched.batches.length > maxBytes) continue
      bytes += fetched.batches.length
      const { topic, partition } = position
      const batch = decodeBatches({ topic, partition }, fetched.batches, offset, fetched.aborted)
      position.fetched = null
      position.offset = batch.nextOffset
      // Behind those that wait longer: brokers, and this loop, serve in order.
      this.#positions.delete(name)
      this.#positions.set(name, position)
      const end = Math.max(fetched.lastStableOffset, batch.nextOffset)
      if (batch.nextOffset > offset) batches.push({ ...batch, end })
    }
    return batches
  }

  /** One fetch for each broker that has none under way, of all that waits for records there. */
  async #startFetches(maxBytes: number): Promise<void> {
    // What waits goes out first: of many partitions at many brokers it would become much.
    if (this.#heldBytes() >= maxFetchBytes) return
    const byLeader = new Map<number, Position[]>()
    for (const [name, position] of this.#positions) {
      if (this.#paused.has(name) || position.fetched !== null) continue
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

  /** Of those that a poll would hand out. */
  #heldBytes(): number {
    let bytes = 0
    for (const [name, { fetched }] of this.#positions) {
      if (fetched !== null && !this.#paused.has(name)) bytes += fetched.batches.length
    }
    return bytes
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
      this.#wake?.()
    }
  }

  #take(position: Position, part: FetchedPartition): void {
    const current = this.#positions.get(partitionName(position))
    // It was sought elsewhere, or lost, while the fetch was under way.
    if (current !== position) return
    if (part.batches.length > 0) position.fetched = part
  }

  /** What passes is fetched again after a pause; what does not is thrown by the next poll. */
  async #afterFailure(error: unknown, positions: readonly Position[]): Promise<void> {
    if (this.#isClosed || this.#client.isClosed) return
    const current = positions.filter(one => this.#positions.get(partitionName(one)) === one)
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
