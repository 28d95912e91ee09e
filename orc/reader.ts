/**
 * Reads an ORC file from a source of bytes, stripe by stripe. Memory is bounded by the columns of
 * one stripe that are asked for (as they are on disk) and one batch of rows:
 *
 *     const reader = await OrcReader.open(source)
 *     for await (const rows of reader.rows({ columns: ['id', 'name'] })) …
 */
import type { BloomFilter } from './bloom-filter.ts'
import { firstGregorianDay } from './calendar.ts'
import type { Chunking, OrcCompression } from './compression.ts'
import { OrcError } from './errors.ts'
import {
  haveNoNames,
  matchColumns,
  toWanted,
  type WantedColumn,
  wantedVector,
} from './evolution.ts'
import {
  decodeStripeStatistics,
  type OrcCalendar,
  ownWriterId,
  type StripeInformation,
} from './file-tail.ts'
import { type OpenFile, openFile } from './open-file.ts'
import { type BoundPredicate, bindPredicate, type ColumnFacts } from './predicate.ts'
import type { OrcBatchesOptions, OrcReaderOptions, OrcRowsOptions } from './reader-options.ts'
import type { ColumnStatistics } from './statistics.ts'
import type { RowGroup, StripeFooter } from './stripe-messages.ts'
import { type OrcSource, type ReadColumns, StripeReader } from './stripe-reader.ts'
import {
  listColumns,
  numberColumns,
  type OrcColumn,
  type OrcType,
  type OrcValue,
  type TimestampUnit,
} from './types.ts'
import { toRows, valuesOf } from './vector-values.ts'
import type { OrcBatch } from './vectors.ts'

export interface OrcStripe extends StripeInformation {
  /**
   * By column id; empty when the file has none for the stripe. Decoded each time it is asked for.
   */
  readonly statistics: readonly ColumnStatistics[]
}

const defaultMaxBatchBytes = 256 * 1024 * 1024

/** What a vector has for each row, at the most: of texts from a dictionary, or of timestamps. */
const greatestSlotBytes = 13

/** How much larger than on disk the data of a stripe is taken to be. */
const assumedExpansion = 8

/**
 * Versions of ORC's own writer: since when statistics of texts are right (HIVE-8732), and those of
 * timestamps in UTC (ORC-135), in which those of some decimals are wrong (ORC-517).
 */
const javaTextsFixed = 1
const javaTimesInUtc = 6
const javaDecimalsBroken = 6

const timeKinds: readonly string[] = ['date', 'timestamp', 'timestamp_instant']

const firstGregorianNanos = BigInt(firstGregorianDay) * 86_400_000_000_000n

/** What is read of a stripe at once, about. */
const maxPartBytes = 8 * 1024 * 1024

