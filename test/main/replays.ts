/**
 * Recorded events from a producer that sends the last records of a partition again, at random points,
 * tombstones included, while a reader polls the tables: it must end as without, and no key's position
 * may ever fall.
 */
import type { Format } from '../../formats/decoder.ts'
import { partitionName } from '../../log/log.ts'
import type { LogRecord } from '../../model/change-event.ts'
import { type Random, seededRandom } from '../../runtime/random.ts'
import { embedded } from '../../sinks/embedded/embedded.ts'
import { inMemory } from '../../state/memory-store.ts'
import { MemorySource } from '../../testkit/memory-source.ts'
import { StreamsBuilder } from '../../topology/streams-builder.ts'
import type { Topology } from '../../topology/topology.ts'
import { compare } from '../fold/compare.ts'
import type { RecordedLine } from '../fold/naive-fold.ts'
import { MainRun } from './main-run.ts'
import { actualTables, allRecords, openRecording, type Recording } from './recordings.ts'

export interface ReplayFaults {
  readonly dropRepeats?: boolean
  readonly format?: Format
  /** How often the application and the reader get their turn, of 1: a fault that soon heals is seen. */
  readonly stepRate?: number
}

export interface ReplayResult {
  /** What is not as it must be; empty when all is well. */
  readonly problems: readonly string[]
  readonly repeatsDropped: number
  readonly applies: number
}

export async function replay(
  recording: Recording,
  seed: number,
  faults: ReplayFaults = {},
): Promise<ReplayResult> {
  const random = seededRandom(seed)
  const partitions = [1, 3, 8][seed % 3]!
  const recorded = await allRecords(await openRecording(recording, partitions))
  const again = recreated(recorded)
  const queues = new Map(recorded)
  for (const record of again) {
    const name = partitionName(record)
    queues.set(name, [...queues.get(name)!, record])
  }
  const source = new MemorySource(topicsOf(queues, partitions))
  const run = await MainRun.start({
    source,
    seed,
    maxPollBytes: 2000 + Math.floor(random.next() * 20_000),
    ...topologyOption(recording, partitions, faults),
  })
  const reader = new PollingReader(run)
  for (const record of interleave(queues, random)) {
    source.append(record)
    if (random.next() < 0.05) {
      const block = source.records(record).slice(-(1 + Math.floor(random.next() * 15)))
      const count = block.length - unplacedIn(block)
      if (count > 0) source.resend(record, count)
    }
    if (random.next() < (faults.stepRate ?? 0.15)) {
      await run.step(Math.floor(random.next() * 2000))
      await reader.poll()
    }
  }
  await run.finish()
  await reader.poll()
  const lines = [...recording.lines, ...again.map(toLine)]
  const expected = new Map(recording.fold(lines))
  const actual = await actualTables(run, expected)
  for (const name of expected.keys()) {
    if (/op_log/.test(name)) expected.delete(name)
  }
  const differences = compare(actual, expected, recording.exceptions)
  return {
    problems: [...reader.problems, ...differences],
    repeatsDropped: run.metrics.total('forager_repeats_dropped_total'),
    applies: run.metrics.total('forager_batches_applied_total'),
  }
}

/**
 * How many records to leave out so that none is of the first transaction after the start of a
 * PostgreSQL connector: those have no place among others, so that a block with one is applied again
 * from its start, as `docs/exactly-once.md` says, and is seen until its end.
 */
function unplacedIn(block: readonly LogRecord[]): number {
  const last = block.findLastIndex(({ value }) => {
    return value !== null && /"sequence":"\[null,/.test(Buffer.from(value).toString())
  })
  return last + 1
}

/** Small windows, so that many of them close in the middle of what is sent again. */
function topologyOption(
  recording: Recording,
  partitions: number,
  { dropRepeats, format }: ReplayFaults,
) {
  const config = {
    ...recording.config,
    window: { maxAge: '2s', maxRows: 8 },
    repartition: { partitions },
    source: {
      ...(recording.config.source as object | undefined),
      dropRepeats: dropRepeats ?? true,
    },
  }
  return format === undefined ? { config } : { topology: withFormat(format, partitions) }
}

function withFormat(format: Format, partitions: number): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream(/^/, { name: 'events', format })
    .filter(event => event.key !== null, { name: 'with-key' })
    .repartition({ name: 'rows', partitions })
    .compact({ name: 'window', flush: { maxAgeMs: 2000, maxRows: 8 }, store: inMemory() })
    .to(embedded({ path: '/warehouse' }), { name: 'tables' })
  return builder.build()
}

