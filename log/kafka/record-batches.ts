/**
 * Record batches, Kafka's form of records on the wire and on disk. Decoding takes committed records
 * only: Kafka sends with each answer the transactions in it that were aborted; their records end at the
 * marker of their producer, which may come in a later answer.
 */
import type { LogHeader, LogRecord } from '../../model/change-event.ts'
import { SourceError } from '../../model/errors.ts'
import type { LogBatch, ProducerRecord, TopicPartition } from '../log.ts'
import { checksum } from './protocol.ts'
import { unpack } from './unpack.ts'
import type { AbortedTransaction } from './wire.ts'

/** First offset and length: what is before the part that the length counts. */
const prefixBytes = 12
/** To the count of records, inclusive. */
const headBytes = 61
/** The checksum covers what is behind it. */
const checkedFrom = 21

const codecMask = 0b111
const isLogAppendTime = 0b1000
const isTransactional = 0b1_0000
const isControl = 0b10_0000

/** Offsets below `fromOffset` are left out: a batch is sent whole. */
export function decodeBatches(
  at: TopicPartition,
  bytes: Buffer,
  fromOffset: number,
  abortedTransactions: readonly AbortedTransaction[],
): Omit<LogBatch, 'end'> {
  const pending = abortedTransactions.toSorted((a, b) => a.firstOffset - b.firstOffset)
  const aborted = new Set<bigint>()
  const records: LogRecord[] = []
  let nextOffset = fromOffset
  // The last batch may be cut off: the fetch ended there.
  for (let start = 0; start + headBytes <= bytes.length; ) {
    const end = start + prefixBytes + bytes.readInt32BE(start + 8)
    if (end > bytes.length) break
    const batch = bytes.subarray(start, end)
    start = end
    const first = Number(batch.readBigInt64BE(0))
    const last = first + batch.readInt32BE(23)
    if (last < fromOffset) continue
    check(at, batch, first)
    nextOffset = last + 1
    while (pending[0] !== undefined && pending[0].firstOffset <= last) {
      aborted.add(pending.shift()!.producerId)
    }
    const attributes = batch.readInt16BE(21)
    const producerId = batch.readBigInt64BE(43)
    if ((attributes & isControl) !== 0) {
      aborted.delete(producerId)
      continue
    }
    if ((attributes & isTransactional) !== 0 && aborted.has(producerId)) continue
    try {
      decodeRecords(at, batch, fromOffset, records)
    } catch (cause) {
      const message = `a record batch cannot be read: ${(cause as Error).message}`
      const context = { ...at, offset: first }
      throw new SourceError('source-unreadable', message, { context, cause })
    }
  }
  return { ...at, records, nextOffset }
}

function check(at: TopicPartition, batch: Buffer, offset: number): void {
  const context = { ...at, offset }
  const magic = batch[16]
  if (magic !== 2) {
    throw new SourceError('source-unreadable', `record batches of format ${magic} are not read`, {
      context,
    })
  }
  if (checksum(batch.subarray(checkedFrom)) !== batch.readUInt32BE(17)) {
    throw new SourceError('source-unreadable', 'a record batch came with a wrong checksum', {
      context,
    })
  }
}

/** Throws RangeError or Error for what cannot be unpacked, is too large then, or ends before its end. */
function decodeRecords(
  { topic, partition }: TopicPartition,
  batch: Buffer,
  fromOffset: number,
  into: LogRecord[],
): void {
  const attributes = batch.readInt16BE(21)
  const firstOffset = Number(batch.readBigInt64BE(0))
  const firstTimestamp = Number(batch.readBigInt64BE(27))
  const appendTime = Number(batch.readBigInt64BE(35))
  const count = batch.readInt32BE(57)
  const codec = attributes & codecMask
  const body = batch.subarray(headBytes)
  const cursor = new Cursor(codec === 0 ? body : unpack(codec, body))
  for (let index = 0; index < count; index += 1) {
    const length = cursor.integer()
    const end = cursor.position + length
    cursor.expect(length)
    cursor.position += 1
    const timestampDelta = cursor.integer()
    const offset = firstOffset + cursor.integer()
    if (offset >= fromOffset) {
      const key = cursor.bytes()
      const value = cursor.bytes()
      const isAppended = (attributes & isLogAppendTime) !== 0
      const timestampMs = isAppended ? appendTime : firstTimestamp + timestampDelta
      into.push({ topic, partition, offset, timestampMs, key, value, headers: cursor.headers() })
    }
    cursor.position = end
  }
}

