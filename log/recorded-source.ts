/**
 * Recorded events as topics that are only read: a JSON line a record, plain or gzipped, as they were
 * in Kafka: `topic, partition, offset, timestamp, headers, key, value`, with the exact text (or
 * `key_b64`, `value_b64`). The whole file is held in memory.
 */
import { constants, gunzipSync } from 'node:zlib'
import type { LogHeader, LogRecord } from '../model/change-event.ts'
import { ForagerError, SourceError } from '../model/errors.ts'
import { partitionOfBytes } from '../model/partitioner.ts'
import type { FileSystem } from '../runtime/file-system.ts'
import { nodeFileSystem } from '../runtime/file-system.ts'
import type { ReadOnlySource } from './embedded-log.ts'
import type { TopicInfo, TopicPartition } from './log.ts'
import { partitionName } from './log.ts'
import { lowerBound, sliceRecords } from './log-storage.ts'

export interface RecordedSourceOptions {
  readonly path: string
  /** By default the machine's own files. */
  readonly fileSystem?: FileSystem
  /**
   * Gives every topic this many partitions, by the hash of the key as a producer would. Offsets are
   * then line numbers from 0, so that a line that is mended later does not move the others.
   */
  readonly repartitionInto?: number
  /**
   * Called for a line that is not of the recorded form; it throws, or returns to pass the line. By
   * default it throws.
   */
  readonly onBadLine?: (error: SourceError) => void
  /** Of the file when it is unpacked. */
  readonly maxBytes?: number
}

type Resolved = RecordedSourceOptions &
  Required<Pick<RecordedSourceOptions, 'fileSystem' | 'onBadLine'>>

function throwIt(error: SourceError): never {
  throw error
}

const defaultMaxBytes = 1024 * 1024 * 1024
/** More partitions than a topic has anywhere: a number beyond is a damaged line. */
const maxPartition = 99_999

/** Reads the file. SourceError `source-unreadable` when it is missing, or packed and cut off. */
export async function openRecordedSource(given: RecordedSourceOptions): Promise<RecordedSource> {
  const options: Resolved = { fileSystem: nodeFileSystem, onBadLine: throwIt, ...given }
  const bytes = await readUnpacked(options)
  const partitions = new Map<string, LogRecord[]>()
  const topics = new Map<string, number>()
  const lineNumbers = new Map<string, number[]>()
  for (const [index, line] of lines(bytes).entries()) {
    if (line.length === 0) continue
    const record = parseOrPass(line, index, options)
    if (record === null) continue
    topics.set(record.topic, Math.max(topics.get(record.topic) ?? 0, record.partition + 1))
    const records = partitions.get(partitionName(record)) ?? []
    partitions.set(partitionName(record), records)
    const last = records.at(-1)
    if (last !== undefined && last.offset >= record.offset) {
      options.onBadLine(
        badLine(options.path, index, `offset ${record.offset} does not follow ${last.offset}`),
      )
      continue
    }
    records.push(record)
    const numbers = lineNumbers.get(partitionName(record)) ?? []
    lineNumbers.set(partitionName(record), numbers)
    numbers.push(index + 1)
  }
  return new RecordedSource(options, topics, partitions, lineNumbers)
}

/** A file as topics. */
export class RecordedSource implements ReadOnlySource {
  readonly topics: readonly TopicInfo[]
  readonly #partitions: ReadonlyMap<string, readonly LogRecord[]>
  /** Of the records, in their order. */
  readonly #lines: ReadonlyMap<string, readonly number[]>

