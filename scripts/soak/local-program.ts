/**
 * `forager run CONFIG` over the local log instead of a cluster: the same command with the same signals, metrics and
 * files. The local log belongs to one process, so what feeds its source topics is in here too: it writes what
 * the parent sends, each batch in one transaction with its number, and tells the last number that is there.
 *
 *     node scripts/soak/local-program.ts CONFIG TOPICS PARTITIONS
 */
import { join } from 'node:path'
import { runCommand } from '../../cli/commands/run.ts'
import { loadConfig } from '../../cli/config.ts'
import { statePath } from '../../cli/warehouse.ts'
import { EmbeddedLog } from '../../log/embedded-log.ts'
import { FileStorage } from '../../log/file-storage.ts'
import type { Log, LogProducer, ProducerRecord, TopicPartition } from '../../log/log.ts'
import { noMembership } from '../../log/log.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'

/** From the parent. */
export interface FeedBatch {
  /** From 1, without a gap. */
  readonly number: number
  readonly records: readonly ProducerRecord[]
}

/** To the parent: at the start, and when a batch is durable. */
export interface FedThrough {
  readonly fedThrough: number
}

const cursor = { topic: 'soak-fed', partition: 0 } as const
/** What the application has passed stays this many batches, and is deleted then, as by retention. */
const batchesKept = 100

/** Less than by default, so that a soak of minutes sees many of them come and go. */
const smallFiles = { maxSegmentBytes: 1024 * 1024, maxJournalBytes: 512 * 1024 }

/** The source topics of the local log, and who writes them. */
class Feed {
  readonly #log: Log
  readonly #group: string
  readonly #partitions: readonly TopicPartition[]
  readonly #producer: LogProducer
  #fedThrough: number

  private constructor(
    log: Log,
    group: string,
    opened: { partitions: readonly TopicPartition[]; producer: LogProducer; fedThrough: number },
  ) {
    this.#log = log
    this.#group = group
    this.#partitions = opened.partitions
    this.#producer = opened.producer
    this.#fedThrough = opened.fedThrough
  }

  static async open(
    log: Log,
    group: string,
    topics: readonly string[],
    count: number,
  ): Promise<Feed> {
    for (const name of topics) await log.createTopic({ name, partitions: count, cleanup: 'delete' })
    await log.createTopic({ name: cursor.topic, partitions: 1, cleanup: 'delete' })
    const { start, end } = await log.offsets(cursor)
    const found = await log.read(cursor, Math.max(start, end - 2), 1024)
    const fedThrough = Number(found.records.at(-1)?.value?.toString() ?? 0)
    const partitions = topics.flatMap(topic =>
      Array.from({ length: count }, (_, partition) => ({ topic, partition })),
    )
    const producer = await log.openProducer('soak-feed')
    return new Feed(log, group, { partitions, producer, fedThrough })
  }

  get fedThrough(): number {
    return this.#fedThrough
  }

  /** One that was sent before a crash and had been written is passed over. */
  async write({ number, records }: FeedBatch): Promise<void> {
    if (number <= this.#fedThrough) return
    const mark = { ...cursor, key: null, value: Buffer.from(String(number)), timestampMs: 0 }
    const transaction = { records: [...records, mark], offsets: [], group: noMembership }
    const written = await this.#producer.commit(transaction)
    this.#fedThrough = number
    if (number % batchesKept === 0) await this.#deletePassed(written.at(-1)!)
  }

  async #deletePassed(marked: number): Promise<void> {
    await this.#log.deleteRecords(cursor, marked)
    const committed = await this.#log.committed(this.#group, this.#partitions)
    for (const [index, at] of this.#partitions.entries()) {
      const offset = committed[index]?.offset
      // The last record that was passed stays: it tells that the topic is still the same.
      if (offset !== undefined && offset > 1) await this.#log.deleteRecords(at, offset - 2)
    }
  }
}

const [path, topics, partitions] = process.argv.slice(2)
const loaded = await loadConfig(nodeFileSystem, path!, process.env)
const log = await EmbeddedLog.open({
  storage: new FileStorage(nodeFileSystem, join(statePath(loaded), 'log'), smallFiles),
})
const feed = await Feed.open(
  log,
  loaded.config.applicationId,
  topics!.split(','),
  Number(partitions),
)
const tell = (): void => {
  if (process.connected) process.send!({ fedThrough: feed.fedThrough } satisfies FedThrough)
}
// Once the program stops, its log closes: what is not written then is sent to the next process.
let isStopping = false
process.once('SIGTERM', () => {
  isStopping = true
})
let writing = Promise.resolve()
process.on('message', batch => {
  writing = writing.then(async () => {
    try {
      if (!isStopping) await feed.write(batch as FeedBatch)
    } catch (error) {
      if (!isStopping) throw error
    }
    tell()
  })
})
tell()
process.exitCode = await runCommand(
  loaded,
  { log: 'json', quiet: true },
  { openLog: () => Promise.resolve(log) },
)
process.removeAllListeners('message')
if (process.connected) process.disconnect()