/** Java's, and that of this folder. */
const wellKnownWriters: readonly number[] = [0, ownWriterId]

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
   * The rows in file order, in batches; a row is an array of the values of the columns, or of the one
   * value of a root that is not a struct.
   *
   * Throws `column-unknown`, `schema-incompatible`, and what is wrong with the file where it is met.
   */
  async *rows(options: OrcRowsOptions = {}): AsyncGenerator<OrcValue[][]> {
    const columns = this.#wanted(options)
    for await (const batch of this.#batches({ ...options, reuseMemory: true }, columns)) {
      const values = batch.columns.map((vector, k) => {
        return valuesOf(vector, columns[k]!.type, this.#timestampUnit, batch.rowCount)
      })
      yield toRows(values, batch.rowCount)
    }
  }

  /** As `rows`, with a vector for each column and no object for each row. */
  batches(options: OrcBatchesOptions = {}): AsyncGenerator<OrcBatch> {
    return this.#batches(options, this.#wanted(options))
  }

  async *#batches(
    options: OrcBatchesOptions,
    wanted: readonly WantedColumn[],
  ): AsyncGenerator<OrcBatch> {
    const maxBatchRows = options.maxBatchRows ?? 1024
    if (!Number.isInteger(maxBatchRows) || maxBatchRows < 1) {
      throw new OrcError('option-invalid', 'maxBatchRows is an integer from 1')
    }
    const where =
      options.where === undefined
        ? null
        : bindPredicate(options.where, this.#root, this.#timestampUnit)
    const columns = wanted.flatMap(({ column }) => (column === null ? [] : [column]))
    for (const [index, information] of this.stripes.entries()) {
      if (where !== null && !where.mayMatch(id => this.#stripeFacts(information, id))) continue
      const stripe = this.#openStripe(index, options.reuseMemory)
      const batchRows = Math.min(maxBatchRows, this.#rowsThatFit(information, columns))
      for await (const part of this.#parts(stripe, information, columns, where)) {
        for (let done = 0; done < part.rowCount; done += batchRows) {
          const rowCount = Math.min(batchRows, part.rowCount - done)
          const vectors = part.read(rowCount)
          const read = new Map(columns.map((column, k) => [column, vectors[k]!]))
          yield { rowCount, columns: wanted.map(one => wantedVector(one, read, rowCount)) }
        }
      }
    }
  }

  /**
   * Runs of rows of a stripe that may match, to be read from their first rows on; those of a large stripe in
   * parts, so that memory does not grow with it.
   */
  async *#parts(
    stripe: StripeReader,
    { rowCount }: StripeInformation,
    columns: readonly OrcColumn[],
    where: BoundPredicate | null,
  ): AsyncGenerator<{ readonly read: ReadColumns; readonly rowCount: number }> {
    const footer = await stripe.readFooter()
    const stride = this.rowIndexStride
    const groupCount = stride === 0 ? 0 : Math.ceil(rowCount / stride)
    const groupsOfPart = this.#groupsOfPart(footer, columns, groupCount)
    if (groupCount === 0 || (where === null && groupsOfPart >= groupCount)) {
      yield { read: await stripe.openColumns(columns, footer, null), rowCount }
      return
    }
    const asked = new Set(columns.flatMap(listColumns).map(({ id }) => id))
    for (const id of where?.columnIds ?? []) asked.add(id)
    const indexes = await stripe.readRowIndexes(footer, id => asked.has(id))
    // Also what keeps the number of groups, which the footer only claims, within what was read.
    const hasIndexes = [...asked].every(id => indexes[id]!.length === groupCount)
    const isTaken = hasIndexes
      ? await this.#takenGroups(stripe, footer, indexes, groupCount, where)
      : [true]
    if (!hasIndexes || (isTaken.every(Boolean) && groupsOfPart >= groupCount)) {
      yield { read: await stripe.openColumns(columns, footer, null), rowCount }
      return
    }
    for (let from = isTaken.indexOf(true); from >= 0; from = isTaken.indexOf(true, from)) {
      const next = isTaken.indexOf(false, from)
      const to = Math.min(next < 0 ? groupCount : next, from + groupsOfPart)
      const read = await stripe.openColumns(columns, footer, { from, to, indexes })
      yield { read, rowCount: Math.min(rowCount, to * stride) - from * stride }
      from = to
    }
  }

  /** How many row groups are read at once: all of them, where others than ORC's own writer made the index. */
  #groupsOfPart(footer: StripeFooter, columns: readonly OrcColumn[], groupCount: number): number {
    const ids = new Set(columns.flatMap(listColumns).map(({ id }) => id))
    const bytes = footer.streams
      .filter(({ columnId }) => ids.has(columnId))
      .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    if (bytes <= maxPartBytes || !wellKnownWriters.includes(this.writer.id)) return groupCount
    return Math.max(1, Math.floor((groupCount * maxPartBytes) / bytes))
  }

  async #takenGroups(
    stripe: StripeReader,
    footer: StripeFooter,
    indexes: readonly (readonly RowGroup[])[],
    groupCount: number,
    where: BoundPredicate | null,
  ): Promise<boolean[]> {
    const groups = Array.from({ length: groupCount }, (_, group) => group)
    if (where === null) return groups.map(() => true)
    const filters = await this.#bloomFilters(stripe, footer, where)
    return groups.map(group =>
      where.mayMatch(id => ({
        statistics: this.#trusted(indexes[id]?.[group]?.statistics),
        bloomFilter: filters.get(id)?.[group] ?? null,
      })),
    )
  }

  /** ORC's writer in C++ made wrong ones up to 1.6.11: they say that values are missing which are there. */
  async #bloomFilters(stripe: StripeReader, footer: StripeFooter, where: BoundPredicate) {
    const isCpp = this.writer.id === 1
    const [major = 1, minor = 0, patch = 0] = this.writer.softwareVersion
      .replace(/^.*?(?=\d)/, '')
      .split('.')
      .map(Number)
    const isTrusted = !isCpp || major > 1 || minor > 6 || (minor === 6 && patch > 11)
    if (!isTrusted) return new Map<number, (BloomFilter | null)[]>()
    const filters = await stripe.readBloomFilters(footer, where.columnIds)
    // Filters of the hybrid calendar have other days and times for one date.
    if (this.calendar !== 'proleptic-gregorian') {
      for (const { id, type } of this.columns) if (timeKinds.includes(type.kind)) filters.delete(id)
    }
    return filters
  }

  #stripeFacts(stripe: OrcStripe, columnId: number): ColumnFacts {
    return { statistics: this.#trusted(stripe.statistics[columnId]), bloomFilter: null }
  }

  /** What older writers got wrong is not believed, nor what is of another calendar. */
  #trusted(statistics: ColumnStatistics | undefined): ColumnStatistics | undefined {
    // Without row groups ORC's own writer states zeros, which would mean that there are no rows.
    if (this.rowIndexStride === 0) return undefined
    const details = statistics?.details
    if (details === undefined) return statistics
    const isJava = this.writer.id === 0
    const { version } = this.writer
    const isHybrid = this.calendar !== 'proleptic-gregorian'
    const isBefore1582 =
      (details.kind === 'date' && details.minimum < firstGregorianDay) ||
      (details.kind === 'timestamp' && details.minimum < firstGregorianNanos)
    const isWrong =
      (isJava && version < javaTextsFixed && details.kind === 'string') ||
      (isJava && version === javaDecimalsBroken && details.kind === 'decimal') ||
      (isJava && version < javaTimesInUtc && details.kind === 'timestamp') ||
      (isHybrid && isBefore1582)
    return isWrong ? { ...statistics!, details: undefined } : statistics
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
  #rowsThatFit({ dataBytes, rowCount }: StripeInformation, columns: readonly OrcColumn[]): number {
    const expansion = this.compression === 'none' ? 1 : assumedExpansion
    const slotBytes = greatestSlotBytes * columns.flatMap(listColumns).length
    const rowBytes = (dataBytes * expansion) / rowCount + slotBytes
    return Math.max(1, Math.floor(this.#maxBatchBytes / 8 / rowBytes))
  }

  #openStripe(index: number, reuseMemory = false): StripeReader {
    const stripe = this.stripes[index]
    if (stripe === undefined) throw new OrcError('option-invalid', `there is no stripe ${index}`)
    return new StripeReader(index, stripe, this.#source, this.#root, {
      chunking: this.#chunking,
      calendar: this.calendar,
      maxBatchBytes: this.#maxBatchBytes,
      reuseMemory,
    })
  }

  #wanted({ columns, schema, matchBy }: OrcRowsOptions): readonly WantedColumn[] {
    const { type, children } = this.#root
    if (type.kind !== 'struct') {
      if (columns === undefined && schema === undefined) {
        return [{ type, column: this.#root, convert: null }]
      }
      const message = `columns of a file whose root is ${type.kind}, and not a struct`
      throw new OrcError('option-invalid', message)
    }
    if (schema !== undefined) {
      if (columns !== undefined) throw new OrcError('option-invalid', 'both columns and a schema')
      numberColumns(schema)
      return matchColumns(this.#root, schema, matchBy ?? (haveNoNames(type) ? 'position' : 'name'))
    }
    if (columns === undefined) return children.map(toWanted)
    return columns.map(name => {
      const place = type.fields.findIndex(field => field.name === name)
      if (place !== type.fields.findLastIndex(field => field.name === name)) {
        throw new OrcError('column-unknown', `the file has two columns ${name}`)
      }
      if (place < 0) throw new OrcError('column-unknown', `the file has no column ${name}`)
      return toWanted(children[place]!)
    })
  }
}
