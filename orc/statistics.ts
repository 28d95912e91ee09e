/**
 * Statistics of a column over a row group, a stripe or the file. Each is exact or absent: readers
 * skip rows by them, so a wrong one loses rows, while an absent one only costs time.
 *
 * Source: ORC v1, "Column Statistics".
 */
import { formatDecimal, parseDecimal } from './decimal.ts'
import { maxInt64, minInt64, toInteger } from './zigzag.ts'

export interface ColumnStatistics {
  /** How many values are not null. */
  readonly valueCount: number
  readonly hasNull: boolean
  /** Bytes of the column's own streams, those of its children apart; 0 when unknown. */
  readonly bytesOnDisk: number
  /**
   * Absent when there are no values, when the type has none, or when they cannot be stated exactly.
   */
  readonly details?: StatisticsDetails | undefined
}

export type StatisticsDetails =
  | { readonly kind: 'boolean'; readonly trueCount: number }
  | IntegerStatistics
  | {
      readonly kind: 'double'
      readonly minimum: number
      readonly maximum: number
      readonly sum: number
    }
  | DecimalStatistics
  /** Days since 1970-01-01. */
  | { readonly kind: 'date'; readonly minimum: number; readonly maximum: number }
  /** Nanoseconds since 1970-01-01. */
  | { readonly kind: 'timestamp'; readonly minimum: bigint; readonly maximum: bigint }
  | StringStatistics
  | { readonly kind: 'binary'; readonly byteCount: number }
  | {
      readonly kind: 'collection'
      readonly minimumLength: number
      readonly maximumLength: number
      readonly elementCount: number
    }

export interface IntegerStatistics {
  readonly kind: 'integer'
  readonly minimum: number | bigint
  readonly maximum: number | bigint
  /** Null when it does not fit an int64. */
  readonly sum: number | bigint | null
}

/** Decimals in plain notation. */
export interface DecimalStatistics {
  readonly kind: 'decimal'
  readonly minimum: string
  readonly maximum: string
  /** Null when it has more than 38 digits. */
  readonly sum: string | null
}

/**
 * The order is that of UTF-8 bytes. A bound that is not exact comes from another writer, which
 * shortened a long value; this folder's writer then leaves the details out, because readers before
 * ORC 1.6 take a missing exact minimum for "all values are null" and skip the rows.
 */
export interface StringStatistics {
  readonly kind: 'string'
  readonly minimum: string
  readonly isMinimumExact: boolean
  readonly maximum: string
  readonly isMaximumExact: boolean
  readonly byteCount: number
}

export const emptyStatistics: ColumnStatistics = { valueCount: 0, hasNull: false, bytesOnDisk: 0 }

/** The statistics of two disjoint sets of rows together. */
export function mergeStatistics(a: ColumnStatistics, b: ColumnStatistics): ColumnStatistics {
  return {
    valueCount: a.valueCount + b.valueCount,
    hasNull: a.hasNull || b.hasNull,
    bytesOnDisk: a.bytesOnDisk + b.bytesOnDisk,
    details: mergeIfKnown(a, b),
  }
}

function mergeIfKnown(a: ColumnStatistics, b: ColumnStatistics): StatisticsDetails | undefined {
  if (a.valueCount === 0) return b.details
  if (b.valueCount === 0) return a.details
  return a.details === undefined || b.details === undefined
    ? undefined
    : mergeDetails(a.details, b.details)
}

