/**
 * Writes an ORC file to a sink, stripe by stripe. Memory is bounded by one stripe, whatever the
 * size of the file:
 *
 *     for (const row of rows) {
 *       writer.writeRow(row)
 *       if (writer.isStripeFull) await writer.flushStripe()
 *     }
 *     await writer.close()
 */

import type { ColumnContext } from './column-writer.ts'
import {
  type Chunking,
  createCodec,
  defaultBlockBytes,
  maxBlockBytes,
  type OrcCompression,
} from './compression.ts'
import { OrcError } from './errors.ts'
import {
  encodeFooter,
  encodeMetadata,
  encodePostscript,
  magic,
  ownWriterId,
  ownWriterVersion,
  type StripeInformation,
} from './file-tail.ts'
import { type ColumnStatistics, emptyStatistics, mergeStatistics } from './statistics.ts'
import { frameSection, totalLength } from './stream-output.ts'
import { StripeWriter } from './stripe-writer.ts'
import {
  listColumns,
  numberColumns,
  type OrcColumn,
  type OrcStructType,
  type OrcValue,
  type TimestampUnit,
} from './types.ts'
import { checkVector } from './vector-check.ts'
import type { OrcBatch, StructVector } from './vectors.ts'

/** Where the bytes of a file go, in order. A write is awaited before the next one starts. */
export interface OrcSink {
  write(bytes: Uint8Array): Promise<void>
}

export interface OrcWriterOptions {
  /** Default `zlib`. */
  readonly compression?: Exclude<OrcCompression, 'lzo'>
  /** zlib 0 to 9, default 2; zstd 1 to 22, default 3; brotli 0 to 11, default 5; others have none. */
  readonly compressionLevel?: number
  /** Bytes that are compressed together; default 256 KiB, at most 8 MiB − 1. */
  readonly compressionBlockBytes?: number
  /** Memory from which on a stripe is full; default 16 MiB. */
  readonly stripeBytes?: number
  /**
   * Rows of a row group, for which there are statistics and positions; 0 for none. Default 10,000.
   */
  readonly rowIndexStride?: number
  /**
   * The share of distinct values up to which strings go into a dictionary; 0 for never. Default
   * 0.8.
   */
  readonly dictionaryThreshold?: number
  /** Columns that get a bloom filter for each row group, by name, or `address.city` within structs. */
  readonly bloomFilterColumns?: readonly string[]
  /** How often a filter says of a value that is not there that it may be. Default 0.01. */
  readonly bloomFilterFpp?: number
  readonly userMetadata?: Readonly<Record<string, Uint8Array | string>>
  /** The unit of timestamps that are written. Default `micros`. */
  readonly timestampUnit?: TimestampUnit
  /** Who writes, for the footer. Default `forager`. */
  readonly softwareVersion?: string
}

/** Pieces of a stripe are joined up to this size before they are given to the sink. */
const writeBytes = 64 * 1024

export class OrcWriter {
  readonly #sink: OrcSink
  readonly #root: OrcColumn
  readonly #chunking: Chunking
  readonly #compression: OrcCompression
  readonly #stripeBytes: number
  readonly #rowIndexStride: number
  readonly #softwareVersion: string
  readonly #userMetadata: Map<string, Uint8Array>
  readonly #stripe: StripeWriter
  readonly #stripes: StripeInformation[] = []
  readonly #stripeStatistics: (readonly ColumnStatistics[])[] = []
  #rowCount = 0
  #sizeBytes = 0
  #isClosed = false
  /** The writes to the sink, one after the other; rejected from the first that failed. */
  #written: Promise<void> = Promise.resolve()

