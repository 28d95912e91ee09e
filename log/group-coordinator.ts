/**
 * Groups of the embedded log: who has which partitions. Partitions stay with their member over a
 * rebalance where they can; each rebalance is a new generation, and only the newest may commit.
 */
import { assert, StateError } from '../model/errors.ts'
import { assignSticky } from './assign-sticky.ts'
import type { Assignment, GroupMembership, TopicPartition } from './log.ts'
import { partitionName } from './log.ts'

interface Member {
  readonly id: string
  topics: readonly string[]
  readonly setOf: ((topic: string) => string) | undefined
  partitions: TopicPartition[]
  /** The generation that the member has been told of. */
  knownGeneration: number
  readonly onChange: () => void
}

export class GroupCoordinator {
  readonly #groups = new Map<string, { generation: number; members: Map<string, Member> }>()
  readonly #partitionsOf: (topics: readonly string[]) => TopicPartition[]

  constructor(partitionsOf: (topics: readonly string[]) => TopicPartition[]) {
    this.#partitionsOf = partitionsOf
  }

  join(
    group: string,
    { id, topics, setOf }: Pick<Member, 'id' | 'topics' | 'setOf'>,
    onChange: () => void,
  ): void {
    const state = this.#groups.get(group) ?? { generation: 0, members: new Map<string, Member>() }
    this.#groups.set(group, state)
    state.members.set(id, { id, topics, setOf, partitions: [], knownGeneration: -1, onChange })
    this.#rebalance(group)
  }

  leave(group: string, id: string): void {
    const state = this.#groups.get(group)
    if (state?.members.delete(id) === true) this.#rebalance(group)
  }

  /** Who is not a member any more joins with them when it comes back. */
  changeTopics(group: string, id: string, topics: readonly string[]): void {
    const member = this.#groups.get(group)?.members.get(id)
    if (member === undefined) return
    member.topics = topics
    this.#rebalance(group)
  }

  isMember(group: string, id: string): boolean {
    return this.#groups.get(group)?.members.has(id) === true
  }

  /** The new assignment when the member has not been told of it yet. */
  takeAssignment(group: string, id: string): Assignment | null {
    const state = this.#groups.get(group)
    const member = state?.members.get(id)
    assert(state !== undefined && member !== undefined, `${id} is not in the group ${group}`)
    if (member.knownGeneration === state.generation) return null
    member.knownGeneration = state.generation
    return {
      membership: { group, memberId: id, generation: state.generation },
      partitions: member.partitions,
    }
  }

  /** StateError `task-fenced` unless the membership is the newest and owns the partitions. */
  check(membership: GroupMembership, partitions: readonly TopicPartition[]): void {
    const state = this.#groups.get(membership.group)
    const member = state?.members.get(membership.memberId)
    const owned = new Set(member?.partitions.map(partitionName))
    const isOwner = partitions.every(partition => owned.has(partitionName(partition)))
    if (state?.generation === membership.generation && isOwner) return
    throw new StateError(
      'task-fenced',
      `the group ${membership.group} is at generation ${state?.generation ?? 'none'}; ` +
        `the member committed in generation ${membership.generation}`,
    )
  }

  /** Whoever asked for the topic before it was there gets its share of it. */
  topicAppeared(topic: string): void {
    for (const [group, { members }] of this.#groups) {
      if ([...members.values()].some(member => member.topics.includes(topic))) {
        this.#rebalance(group)
      }
    }
  }

  /** Every member learns of the new generation at its next poll. */
  #rebalance(group: string): void {
    const state = this.#groups.get(group)
    assert(state !== undefined, `no group ${group}`)
    state.generation += 1
    const members = [...state.members.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
    const all = this.#partitionsOf([...new Set(members.flatMap(member => member.topics))])
    const assigned = assignSticky(
      members.map(({ id, topics, partitions: owned }) => ({ id, topics, owned })),
      all,
      members[0]?.setOf,
    )
    for (const member of members) {
      member.partitions = assigned.get(member.id)!
      member.onChange()
    }
  }
}