  constructor(
    { path, repartitionInto }: RecordedSourceOptions,
    topics: ReadonlyMap<string, number>,
    partitions: ReadonlyMap<string, readonly LogRecord[]>,
    lines: ReadonlyMap<string, readonly number[]>,
  ) {
    this.#lines = lines
    this.#partitions = partitions
    this.topics = [...topics]
      .map(([name, count]) => {
        return { name, partitions: repartitionInto ?? count, id: path, isFinite: true }
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  offsets(partition: TopicPartition): { start: number; end: number } {
    const records = this.#partitions.get(partitionName(partition)) ?? []
    const first = records[0]
    return first === undefined
      ? { start: 0, end: 0 }
      : { start: first.offset, end: records.at(-1)!.offset + 1 }
  }

  /** The line of a record, from 1; null when the file has no such record. */
  lineOf(record: TopicPartition & { readonly offset: number }): number | null {
    const name = partitionName(record)
    const records = this.#partitions.get(name) ?? []
    const index = lowerBound(records, record.offset, one => one.offset)
    const isThere = records[index]?.offset === record.offset
    return isThere ? (this.#lines.get(name)?.[index] ?? null) : null
  }

  read(partition: TopicPartition, offset: number, maxBytes: number): Promise<readonly LogRecord[]> {
    const records = this.#partitions.get(partitionName(partition)) ?? []
    return Promise.resolve(sliceRecords(records, offset, maxBytes))
  }
}

async function readUnpacked({
  fileSystem,
  path,
  maxBytes = defaultMaxBytes,
}: Resolved): Promise<Buffer> {
  const context = { file: path }
  const found = await fileSystem.stat(path)
  if (found === null || found.isDirectory) {
    const what = found === null ? 'there is no such file' : 'that is a folder, not a file'
    throw new SourceError('source-unreadable', `cannot read ${path}: ${what}`, { context })
  }
  let bytes: Buffer
  try {
    bytes = await fileSystem.readFile(path)
  } catch (cause) {
    const why = cause instanceof ForagerError ? cause.message : String(cause)
    throw new SourceError('source-unreadable', why, { context, cause })
  }
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b
  if (!isPacked && path.endsWith('.gz')) {
    const message = `cannot unpack ${path}: it is not gzipped, though its name ends in .gz`
    throw new SourceError('source-unreadable', message, { context })
  }
  if (!isPacked) return withoutMark(bytes)
  try {
    return withoutMark(gunzipSync(bytes, { maxOutputLength: maxBytes }))
  } catch (cause) {
    const why =
      (cause as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE'
        ? `it unpacks to more than ${maxBytes} bytes`
        : `${(cause as Error).message} (${wholeLines(bytes)} whole records come before)`
    throw new SourceError('source-unreadable', `cannot unpack ${path}: ${why}`, { context, cause })
  }
}

/** Editors of some systems begin a text with a byte order mark. */
function withoutMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes
}

/** How much of a truncated archive is good. */
function wholeLines(bytes: Buffer): number {
  try {
    const read = gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH })
    return read.reduce((count, byte) => count + (byte === 0x0a ? 1 : 0), 0)
  } catch {
    return 0
  }
}

function lines(bytes: Buffer): string[] {
  const found: string[] = []
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(0x0a, start)
    found.push(bytes.toString('utf8', start, end < 0 ? bytes.length : end).trimEnd())
    start = end < 0 ? bytes.length : end + 1
  }
  return found
}

function parseOrPass(line: string, index: number, options: Resolved): LogRecord | null {
  try {
    return parseLine(line, index, options)
  } catch (error) {
    options.onBadLine(badLine(options.path, index, (error as Error).message))
    return null
  }
}

function badLine(path: string, index: number, why: string): SourceError {
  return new SourceError('source-line-invalid', `line ${index + 1} of ${path}: ${why}`, {
    context: { file: path, line: index + 1 },
  })
}

/** A line as it is written, before it is checked. */
export interface RecordedLine {
  readonly topic?: unknown
  readonly partition?: unknown
  readonly offset?: unknown
  readonly timestamp?: unknown
  readonly headers?: unknown
  readonly key?: unknown
  readonly value?: unknown
  readonly key_b64?: unknown
  readonly value_b64?: unknown
}

function parseLine(
  line: string,
  index: number,
  { repartitionInto }: RecordedSourceOptions,
): LogRecord {
  const found = JSON.parse(line) as RecordedLine
  expect(typeof found === 'object' && found !== null, 'it is not a JSON object')
  expect(typeof found.topic === 'string' && found.topic !== '', 'it has no "topic"')
  const key = bytesOf(found.key, found.key_b64, 'key')
  const value = bytesOf(found.value, found.value_b64, 'value')
  const recorded = {
    partition: numberOf(found.partition, 'partition', maxPartition),
    offset: numberOf(found.offset, 'offset'),
  }
  return {
    topic: found.topic,
    ...(repartitionInto === undefined ? recorded : rekeyed(key, index, repartitionInto)),
    timestampMs: found.timestamp === undefined ? 0 : numberOf(found.timestamp, 'timestamp'),
    key,
    value,
    headers: headersOf(found.headers),
  }
}

/** As a producer would place it; a record without a key goes anywhere. */
function rekeyed(key: Buffer | null, index: number, partitions: number) {
  const partition = key === null ? index % partitions : partitionOfBytes(key, partitions)
  return { partition, offset: index }
}

function expect(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message)
}

function numberOf(value: unknown, name: string, max = Number.MAX_SAFE_INTEGER): number {
  expect(Number.isSafeInteger(value) && (value as number) >= 0, `"${name}" is not a whole number`)
  expect((value as number) <= max, `"${name}" is more than ${max}`)
  return value as number
}

function bytesOf(text: unknown, base64: unknown, name: string): Buffer | null {
  if (typeof base64 === 'string') return Buffer.from(base64, 'base64')
  if (text === null || text === undefined) return null
  expect(typeof text === 'string', `"${name}" is not a string: give the record's exact text`)
  return Buffer.from(text)
}

function headersOf(headers: unknown): LogHeader[] {
  if (headers === undefined || headers === null) return []
  expect(Array.isArray(headers), '"headers" is not a list')
  return headers.map((header: unknown) => {
    const { key, value } = header as { key?: unknown; value?: unknown }
    expect(typeof key === 'string', 'a header has no "key"')
    expect(value === null || typeof value === 'string', 'a header has a value that is not text')
    return { key, value: Buffer.from(value ?? '') }
  })
}