  /** Throws `schema-invalid`, `option-invalid` or `feature-unsupported`; does not write yet. */
  constructor(sink: OrcSink, schema: OrcStructType, options: OrcWriterOptions = {}) {
    const compression = options.compression ?? 'zlib'
    const blockBytes = options.compressionBlockBytes ?? defaultBlockBytes
    const stripeBytes = options.stripeBytes ?? 16 * 1024 * 1024
    const rowIndexStride = options.rowIndexStride ?? 10_000
    const dictionaryThreshold = options.dictionaryThreshold ?? 0.8
    requireWithin('compressionBlockBytes', blockBytes, 1, maxBlockBytes)
    requireWithin('stripeBytes', stripeBytes, 1, Number.MAX_SAFE_INTEGER)
    requireWithin('rowIndexStride', rowIndexStride, 0, 2 ** 31 - 1)
    if (!(dictionaryThreshold >= 0 && dictionaryThreshold <= 1)) {
      throw new OrcError('option-invalid', 'dictionaryThreshold is 0 to 1')
    }
    if (schema.kind !== 'struct') throw new OrcError('schema-invalid', 'the root is not a struct')

    this.#sink = sink
    this.#root = numberColumns(schema)
    this.#compression = compression
    const codec = createCodec(compression, options.compressionLevel)
    this.#chunking = { codec, blockBytes: codec === null ? defaultBlockBytes : blockBytes }
    this.#stripeBytes = stripeBytes
    this.#rowIndexStride = rowIndexStride
    this.#softwareVersion = options.softwareVersion ?? 'forager'
    this.#userMetadata = new Map()
    for (const [name, value] of Object.entries(options.userMetadata ?? {})) {
      this.setUserMetadata(name, value)
    }
    this.#stripe = new StripeWriter(this.#root, {
      chunking: this.#chunking,
      timestampUnit: options.timestampUnit ?? 'micros',
      dictionaryThreshold,
      rowIndexStride,
      bloomFilters: bloomFiltersOf(options, this.#root, rowIndexStride),
    })
  }

  /** Rows that were written, flushed or not. */
  get rowCount(): number {
    return this.#rowCount
  }

  /** Stripes that were flushed. */
  get stripeCount(): number {
    return this.#stripes.length
  }

  /** Whether the rows since the last flush take `stripeBytes` of memory. */
  get isStripeFull(): boolean {
    return this.#stripe.heldBytes >= this.#stripeBytes
  }

  /** Adds an entry to the footer, or replaces it; possible until the file is closed. */
  setUserMetadata(name: string, value: Uint8Array | string): void {
    this.#userMetadata.set(name, typeof value === 'string' ? Buffer.from(value) : value)
  }

  /**
   * Appends a row: the values of the root's fields, in order. The values are copied.
   *
   * Throws `value-invalid`; the row is then not written, and the writer can go on.
   */
  writeRow(values: readonly OrcValue[]): void {
    this.#requireOpen()
    this.#stripe.writeRow(values)
    this.#rowCount++
  }

  /**
   * Appends the rows of a batch, which has a vector for each of the root's fields. All bytes are copied.
   * Text is taken to be UTF-8.
   *
   * Throws `value-invalid`; no row of the batch is then written, and the writer can go on.
   */
  writeBatch({ rowCount, columns }: OrcBatch): void {
    this.#requireOpen()
    if (!Number.isSafeInteger(rowCount) || rowCount < 0) {
      throw new OrcError('value-invalid', `a batch of ${rowCount} rows`)
    }
    const rows: StructVector = { kind: 'struct', present: null, fields: columns }
    checkVector(this.#root, rows, rowCount)
    for (let from = 0; from < rowCount; from += this.#stripe.writeSlots(rows, from, rowCount)) {
      // Each round ends a row group.
    }
    this.#rowCount += rowCount
  }

  /** Writes the rows since the last flush as a stripe; nothing when there are none. */
  flushStripe(): Promise<void> {
    this.#requireOpen()
    return this.#flush()
  }

  /** Writes the last stripe and the end of the file. The sink stays open: it is the caller's. */
  async close(): Promise<{ rowCount: number; sizeBytes: number }> {
    this.#requireOpen()
    this.#isClosed = true
    void this.#flush()
    await this.#write([...this.#headerIfFirst(), ...this.#encodeTail()])
    return { rowCount: this.#rowCount, sizeBytes: this.#sizeBytes }
  }

  /** Everything but the writing is done before this returns, so rows may follow at once. */
  #flush(): Promise<void> {
    if (this.#stripe.rowCount === 0) return this.#written
    const header = this.#headerIfFirst()
    const { pieces, statistics, ...information } = this.#stripe.finish()
    this.#stripes.push({ offset: this.#sizeBytes + totalLength(header), ...information })
    this.#stripeStatistics.push(statistics)
    return this.#write([...header, ...pieces])
  }

  #headerIfFirst(): Uint8Array[] {
    return this.#sizeBytes === 0 ? [Buffer.from(magic)] : []
  }

  #encodeTail(): Uint8Array[] {
    const columns = listColumns(this.#root)
    const statistics = columns.map(({ id }) =>
      this.#stripeStatistics.map(stripe => stripe[id]!).reduce(mergeStatistics, emptyStatistics),
    )
    const metadata = frameSection(encodeMetadata(this.#stripeStatistics), this.#chunking)
    const contentBytes = Math.max(this.#sizeBytes, magic.length)
    const footerMessage = {
      contentBytes,
      stripes: this.#stripes,
      schema: this.#root.type,
      userMetadata: this.#userMetadata,
      rowCount: this.#rowCount,
      statistics,
      rowIndexStride: this.#rowIndexStride,
      writerId: ownWriterId,
      calendar: 'proleptic-gregorian',
      softwareVersion: this.#softwareVersion,
    } as const
    const footer = frameSection(encodeFooter(footerMessage, this.#root), this.#chunking)
    const postscript = encodePostscript({
      footerBytes: footer.length,
      metadataBytes: metadata.length,
      compression: this.#compression,
      blockBytes: this.#chunking.blockBytes,
      version: [0, 12],
      writerVersion: ownWriterVersion,
    })
    return [metadata, footer, postscript, Uint8Array.of(postscript.length)]
  }

  /** Queues pieces for the sink. */
  #write(pieces: readonly Uint8Array[]): Promise<void> {
    this.#sizeBytes += totalLength(pieces)
    this.#written = this.#written.then(async () => {
      for (const joined of joinPieces(pieces)) await this.#sink.write(joined)
    })
    return this.#written
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new OrcError('writer-closed', 'the writer is closed')
  }
}

const filterKinds: readonly string[] = [
  'byte',
  'short',
  'int',
  'long',
  'float',
  'double',
  'decimal',
  'date',
  'timestamp',
  'timestamp_instant',
  'string',
  'varchar',
  'char',
]

function bloomFiltersOf(
  { bloomFilterColumns = [], bloomFilterFpp: fpp = 0.01 }: OrcWriterOptions,
  root: OrcColumn,
  rowIndexStride: number,
): ColumnContext['bloomFilters'] {
  if (bloomFilterColumns.length === 0) return null
  if (!(fpp > 0 && fpp < 1)) throw new OrcError('option-invalid', 'bloomFilterFpp is 0 to 1')
  if (rowIndexStride === 0) {
    throw new OrcError('option-invalid', 'bloom filters need a rowIndexStride')
  }
  const columns = listColumns(root)
  const columnIds = bloomFilterColumns.map(path => {
    const column = columns.find(one => one.path === path)
    if (column === undefined) {
      throw new OrcError('column-unknown', `there is no column ${path} for a bloom filter`)
    }
    if (!filterKinds.includes(column.type.kind)) {
      const message = `a column of ${column.type.kind} has no bloom filter`
      throw new OrcError('option-invalid', message, `column ${path}`)
    }
    return column.id
  })
  return { columnIds: new Set(columnIds), valueCount: rowIndexStride, fpp }
}

function requireWithin(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new OrcError('option-invalid', `${name} is ${least} to ${most}, not ${value}`)
  }
}

/**
 * Small pieces are joined, because a call of the sink costs more than a copy; large ones are not.
 */
function* joinPieces(pieces: readonly Uint8Array[]): Generator<Uint8Array> {
  let group: Uint8Array[] = []
  let groupBytes = 0
  for (const piece of pieces) {
    if (groupBytes > 0 && groupBytes + piece.length > writeBytes) {
      yield Buffer.concat(group)
      group = []
      groupBytes = 0
    }
    if (piece.length > writeBytes) {
      yield piece
    } else {
      group.push(piece)
      groupBytes += piece.length
    }
  }
  if (groupBytes > 0) yield Buffer.concat(group)
}
