/**
 * Who of a group has which partitions. Partitions stay with their owner over a rebalance where they
 * can, and each set of topics is spread by itself, so that the tasks of one sub-topology do not gather
 * on one member.
 */
import type { TopicPartition } from './log.ts'
import { partitionName } from './log.ts'

export interface GroupMember {
  readonly id: string
  readonly topics: readonly string[]
  /** What it had before. */
  readonly owned: readonly TopicPartition[]
}

/**
 * Every partition goes to one member that asked for its topic: to the last owner up to its share, else
 * to the least loaded. Of one set, members that asked for all of it differ by one partition at most.
 * `setOf` names the set that a topic belongs to. The result has every member.
 */
export function assignSticky(
  members: readonly GroupMember[],
  partitions: readonly TopicPartition[],
  setOf: (topic: string) => string = () => '',
): Map<string, TopicPartition[]> {
  const assigned = new Map(members.map(({ id }) => [id, [] as TopicPartition[]]))
  const owners = new Map(
    members.flatMap(({ id, owned }) => owned.map(at => [partitionName(at), id] as const)),
  )
  const sets = Map.groupBy(partitions, ({ topic }) => setOf(topic))
  for (const own of sets.values()) assignSet(members, own, owners, assigned)
  return assigned
}

function assignSet(
  members: readonly GroupMember[],
  partitions: readonly TopicPartition[],
  owners: ReadonlyMap<string, string>,
  assigned: Map<string, TopicPartition[]>,
): void {
  const share = Math.floor(partitions.length / Math.max(1, members.length))
  let larger = partitions.length - share * members.length
  const counts = new Map(members.map(({ id }) => [id, 0]))
  const give = (id: string, at: TopicPartition): void => {
    assigned.get(id)?.push(at)
    counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  const homeless = partitions.filter(at => {
    const owner = owners.get(partitionName(at))
    const count = owner === undefined ? undefined : counts.get(owner)
    if (owner === undefined || count === undefined || count > share) return true
    if (count === share) {
      if (larger === 0) return true
      larger -= 1
    }
    give(owner, at)
    return false
  })
  for (const at of homeless) {
    const candidates = members.filter(({ topics }) => topics.includes(at.topic))
    const [least] = candidates.toSorted((a, b) => {
      const ofSet = counts.get(a.id)! - counts.get(b.id)!
      return ofSet === 0 ? assigned.get(a.id)!.length - assigned.get(b.id)!.length : ofSet
    })
    if (least !== undefined) give(least.id, at)
  }
}
