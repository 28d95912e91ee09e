/**
 * Records as bytes in a segment. A chunk is about 1 MiB of records of one commit; it is read and
 * checked as a whole.
 *
 *     record: offset − base offset of the chunk · timestamp · key · value · headers
 *     key, value: 0 for null, else 1 and the bytes behind their length
 */
import { crc32 } from 'node:zlib'
import { ByteReader, ByteWriter } from '../model/bytes.ts'
import type { LogHeader, LogRecord } from '../model/change-event.ts'
import type { Chunk } from './file-journal.ts'
import type { TopicPartition } from './log.ts'

const maxChunkBytes = 1024 * 1024
/** Compaction leaves gaps between offsets: within a chunk they stay what a count can hold. */
const maxChunkOffsets = 2 ** 31

export function encodeChunks(
  records: readonly LogRecord[],
  segment: number,
  position: number,
): { bytes: Buffer; chunks: Chunk[] } {
  const parts: Buffer[] = []
  const chunks: Chunk[] = []
  const writer = new ByteWriter(64 * 1024)
  let baseOffset = records[0]?.offset ?? 0
  let at = position
  for (const [index, record] of records.entries()) {
    writeRecord(writer, record, baseOffset)
    const next = records[index + 1]
    const fits = next !== undefined && next.offset - baseOffset < maxChunkOffsets
    if (fits && writer.length < maxChunkBytes) continue
    const bytes = writer.take()
    chunks.push({ baseOffset, segment, position: at, length: bytes.length, crc: crc32(bytes) })
    parts.push(bytes)
    at += bytes.length
    baseOffset = next?.offset ?? baseOffset
  }
  return { bytes: Buffer.concat(parts), chunks }
}

export function decodeChunk(
  bytes: Buffer,
  { topic, partition }: TopicPartition,
  baseOffset: number,
): LogRecord[] {
  const reader = new ByteReader(bytes)
  const records: LogRecord[] = []
  while (!reader.isAtEnd) {
    records.push({
      topic,
      partition,
      offset: baseOffset + reader.count(),
      timestampMs: Number(reader.integer()),
      key: readOptional(reader),
      value: readOptional(reader),
      headers: Array.from({ length: reader.count() }, () => readHeader(reader)),
    })
  }
  return records
}

function writeRecord(writer: ByteWriter, record: LogRecord, baseOffset: number): void {
  writer.count(record.offset - baseOffset)
  writer.integer(record.timestampMs)
  writeOptional(writer, record.key)
  writeOptional(writer, record.value)
  writer.count(record.headers.length)
  for (const { key, value } of record.headers) {
    writer.text(key)
    writer.blob(value)
  }
}

function writeOptional(writer: ByteWriter, bytes: Uint8Array | null): void {
  writer.byte(bytes === null ? 0 : 1)
  if (bytes !== null) writer.blob(bytes)
}

function readOptional(reader: ByteReader): Buffer | null {
  return reader.byte() === 0 ? null : reader.blob()
}

function readHeader(reader: ByteReader): LogHeader {
  return { key: reader.text(), value: reader.blob() }
}
