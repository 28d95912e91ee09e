import fc from 'fast-check'
import { expect, it } from 'vitest'
import { assignSticky, type GroupMember } from '../../log/assign-sticky.ts'
import { partitionName, type TopicPartition } from '../../log/log.ts'

const topics = ['source', 'hop', 'staged'] as const
const all = topics.flatMap((topic, index) =>
  Array.from({ length: [3, 7, 2][index]! }, (_, partition) => ({ topic, partition })),
)

function member(id: string, owned: readonly TopicPartition[] = []): GroupMember {
  return { id, topics, owned }
}

function counts(assigned: ReadonlyMap<string, readonly TopicPartition[]>, topic: string): number[] {
  return [...assigned.values()].map(own => own.filter(at => at.topic === topic).length)
}

it('gives every partition to one member, and spreads each set', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 6 }), rounds => {
      let members = [member('a')]
      for (const count of [1, ...rounds]) {
        const ids = Array.from({ length: count }, (_, index) => `m${index}`)
        members = ids.map(id => members.find(one => one.id === id) ?? member(id))
        const assigned = assignSticky(members, all, topic => topic)
        const given = [...assigned.values()].flat().map(partitionName)
        expect(given.toSorted()).toEqual(all.map(partitionName).toSorted())
        for (const topic of topics) {
          const own = counts(assigned, topic)
          expect(Math.max(...own) - Math.min(...own)).toBeLessThanOrEqual(1)
        }
        members = members.map(one => ({ ...one, owned: assigned.get(one.id)! }))
      }
    }),
  )
})

it('moves no more than it must when a member joins or leaves', () => {
  const first = assignSticky([member('a'), member('b')], all, topic => topic)
  const members = ['a', 'b'].map(id => member(id, first.get(id)))
  expect(assignSticky(members, all, topic => topic)).toEqual(first)
  const joined = assignSticky([...members, member('c')], all, topic => topic)
  for (const id of ['a', 'b']) {
    const before = new Set(first.get(id)!.map(partitionName))
    expect(joined.get(id)!.every(at => before.has(partitionName(at)))).toBe(true)
  }
  const left = assignSticky([member('a', first.get('a'))], all, topic => topic)
  expect(left.get('a')!.length).toBe(all.length)
})

it('gives a topic only to members that asked for it', () => {
  const members = [member('a'), { id: 'b', topics: ['hop'], owned: [] }]
  const assigned = assignSticky(members, all, topic => topic)
  expect(assigned.get('b')!.every(({ topic }) => topic === 'hop')).toBe(true)
  expect([...assigned.values()].flat().length).toBe(all.length)
})
