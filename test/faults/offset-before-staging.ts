/** A fault to plant: the offset moves past a window in a transaction before the one that names its files. */
import type { Log } from '../../log/log.ts'
import { overCommits } from './over-log.ts'

export function offsetBeforeStaging(log: Log): Log {
  return overCommits(log, async (commit, transaction) => {
    const isWindow = transaction.records.some(({ topic }) => topic.endsWith('-staged'))
    if (!isWindow) return await commit(transaction)
    await commit({ ...transaction, records: [] })
    return await commit({ ...transaction, offsets: [] })
  })
}
