/** Reading a whole partition without a group: the compacted topics, and what is staged. */
import type { Log, TopicPartition } from '../log/log.ts'
import type { LogRecord } from '../model/change-event.ts'

const readBytes = 1024 * 1024

/** Every committed record of a partition, of all transactions that were begun before now. */
export async function* readAll(log: Log, at: TopicPartition): AsyncGenerator<LogRecord> {
  const end = await log.decidedEnd(at)
  for (let { start: offset } = await log.offsets(at); offset < end; ) {
    const batch = await log.read(at, offset, readBytes)
    yield* batch.records
    offset = batch.nextOffset
  }
}
