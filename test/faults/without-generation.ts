/** Offsets that are committed without the generation of their group, as kafkajs does: the id alone is the fence. */
import type { Log } from '../../log/log.ts'
import { noMembership } from '../../log/log.ts'
import { overCommits } from './over-log.ts'

export function withoutGeneration(log: Log): Log {
  return overCommits(log, (commit, transaction) => {
    const { group } = transaction.group
    return commit({ ...transaction, group: { ...noMembership, group } })
  })
}
