/**
 * Reads an ORC file from a source of bytes, stripe by stripe. Memory is bounded by the columns of
 * one stripe that are asked for (as they are on disk) and one batch of rows:
 *
 *     const reader = await OrcReader.open(source)
 *     for await (const rows of reader.rows({ columns: ['id', 'name'] })) …
 */
import { emptyArray } from './arrays.ts'
import { ByteInput } from './byte-input.ts'
import { type Chunking, createCodec, type OrcCompression } from './compression.ts'
import { corrupt, OrcError } from './errors.ts'
import {
  decodeFooter,
  decodeMetadata,
  decodePostscript,
  decodeStripeStatistics,
  type Footer,
  magic,
  type OrcCalendar,
  type Postscript,
  type StripeInformation,
} from './file-tail.ts'
import type { ColumnStatistics } from './statistics.ts'
import type { RowGroup, StripeFooter } from './stripe-messages.ts'
import { type OrcSource, readExactly, StripeReader } from './stripe-reader.ts'
import {
  listColumns,
  numberColumns,
  type OrcColumn,
  type OrcType,
  type OrcValue,
  type TimestampUnit,
} from './types.ts'

export interface OrcReaderOptions {
  /**
   * The unit of timestamps that are read; `micros`, the default, drops what is below, towards −∞.
   */
  readonly timestampUnit?: TimestampUnit
  /**
   * The most that one batch of one column, one dictionary or one section of the file may decode to.
   * Default 256 MiB. Beyond, reading ends with `limit-exceeded`.
   */
  readonly maxBatchBytes?: number
}

export interface OrcRowsOptions {
  /** The fields of the root that are read, by name, in this order. Default: all. */
  readonly columns?: readonly string[]
  /** The most rows of a batch, which has fewer where rows are large. Default 1024. */
  readonly maxBatchRows?: number
}

export interface OrcStripe extends StripeInformation {
  /**
   * By column id; empty when the file has none for the stripe. Decoded each time it is asked for.
   */
  readonly statistics: readonly ColumnStatistics[]
}

/** Read in one go; the postscript, the footer and often the metadata are in it. */
const tailBytes = 16 * 1024

const defaultMaxBatchBytes = 256 * 1024 * 1024

/** How much larger than on disk the data of a stripe is taken to be. */
const assumedExpansion = 8

/** A batch becomes one string on the way, and V8's strings end here. */
const greatestMaxBatchBytes = 2 ** 29 - 25

export class OrcReader {
  /** The type of the rows; almost always a struct. */
  readonly schema: OrcType
  readonly rowCount: number
  readonly stripes: readonly OrcStripe[]
  readonly userMetadata: ReadonlyMap<string, Uint8Array>
  /** Of the whole file, by column id; empty when the file has none. */
  readonly statistics: readonly ColumnStatistics[]
  readonly compression: OrcCompression
  readonly compressionBlockBytes: number
  readonly rowIndexStride: number
  readonly calendar: OrcCalendar
  readonly formatVersion: string
  readonly writer: {
    readonly id: number
    readonly version: number
    readonly softwareVersion: string
  }
  readonly #source: OrcSource
  readonly #root: OrcColumn
  readonly #chunking: Chunking
  readonly #timestampUnit: TimestampUnit
  readonly #maxBatchBytes: number

  /**
   * Throws `file-not-orc`, `file-corrupt`, `feature-unsupported`, `limit-exceeded` or
   * `option-invalid`.
   */
  static async open(source: OrcSource, options: OrcReaderOptions = {}): Promise<OrcReader> {
    const maxBatchBytes = options.maxBatchBytes ?? defaultMaxBatchBytes
    if (!(maxBatchBytes >= 1 && maxBatchBytes <= greatestMaxBatchBytes)) {
      throw new OrcError('option-invalid', `maxBatchBytes is 1 to ${greatestMaxBatchBytes}`)
    }
    const file = await openFile(source, maxBatchBytes)
    return new OrcReader(source, file, maxBatchBytes, options.timestampUnit ?? 'micros')
  }

