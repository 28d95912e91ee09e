/**
 * The messages of a stripe: its footer (which streams it has, in which order, and how each column
 * is encoded) and the row index of a column.
 *
 *     index streams | data streams | stripe footer
 *
 * Where a stream starts is not stated: it is the sum of the lengths before it.
 *
 * Source: ORC v1, "Stripes", "Row Group Index"; `orc_proto.proto`.
 */
import { corrupt } from './errors.ts'
import { MessageReader, MessageWriter } from './protobuf.ts'
import type { ColumnStatistics } from './statistics.ts'
import { decodeStatistics, encodeStatistics } from './statistics-message.ts'

/** Indexed by the number of the kind. */
export const streamKinds = [
  'PRESENT',
  'DATA',
  'LENGTH',
  'DICTIONARY_DATA',
  'DICTIONARY_COUNT',
  'SECONDARY',
  'ROW_INDEX',
  'BLOOM_FILTER',
  'BLOOM_FILTER_UTF8',
  'ENCRYPTED_INDEX',
  'ENCRYPTED_DATA',
  'STRIPE_STATISTICS',
  'FILE_STATISTICS',
] as const

export type StreamKind = (typeof streamKinds)[number]

/** Indexed by the number of the kind. `_V2` means run-length encoding version 2 for integers. */
export const encodingKinds = ['DIRECT', 'DICTIONARY', 'DIRECT_V2', 'DICTIONARY_V2'] as const

export type EncodingKind = (typeof encodingKinds)[number]

export interface StreamInformation {
  readonly kind: StreamKind
  readonly columnId: number
  readonly sizeBytes: number
}

export interface ColumnEncoding {
  readonly kind: EncodingKind
  readonly dictionarySize: number
  /** Stated when written. */
  readonly hasBloomFilter?: boolean
}

/** Bloom filters over UTF-8, and not over what Java's platform made of texts. */
const utf8BloomFilters = 1

export interface StripeFooter {
  readonly streams: readonly StreamInformation[]
  /** By column id. */
  readonly encodings: readonly ColumnEncoding[]
  /** The time zone of timestamps without one; empty when the file does not say. */
  readonly writerTimezone: string
}

/** Where a row group starts in each stream of a column (`positions`), and its statistics. */
export interface RowGroup {
  readonly positions: readonly number[]
  readonly statistics: ColumnStatistics
}

export function encodeStripeFooter(footer: StripeFooter): Uint8Array {
  const message = new MessageWriter()
  for (const stream of footer.streams) {
    const inner = new MessageWriter()
      .unsigned(1, streamKinds.indexOf(stream.kind))
      .unsigned(2, stream.columnId)
      .unsigned(3, stream.sizeBytes)
    message.message(1, inner)
  }
  for (const encoding of footer.encodings) {
    const inner = new MessageWriter().unsigned(1, encodingKinds.indexOf(encoding.kind))
    if (encoding.kind.startsWith('DICTIONARY')) inner.unsigned(2, encoding.dictionarySize)
    if (encoding.hasBloomFilter === true) inner.unsigned(3, utf8BloomFilters)
    message.message(2, inner)
  }
  return message.text(3, footer.writerTimezone).bytes()
}

export function decodeStripeFooter(bytes: Uint8Array, where: string): StripeFooter {
  const message = new MessageReader(bytes, where)
  const streams: StreamInformation[] = []
  const encodings: ColumnEncoding[] = []
  let writerTimezone = ''
  while (message.next()) {
    if (message.field === 1) streams.push(decodeStream(message.message()))
    else if (message.field === 2) encodings.push(decodeEncoding(message.message()))
    else if (message.field === 3) writerTimezone = message.text()
  }
  return { streams, encodings, writerTimezone }
}

function decodeStream(message: MessageReader): StreamInformation {
  const numbers: Record<number, number> = {}
  while (message.next()) if (message.field <= 3) numbers[message.field] = message.unsigned()
  const kind = streamKinds[numbers[1] ?? 0]
  if (kind === undefined) throw corrupt(`unknown stream kind ${numbers[1]}`, message.where)
  return { kind, columnId: numbers[2] ?? 0, sizeBytes: numbers[3] ?? 0 }
}

function decodeEncoding(message: MessageReader): ColumnEncoding {
  const numbers: Record<number, number> = {}
  while (message.next()) if (message.field <= 2) numbers[message.field] = message.unsigned()
  const kind = encodingKinds[numbers[1] ?? 0]
  if (kind === undefined) throw corrupt(`unknown column encoding ${numbers[1]}`, message.where)
  return { kind, dictionarySize: numbers[2] ?? 0 }
}

export function encodeRowIndex(groups: readonly RowGroup[]): Uint8Array {
  const message = new MessageWriter()
  for (const group of groups) {
    const inner = new MessageWriter()
      .packed(1, group.positions)
      .message(2, encodeStatistics(group.statistics))
    message.message(1, inner)
  }
  return message.bytes()
}

/** `valuesLeft` may be shared by the indexes of several columns. */
export function decodeRowIndex(
  bytes: Uint8Array,
  where: string,
  valuesLeft = { count: maxIndexValues },
): RowGroup[] {
  const message = new MessageReader(bytes, where, valuesLeft)
  const groups: RowGroup[] = []
  while (message.next()) {
    if (message.field !== 1) continue
    const positions: number[] = []
    let statistics: ColumnStatistics | undefined
    const inner = message.message()
    while (inner.next()) {
      if (inner.field === 1) inner.unsignedInto(positions)
      else if (inner.field === 2) statistics = decodeStatistics(inner.message())
    }
    groups.push({ positions, statistics: statistics ?? unknownStatistics })
  }
  return groups
}

/** The most positions, counts and so on of the row indexes of a stripe, which become objects. */
export const maxIndexValues = 2 ** 22

/** Not zero values: nothing is known. */
const unknownStatistics: ColumnStatistics = { valueCount: 1, hasNull: true, bytesOnDisk: 0 }
