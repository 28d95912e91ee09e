/**
 * Gets for a decoder what it needs to read a row. Schemas that a registry has are fetched when the first
 * message names them. Topics of schema changes are read, each from its beginning: a row is decoded under the
 * schema that its table had at the row's position, so the changes up to it must be known first. The
 * connector writes a schema change before the rows that follow it; what is in its topic when a row has
 * been read is therefore enough, and a row whose columns are still unknown then waits a while.
 */
import type { Decoded, Decoder } from '../formats/decoder.ts'
import { parseTopicMemory, SchemaAbsent, SchemaPending } from '../formats/decoder.ts'
import type { Log, TopicInfo } from '../log/log.ts'
import type { LogRecord } from '../model/change-event.ts'
import { DecodeError, ForagerError } from '../model/errors.ts'
import type { Clock } from './clock.ts'

const maxWaitMs = 30_000
const waitMs = 200
const readBytes = 1024 * 1024

export class SchemaReader {
  readonly #decoder: Decoder
  readonly #log: Log
  readonly #clock: Clock
  /** Next offsets by topic; null: there is no such topic. */
  readonly #positions = new Map<string, { info: TopicInfo; next: number[] } | null>()

  constructor(decoder: Decoder, log: Log, clock: Clock) {
    this.#decoder = decoder
    this.#log = log
    this.#clock = clock
  }

  memoryOf(topic: string): string {
    return this.#decoder.memoryOf?.(topic) ?? this.#decoder.memory
  }

  /** A format that was found out left its own memory for the one that is named now. */
  restore(memory: string): void {
    const found = this.#decoder.memoryOf === undefined ? parseTopicMemory(memory) : null
    this.#decoder.restore(found?.memory ?? memory)
  }

  /** Reads what is new in the topics that are known to matter. Before each batch of rows. */
  async catchUp(): Promise<void> {
    for (const topic of this.#decoder.schemaTopics) await this.#read(topic)
  }

  /** As the decoder's `decode`, waiting for schemas. Synchronous when nothing is missing. */
  decode(record: LogRecord): Decoded | Promise<Decoded> {
    try {
      return this.#decoder.decode(record)
    } catch (error) {
      if (isWanted(error)) return this.#await(record, error)
      throw error
    }
  }

  async #await(record: LogRecord, first: Wanted): Promise<Decoded> {
    const deadline = this.#clock.monotonic() + maxWaitMs
    let wanted = first
    for (;;) {
      const canGrow = await this.#obtain(record, wanted)
      try {
        return this.#decoder.decode(record)
      } catch (error) {
        if (!isWanted(error)) throw error
        wanted = error
      }
      if (wanted instanceof SchemaAbsent) continue
      if (!canGrow || this.#clock.monotonic() >= deadline) throw unknown(record, wanted)
      await this.#clock.sleep(waitMs)
    }
  }

  /** False when there is nothing that could still come. */
  async #obtain(record: LogRecord, wanted: Wanted): Promise<boolean> {
    if (wanted instanceof SchemaPending) return await this.#read(wanted.topic)
    try {
      await wanted.fetch()
      return true
    } catch (error) {
      const { topic, partition, offset } = record
      throw error instanceof ForagerError ? error.at({ topic, partition, offset }) : error
    }
  }

  /** False when there is nothing that could still come. */
  async #read(topic: string): Promise<boolean> {
    const position = await this.#position(topic)
    if (position === null) return false
    const { info, next } = position
    for (let partition = 0; partition < info.partitions; partition += 1) {
      const { start, end } = await this.#log.offsets({ topic, partition })
      let offset = Math.max(start, next[partition] ?? 0)
      while (offset < end) {
        const batch = await this.#log.read({ topic, partition }, offset, readBytes)
        for (const record of batch.records) this.#decoder.learn(record)
        offset = batch.nextOffset
      }
      next[partition] = offset
    }
    return !info.isFinite
  }

  async #position(topic: string) {
    const known = this.#positions.get(topic)
    if (known !== undefined && known !== null) return known
    const info = (await this.#log.topics()).find(({ name }) => name === topic)
    const position = info === undefined ? null : { info, next: [] as number[] }
    this.#positions.set(topic, position)
    return position
  }
}

/** What the decoder waits for. */
type Wanted = SchemaPending | SchemaAbsent

function isWanted(error: unknown): error is Wanted {
  return error instanceof SchemaPending || error instanceof SchemaAbsent
}

function unknown(record: LogRecord, { table, topic, missing }: SchemaPending): DecodeError {
  return new DecodeError(
    'type-unknown',
    `the message has no schema, and the topic of schema changes (${topic}) does not tell: ${missing}`,
    { context: { topic: record.topic, partition: record.partition, offset: record.offset, table } },
  )
}