/**
 * The recordings delete rows but never bring one back. Here every deleted row of MariaDB is inserted
 * again behind all else, so that a delete which is applied twice shows.
 */
function recreated(queues: ReadonlyMap<string, readonly LogRecord[]>): readonly LogRecord[] {
  const records = [...queues.values()].flat()
  const newest = new Map<string, Message>()
  for (const record of records) {
    const payload = payloadOf(record)
    const table = String(payload?.source?.table)
    const known = newest.get(table)
    const place = (message: Message | null | undefined): number =>
      Number(message?.source?.pos ?? -1)
    if (payload?.after && place(payload) > place(known?.payload ?? known)) {
      newest.set(table, messageOf(record)!)
    }
  }
  let position = 1_000_000
  return records.flatMap(record => {
    const deleted = payloadOf(record)
    if (deleted?.op !== 'd' || record.key === null || deleted.source?.file === undefined) return []
    position += 100
    // In the form of the table's newest row: columns may have come and gone since.
    const like = newest.get(String(deleted.source.table))!
    const { after: row = {}, ...rest } = like.payload ?? like
    const kept = Object.entries(deleted.before ?? {}).filter(([name]) => name in row!)
    const source = { ...deleted.source, pos: position, row: 0 }
    const after = { ...row, ...Object.fromEntries(kept) }
    const payload = { ...rest, op: 'c', before: null, after, source }
    const value = like.payload === undefined ? payload : { ...like, payload }
    return [{ ...record, headers: [], value: Buffer.from(JSON.stringify(value)) }]
  })
}

interface Message {
  readonly payload?: Message
  readonly op?: string
  readonly before?: Readonly<Record<string, unknown>> | null
  readonly after?: Readonly<Record<string, unknown>> | null
  readonly source?: Readonly<Record<string, unknown>>
}

function messageOf({ value }: LogRecord): Message | null {
  return value === null ? null : (JSON.parse(textOf(value)) as Message)
}

function payloadOf(record: LogRecord): Message | null {
  const message = messageOf(record)
  return message?.payload ?? message
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString()
}

function toLine({ topic, key, value }: LogRecord): RecordedLine {
  return { topic, key: key && textOf(key), value: value && textOf(value) }
}

function topicsOf(
  queues: ReadonlyMap<string, readonly LogRecord[]>,
  partitions: number,
): Record<string, number> {
  const topics = [...queues.values()].map(records => records[0]!.topic)
  return Object.fromEntries(topics.map(topic => [topic, partitions]))
}

/** Records in any order that keeps each partition's; topics of schema changes come first. */
function* interleave(
  queues: ReadonlyMap<string, readonly LogRecord[]>,
  random: Random,
): Generator<LogRecord> {
  const left = [...queues.values()].map(records => ({ records, next: 0 }))
  // A connector writes a schema change before the rows that follow it.
  const isSchemas = ({ topic }: LogRecord): boolean => !topic.includes('.')
  for (const queue of left.filter(({ records }) => isSchemas(records[0]!))) {
    yield* queue.records
    queue.next = queue.records.length
  }
  for (;;) {
    const open = left.filter(({ records, next }) => next < records.length)
    if (open.length === 0) return
    const queue = open[Math.floor(random.next() * open.length)]!
    yield queue.records[queue.next]!
    queue.next += 1
  }
}

/** Reads each table after every change, and remembers the position that each key had. */
class PollingReader {
  readonly problems: string[] = []
  readonly #run: MainRun
  readonly #seen = new Map<string, string>()

  constructor(run: MainRun) {
    this.#run = run
  }

  async poll(): Promise<void> {
    for (const table of this.#run.takeChanged()) {
      for (const { key, mark } of await this.#run.rows(table)) {
        const name = `${table} ${key}`
        const before = this.#seen.get(name)
        if (before !== undefined && comparePlaces(mark.position, before) < 0) {
          const shown = Buffer.from(key, 'latin1').toString('hex')
          this.problems.push(`${table} ${shown} fell from ${before} to ${mark.position}`)
        }
        this.#seen.set(name, mark.position)
      }
    }
  }
}

/** `mysql-bin.000001:12155:0@3307` or `34530232/34534352`: all numbers, in order, the last LSN. */
function comparePlaces(a: string, b: string): number {
  const [left, right] = [a, b].map(place => {
    const numbers = place.replace(/@.*$/, '').match(/\d+/g)!.map(Number)
    return place.includes(':') ? numbers : numbers.slice(-1)
  })
  for (const [index, number] of left!.entries()) {
    if (number !== right![index]) return number - (right![index] ?? 0)
  }
  return 0
}
