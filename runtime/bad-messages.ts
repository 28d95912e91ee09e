/**
 * What becomes of the bad messages of a source task: the policy decides. A dead letter is kept until
 * the transaction that moves the offset past its message, and is written in it: so each passing of a
 * message leaves one letter, and a crash before it none.
 */
import type { ProducerRecord } from '../log/log.ts'
import { partitionName } from '../log/log.ts'
import type { LogRecord } from '../model/change-event.ts'
import { letterHeaders } from '../model/dead-letter.ts'
import type { ForagerError } from '../model/errors.ts'
import { isDataError } from '../model/errors.ts'
import { deadLettersTopic } from '../topology/internal-topics.ts'
import type { SourceNode } from '../topology/nodes.ts'
import { DoubtfulTables } from './doubtful-tables.ts'
import type { TaskContext } from './task.ts'

interface PendingLetter {
  /** Of the bad message in its topic. */
  readonly offset: number
  readonly error: ForagerError
  readonly record: ProducerRecord
}

/** Headers of a letter beside the bytes of its message. */
const overheadBytes = 1024

export class BadMessages {
  readonly #context: TaskContext
  readonly #task: string
  readonly #source: SourceNode
  #doubtful = new DoubtfulTables()
  /** By place: a message of which two events fail is one letter. */
  readonly #letters = new Map<string, PendingLetter>()
  #sizeBytes = 0

  constructor(context: TaskContext, task: string, source: SourceNode) {
    this.#context = context
    this.#task = task
    this.#source = source
  }

  /** `doubtful` is what `save()` gave at the committed offset. */
  restore(doubtful: readonly string[]): void {
    this.#doubtful = new DoubtfulTables(doubtful)
  }

  save(): readonly string[] {
    return this.#doubtful.save()
  }

  /** Of the letters that wait for a commit. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Whether a message of the source's table was passed: see `DoubtfulTables`. */
  isDoubtful(table: string): boolean {
    return this.#doubtful.has(table)
  }

  /** Passes the record as the policy says, or throws the error. `table` is the source's, if known. */
  pass(record: LogRecord, error: unknown, table?: string): void {
    const { onError } = this.#source
    if (!isDataError(error) || onError === 'fail') throw error
    const { topic, partition, offset } = record
    error.at({ topic, partition, offset, ...(table !== undefined && { table }) })
    // Behind the routing an error names the target.
    const source = table ?? error.context.table
    this.#doubtful.add(source)
    if (onError === 'dead-letter') this.#addLetter(record, error, source)
    else this.#report(error, 'forager_messages_skipped_total', 'message.skipped')
  }

  /** The letters of messages before the offset, which the caller commits now. */
  take(beforeOffset = Number.POSITIVE_INFINITY): readonly ProducerRecord[] {
    const taken: ProducerRecord[] = []
    for (const [place, { offset, error, record }] of this.#letters) {
      if (offset >= beforeOffset) continue
      this.#letters.delete(place)
      taken.push(record)
      this.#report(error, 'forager_dead_letters_total', 'message.dead-lettered')
    }
    if (this.#letters.size === 0) this.#sizeBytes = 0
    return taken
  }

  /** Their messages are read again. */
  clear(): void {
    this.#letters.clear()
    this.#sizeBytes = 0
  }

  #addLetter(record: LogRecord, error: ForagerError, table: string | undefined): void {
    const { clock, applicationId } = this.#context
    const { key, value, offset } = record
    const place = `${partitionName(record)} ${offset}`
    if (this.#letters.has(place)) return
    const failedAtMs = clock.now()
    const { name: source, ordering } = this.#source
    const failure = { error, table, source, task: this.#task, failedAtMs, ordering }
    const letter: ProducerRecord = {
      topic: deadLettersTopic(applicationId),
      partition: 0,
      // The buffers are the log's, and the letter outlives the batch.
      key: key === null ? null : Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
      headers: letterHeaders(record, failure).map(header => {
        return { ...header, value: Buffer.from(header.value) }
      }),
      timestampMs: failedAtMs,
    }
    this.#letters.set(place, { offset, error, record: letter })
    this.#sizeBytes += (key?.length ?? 0) + (value?.length ?? 0) + overheadBytes
  }

  #report(
    error: ForagerError,
    counter: 'forager_messages_skipped_total' | 'forager_dead_letters_total',
    event: string,
  ): void {
    const { metrics, logger } = this.#context
    metrics.count(counter, 1, { reason: error.code })
    logger.warn(event, { reason: error.describe() })
  }
}
