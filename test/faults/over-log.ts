/** Faults between a task and the log: what its transactions become. */
import type { Log, LogProducer, Transaction } from '../../log/log.ts'
import { over } from './over.ts'

type Commit = LogProducer['commit']

/** `commit` gets the real one, and what a task wants committed. */
export function overCommits(
  log: Log,
  commit: (real: Commit, transaction: Transaction) => Promise<readonly number[]>,
): Log {
  return over(log, {
    openProducer: async id => {
      const producer = await log.openProducer(id)
      return over(producer, {
        commit: transaction => commit(one => producer.commit(one), transaction),
      })
    },
  })
}
