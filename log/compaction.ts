/**
 * Compaction of topics that keep the last record of each key. It runs when a log is opened, before
 * anything is read: the offsets of what stays do not change, and no reader can miss what goes.
 */
import { toBuffer } from '../model/bytes.ts'
import type { LogRecord } from '../model/change-event.ts'
import type { TopicPartition } from './log.ts'
import type { LogStorage, StoredState } from './log-storage.ts'

/** Fewer records are not worth a rewrite. */
const minRecords = 1000
const readBytes = 1024 * 1024

/** Rewrites each compacted partition of more than 1,000 records most of which are superseded. */
export async function compactTopics(storage: LogStorage, state: StoredState): Promise<void> {
  const compacted = new Set(
    state.topics.filter(({ cleanup }) => cleanup === 'compact').map(({ name }) => name),
  )
  for (const { topic, partition, start, end } of state.partitions) {
    // A range of offsets holds at most as many records.
    if (!compacted.has(topic) || end - start <= minRecords) continue
    const { count, latest } = await readLatest(storage, { topic, partition }, start)
    const isWorthIt = count > minRecords && latest.length < count / 2
    if (isWorthIt) await storage.rewrite({ topic, partition }, latest)
  }
}

/** How many records there are, and the last one of each key, in the order of their offsets. */
async function readLatest(
  storage: LogStorage,
  at: TopicPartition,
  start: number,
): Promise<{ readonly count: number; readonly latest: readonly LogRecord[] }> {
  const latest = new Map<string, LogRecord>()
  let count = 0
  for (let offset = start; ; ) {
    const records = await storage.read(at, offset, readBytes)
    const last = records.at(-1)
    if (last === undefined) return { count, latest: [...latest.values()] }
    for (const record of records) {
      // A record without a key supersedes nothing, and nothing supersedes it.
      const key = record.key === null ? `offset ${record.offset}` : `key ${latin1(record.key)}`
      // Taken out first, so that the map stays in the order of the offsets.
      latest.delete(key)
      latest.set(key, record)
    }
    count += records.length
    offset = last.offset + 1
  }
}

function latin1(bytes: Uint8Array): string {
  return toBuffer(bytes).toString('latin1')
}
