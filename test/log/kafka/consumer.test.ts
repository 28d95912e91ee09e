import { expect, it } from 'vitest'
import type { KafkaClient } from '../../../log/kafka/client.ts'
import { KafkaConsumer } from '../../../log/kafka/consumer.ts'
import type { GroupMember } from '../../../log/kafka/group-member.ts'
import type { PartitionReader } from '../../../log/kafka/partition-reader.ts'
import { Positions } from '../../../log/kafka/positions.ts'
import type { Assignment, TopicPartition } from '../../../log/log.ts'
import { partitionName } from '../../../log/log.ts'
import { systemClock } from '../../../runtime/clock.ts'

const partitions = [0, 1].map(partition => ({ topic: 'rows', partition }))
const [first, second] = partitions as [TopicPartition, TopicPartition]

/** A member that is given these, one after the other, each when a poll finds that joining is due. */
function consumerOf(assignments: readonly Assignment[]) {
  const left = [...assignments]
  let isJoinDue = true
  let give = (): void => undefined
  const member = {
    get isJoinDue() {
      return isJoinDue
    },
    join: () => {
      isJoinDue = false
      return new Promise<Assignment>(resolve => {
        give = () => resolve(left.shift()!)
      })
    },
  }
  const positions = new Positions<TopicPartition & { offset: number }>(({ offset }) => offset)
  const reader = {
    seek: (at: TopicPartition, offset: number) => positions.set({ ...at, offset }),
    keep: (names: ReadonlySet<string> | null) => positions.keep(names),
    take: () => [],
    start: () => Promise.resolve(),
    takeFailure: () => null,
  }
  const consumer = new KafkaConsumer(
    { options: { clock: systemClock } } as unknown as KafkaClient,
    member as unknown as GroupMember,
    reader as unknown as PartitionReader,
  )
  const poll = () => consumer.poll({ maxWaitMs: 0, maxBytes: 1 })
  /** It joins in the background: the poll ends before, and hands nothing out. */
  const join = async (): Promise<void> => {
    isJoinDue = true
    expect(await poll()).toEqual({ kind: 'records', batches: [] })
    give()
    await systemClock.yield()
  }
  const hear = async (): Promise<void> => expect((await poll()).kind).toBe('assigned')
  const read = () => [...positions.all()].map(partitionName)
  return { consumer, join, hear, read }
}

function assignment(memberId: string, given: readonly TopicPartition[]): Assignment {
  return { membership: { group: 'app', memberId, generation: 1 }, partitions: given }
}

it('what is sought after the group took it away, and before that was heard of, is not read', async () => {
  const given = [assignment('a', partitions), assignment('a', [first])]
  const { consumer, join, hear, read } = consumerOf(given)
  await join()
  await hear()
  for (const at of partitions) consumer.seek(at, 7)
  await join()
  expect(read()).toEqual(['rows-0'])
  // A task that was fenced is opened again, by an assignment that holds no more.
  consumer.seek(second, 7)
  await hear()
  expect(read()).toEqual(['rows-0'])
})

it('who comes back under another id keeps nothing that it sought before it heard of that', async () => {
  const given = [assignment('a', partitions), assignment('b', partitions)]
  const { consumer, join, hear, read } = consumerOf(given)
  await join()
  await hear()
  consumer.seek(first, 7)
  await join()
  consumer.seek(first, 7)
  await hear()
  expect(read()).toEqual([])
})
