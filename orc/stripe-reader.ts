/**
 * Opens one stripe of a file: reads its footer and the streams of the columns that are asked for,
 * and sets up a reader for each column.
 */
import { ByteInput } from './byte-input.ts'
import {
  BinaryColumnReader,
  DictionaryStringColumnReader,
  DirectStringColumnReader,
} from './bytes-column-readers.ts'
import type { ColumnReader, StripeContext } from './column-reader.ts'
import { ListColumnReader, MapColumnReader, StructColumnReader } from './compound-column-readers.ts'
import type { Chunking } from './compression.ts'
import { corrupt, OrcError } from './errors.ts'
import type { OrcCalendar, StripeInformation } from './file-tail.ts'
import {
  BooleanColumnReader,
  ByteColumnReader,
  DateColumnReader,
  DecimalColumnReader,
  FloatColumnReader,
  IntegerColumnReader,
  LongColumnReader,
  TimestampColumnReader,
} from './number-column-readers.ts'
import {
  type ColumnEncoding,
  decodeRowIndex,
  decodeStripeFooter,
  type RowGroup,
  type StreamInformation,
  type StreamKind,
  type StripeFooter,
} from './stripe-messages.ts'
import { listColumns, type OrcColumn, type TimestampUnit } from './types.ts'

/** Bytes of a file, wherever they are. `read` gives exactly `length` bytes, or throws. */
export interface OrcSource {
  readonly sizeBytes: number
  read(offset: number, length: number): Promise<Uint8Array>
}

export interface StripeReadOptions {
  readonly chunking: Chunking
  readonly calendar: OrcCalendar
  readonly timestampUnit: TimestampUnit
  readonly maxBatchBytes: number
}

/** A stream with its place in the file. */
interface PlacedStream extends StreamInformation {
  readonly offset: number
}

/** The most that a stripe footer or a row index may decompress to. */
const maxSectionBytes = 16 * 1024 * 1024

/** Two wanted streams are read together when the bytes between them are fewer than this. */
const maxGapBytes = 64 * 1024

export class StripeReader {
  /** For error messages, for example `stripe 2`. */
  readonly where: string
  readonly #source: OrcSource
  readonly #information: StripeInformation
  readonly #root: OrcColumn
  readonly #options: StripeReadOptions

  constructor(
    index: number,
    information: StripeInformation,
    source: OrcSource,
    root: OrcColumn,
    options: StripeReadOptions,
  ) {
    this.where = `stripe ${index}`
    this.#information = information
    this.#source = source
    this.#root = root
    this.#options = options
  }