  private constructor(
    source: OrcSource,
    file: OpenFile,
    maxBatchBytes: number,
    timestampUnit: TimestampUnit,
  ) {
    const { postscript, footer, metadata, root } = file
    this.#source = source
    this.#root = root
    this.#chunking = file.chunking
    this.#timestampUnit = timestampUnit
    this.#maxBatchBytes = maxBatchBytes
    this.schema = root.type
    this.rowCount = footer.rowCount
    this.stripes = footer.stripes.map((stripe, index) => ({
      ...stripe,
      get statistics() {
        return decodeStripeStatistics(metadata[index] ?? new Uint8Array(0))
      },
    }))
    this.userMetadata = footer.userMetadata
    this.statistics = footer.statistics
    this.compression = postscript.compression
    this.compressionBlockBytes = postscript.blockBytes
    this.rowIndexStride = footer.rowIndexStride
    this.calendar = footer.calendar
    this.formatVersion = postscript.version.join('.')
    const { writerId: id, softwareVersion } = footer
    this.writer = { id, version: postscript.writerVersion, softwareVersion }
  }

  /** The columns of the schema in the order of their ids, by which statistics are given. */
  get columns(): readonly OrcColumn[] {
    return listColumns(this.#root)
  }

  /**
   * The rows in file order, in batches; a row is an array of the values of the columns.
   *
   * Throws `column-unknown`, and what is wrong with the file where it is met.
   */
  async *rows(options: OrcRowsOptions = {}): AsyncGenerator<OrcValue[][]> {
    const maxBatchRows = options.maxBatchRows ?? 1024
    if (!Number.isInteger(maxBatchRows) || maxBatchRows < 1) {
      throw new OrcError('option-invalid', 'maxBatchRows is an integer from 1')
    }
    const columns = this.#project(options.columns)
    for (const [index, stripe] of this.stripes.entries()) {
      const readers = await this.#openStripe(index).openColumns(columns)
      const batchRows = Math.min(maxBatchRows, this.#rowsThatFit(stripe))
      for (let done = 0; done < stripe.rowCount; done += batchRows) {
        const count = Math.min(batchRows, stripe.rowCount - done)
        yield toRows(
          readers.map(reader => reader.read(count)),
          count,
        )
      }
    }
  }

  /** The streams and encodings of a stripe. */
  readStripeFooter(index: number): Promise<StripeFooter> {
    return this.#openStripe(index).readFooter()
  }

  /** The row groups of a stripe: for each column id a list, empty for a column without an index. */
  readRowIndexes(index: number): Promise<RowGroup[][]> {
    return this.#openStripe(index).readRowIndexes()
  }

  /** How many rows of average size take an eighth of the limit, so that others may be larger. */
  #rowsThatFit({ dataBytes, rowCount }: StripeInformation): number {
    const expansion = this.compression === 'none' ? 1 : assumedExpansion
    const rowBytes = (dataBytes * expansion) / rowCount
    return Math.max(1, Math.floor(this.#maxBatchBytes / 8 / rowBytes))
  }

  #openStripe(index: number): StripeReader {
    const stripe = this.stripes[index]
    if (stripe === undefined) throw new OrcError('option-invalid', `there is no stripe ${index}`)
    return new StripeReader(index, stripe, this.#source, this.#root, {
      chunking: this.#chunking,
      calendar: this.calendar,
      timestampUnit: this.#timestampUnit,
      maxBatchBytes: this.#maxBatchBytes,
    })
  }

  #project(names: readonly string[] | undefined): readonly OrcColumn[] {
    const { type, children } = this.#root
    if (type.kind !== 'struct') {
      throw new OrcError(
        'feature-unsupported',
        `rows of type ${type.kind}: the root is not a struct`,
      )
    }
    if (names === undefined) return children
    return names.map(name => {
      const place = type.fields.findIndex(field => field.name === name)
      if (place < 0) throw new OrcError('column-unknown', `the file has no column ${name}`)
      return children[place]!
    })
  }
}

function toRows(columns: readonly OrcValue[][], count: number): OrcValue[][] {
  const rows = emptyArray<OrcValue[]>(count)
  for (let row = 0; row < count; row++) {
    const values = emptyArray<OrcValue>(columns.length)
    for (let column = 0; column < columns.length; column++) values[column] = columns[column]![row]!
    rows[row] = values
  }
  return rows
}

