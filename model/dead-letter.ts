/**
 * A dead letter: a bad message on the topic of dead letters. Key, value and headers are the original's,
 * byte for byte; behind its headers stand those that say where it came from, why it was bad and when,
 * each as text, in the manner of the dead letter queues of Kafka Connect:
 *
 *     forager.error.version     1
 *     forager.error.topic       where the message was: topic,
 *     forager.error.partition   partition,
 *     forager.error.offset      offset,
 *     forager.error.timestamp   and its timestamp there, in milliseconds
 *     forager.error.code        of the error (docs/errors.md)
 *     forager.error.message     of the error
 *     forager.error.table       the source's table; absent when it is not known
 *     forager.error.task        who met it
 *     forager.error.time        when, in milliseconds
 */
import type { LogHeader, LogRecord, Origin } from './change-event.ts'
import type { ForagerError } from './errors.ts'
import { assert } from './errors.ts'

export interface DeadLetter {
  /** Of the letter in its own topic: the name that commands know it by. */
  readonly offset: number
  /** The message as it was: place, timestamp, bytes. */
  readonly record: LogRecord
  readonly code: string
  readonly message: string
  readonly table: string | null
  readonly task: string
  readonly failedAtMs: number
}

export interface Failure {
  readonly error: ForagerError
  readonly table: string | undefined
  readonly task: string
  readonly failedAtMs: number
}

const prefix = 'forager.error.'
const version = '1'
/** An error may show what the message holds; the message is beside it. */
const maxMessageChars = 2000

/** The headers of the letter that a message becomes. */
export function letterHeaders(record: LogRecord, failure: Failure): readonly LogHeader[] {
  const { error, table, task, failedAtMs } = failure
  const facts: readonly (readonly [string, string | number])[] = [
    ['version', version],
    ['topic', record.topic],
    ['partition', record.partition],
    ['offset', record.offset],
    ['timestamp', record.timestampMs],
    ['code', error.code],
    ['message', error.message.slice(0, maxMessageChars)],
    ...(table === undefined ? [] : [['table', table] as const]),
    ['task', task],
    ['time', failedAtMs],
  ]
  return [...record.headers, ...facts.map(([name, value]) => header(prefix + name, value))]
}

export function header(key: string, value: string | number): LogHeader {
  return { key, value: Buffer.from(String(value)) }
}

/** Reads a record of the topic of dead letters. */
export function parseDeadLetter(letter: LogRecord): DeadLetter {
  // A message may have been a dead letter before: its own headers are the last ones.
  const begin = letter.headers.findLastIndex(({ key }) => key === `${prefix}version`)
  assert(begin >= 0, 'a dead letter does not say where it came from', placeOf(letter))
  const facts = new Map(
    letter.headers
      .slice(begin)
      .map(({ key, value }) => [key.slice(prefix.length), Buffer.from(value).toString()]),
  )
  const found = facts.get('version')
  assert(found === version, () => `a dead letter has version ${found}, known is ${version}`)
  const text = (name: string): string => facts.get(name) ?? ''
  return {
    offset: letter.offset,
    record: {
      topic: text('topic'),
      partition: Number(text('partition')),
      offset: Number(text('offset')),
      timestampMs: Number(text('timestamp')),
      key: letter.key,
      value: letter.value,
      headers: letter.headers.slice(0, begin),
    },
    code: text('code'),
    message: text('message'),
    table: facts.get('table') ?? null,
    task: text('task'),
    failedAtMs: Number(text('time')),
  }
}

function placeOf({ topic, partition, offset }: LogRecord): Origin {
  return { topic, partition, offset }
}
