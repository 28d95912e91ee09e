/** A fault to plant: each opening of a task has a transactional id of its own, so that nobody fences the owner before. */
import type { Log } from '../../log/log.ts'
import { over } from './over.ts'
import { withoutGeneration } from './without-generation.ts'

export function unfencedCommits(log: Log, nextNumber: () => number): Log {
  const inner = withoutGeneration(log)
  return over(inner, { openProducer: id => inner.openProducer(`${id}-${nextNumber()}`) })
}