  async readFooter(): Promise<StripeFooter> {
    const { offset, indexBytes, dataBytes, footerBytes } = this.#information
    const where = `${this.where}, footer`
    const bytes = await this.#read(offset + indexBytes + dataBytes, footerBytes)
    const input = new ByteInput(bytes, this.#options.chunking, where)
    const footer = decodeStripeFooter(input.readAll(maxSectionBytes), where)
    this.#checkFooter(footer, where)
    return footer
  }

  /** The row groups of each column, by column id; none for a column without an index. */
  async readRowIndexes(): Promise<RowGroup[][]> {
    const footer = await this.readFooter()
    const columns = listColumns(this.#root)
    const streams = await this.#readStreams(footer, stream => stream.kind === 'ROW_INDEX')
    return columns.map(column => {
      const bytes = streams.get(streamName(column.id, 'ROW_INDEX'))
      if (bytes === undefined) return []
      const where = this.#whereStream(column, 'ROW_INDEX')
      const input = new ByteInput(bytes, this.#options.chunking, where)
      return decodeRowIndex(input.readAll(maxSectionBytes), where)
    })
  }

  /** Readers for the given columns, with all that is below them, at the stripe's first row. */
  async openColumns(columns: readonly OrcColumn[]): Promise<ColumnReader[]> {
    const footer = await this.readFooter()
    const isOfRoot = ({ columnId, kind }: StreamInformation): boolean =>
      columnId === this.#root.id && kind === 'PRESENT'
    if (footer.streams.some(isOfRoot)) {
      throw new OrcError('feature-unsupported', 'rows that are null as a whole', this.where)
    }
    const wanted = new Set(columns.flatMap(listColumns).map(column => column.id))
    const isWanted = (stream: StreamInformation): boolean =>
      wanted.has(stream.columnId) && !isIndex(stream.kind)
    const streams = await this.#readStreams(footer, isWanted)
    const { chunking, ...options } = this.#options
    const context: StripeContext = {
      ...options,
      writerTimezone: footer.writerTimezone,
      hasStream: (column, kind) => streams.has(streamName(column.id, kind)),
      openStream: (column, kind) => {
        const bytes = streams.get(streamName(column.id, kind)) ?? new Uint8Array(0)
        return new ByteInput(bytes, chunking, this.#whereStream(column, kind))
      },
    }
    return columns.map(column => createColumnReader(column, footer.encodings, context))
  }

  #checkFooter(footer: StripeFooter, where: string): void {
    const { indexBytes, dataBytes } = this.#information
    const columnCount = listColumns(this.#root).length
    if (footer.encodings.length !== columnCount) {
      throw corrupt(`${footer.encodings.length} encodings for ${columnCount} columns`, where)
    }
    const names = new Set<string>()
    let total = 0
    for (const { kind, columnId, sizeBytes } of footer.streams) {
      const name = streamName(columnId, kind)
      if (columnId >= columnCount) throw corrupt(`a stream of column ${columnId}`, where)
      if (names.has(name)) throw corrupt(`column ${columnId} has two ${kind} streams`, where)
      names.add(name)
      total += sizeBytes
    }
    if (total > indexBytes + dataBytes)
      throw corrupt('the streams are longer than the stripe', where)
  }

  /** The bytes of some streams, by `streamName`. */
  async #readStreams(
    footer: StripeFooter,
    isWanted: (stream: StreamInformation) => boolean,
  ): Promise<Map<string, Uint8Array>> {
    const bytesOf = new Map<string, Uint8Array>()
    for (const group of groupByDistance(this.#place(footer).filter(isWanted))) {
      const start = group[0]!.offset
      const last = group.at(-1)!
      const bytes = await this.#read(start, last.offset + last.sizeBytes - start)
      for (const stream of group) {
        const from = stream.offset - start
        const name = streamName(stream.columnId, stream.kind)
        bytesOf.set(name, bytes.subarray(from, from + stream.sizeBytes))
      }
    }
    return bytesOf
  }

  #place(footer: StripeFooter): PlacedStream[] {
    let offset = this.#information.offset
    return footer.streams.map(stream => {
      const placed = { ...stream, offset }
      offset += stream.sizeBytes
      return placed
    })
  }

  #read(offset: number, length: number): Promise<Uint8Array> {
    return readExactly(this.#source, offset, length, this.where)
  }

  #whereStream(column: OrcColumn, kind: StreamKind): string {
    const name = column.path === '' ? 'the root' : `column ${column.path}`
    return `${this.where}, ${name}, stream ${kind}`
  }
}

/** Reads from a source and checks that it gave what was asked for. */
export async function readExactly(
  source: OrcSource,
  offset: number,
  length: number,
  where: string,
): Promise<Uint8Array> {
  if (length === 0) return new Uint8Array(0)
  const bytes = await source.read(offset, length)
  if (bytes.length !== length) {
    throw corrupt(`${bytes.length} bytes at offset ${offset} instead of ${length}`, where)
  }
  return bytes
}

function streamName(columnId: number, kind: StreamKind): string {
  return `${columnId} ${kind}`
}

function isIndex(kind: StreamKind): boolean {
  return kind === 'ROW_INDEX' || kind.startsWith('BLOOM_FILTER')
}

function groupByDistance(streams: readonly PlacedStream[]): PlacedStream[][] {
  const groups: PlacedStream[][] = []
  let end = Number.NEGATIVE_INFINITY
  for (const stream of streams) {
    if (stream.offset - end > maxGapBytes) groups.push([])
    groups.at(-1)!.push(stream)
    end = stream.offset + stream.sizeBytes
  }
  return groups
}

function createColumnReader(
  column: OrcColumn,
  encodings: readonly ColumnEncoding[],
  stripe: StripeContext,
): ColumnReader {
  const encoding = encodings[column.id]!
  const children = column.children.map(child => createColumnReader(child, encodings, stripe))
  const isDictionary = encoding.kind.startsWith('DICTIONARY')
  switch (column.type.kind) {
    case 'boolean':
      return new BooleanColumnReader(column, encoding, stripe)
    case 'byte':
      return new ByteColumnReader(column, encoding, stripe)
    case 'short':
    case 'int':
      return new IntegerColumnReader(column, encoding, stripe)
    case 'long':
      return new LongColumnReader(column, encoding, stripe)
    case 'date':
      return new DateColumnReader(column, encoding, stripe)
    case 'float':
    case 'double':
      return new FloatColumnReader(column, encoding, stripe)
    case 'decimal':
      return new DecimalColumnReader(column, encoding, stripe)
    case 'timestamp':
    case 'timestamp_instant':
      return new TimestampColumnReader(column, encoding, stripe)
    case 'string':
    case 'varchar':
    case 'char':
      return isDictionary
        ? new DictionaryStringColumnReader(column, encoding, stripe)
        : new DirectStringColumnReader(column, encoding, stripe)
    case 'binary':
      return new BinaryColumnReader(column, encoding, stripe)
    case 'struct':
      return new StructColumnReader(column, encoding, stripe, children)
    case 'list':
      return new ListColumnReader(column, encoding, stripe, children[0]!)
    case 'map':
      return new MapColumnReader(column, encoding, stripe, children[0]!, children[1]!)
  }
}
