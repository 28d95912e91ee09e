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
 *     forager.error.source      name of the source in the topology
 *     forager.error.task        who met it
 *     forager.error.time        when, in milliseconds
 *     forager.error.ordering    what ordered the changes then: `log`, `position`
 *
 * A letter that was replayed is crossed out by a later record of the same topic, without key and value:
 *
 *     forager.replayed.offset   of the letter
 *
 * What is replayed is a record of another topic, with the message's bytes and, behind its headers:
 *
 *     forager.replay.topic, .partition, .offset, .timestamp     where the message was
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
  readonly source: string
  readonly task: string
  readonly failedAtMs: number
  readonly ordering: string
}

export interface Failure {
  readonly error: ForagerError
  readonly table: string | undefined
  readonly source: string
  readonly task: string
  readonly failedAtMs: number
  readonly ordering: string
}

const prefix = 'forager.error.'
const version = '1'
/** An error may show what the message holds; the message is beside it. */
const maxMessageChars = 2000

/** The headers of the letter that a message becomes. */
export function letterHeaders(record: LogRecord, failure: Failure): readonly LogHeader[] {
  const { error, table, source, task, failedAtMs, ordering } = failure
  const facts: readonly (readonly [string, string | number])[] = [
    ['version', version],
    ['topic', record.topic],
    ['partition', record.partition],
    ['offset', record.offset],
    ['timestamp', record.timestampMs],
    ['code', error.code],
    ['message', error.message.slice(0, maxMessageChars)],
    ...(table === undefined ? [] : [['table', table] as const]),
    ['source', source],
    ['task', task],
    ['time', failedAtMs],
    ['ordering', ordering],
  ]
  return [...record.headers, ...headersOf(prefix, facts)]
}

/** Reads a record of the topic of dead letters. */
export function parseDeadLetter(letter: LogRecord): DeadLetter {
  // A message may have been a dead letter before: its own headers are the last ones.
  const begin = letter.headers.findLastIndex(({ key }) => key === `${prefix}version`)
  assert(begin >= 0, 'a dead letter does not say where it came from', placeOf(letter))
  const facts = factsOf(letter, prefix, begin)
  const found = facts.get('version')
  assert(found === version, () => `a dead letter has version ${found}, known is ${version}`)
  const text = (name: string): string => facts.get(name) ?? ''
  return {
    offset: letter.offset,
    record: messageOf(letter, facts, begin),
    code: text('code'),
    message: text('message'),
    table: facts.get('table') ?? null,
    source: text('source'),
    task: text('task'),
    failedAtMs: Number(text('time')),
    ordering: text('ordering'),
  }
}

/** The headers of the record that crosses a letter out. */
export function replayedHeaders(letter: DeadLetter): readonly LogHeader[] {
  return headersOf('', [[replayedName, letter.offset]])
}

/** The offset of the letter that the record crosses out; null: it is a letter itself. */
export function replayedOffset({ key, value, headers }: LogRecord): number | null {
  const [first, ...others] = headers
  // A letter has the headers of its message first, which may be called so, and then others.
  const isOurs = first?.key === replayedName && others.length === 0
  if (key !== null || value !== null || !isOurs) return null
  return Number(Buffer.from(first.value).toString())
}

/** The headers of a message that is replayed. */
export function replayHeaders({ record }: DeadLetter): readonly LogHeader[] {
  const { topic, partition, offset, timestampMs } = record
  const facts = [
    ['topic', topic],
    ['partition', partition],
    ['offset', offset],
    ['timestamp', timestampMs],
  ] as const
  return [...record.headers, ...headersOf(replayPrefix, facts)]
}

/** The message as it was, of a record that replays it. */
export function originalOf(replayed: LogRecord): LogRecord {
  const begin = replayed.headers.findLastIndex(({ key }) => key === `${replayPrefix}topic`)
  assert(begin >= 0, 'a replayed message does not say where it came from', placeOf(replayed))
  return messageOf(replayed, factsOf(replayed, replayPrefix, begin), begin)
}

const replayedName = 'forager.replayed.offset'
const replayPrefix = 'forager.replay.'

type Facts = readonly (readonly [string, string | number])[]

function headersOf(leading: string, facts: Facts): LogHeader[] {
  return facts.map(([name, value]) => ({ key: leading + name, value: Buffer.from(String(value)) }))
}

/** Our headers, by the rest of their names: those from `begin` on. */
function factsOf({ headers }: LogRecord, leading: string, begin: number): Map<string, string> {
  return new Map(
    headers
      .slice(begin)
      .map(({ key, value }) => [key.slice(leading.length), Buffer.from(value).toString()]),
  )
}

function messageOf(
  { key, value, headers }: LogRecord,
  facts: ReadonlyMap<string, string>,
  begin: number,
): LogRecord {
  return {
    topic: facts.get('topic') ?? '',
    partition: Number(facts.get('partition')),
    offset: Number(facts.get('offset')),
    timestampMs: Number(facts.get('timestamp')),
    key,
    value,
    headers: headers.slice(0, begin),
  }
}

function placeOf({ topic, partition, offset }: LogRecord): Origin {
  return { topic, partition, offset }
}
