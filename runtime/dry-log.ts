/**
 * A log that is read and never written to: what would be written is thrown away. So tasks can be run to see
 * what would come of them, beside instances that run, which are not fenced by it.
 */
import type { Log } from '../log/log.ts'
import { InvariantError } from '../model/errors.ts'

/** It is closed with the log itself. */
export function dryLog(log: Log): Log {
  return {
    topics: () => log.topics(),
    createTopic: () => Promise.resolve(),
    offsets: at => log.offsets(at),
    offsetOfTime: (at, timeMs) => log.offsetOfTime(at, timeMs),
    decidedEnd: at => log.decidedEnd(at),
    read: (at, offset, maxBytes) => log.read(at, offset, maxBytes),
    committed: (group, partitions) => log.committed(group, partitions),
    openProducer: () =>
      Promise.resolve({
        commit: ({ records }) => Promise.resolve(records.map(() => 0)),
        close: () => Promise.resolve(),
      }),
    openConsumer: () => Promise.reject(new InvariantError('a group is joined by who only looks')),
    deleteRecords: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
}
