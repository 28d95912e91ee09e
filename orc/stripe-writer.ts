/**
 * The stripe that is being written: its columns, its rows and row groups, and at the end its bytes.
 *
 *     index streams | data streams | footer          streams in the order of their columns
 */

import { BinaryColumnWriter } from './binary-column-writer.ts'
import { encodeBloomFilters } from './bloom-filter.ts'
import { ByteBuffer } from './byte-buffer.ts'
import type { ColumnContext, ColumnWriter, FinishedColumn } from './column-writer.ts'
import {
  CollectionColumnWriter,
  StructColumnWriter,
  UnionColumnWriter,
} from './compound-column-writers.ts'
import type { Chunking } from './compression.ts'
import { DecimalColumnWriter } from './decimal-column-writer.ts'
import {
  BooleanColumnWriter,
  FloatColumnWriter,
  IntegerColumnWriter,
} from './number-column-writers.ts'
import type { ColumnStatistics } from './statistics.ts'
import { frameSection, totalLength } from './stream-output.ts'
import { StringColumnWriter } from './string-column-writer.ts'
import { encodeRowIndex, encodeStripeFooter, type StreamInformation } from './stripe-messages.ts'
import { TimestampColumnWriter } from './timestamp-column-writer.ts'
import type { OrcColumn, OrcValue, TimestampUnit } from './types.ts'
import type { StructVector } from './vectors.ts'

/** Without row indexes, too, values are encoded in groups: they bound what is held unencoded. */
const groupRowsWithoutIndex = 10_000

export interface StripeOptions {
  readonly chunking: Chunking
  readonly timestampUnit: TimestampUnit
  readonly dictionaryThreshold: number
  readonly bloomFilters: ColumnContext['bloomFilters']
  /** Rows of a row group; 0 for no row indexes. */
  readonly rowIndexStride: number
}

export interface FinishedStripe {
  readonly rowCount: number
  readonly indexBytes: number
  readonly dataBytes: number
  readonly footerBytes: number
  /** All bytes of the stripe, in order. */
  readonly pieces: readonly Uint8Array[]
  /** By column id. */
  readonly statistics: readonly ColumnStatistics[]
}

export class StripeWriter {
  readonly #options: StripeOptions
  readonly #context: ColumnContext
  readonly #root: ColumnWriter
  /** By column id. */
  readonly #columns: ColumnWriter[] = []
  readonly #groupRows: number
  /** What the columns of one value a row hold of a row until its group is encoded. */
  readonly #fixedRowBytes: number
  #rowCount = 0
  #rowsInGroup = 0
  #encodedBytes = 0

