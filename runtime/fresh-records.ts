/**
 * What of a batch its task has not had. A log hands each record out once between two seeks (`log/log.ts`), and
 * clients of Kafka have broken that: librdkafka before 2.1.1 did when a fetch was answered while its offset was
 * looked at. Nobody behind would notice: changes of the hop and staged batches have no place in a source's log.
 */
import type { LogBatch } from '../log/log.ts'
import type { LogRecord } from '../model/change-event.ts'

/** `position`: where its task is. Null: there is nothing new in it. */
export function freshOf(batch: LogBatch, position: number): LogBatch | null {
  if (batch.nextOffset < position) return null
  if (isAscending(batch.records, position)) return batch
  let next = position
  const records = batch.records.filter(({ offset }) => {
    const isFresh = offset >= next
    if (isFresh) next = offset + 1
    return isFresh
  })
  return records.length === 0 && batch.nextOffset === position ? null : { ...batch, records }
}

function isAscending(records: readonly LogRecord[], position: number): boolean {
  let next = position
  for (const { offset } of records) {
    if (offset < next) return false
    next = offset + 1
  }
  return true
}
