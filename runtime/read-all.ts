/** Reading a whole partition without a group: the compacted topics, and what is staged. */
import type { Log, LogBatch, TopicPartition } from '../log/log.ts'
import type { LogRecord } from '../model/change-event.ts'
import { ForagerError } from '../model/errors.ts'

const readBytes = 1024 * 1024

/**
 * Every committed record of a partition, of all transactions that were begun before now. Records that their
 * owner deletes meanwhile may be missing: nobody needs them any more.
 */
export async function* readAll(log: Log, at: TopicPartition): AsyncGenerator<LogRecord> {
  const end = await log.decidedEnd(at)
  for (let { start: offset } = await log.offsets(at); offset < end; ) {
    const batch = await readRemaining(log, at, offset, readBytes)
    yield* batch.records
    offset = batch.nextOffset
  }
}

/** Records from the offset on, as far as they are there: their owner may delete them meanwhile. */
export async function readRemaining(
  log: Log,
  at: TopicPartition,
  offset: number,
  maxBytes: number,
): Promise<LogBatch> {
  try {
    return await log.read(at, offset, maxBytes)
  } catch (error) {
    if (!(error instanceof ForagerError) || error.code !== 'offset-out-of-range') throw error
    const { start, end } = await log.offsets(at)
    if (start <= offset) throw error
    return { ...at, records: [], nextOffset: start, end }
  }
}
