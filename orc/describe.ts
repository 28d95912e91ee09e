/**
 * What is in an ORC file beside its rows, as a plain object that JSON can hold: what a person asks
 * for who wonders how a file was written.
 */
import type { OrcReader } from './reader.ts'
import type { ColumnStatistics, StatisticsDetails } from './statistics.ts'
import { orcTypeText } from './type-text.ts'

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

export interface OrcFileDescription {
  readonly schema: string
  readonly rowCount: number
  readonly formatVersion: string
  readonly writer: {
    readonly id: number
    readonly version: number
    readonly softwareVersion: string
  }
  readonly calendar: string
  readonly compression: string
  readonly compressionBlockBytes: number
  readonly rowIndexStride: number
  /** Text where the value is UTF-8, else `base64:` and its bytes. */
  readonly userMetadata: Readonly<Record<string, string>>
  readonly columns: readonly ColumnDescription[]
  readonly stripes: readonly StripeDescription[]
}

export interface ColumnDescription {
  readonly id: number
  /** Empty for the root. */
  readonly path: string
  readonly type: string
  readonly statistics: Json
}

export interface StripeDescription {
  readonly offset: number
  readonly rowCount: number
  readonly indexBytes: number
  readonly dataBytes: number
  readonly footerBytes: number
  readonly writerTimezone: string
  readonly streams: readonly {
    readonly column: number
    readonly kind: string
    readonly sizeBytes: number
  }[]
  readonly encodings: readonly {
    readonly column: number
    readonly kind: string
    readonly dictionarySize?: number
  }[]
  /** By column id. */
  readonly statistics: readonly Json[]
}

/** Reads the footers of all stripes, but no data. */
export async function describeOrcFile(reader: OrcReader): Promise<OrcFileDescription> {
  const stripes: StripeDescription[] = []
  for (const [index, { statistics, ...stripe }] of reader.stripes.entries()) {
    const footer = await reader.readStripeFooter(index)
    stripes.push({
      ...stripe,
      writerTimezone: footer.writerTimezone,
      streams: footer.streams.map(({ columnId, kind, sizeBytes }) => ({
        column: columnId,
        kind,
        sizeBytes,
      })),
      encodings: footer.encodings.map(({ kind, dictionarySize }, column) =>
        kind.startsWith('DICTIONARY') ? { column, kind, dictionarySize } : { column, kind },
      ),
      statistics: statistics.map(describeStatistics),
    })
  }
  return {
    schema: orcTypeText(reader.schema),
    rowCount: reader.rowCount,
    formatVersion: reader.formatVersion,
    writer: reader.writer,
    calendar: reader.calendar,
    compression: reader.compression,
    compressionBlockBytes: reader.compressionBlockBytes,
    rowIndexStride: reader.rowIndexStride,
    userMetadata: Object.fromEntries(
      [...reader.userMetadata].map(([name, value]) => [name, describeBytes(value)]),
    ),
    columns: reader.columns.map(({ id, path, type }) => ({
      id,
      path,
      type: orcTypeText(type),
      statistics: describeStatistics(reader.statistics[id]),
    })),
    stripes,
  }
}

function describeStatistics(statistics: ColumnStatistics | undefined): Json {
  if (statistics === undefined) return null
  const { valueCount, hasNull, bytesOnDisk, details } = statistics
  return {
    valueCount,
    hasNull,
    bytesOnDisk,
    ...(details === undefined ? {} : { [details.kind]: describeDetails(details) }),
  }
}

function describeDetails(details: StatisticsDetails): Json {
  const isTime = details.kind === 'date' || details.kind === 'timestamp'
  const entries = Object.entries(details)
    .filter(([name]) => name !== 'kind')
    .map(([name, value]) => [name, isTime ? describeTime(value) : describeScalar(value)])
  return Object.fromEntries(entries)
}

/** Integers that are not safe, and numbers that JSON has no word for, as text. */
function describeScalar(value: string | number | bigint | boolean | null): Json {
  if (typeof value === 'bigint') return String(value)
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}

/**
 * Days or nanoseconds since 1970 in the form of ISO 8601; beyond what Date can hold as the number.
 */
function describeTime(value: number | bigint): string {
  const nanos = typeof value === 'number' ? BigInt(value) * 86_400_000_000_000n : value
  const fraction = ((nanos % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  const date = new Date(Number((nanos - fraction) / 1_000_000n))
  if (Number.isNaN(date.getTime())) return String(value)
  const text = date.toISOString()
  if (typeof value === 'number') return text.slice(0, text.indexOf('T'))
  return text.replace(/\.000Z$/, `.${String(fraction).padStart(9, '0')}Z`)
}

function describeBytes(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8')
  return Buffer.from(text).equals(bytes) ? text : `base64:${Buffer.from(bytes).toString('base64')}`
}
