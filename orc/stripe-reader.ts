/**
 * Opens one stripe of a file: reads its footer and the streams of the columns that are asked for,
 * and sets up a reader for each column.
 */
import { BatchMemory } from './batch-memory.ts'
import { type BloomFilter, decodeBloomFilters } from './bloom-filter.ts'
import { ByteInput } from './byte-input.ts'
import { DictionaryColumnReader, DirectBytesColumnReader } from './bytes-column-readers.ts'
import type { ColumnReader, StripeContext } from './column-reader.ts'
import {
  CollectionColumnReader,
  StructColumnReader,
  UnionColumnReader,
} from './compound-column-readers.ts'
import type { Chunking } from './compression.ts'
import { corrupt, OrcError } from './errors.ts'
import type { OrcCalendar, StripeInformation } from './file-tail.ts'
import {
  BooleanColumnReader,
  ByteColumnReader,
  DecimalColumnReader,
  FloatColumnReader,
  IntegerColumnReader,
  LongColumnReader,
} from './number-column-readers.ts'
import { type StreamPosition, splitPositions, streamLayout, streamStart } from './stream-layout.ts'
import {
  type ColumnEncoding,
  decodeRowIndex,
  decodeStripeFooter,
  maxIndexValues,
  type RowGroup,
  type StreamInformation,
  type StreamKind,
  type StripeFooter,
} from './stripe-messages.ts'
import { TimestampColumnReader } from './timestamp-column-reader.ts'
import { listColumns, type OrcColumn } from './types.ts'
import type { OrcVector } from './vectors.ts'

/** Bytes of a file, wherever they are. `read` gives exactly `length` bytes, or throws. */
export interface OrcSource {
  readonly sizeBytes: number
  read(offset: number, length: number): Promise<Uint8Array>
}

export interface StripeReadOptions {
  readonly chunking: Chunking
  readonly calendar: OrcCalendar
  /** The most that a batch may take, and the dictionaries of the stripe. */
  readonly maxBatchBytes: number
  /** Whether a batch has ended when the next one is read. */
  readonly reuseMemory: boolean
}

/** Reads the next rows of some columns: a vector for each of these. */
export type ReadColumns = (rowCount: number) => OrcVector[]

/** Consecutive row groups, up to `to` and without it; and where the groups of each column start. */
export interface GroupRange {
  readonly from: number
  readonly to: number
  /** By column id. */
  readonly indexes: readonly (readonly RowGroup[])[]
}

/** A part of a stream, by offsets in it. */
interface WantedStream {
  readonly stream: StreamInformation
  readonly from: number
  readonly to: number
}

/** The bytes of a stream from `from` on. */
interface ReadStream {
  readonly bytes: Uint8Array
  readonly from: number
}

const noStream: ReadStream = { bytes: new Uint8Array(0), from: 0 }

