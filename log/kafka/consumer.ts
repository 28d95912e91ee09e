/**
 * A member of a group that reads its partitions: it joins between two polls, and hands out what its
 * reader has fetched.
 */
import { assert } from '../../model/errors.ts'
import type { Assignment, LogConsumer, PollResult, TopicPartition } from '../log.ts'
import { partitionName } from '../log.ts'
import type { KafkaClient } from './client.ts'
import type { GroupMember } from './group-member.ts'
import type { PartitionReader } from './partition-reader.ts'

export class KafkaConsumer implements LogConsumer {
  readonly #client: KafkaClient
  readonly #member: GroupMember
  readonly #reader: PartitionReader
  /** Under which the last assignment was handed out. */
  #memberId = ''
  #joining: Promise<void> | null = null
  /** What the group gave; the next poll hands it out, however long joining took. */
  #assigned: Assignment | null = null
  /** What joining failed with, or beginning to read on; the next poll throws it. */
  #failure: unknown = null
  #wake: (() => void) | null = null
  #isWoken = false
  /** Something happened since the poll looked last. */
  #hasNews = false
  #isClosed = false

  constructor(client: KafkaClient, member: GroupMember, reader: PartitionReader) {
    this.#client = client
    this.#member = member
    this.#reader = reader
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
      this.#hasNews = false
      const assignment = this.#assigned
      this.#assigned = null
      if (assignment !== null) {
        // Who had not heard of it may have sought meanwhile what the group took away.
        this.#keepOnly(assignment)
        this.#memberId = assignment.membership.memberId
        return { kind: 'assigned', assignment }
      }
      this.#throwFailure()
      if (this.#member.isJoinDue && this.#joining === null) this.#joining = this.#join()
      const waitMs = Math.max(0, deadline - clock.monotonic())
      if (this.#joining !== null) {
        await this.#orWoken(this.#joining, waitMs)
        if (this.#assigned !== null) continue
      } else {
        const batches = this.#reader.take(maxBytes)
        // What was taken is not fetched again: it goes out first, and the next poll throws.
        await this.#reader.start(maxBytes).catch((error: unknown) => {
          this.#failure = error
        })
        if (batches.length > 0) return { kind: 'records', batches }
        this.#throwFailure()
        await this.#orWoken(null, waitMs)
        this.#throwFailure()
      }
      if (!this.#isWoken && clock.monotonic() < deadline) continue
      this.#isWoken = false
      const batches = this.#joining === null ? this.#reader.take(maxBytes) : []
      return { kind: 'records', batches }
    }
  }

  seek(partition: TopicPartition, offset: number): void {
    this.#reader.seek(partition, offset)
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#reader.pause(partitions)
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#reader.resume(partitions)
  }

  changeTopics(topics: readonly string[]): void {
    this.#member.changeTopics(topics)
    this.notify()
  }

  wakeup(): void {
    this.#isWoken = true
    this.#wake?.()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.wakeup()
    const joining = this.#joining
    await Promise.all([this.#member.leave(), this.#reader.close()])
    await joining
  }

  /** Called when the group wants the member to join again, and when the reader has news. */
  notify(): void {
    this.#hasNews = true
    this.#wake?.()
  }

  async #join(): Promise<void> {
    try {
      const assignment = await this.#member.join()
      this.#keepOnly(assignment)
      this.#assigned = assignment
    } catch (error) {
      if (!this.#isClosed) this.#failure = error
    } finally {
      this.#joining = null
    }
  }

  #keepOnly({ membership, partitions }: Assignment): void {
    // Another id: somebody else may have had the partitions meanwhile.
    if (membership.memberId !== this.#memberId) this.#reader.keep(null)
    this.#reader.keep(new Set(partitions.map(partitionName)))
  }

  /** Waits until the action is done, the time is over, or something wakes the consumer. */
  async #orWoken(action: Promise<void> | null, waitMs: number): Promise<void> {
    if (this.#isWoken || this.#hasNews) return
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
    const failure = this.#failure ?? this.#reader.takeFailure()
    this.#failure = null
    if (failure !== null) throw failure
  }
}
