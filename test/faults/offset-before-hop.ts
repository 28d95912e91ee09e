/** A fault to plant: the offset of a source task moves in a transaction before the one that hands its changes on. */
import type { Log } from '../../log/log.ts'
import { overCommits } from './over-log.ts'

export function offsetBeforeHop(log: Log): Log {
  return overCommits(log, async (commit, transaction) => {
    const handsOn = transaction.records.some(({ topic }) => topic.endsWith('-repartition'))
    if (!handsOn) return await commit(transaction)
    await commit({ ...transaction, records: [] })
    return await commit({ ...transaction, offsets: [] })
  })
}
