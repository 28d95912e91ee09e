/**
 * Compaction of topics that keep the last record of each key: when a log is opened, and while it is written,
 * whenever as much has come as had stayed. The offsets of what stays do not change. Nobody may read the
 * partition meanwhile.
 */
import { toBuffer } from '../model/bytes.ts'
import type { LogRecord } from '../model/change-event.ts'
import type { TopicPartition } from './log.ts'
import { partitionName } from './log.ts'
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
    await compactPartition(storage, { topic, partition }, start)
  }
}

/** Returns how many records there are then. `start`: the first offset that is still there. */
export async function compactPartition(
  storage: LogStorage,
  at: TopicPartition,
  start: number,
): Promise<number> {
  const { count, latest } = await readLatest(storage, at, start)
  const isWorthIt = count > minRecords && latest.length < count / 2
  if (!isWorthIt) return count
  await storage.rewrite(at, latest)
  return latest.length
}

/** What was written to compacted partitions since the log was opened or they were compacted. */
export class Compactions {
  readonly #partitions = new Map<string, { kept: number; added: number }>()

  /** Whether it is time to compact the partition before more is written to it. */
  isDue(at: TopicPartition): boolean {
    const { kept, added } = this.#of(at)
    return added > Math.max(minRecords, kept)
  }

  added(at: TopicPartition, count: number): void {
    this.#of(at).added += count
  }

  compacted(at: TopicPartition, kept: number): void {
    this.#partitions.set(partitionName(at), { kept, added: 0 })
  }

  #of(at: TopicPartition): { kept: number; added: number } {
    const known = this.#partitions.get(partitionName(at)) ?? { kept: 0, added: 0 }
    this.#partitions.set(partitionName(at), known)
    return known
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
