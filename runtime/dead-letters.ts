/**
 * The dead letters of an application, as its log has them, and their way back: a letter is replayed by
 * writing its message to the replay topic of its source, and crossing the letter out, in one transaction.
 * Sub-topology 0 reads that topic like any other; behind the hop a change that is older than the last
 * one of its row is dropped (`last-positions.ts`).
 */
import type { Log, ProducerRecord } from '../log/log.ts'
import { noMembership } from '../log/log.ts'
import type { DeadLetter } from '../model/dead-letter.ts'
import {
  parseDeadLetter,
  replayedHeaders,
  replayedOffset,
  replayHeaders,
} from '../model/dead-letter.ts'
import { deadLettersTopic, replayTopic } from '../topology/internal-topics.ts'
import type { Clock } from './clock.ts'
import { deletedKeysMs } from './last-positions.ts'
import { readAll } from './read-all.ts'

/** In the order in which they came, without those that were replayed. */
export async function* readDeadLetters(
  log: Log,
  applicationId: string,
): AsyncGenerator<DeadLetter> {
  const at = { topic: deadLettersTopic(applicationId), partition: 0 }
  if (!(await log.topics()).some(({ name }) => name === at.topic)) return
  // Twice, because letters may be large and are crossed out later.
  const replayed = new Set<number | null>()
  for await (const record of readAll(log, at)) replayed.add(replayedOffset(record))
  for await (const record of readAll(log, at)) {
    const isLetter = replayedOffset(record) === null && !replayed.has(record.offset)
    if (isLetter) yield parseDeadLetter(record)
  }
}

/** A half of what a deleted key is known for: an application that is down meanwhile loses nothing. */
const maxLetterAgeMs = deletedKeysMs / 2
const maxTransactionBytes = 16 * 1024 * 1024
/** Headers of the two records of a letter. */
const overheadBytes = 1024

/** Why a letter cannot be replayed; null: it can. */
export function whyNotReplayable(
  { ordering, failedAtMs }: DeadLetter,
  nowMs: number,
): string | null {
  if (ordering !== 'position') return 'it was kept while `ordering` was not `position`'
  if (nowMs - failedAtMs > maxLetterAgeMs) return 'it is older than 7 days'
  return null
}

export interface ReplayOptions {
  readonly applicationId: string
  /** Name of the source in the topology: its letters alone are replayed. */
  readonly source: string
  readonly clock: Clock
  /** Which of those that can be replayed. */
  readonly wants: (letter: DeadLetter) => boolean
}

/** Resolves to how many were replayed. StateError `task-fenced` when somebody else does so as well. */
export async function replayDeadLetters(log: Log, options: ReplayOptions): Promise<number> {
  const { applicationId, source, clock, wants } = options
  const topic = replayTopic(applicationId, source)
  await log.createTopic({ name: topic, partitions: 1, cleanup: 'delete' })
  // Fences another replay, and waits for what it has under way: what it crossed out is seen.
  const producer = await log.openProducer(`${applicationId}-replay`)
  let records: ProducerRecord[] = []
  let bytes = 0
  let count = 0
  const commit = async (): Promise<void> => {
    if (records.length > 0) await producer.commit({ records, offsets: [], group: noMembership })
    count += records.length / 2
    records = []
    bytes = 0
  }
  try {
    for await (const letter of readDeadLetters(log, applicationId)) {
      const nowMs = clock.now()
      const isOurs = letter.source === source && whyNotReplayable(letter, nowMs) === null
      if (!isOurs || !wants(letter)) continue
      records.push(replayOf(letter, topic, nowMs), crossingOut(letter, applicationId, nowMs))
      const { key, value } = letter.record
      bytes += (key?.length ?? 0) + (value?.length ?? 0) + overheadBytes
      if (bytes >= maxTransactionBytes) await commit()
    }
    await commit()
  } finally {
    await producer.close()
  }
  return count
}

function replayOf(letter: DeadLetter, topic: string, timestampMs: number): ProducerRecord {
  const { key, value } = letter.record
  return { topic, partition: 0, key, value, headers: replayHeaders(letter), timestampMs }
}

function crossingOut(
  letter: DeadLetter,
  applicationId: string,
  timestampMs: number,
): ProducerRecord {
  const at = { topic: deadLettersTopic(applicationId), partition: 0 }
  return { ...at, key: null, value: null, headers: replayedHeaders(letter), timestampMs }
}