function mergeDetails(a: StatisticsDetails, b: StatisticsDetails): StatisticsDetails | undefined {
  if (a.kind === 'boolean' && b.kind === 'boolean') {
    return { kind: 'boolean', trueCount: a.trueCount + b.trueCount }
  }
  if (a.kind === 'integer' && b.kind === 'integer') {
    return { kind: 'integer', ...widerRange(a, b), sum: addInt64(a.sum, b.sum) }
  }
  if (a.kind === 'double' && b.kind === 'double') {
    return {
      kind: 'double',
      minimum: Math.min(a.minimum, b.minimum),
      maximum: Math.max(a.maximum, b.maximum),
      sum: a.sum + b.sum,
    }
  }
  if (a.kind === 'decimal' && b.kind === 'decimal') return mergeDecimals(a, b)
  if (a.kind === 'date' && b.kind === 'date') return { kind: 'date', ...widerRange(a, b) }
  if (a.kind === 'timestamp' && b.kind === 'timestamp') {
    return { kind: 'timestamp', ...widerRange(a, b) }
  }
  if (a.kind === 'string' && b.kind === 'string') return mergeStrings(a, b)
  if (a.kind === 'binary' && b.kind === 'binary') {
    return { kind: 'binary', byteCount: a.byteCount + b.byteCount }
  }
  if (a.kind === 'collection' && b.kind === 'collection') {
    return {
      kind: 'collection',
      minimumLength: Math.min(a.minimumLength, b.minimumLength),
      maximumLength: Math.max(a.maximumLength, b.maximumLength),
      elementCount: a.elementCount + b.elementCount,
    }
  }
  return undefined
}

function widerRange<T extends number | bigint>(
  a: { minimum: T; maximum: T },
  b: { minimum: T; maximum: T },
): { minimum: T; maximum: T } {
  let { minimum, maximum } = a
  if (b.minimum < minimum) minimum = b.minimum
  if (b.maximum > maximum) maximum = b.maximum
  return { minimum, maximum }
}

function addInt64(a: number | bigint | null, b: number | bigint | null): number | bigint | null {
  return a === null || b === null ? null : int64OrNull(BigInt(a) + BigInt(b))
}

export function int64OrNull(sum: bigint): number | bigint | null {
  return sum >= minInt64 && sum <= maxInt64 ? toInteger(sum) : null
}

function mergeDecimals(a: DecimalStatistics, b: DecimalStatistics): DecimalStatistics {
  const texts = [a.minimum, a.maximum, a.sum ?? '0', b.minimum, b.maximum, b.sum ?? '0']
  const scale = Math.max(...texts.map(text => parseDecimal(text)!.scale))
  const at = (text: string): bigint => {
    const { unscaled, scale: own } = parseDecimal(text)!
    return unscaled * 10n ** BigInt(scale - own)
  }
  const range = widerRange(
    { minimum: at(a.minimum), maximum: at(a.maximum) },
    { minimum: at(b.minimum), maximum: at(b.maximum) },
  )
  return {
    kind: 'decimal',
    minimum: formatDecimal(range.minimum, scale),
    maximum: formatDecimal(range.maximum, scale),
    sum: a.sum === null || b.sum === null ? null : decimalSumText(at(a.sum) + at(b.sum), scale),
  }
}

/** Null when the sum has more digits than a decimal can. */
export function decimalSumText(sum: bigint, scale: number): string | null {
  const limit = 10n ** 38n
  return sum < limit && sum > -limit ? formatDecimal(sum, scale) : null
}

function mergeStrings(a: StringStatistics, b: StringStatistics): StringStatistics {
  // Of two equal ends the exact one is known to be reached.
  const byMinimum = compareText(a.minimum, b.minimum)
  const byMaximum = compareText(a.maximum, b.maximum)
  const least = byMinimum < 0 || (byMinimum === 0 && a.isMinimumExact) ? a : b
  const greatest = byMaximum > 0 || (byMaximum === 0 && a.isMaximumExact) ? a : b
  return {
    kind: 'string',
    minimum: least.minimum,
    isMinimumExact: least.isMinimumExact,
    maximum: greatest.maximum,
    isMaximumExact: greatest.isMaximumExact,
    byteCount: a.byteCount + b.byteCount,
  }
}

/** By UTF-8 bytes, which is by code point; JavaScript's `<` goes by UTF-16 units. */
export function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
