/**
 * Gets for a decoder what it needs to read a row. Schemas that a registry has are fetched when the first
 * message names them. Topics of schema changes are read, each from its beginning: a row is decoded under the
 * schema that its table had at the row's position, so the changes up to it must be known first. The
 * connector writes a schema change before the rows that follow it; what is in its topic when a row has
 * been read is therefore enough, and a row whose columns are still unknown then waits a while. One that can
 * be read without them, by the names of its columns, waits shortly.
 */
import type { Decoded, Decoder, DecoderOptions } from '../formats/decoder.ts'
import { parseTopicMemory, SchemaAbsent, SchemaPending } from '../formats/decoder.ts'
import type { Log, TopicInfo } from '../log/log.ts'
import type { LogRecord } from '../model/change-event.ts'
import { DecodeError, ForagerError } from '../model/errors.ts'
import type { SourceNode } from '../topology/nodes.ts'
import type { Clock } from './clock.ts'

const waitMs = 200
/** How often a topic that is not there is looked for before rows that may not need it. */
const lookAgainMs = 60_000
const readBytes = 1024 * 1024

/** The decoder of a source, for whoever reads topics of schema changes for it. */
export function decoderOf(
  source: SourceNode,
  rest: Pick<DecoderOptions, 'onRecognised'> = {},
): Decoder {
  return source.format.createDecoder({ ...source, ...rest, followsRenames: true })
}

export class SchemaReader {
  readonly #decoder: Decoder
  readonly #log: Log
  readonly #clock: Clock
  /** Next offsets by topic. */
  readonly #positions = new Map<string, { info: TopicInfo; next: number[] }>()
  /** Topics that are not there, and when they were looked for. */
  readonly #absent = new Map<string, number>()
  /** By topic: what is read now, and what begins after that, for all who came meanwhile. */
  readonly #running = new Map<string, Promise<boolean>>()
  readonly #queued = new Map<string, Promise<boolean>>()

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
    for (const topic of this.#decoder.schemaTopics) {
      const lookedMs = this.#absent.get(topic) ?? Number.NEGATIVE_INFINITY
      if (this.#clock.monotonic() - lookedMs >= lookAgainMs) await this.#read(topic)
    }
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
    const start = this.#clock.monotonic()
    let wanted = first
    for (;;) {
      const canGrow = await this.#obtain(record, wanted)
      const before = wanted
      try {
        return this.#decoder.decode(record)
      } catch (error) {
        if (!isWanted(error)) throw error
        wanted = error
      }
      // It is something else: that was not asked for yet.
      if (wanted instanceof SchemaAbsent || !isSameTopic(wanted, before)) continue
      if (canGrow && this.#clock.monotonic() - start < wanted.maxWaitMs) {
        await this.#clock.sleep(waitMs)
        continue
      }
      if (wanted.goOn === null) throw unknown(record, wanted)
      wanted.goOn()
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

  /**
   * False when there is nothing that could still come. One at a time: what a decoder learns has an order. Who
   * comes while it is read waits for what is written up to now as well.
   */
  #read(topic: string): Promise<boolean> {
    const queued = this.#queued.get(topic)
    if (queued !== undefined) return queued
    const running = this.#running.get(topic)
    if (running === undefined) return this.#begin(topic)
    const next = running.then(
      () => this.#begin(topic),
      () => this.#begin(topic),
    )
    this.#queued.set(topic, next)
    return next
  }

  #begin(topic: string): Promise<boolean> {
    this.#queued.delete(topic)
    const reading = this.#readOn(topic).finally(() => this.#running.delete(topic))
    this.#running.set(topic, reading)
    return reading
  }

  async #readOn(topic: string): Promise<boolean> {
    const position = await this.#position(topic)
    if (position === null) return false
    const { info, next } = position
    for (let partition = 0; partition < info.partitions; partition += 1) {
      const { start, end } = await this.#log.offsets({ topic, partition })
      let offset = Math.max(start, next[partition] ?? 0)
      while (offset < end) {
        const batch = await this.#log.read({ topic, partition }, offset, readBytes)
        for (const record of batch.records) await this.#learn(record)
        offset = batch.nextOffset
      }
      next[partition] = offset
    }
    return !info.isFinite
  }

  async #learn(record: LogRecord): Promise<void> {
    for (;;) {
      try {
        return this.#decoder.learn(record)
      } catch (error) {
        if (!(error instanceof SchemaAbsent)) throw error
        try {
          await error.fetch()
        } catch (missing) {
          // The registry has no such schema: only rows that tell their types themselves are in its care.
          if (missing instanceof DecodeError) return undefined
          throw missing
        }
      }
    }
  }

  async #position(topic: string) {
    const known = this.#positions.get(topic)
    if (known !== undefined) return known
    const info = (await this.#log.topics()).find(({ name }) => name === topic)
    if (info === undefined) {
      this.#absent.set(topic, this.#clock.monotonic())
      return null
    }
    this.#absent.delete(topic)
    const position = { info, next: [] as number[] }
    this.#positions.set(topic, position)
    return position
  }
}

/** What the decoder waits for. */
type Wanted = SchemaPending | SchemaAbsent

function isWanted(error: unknown): error is Wanted {
  return error instanceof SchemaPending || error instanceof SchemaAbsent
}

function isSameTopic(wanted: SchemaPending, before: Wanted): boolean {
  return before instanceof SchemaPending && before.topic === wanted.topic
}

function unknown(record: LogRecord, { table, topic, missing }: SchemaPending): DecodeError {
  return new DecodeError(
    'type-unknown',
    `the message has no schema, and the topic of schema changes (${topic}) does not tell: ${missing}`,
    { context: { topic: record.topic, partition: record.partition, offset: record.offset, table } },
  )
}