/** What the end of a file says. */
interface OpenFile {
  readonly postscript: Postscript
  readonly footer: Footer
  /** By stripe, still encoded. */
  readonly metadata: readonly Uint8Array[]
  readonly root: OrcColumn
  readonly chunking: Chunking
}

async function openFile(source: OrcSource, maxSectionBytes: number): Promise<OpenFile> {
  const { postscript, footerSection, metadataSection } = await readTail(source)
  const { compression, blockBytes } = postscript
  const chunking = { codec: createCodec(compression), blockBytes }
  const readSection = (bytes: Uint8Array, where: string): Uint8Array =>
    new ByteInput(bytes, chunking, where).readAll(maxSectionBytes)
  const footer = decodeFooter(readSection(footerSection, 'file footer'))
  const metadata = decodeMetadata(readSection(metadataSection, 'file metadata'))
  const root = checkFooter(footer, source.sizeBytes)
  return { postscript, footer, metadata, root, chunking }
}

interface Tail {
  readonly postscript: Postscript
  readonly footerSection: Uint8Array
  readonly metadataSection: Uint8Array
}

async function readTail(source: OrcSource): Promise<Tail> {
  const where = 'end of file'
  const { sizeBytes } = source
  if (sizeBytes < magic.length + 2) {
    throw new OrcError('file-not-orc', `a file of ${sizeBytes} bytes`, where)
  }
  const read = Math.min(sizeBytes, tailBytes)
  const tail = await readExactly(source, sizeBytes - read, read, where)
  const postscriptBytes = tail.at(-1)!
  if (postscriptBytes + 1 > sizeBytes) {
    throw new OrcError('file-not-orc', 'the postscript is longer than the file', where)
  }
  const postscript = decodePostscriptOrRefuse(tail.subarray(-1 - postscriptBytes, -1))
  const sections = postscript.footerBytes + postscript.metadataBytes
  const needed = sections + postscriptBytes + 1
  if (needed > sizeBytes) throw corrupt('the footer is longer than the file', where)
  const bytes =
    needed <= tail.length
      ? tail.subarray(tail.length - needed)
      : await readExactly(source, sizeBytes - needed, needed, where)
  return {
    postscript,
    metadataSection: bytes.subarray(0, postscript.metadataBytes),
    footerSection: bytes.subarray(postscript.metadataBytes, sections),
  }
}

/** What does not decode as a postscript at all is not an ORC file, rather than a corrupt one. */
function decodePostscriptOrRefuse(bytes: Uint8Array): Postscript {
  try {
    return decodePostscript(bytes)
  } catch (error) {
    if (error instanceof OrcError && !Buffer.from(bytes).includes(magic)) {
      throw new OrcError('file-not-orc', 'the file does not end like an ORC file', 'end of file')
    }
    throw error
  }
}

/** A schema that no one could write is the file's fault, not that of the caller. */
function numberFileColumns(schema: OrcType, where: string): OrcColumn {
  try {
    return numberColumns(schema)
  } catch (error) {
    throw error instanceof OrcError ? corrupt(error.message, where) : error
  }
}

/** Checks what the footer says against the file and itself; returns its columns. */
function checkFooter(footer: Footer, sizeBytes: number): OrcColumn {
  const where = 'file footer'
  let rowCount = 0
  footer.stripes.forEach((stripe, index) => {
    const end = stripe.offset + stripe.indexBytes + stripe.dataBytes + stripe.footerBytes
    if (end > sizeBytes) throw corrupt(`stripe ${index} ends behind the end of the file`, where)
    rowCount += stripe.rowCount
  })
  if (rowCount !== footer.rowCount) {
    throw corrupt(`the stripes have ${rowCount} rows, the file ${footer.rowCount}`, where)
  }
  const root = numberFileColumns(footer.schema, where)
  const columnCount = listColumns(root).length
  if (footer.statistics.length !== 0 && footer.statistics.length !== columnCount) {
    throw corrupt(`${footer.statistics.length} statistics for ${columnCount} columns`, where)
  }
  return root
}
