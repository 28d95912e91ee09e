/**
 * A few of the oldest and of the newest records of each topic of the source. Nothing is written: no group is
 * joined, no offset committed, and a file is read without the local log.
 */
import { resolve } from 'node:path'
import type { TopicInfo, TopicPartition } from '../../log/log.ts'
import { openRecordedSource } from '../../log/recorded-source.ts'
import type { LogRecord } from '../../model/change-event.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import { sourceTopics } from '../application.ts'
import type { LoadedConfig } from '../config.ts'
import { withLog } from '../look.ts'

export interface SampledTopic {
  readonly name: string
  readonly partitions: number
  /** Partition by partition; of each in order. */
  readonly records: readonly LogRecord[]
  /** Of each partition the last one that was read. */
  readonly newest: readonly LogRecord[]
}

export interface Sample {
  /** One after the other, so that one is in memory. */
  readonly topics: AsyncIterable<SampledTopic>
  /** All names that there are, also of topics that are not the source's. */
  readonly known: ReadonlySet<string>
  /** Every record of a topic of schema changes; null when it is too large, or there is none. */
  readonly wholeTopic: (name: string) => Promise<readonly LogRecord[] | null>
  /** Topics of the source that are too many. */
  readonly leftOut: number
}

const maxTopics = 200
const maxPartitions = 8
const recordsPerEnd = 100
const bytesPerEnd = 256 * 1024
const maxSchemaChanges = 20_000

/** What records are read from: a log, or a file. */
interface Records {
  offsets(partition: TopicPartition): Promise<Range> | Range
  read(
    partition: TopicPartition,
    offset: number,
    maxBytes: number,
  ): Promise<readonly LogRecord[] | { readonly records: readonly LogRecord[] }>
}

interface Range {
  readonly start: number
  readonly end: number
}

/** Calls back while the log is open. Throws a ForagerError when it cannot be read. */
export async function withSample<T>(
  loaded: LoadedConfig,
  action: (sample: Sample) => Promise<T>,
): Promise<T> {
  const { source } = loaded.config
  if (source.type === 'kafka') {
    return await withLog(loaded, async log => {
      return await action(sampleOf(loaded, await log.topics(), log))
    })
  }
  const { path, repartitionInto } = source
  const file = await openRecordedSource({
    fileSystem: nodeFileSystem,
    path: resolve(loaded.folder, path),
    // A run says it.
    onBadLine: () => undefined,
    ...(repartitionInto === undefined ? {} : { repartitionInto }),
  })
  return await action(sampleOf(loaded, file.topics, file))
}

function sampleOf({ config }: LoadedConfig, all: readonly TopicInfo[], from: Records): Sample {
  const wanted = sourceTopics(config)
  const own = all.filter(({ name }) =>
    wanted instanceof RegExp ? wanted.test(name) : wanted.includes(name),
  )
  return {
    topics: topicsOf(own.slice(0, maxTopics), from),
    known: new Set(all.map(({ name }) => name)),
    wholeTopic: name => wholeTopic(name, from),
    leftOut: Math.max(0, own.length - maxTopics),
  }
}

async function* topicsOf(topics: readonly TopicInfo[], from: Records) {
  for (const { name, partitions } of topics) {
    const records: LogRecord[] = []
    const newest: LogRecord[] = []
    for (let partition = 0; partition < Math.min(partitions, maxPartitions); partition += 1) {
      const found = await endsOf({ topic: name, partition }, from)
      records.push(...found)
      newest.push(...found.slice(-1))
    }
    yield { name, partitions, records, newest }
  }
}

async function endsOf(at: TopicPartition, from: Records): Promise<readonly LogRecord[]> {
  const { start, end } = await from.offsets(at)
  const oldest = await recordsAt(at, start, from)
  const next = (oldest.at(-1)?.offset ?? start) + 1
  const late = Math.max(next, end - recordsPerEnd)
  return late >= end ? oldest : [...oldest, ...(await recordsAt(at, late, from))]
}

/** Schema changes have one partition, as Debezium and Maxwell need their order. */
async function wholeTopic(topic: string, from: Records): Promise<readonly LogRecord[] | null> {
  const at = { topic, partition: 0 }
  const { start, end } = await from.offsets(at)
  if (end - start > maxSchemaChanges) return null
  const records: LogRecord[] = []
  for (let next = start; next < end; ) {
    const found = await from.read(at, next, bytesPerEnd)
    const part = 'records' in found ? found.records : found
    if (part.length === 0) break
    records.push(...part)
    next = part.at(-1)!.offset + 1
  }
  return records
}

async function recordsAt(at: TopicPartition, offset: number, from: Records) {
  const found = await from.read(at, offset, bytesPerEnd)
  const records = 'records' in found ? found.records : found
  return records.slice(0, recordsPerEnd)
}
