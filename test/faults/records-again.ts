/**
 * A fault to plant: a record of the hop that was handed out comes once more, and nobody can tell by its offset. It
 * has that of the marker which ends a transaction behind it.
 */
import type { Log, LogBatch } from '../../log/log.ts'
import { partitionName } from '../../log/log.ts'
import type { LogRecord } from '../../model/change-event.ts'
import { over } from './over.ts'

const maxKnown = 6

export function recordsAgain(log: Log): Log {
  return over(log, {
    openConsumer: async options => {
      const consumer = await log.openConsumer(options)
      const handedOut = new Map<string, readonly LogRecord[]>()
      const again = (batch: LogBatch): LogBatch => {
        const last = batch.records.at(-1)
        if (!batch.topic.endsWith('-repartition') || last === undefined) return batch
        const name = partitionName(batch)
        const known = [...(handedOut.get(name) ?? []), ...batch.records].slice(-maxKnown)
        handedOut.set(name, known)
        const offset = last.offset + 1
        if (offset === batch.nextOffset) return batch
        return { ...batch, records: [...batch.records, { ...known[0]!, offset }] }
      }
      return over(consumer, {
        seek: (at, offset) => {
          handedOut.delete(partitionName(at))
          consumer.seek(at, offset)
        },
        poll: async given => {
          const result = await consumer.poll(given)
          if (result.kind === 'assigned') return result
          return { kind: 'records', batches: result.batches.map(again) }
        },
      })
    },
  })
}