const noHeaders: readonly LogHeader[] = []

/** Reads variable-length integers (zigzag) and what they announce. */
class Cursor {
  readonly #bytes: Buffer
  position = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** Beyond 2^53 it would be rounded; lengths, offsets in a batch and times are far below. */
  integer(): number {
    const bytes = this.#bytes
    let byte = bytes[this.position++]!
    let value = byte & 0x7f
    let scale = 128
    while (byte >= 0x80) {
      byte = bytes[this.position++]!
      value += (byte & 0x7f) * scale
      scale *= 128
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  /** So much must be left of it. */
  expect(length: number): void {
    const left = this.#bytes.length - this.position
    if (length >= 0 && length <= left && left >= 0) return
    throw new RangeError(`${length} bytes are announced, and ${left} are left`)
  }

  bytes(): Buffer | null {
    const length = this.integer()
    if (length < 0) return null
    this.expect(length)
    this.position += length
    return this.#bytes.subarray(this.position - length, this.position)
  }

  headers(): readonly LogHeader[] {
    const count = this.integer()
    if (count === 0) return noHeaders
    // Each takes two bytes at least.
    this.expect(count * 2)
    return Array.from({ length: count }, () => {
      const key = this.bytes()!.toString()
      return { key, value: this.bytes() ?? Buffer.alloc(0) }
    })
  }
}

/** Who writes a batch: brokers drop what they have seen of it, and refuse what is out of sequence. */
export interface BatchIdentity {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly sequence: number
}

/** One batch of one partition, in order. */
export function encodeBatch(
  records: readonly ProducerRecord[],
  { producerId, producerEpoch, sequence }: BatchIdentity,
  isOfTransaction = true,
): Buffer {
  const firstTimestamp = records[0]!.timestampMs
  const parts: Uint8Array[] = [Buffer.alloc(headBytes)]
  for (const [index, record] of records.entries()) {
    parts.push(...encodeRecord(record, index, firstTimestamp))
  }
  const batch = Buffer.concat(parts)
  batch.writeInt32BE(batch.length - prefixBytes, 8)
  batch.writeInt8(2, 16)
  batch.writeInt16BE(isOfTransaction ? isTransactional : 0, 21)
  batch.writeInt32BE(records.length - 1, 23)
  batch.writeBigInt64BE(BigInt(firstTimestamp), 27)
  const maxTimestamp = records.reduce((max, one) => Math.max(max, one.timestampMs), firstTimestamp)
  batch.writeBigInt64BE(BigInt(maxTimestamp), 35)
  batch.writeBigInt64BE(producerId, 43)
  batch.writeInt16BE(producerEpoch, 51)
  batch.writeInt32BE(sequence, 53)
  batch.writeInt32BE(records.length, 57)
  batch.writeUInt32BE(checksum(batch.subarray(checkedFrom)), 17)
  return batch
}

function encodeRecord(
  { timestampMs, key, value, headers = [] }: ProducerRecord,
  index: number,
  firstTimestamp: number,
): Uint8Array[] {
  const parts: Uint8Array[] = [
    Buffer.of(0),
    varint(timestampMs - firstTimestamp),
    varint(index),
    ...announced(key),
    ...announced(value),
    varint(headers.length),
    ...headers.flatMap(header => [
      ...announced(Buffer.from(header.key)),
      ...announced(header.value),
    ]),
  ]
  return [varint(parts.reduce((sum, part) => sum + part.length, 0)), ...parts]
}

function announced(bytes: Uint8Array | null): Uint8Array[] {
  return bytes === null ? [varint(-1)] : [varint(bytes.length), bytes]
}

/** Zigzag, seven bits a byte, the lowest first. */
function varint(value: number): Uint8Array {
  let rest = value >= 0 ? value * 2 : -value * 2 - 1
  const bytes: number[] = []
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  bytes.push(rest)
  return Uint8Array.from(bytes)
}
