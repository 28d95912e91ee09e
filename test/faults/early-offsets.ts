/** A fault to plant: committed offsets are fetched with the assignment, before the owner before is fenced. */
import type { CommittedOffset, Log } from '../../log/log.ts'
import { partitionName } from '../../log/log.ts'
import { over } from './over.ts'

export function earlyOffsets(log: Log): Log {
  const fetched = new Map<string, CommittedOffset | null>()
  return over(log, {
    openConsumer: async options => {
      const consumer = await log.openConsumer(options)
      const poll: typeof consumer.poll = async given => {
        // They are good for the openings that follow the assignment.
        fetched.clear()
        const result = await consumer.poll(given)
        if (result.kind !== 'assigned') return result
        const { partitions } = result.assignment
        const found = await log.committed(options.group, partitions)
        for (const [index, at] of partitions.entries()) {
          fetched.set(partitionName(at), found[index] ?? null)
        }
        return result
      }
      return over(consumer, { poll })
    },
    committed: async (group, partitions) => {
      const now = await log.committed(group, partitions)
      return partitions.map((at, index) => {
        const early = fetched.get(partitionName(at))
        return early === undefined ? (now[index] ?? null) : early
      })
    },
  })
}
