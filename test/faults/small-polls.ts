/** No fault: a log of which a poll brings little, so that windows close amid blocks that were sent again. */
import type { Log } from '../../log/log.ts'
import { over } from './over.ts'

const maxBytes = 700

export function smallPolls(log: Log): Log {
  return over(log, {
    openConsumer: async options => {
      const consumer = await log.openConsumer(options)
      return over(consumer, { poll: given => consumer.poll({ ...given, maxBytes }) })
    },
  })
}