/** The longest run: 512 integers of 64 bits with a header, a base and 31 patches. */
const maxRunBytes = 4 + 8 + 512 * 8 + 31 * 8

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
    const footer = decodeStripeFooter(this.#section(bytes, where), where)
    this.#checkFooter(footer, where)
    return footer
  }

  /** The row groups of columns, by column id; none for a column without an index, or that is not wanted. */
  async readRowIndexes(
    footer?: StripeFooter,
    isWanted: (columnId: number) => boolean = () => true,
  ): Promise<RowGroup[][]> {
    const own = footer ?? (await this.readFooter())
    const valuesLeft = { count: maxIndexValues }
    const streams = await this.#readStreams(
      own,
      wholeStreams(own, ({ kind, columnId }) => kind === 'ROW_INDEX' && isWanted(columnId)),
    )
    return listColumns(this.#root).map(column => {
      const bytes = streams.get(streamName(column.id, 'ROW_INDEX'))?.bytes
      if (bytes === undefined) return []
      const where = this.#whereStream(column, 'ROW_INDEX')
      return decodeRowIndex(this.#section(bytes, where), where, valuesLeft)
    })
  }

  /** The bloom filters of some columns, by row group. */
  async readBloomFilters(
    footer: StripeFooter,
    columnIds: ReadonlySet<number>,
  ): Promise<Map<number, (BloomFilter | null)[]>> {
    const isWanted = ({ kind, columnId }: StreamInformation): boolean =>
      kind === 'BLOOM_FILTER_UTF8' && columnIds.has(columnId)
    const streams = await this.#readStreams(footer, wholeStreams(footer, isWanted))
    const found = new Map<number, (BloomFilter | null)[]>()
    for (const column of listColumns(this.#root)) {
      const bytes = streams.get(streamName(column.id, 'BLOOM_FILTER_UTF8'))?.bytes
      if (bytes === undefined) continue
      const where = this.#whereStream(column, 'BLOOM_FILTER_UTF8')
      found.set(column.id, decodeBloomFilters(this.#section(bytes, where), where))
    }
    return found
  }

  /**
   * Opens the given columns, with all that is below them: at the stripe's first row, or at the first row of
   * some row groups, of which then no more is read than they need.
   */
  async openColumns(
    columns: readonly OrcColumn[],
    footer: StripeFooter,
    groups: GroupRange | null,
  ): Promise<ReadColumns> {
    const isOfRoot = ({ columnId, kind }: StreamInformation): boolean =>
      columnId === this.#root.id && kind === 'PRESENT'
    if (this.#root.type.kind === 'struct' && footer.streams.some(isOfRoot)) {
      throw new OrcError('feature-unsupported', 'rows that are null as a whole', this.where)
    }
    const starts = new Map<string, StreamPosition>()
    const byColumn = Map.groupBy(footer.streams, ({ columnId }) => columnId)
    const wanted = columns.flatMap(listColumns).flatMap(column => {
      const own = (byColumn.get(column.id) ?? []).filter(({ kind }) => !isIndex(kind))
      return this.#wantedStreams(column, own, footer.encodings[column.id]!, groups, starts)
    })
    const streams = await this.#readStreams(footer, wanted)
    const { chunking, calendar, maxBatchBytes, reuseMemory } = this.#options
    const memory = new BatchMemory(maxBatchBytes, reuseMemory)
    const context: StripeContext = {
      calendar,
      memory,
      writerTimezone: footer.writerTimezone,
      hasStream: (column, kind) => streams.has(streamName(column.id, kind)),
      openStream: (column, kind) => {
        const name = streamName(column.id, kind)
        const { bytes, from } = streams.get(name) ?? noStream
        const { bytes: position, skips } = starts.get(name) ?? streamStart
        const input = new ByteInput(bytes, chunking, this.#whereStream(column, kind))
        if (position.length > 0) input.seek(position, from)
        return { input, skips }
      },
    }
    const readers = columns.map(column => createColumnReader(column, footer.encodings, context))
    return rowCount => {
      memory.startBatch()
      return readers.map(reader => reader.read(rowCount))
    }
  }

  /** The parts of a column's streams that the row groups need; their first positions go into `starts`. */
  #wantedStreams(
    column: OrcColumn,
    own: readonly StreamInformation[],
    encoding: ColumnEncoding,
    groups: GroupRange | null,
    starts: Map<string, StreamPosition>,
  ): WantedStream[] {
    const whole = own.map(stream => ({ stream, from: 0, to: stream.sizeBytes }))
    if (groups === null) return whole
    const hasPresent = own.some(({ kind }) => kind === 'PRESENT')
    const layout = streamLayout(column, encoding, hasPresent)
    const { codec, blockBytes } = this.#options.chunking
    const where = this.#whereStream(column, 'ROW_INDEX')
    const positionsOf = (group: number) => {
      const found = groups.indexes[column.id]?.[group]
      if (found === undefined) return null
      return splitPositions(layout, found.positions, codec !== null, where)
    }
    const first = positionsOf(groups.from)
    if (first === null) throw corrupt('row groups are missing', where)
    const behind = positionsOf(groups.to)
    return whole.map(({ stream, to }) => {
      const start = first.get(stream.kind)
      // What no index knows is a dictionary's, and read as a whole.
      if (start === undefined) return { stream, from: 0, to }
      starts.set(streamName(column.id, stream.kind), start)
      const from = Math.min(start.bytes[0]!, to)
      const next = behind?.get(stream.kind)?.bytes[0] ?? to
      // The last run may end behind the group: in its chunk, or in the one after it.
      const slack = codec === null ? maxRunBytes : 2 * (3 + blockBytes)
      return { stream, from, to: Math.max(from, Math.min(to, next + slack)) }
    })
  }

  #section(bytes: Uint8Array, where: string): Uint8Array {
    return new ByteInput(bytes, this.#options.chunking, where).readAll(maxSectionBytes)
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

  /** Parts of streams, by `streamName`. */
  async #readStreams(
    footer: StripeFooter,
    wanted: readonly WantedStream[],
  ): Promise<Map<string, ReadStream>> {
    const bytesOf = new Map<string, ReadStream>()
    const offsets = this.#offsets(footer)
    const placed = wanted
      .map(({ stream, from, to }) => {
        const start = offsets.get(stream)! + from
        return { stream, from, start, end: start + to - from }
      })
      .sort((a, b) => a.start - b.start)
    for (const group of groupByDistance(placed)) {
      const { start } = group[0]!
      const end = group.reduce((most, part) => Math.max(most, part.end), start)
      const bytes = await this.#read(start, end - start)
      for (const part of group) {
        const name = streamName(part.stream.columnId, part.stream.kind)
        const own = bytes.subarray(part.start - start, part.end - start)
        bytesOf.set(name, { bytes: own, from: part.from })
      }
    }
    return bytesOf
  }

  /** Where each stream starts in the file. */
  #offsets(footer: StripeFooter): Map<StreamInformation, number> {
    const offsets = new Map<StreamInformation, number>()
    let { offset } = this.#information
    for (const stream of footer.streams) {
      offsets.set(stream, offset)
      offset += stream.sizeBytes
    }
    return offsets
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

function wholeStreams(
  { streams }: StripeFooter,
  isWanted: (stream: StreamInformation) => boolean,
): WantedStream[] {
  return streams.filter(isWanted).map(stream => ({ stream, from: 0, to: stream.sizeBytes }))
}

function groupByDistance<T extends { readonly start: number; readonly end: number }>(
  parts: readonly T[],
): T[][] {
  const groups: T[][] = []
  let end = Number.NEGATIVE_INFINITY
  for (const part of parts) {
    if (part.start - end > maxGapBytes) groups.push([])
    groups.at(-1)!.push(part)
    end = Math.max(end, part.end)
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
    case 'date':
      return new IntegerColumnReader(column, encoding, stripe)
    case 'long':
      return new LongColumnReader(column, encoding, stripe)
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
        ? new DictionaryColumnReader(column, encoding, stripe)
        : new DirectBytesColumnReader(column, encoding, stripe)
    case 'binary':
      return new DirectBytesColumnReader(column, encoding, stripe)
    case 'struct':
      return new StructColumnReader(column, encoding, stripe, children)
    case 'list':
    case 'map':
      return new CollectionColumnReader(column, encoding, stripe, children)
    case 'union':
      return new UnionColumnReader(column, encoding, stripe, children)
  }
}
