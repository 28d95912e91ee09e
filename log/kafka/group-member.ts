/**
 * A member of a consumer group, by the classic protocol. It joins only when it is told to, between two
 * polls, so that a transaction under way is not overtaken by its own member; heartbeats go on by
 * themselves and say when to join again.
 */
import { crc32 } from 'node:zlib'
import { assignSticky } from '../assign-sticky.ts'
import type { Assignment, TopicPartition } from '../log.ts'
import type { KafkaClient, Lane } from './client.ts'
import { isPassing, PassingError } from './client.ts'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  errorNameOf,
  givenMemberId,
} from './protocol.ts'

export interface GroupMemberOptions {
  readonly client: KafkaClient
  readonly group: string
  readonly topics: readonly string[]
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  /** How long the group waits for a member that is busy before it goes on without it. */
  readonly rebalanceTimeoutMs: number
  /** A name that outlives the process: its partitions wait for it through a restart. */
  readonly instanceId: string | null
  readonly setOf: (topic: string) => string
  /** Called when the group wants the member to join again. */
  readonly onRebalance: () => void
}

const protocolType = 'consumer'
/** All members must be able to follow it: a change of its meaning needs another name. */
const protocolName = 'forager-sticky-1'

/** Errors after which the member is not in the group any more. */
const lost = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID'])
const joinSlackMs = 10_000

export class GroupMember {
  readonly #options: GroupMemberOptions
  /** Joining waits for the other members; heartbeats must not wait behind it. */
  readonly #joinLane: Lane
  readonly #heartbeatLane: Lane
  #topics: readonly string[]
  #memberId = ''
  #generation = -1
  #owned: readonly TopicPartition[] = []
  #isJoinDue = true
  #isLeaving = false
  #heartbeats: AbortController | null = null

  constructor(options: GroupMemberOptions) {
    const { client, rebalanceTimeoutMs, sessionTimeoutMs } = options
    this.#options = options
    this.#topics = options.topics
    this.#joinLane = client.openLane(rebalanceTimeoutMs + joinSlackMs)
    // Two tries fit into a session.
    this.#heartbeatLane = client.openLane(Math.max(500, Math.floor(sessionTimeoutMs / 2.5)))
  }

  get isJoinDue(): boolean {
    return this.#isJoinDue
  }

  /** The next poll joins again and says so. */
  changeTopics(topics: readonly string[]): void {
    this.#topics = topics
    this.#isJoinDue = true
  }

  /** Joins, and resolves to what the group gave. The other members join in the same time. */
  async join(): Promise<Assignment> {
    this.#heartbeats?.abort()
    const { client, group, rebalanceTimeoutMs } = this.#options
    const timeoutMs = rebalanceTimeoutMs + client.options.retryTimeoutMs
    const asked = this.#topics
    const assignment = await client.retrying(
      `join the group ${group}`,
      {},
      () => this.#joinOnce(),
      timeoutMs,
    )
    // Who has left sends no heartbeats.
    if (this.#isLeaving) return assignment
    // What it reads was changed meanwhile: that is asked for by joining again.
    this.#isJoinDue = this.#topics !== asked
    this.#heartbeats = new AbortController()
    void this.#beat(this.#heartbeats.signal)
    return assignment
  }

  async leave(): Promise<void> {
    this.#isLeaving = true
    this.#heartbeats?.abort()
    const { client, group, instanceId } = this.#options
    if (this.#memberId !== '' && instanceId === null) {
      const member = { memberId: this.#memberId, groupInstanceId: null, reason: null }
      // A group that cannot be told finds out by the session's end.
      await client.control
        .askCoordinator('group', group, client.requests.leaveGroup, group, [member])
        .catch(() => undefined)
    }
    await Promise.all([client.closeLane(this.#joinLane), client.closeLane(this.#heartbeatLane)])
  }

  async #joinOnce(): Promise<Assignment> {
    if (this.#isLeaving) throw new Error('the member has left')
    const { client, group, sessionTimeoutMs, rebalanceTimeoutMs, instanceId } = this.#options
    const topics = this.#topics
    const metadata = encodeSubscription({ topics, owned: this.#owned })
    try {
      const joined = await this.#joinLane.askCoordinator(
        'group',
        group,
        client.requests.joinGroup,
        group,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        this.#memberId,
        instanceId,
        protocolType,
        [
          // Another subscription is another name, else a static member's restart changes nothing.
          { name: `${protocolName}-${crc32([...topics].sort().join())}`, metadata },
          { name: protocolName, metadata },
        ],
      )
      this.#memberId = joined.memberId
      this.#generation = joined.generationId
      const isLeader = joined.leader === joined.memberId
      const assignments = isLeader ? await this.#assign(joined.members) : []
      const { assignment } = await this.#joinLane.askCoordinator(
        'group',
        group,
        client.requests.syncGroup,
        group,
        this.#generation,
        this.#memberId,
        instanceId,
        protocolType,
        joined.protocolName ?? protocolName,
        assignments,
      )
      this.#owned = decodeAssignment(assignment)
      return {
        membership: { group, memberId: this.#memberId, generation: this.#generation },
        partitions: this.#owned,
      }
    } catch (error) {
      throw this.#afterFailure(error)
    }
  }

  /** What the next try begins with. */
  #afterFailure(error: unknown): unknown {
    const name = errorNameOf(error)
    if (name === 'MEMBER_ID_REQUIRED') {
      this.#memberId = givenMemberId(error)
      return new PassingError('the coordinator gave a member id')
    }
    if (lost.has(name)) {
      this.#forgetMembership()
      return new PassingError(`the group gave up on the member: ${name}`)
    }
    if (name === 'REBALANCE_IN_PROGRESS') return new PassingError('the group rebalances again')
    return error
  }

  #forgetMembership(): void {
    this.#memberId = ''
    this.#generation = -1
    this.#owned = []
  }

  async #assign(
    members: readonly { readonly memberId: string; readonly metadata: Buffer }[],
  ): Promise<{ memberId: string; assignment: Buffer }[]> {
    const { client, setOf } = this.#options
    const asked = members
      .map(({ memberId: id, metadata }) => ({ id, ...decodeSubscription(metadata) }))
      .sort((a, b) => (a.id < b.id ? -1 : 1))
    const names = [...new Set(asked.flatMap(({ topics }) => topics))].sort()
    const partitions: TopicPartition[] = []
    for (const name of names) {
      const topic = await client.findTopic(name, true)
      for (let partition = 0; partition < (topic?.partitions ?? 0); partition += 1) {
        partitions.push({ topic: name, partition })
      }
    }
    const assigned = assignSticky(asked, partitions, setOf)
    return [...assigned].map(([memberId, own]) => ({ memberId, assignment: encodeAssignment(own) }))
  }

  async #beat(signal: AbortSignal): Promise<void> {
    const { client, group, heartbeatIntervalMs, instanceId } = this.#options
    const { clock } = client.options
    while (!signal.aborted) {
      await clock.sleep(heartbeatIntervalMs, signal)
      if (signal.aborted) return
      try {
        await this.#heartbeatLane.askCoordinator(
          'group',
          group,
          client.requests.heartbeat,
          group,
          this.#generation,
          this.#memberId,
          instanceId,
        )
      } catch (error) {
        if (signal.aborted) return
        const name = errorNameOf(error)
        if (lost.has(name)) this.#forgetMembership()
        // What passes is asked again with the next beat; the session has room for it.
        if (isPassing(error)) continue
        this.#isJoinDue = true
        this.#options.onRebalance()
        return
      }
    }
  }
}