  constructor(root: OrcColumn, options: StripeOptions) {
    this.#options = options
    this.#context = {
      chunking: options.chunking,
      scratch: new ByteBuffer(),
      timestampUnit: options.timestampUnit,
      dictionaryThreshold: options.dictionaryThreshold,
      bloomFilters: options.bloomFilters,
      pendingBytes: 0,
    }
    this.#root = this.#createColumn(root)
    this.#groupRows = options.rowIndexStride || groupRowsWithoutIndex
    this.#fixedRowBytes = 16 * this.#columns.length
  }

  get rowCount(): number {
    return this.#rowCount
  }

  /** An estimate of the memory that the stripe takes. */
  get heldBytes(): number {
    const unencoded = this.#rowsInGroup * this.#fixedRowBytes + this.#context.pendingBytes
    return this.#encodedBytes + unencoded
  }

  /** Throws `value-invalid`, and then the stripe is as it was before. */
  writeRow(values: readonly OrcValue[]): void {
    const { pendingBytes } = this.#context
    try {
      // A row that is null as a whole is a value that the root does not have.
      this.#root.append(values ?? [])
    } catch (error) {
      this.#context.pendingBytes = pendingBytes
      throw error
    }
    this.#rowCount++
    this.#rowsInGroup++
    if (this.#rowsInGroup === this.#groupRows) this.#endGroup()
  }

  /** As many rows of a batch, from `from` on, as fit the row group that is under way; returns how many. */
  writeSlots(rows: StructVector, from: number, to: number): number {
    const count = Math.min(to - from, this.#groupRows - this.#rowsInGroup)
    this.#root.appendSlots(rows, from, from + count)
    this.#rowCount += count
    this.#rowsInGroup += count
    if (this.#rowsInGroup === this.#groupRows) this.#endGroup()
    return count
  }

  /** Gives the stripe away and starts the next one. */
  finish(): FinishedStripe {
    if (this.#rowsInGroup > 0) this.#endGroup()
    const columns = this.#columns.map(column => column.finishStripe())
    const rowCount = this.#rowCount
    this.#rowCount = 0
    this.#encodedBytes = 0
    return assembleStripe(columns, rowCount, this.#options)
  }

  #endGroup(): void {
    let held = 0
    for (const column of this.#columns) {
      column.endGroup()
      held += column.heldBytes
    }
    this.#encodedBytes = held
    this.#rowsInGroup = 0
    this.#context.pendingBytes = 0
  }

  /** Creates the column and its children, which go into `#columns` in the order of their ids. */
  #createColumn(column: OrcColumn): ColumnWriter {
    const place = this.#columns.length
    this.#columns.length++
    const children = column.children.map(child => this.#createColumn(child))
    const writer = createColumnWriter(column, this.#context, children)
    this.#columns[place] = writer
    return writer
  }
}

function createColumnWriter(
  column: OrcColumn,
  context: ColumnContext,
  children: readonly ColumnWriter[],
): ColumnWriter {
  switch (column.type.kind) {
    case 'boolean':
      return new BooleanColumnWriter(column, context)
    case 'byte':
    case 'short':
    case 'int':
    case 'long':
    case 'date':
      return new IntegerColumnWriter(column, context)
    case 'float':
    case 'double':
      return new FloatColumnWriter(column, context)
    case 'decimal':
      return new DecimalColumnWriter(column, context)
    case 'string':
    case 'varchar':
    case 'char':
      return new StringColumnWriter(column, context)
    case 'binary':
      return new BinaryColumnWriter(column, context)
    case 'timestamp':
    case 'timestamp_instant':
      return new TimestampColumnWriter(column, context)
    case 'list':
    case 'map':
      return new CollectionColumnWriter(column, context, children)
    case 'struct':
      return new StructColumnWriter(column, context, children)
    case 'union':
      return new UnionColumnWriter(column, context, children)
  }
}

function assembleStripe(
  columns: readonly FinishedColumn[],
  rowCount: number,
  options: StripeOptions,
): FinishedStripe {
  const pieces: Uint8Array[] = []
  const streams: StreamInformation[] = []
  if (options.rowIndexStride > 0) {
    columns.forEach(({ rowGroups, bloomFilters }, columnId) => {
      const index = frameSection(encodeRowIndex(rowGroups), options.chunking)
      streams.push({ kind: 'ROW_INDEX', columnId, sizeBytes: index.length })
      pieces.push(index)
      if (bloomFilters.length === 0) return
      const filters = frameSection(encodeBloomFilters(bloomFilters), options.chunking)
      streams.push({ kind: 'BLOOM_FILTER_UTF8', columnId, sizeBytes: filters.length })
      pieces.push(filters)
    })
  }
  const indexBytes = totalLength(pieces)
  // Streams without bytes are listed too: readers ask for them by name.
  columns.forEach((column, columnId) => {
    for (const stream of column.streams) {
      streams.push({ kind: stream.kind, columnId, sizeBytes: totalLength(stream.pieces) })
      pieces.push(...stream.pieces)
    }
  })
  const dataBytes = totalLength(pieces) - indexBytes
  const encodings = columns.map(({ encoding, bloomFilters }) => {
    return bloomFilters.length === 0 ? encoding : { ...encoding, hasBloomFilter: true }
  })
  const footer = frameSection(
    encodeStripeFooter({ streams, encodings, writerTimezone: 'UTC' }),
    options.chunking,
  )
  pieces.push(footer)
  return {
    rowCount,
    indexBytes,
    dataBytes,
    footerBytes: footer.length,
    pieces,
    statistics: columns.map(column => column.statistics),
  }
}
