/** A value of a predicate, as statistics and bloom filters have it. */

import { formatDecimal, parseDecimal } from './decimal.ts'
import { OrcError } from './errors.ts'
import { type Hash, hashOfBytes, hashOfDouble, hashOfInteger } from './hashes.ts'
import { compareText, type StatisticsDetails, type StringStatistics } from './statistics.ts'
import { fitText } from './text-length.ts'
import type { OrcColumn, OrcValue, TimestampUnit } from './types.ts'

/**
 * How the least and the greatest value of some rows compare with the literal: below 0, 0, or above 0.
 * A bound that is not a value, but lies beyond all of them, is never 0.
 */
export interface Range {
  readonly least: number
  readonly greatest: number
}

export interface Literal {
  /** Null where the statistics say nothing of it. */
  compare(details: StatisticsDetails, valueCount: number): Range | null
  /** Of which one must be in a bloom filter when the value is; null where filters have none. */
  readonly hashes: readonly Hash[] | null
}

/** Throws `option-invalid` for a value that the column cannot have. */
export function literalOf(column: OrcColumn, value: OrcValue, unit: TimestampUnit): Literal {
  const { type } = column
  const refuse = (expected: string): never => {
    throw new OrcError('option-invalid', `a predicate on ${column.path} needs ${expected}`)
  }
  switch (type.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? booleanLiteral(value) : refuse('a boolean')
    case 'byte':
    case 'short':
    case 'int':
    case 'long':
    case 'date':
      return isInteger(value) ? integerLiteral(value) : refuse('an integer')
    case 'float':
    case 'double': {
      if (typeof value !== 'number' || Number.isNaN(value)) return refuse('a number')
      return doubleLiteral(value)
    }
    case 'decimal':
      return isInteger(value) ? decimalLiteral(value, type.scale) : refuse('an unscaled integer')
    case 'timestamp':
    case 'timestamp_instant':
      return isInteger(value)
        ? timestampLiteral(BigInt(value), unit)
        : refuse(`${unit}, an integer`)
    case 'string':
    case 'varchar':
      return typeof value === 'string' ? textLiteral(value) : refuse('a string')
    case 'char':
      return typeof value === 'string'
        ? charLiteral(type.length <= maxPadded ? fitText(type, value) : value)
        : refuse('a string')
    default:
      return refuse('a column of another type')
  }
}

/** A file may state any length of char: no writer pads texts to more than this. */
const maxPadded = 65_536

function isInteger(value: OrcValue): value is number | bigint {
  return typeof value === 'bigint' || Number.isSafeInteger(value)
}

function booleanLiteral(value: boolean): Literal {
  const number = Number(value)
  return {
    compare: (details, valueCount) => {
      if (details.kind !== 'boolean') return null
      const minimum = details.trueCount < valueCount ? 0 : 1
      return { least: minimum - number, greatest: Math.min(1, details.trueCount) - number }
    },
    hashes: null,
  }
}

function integerLiteral(value: number | bigint): Literal {
  return {
    compare: details =>
      details.kind === 'integer' || details.kind === 'date' ? rangeOf(details, value, value) : null,
    hashes: [hashOfInteger(value)],
  }
}

function doubleLiteral(value: number): Literal {
  return {
    compare: details => {
      if (details.kind !== 'double') return null
      const { minimum, maximum, sum } = details
      // Of other writers: with a NaN among the values nothing is known of the others.
      if (Number.isNaN(minimum) || Number.isNaN(maximum) || Number.isNaN(sum)) return null
      return rangeOf(details, value, value)
    },
    // Both zeros are one number.
    hashes: value === 0 ? [hashOfDouble(0), hashOfDouble(-0)] : [hashOfDouble(value)],
  }
}

function decimalLiteral(value: number | bigint, scale: number): Literal {
  return {
    compare: details => {
      if (details.kind !== 'decimal') return null
      const [minimum, maximum] = [parseDecimal(details.minimum), parseDecimal(details.maximum)]
      if (minimum === null || maximum === null) return null
      const most = Math.max(scale, minimum.scale, maximum.scale)
      const at = (unscaled: bigint, own: number): bigint => unscaled * 10n ** BigInt(most - own)
      const literal = at(BigInt(value), scale)
      return rangeOf(
        {
          minimum: at(minimum.unscaled, minimum.scale),
          maximum: at(maximum.unscaled, maximum.scale),
        },
        literal,
        literal,
      )
    },
    hashes: [hashOfDecimal(value, scale)],
  }
}

/** Filters have decimals as text, without zeros at the end. */
export function hashOfDecimal(unscaled: number | bigint, scale: number): Hash {
  const text = formatDecimal(unscaled, scale)
  return hashOfText(text.includes('.') ? text.replace(/\.?0+$/, '') : text)
}

/** In micros a value stands for a thousand nanoseconds. */
function timestampLiteral(value: bigint, unit: TimestampUnit): Literal {
  const low = unit === 'nanos' ? value : value * 1000n
  const high = unit === 'nanos' ? value : low + 999n
  const rest = ((low % 1_000_000n) + 1_000_000n) % 1_000_000n
  return {
    compare: details => (details.kind === 'timestamp' ? rangeOf(details, low, high) : null),
    hashes: [hashOfInteger((low - rest) / 1_000_000n)],
  }
}

function textLiteral(value: string): Literal {
  return {
    compare: details => (details.kind === 'string' ? textRange(details, value) : null),
    hashes: [hashOfText(value)],
  }
}

function textRange(details: StringStatistics, value: string): Range {
  const least = compareText(details.minimum, value)
  const greatest = compareText(details.maximum, value)
  return {
    least: least === 0 && !details.isMinimumExact ? 1 : least,
    greatest: greatest === 0 && !details.isMaximumExact ? -1 : greatest,
  }
}

/**
 * Some writers pad values, statistics and filters, and some do not: both are compared without padding. Where
 * texts have control characters, which come before the space, that is another order.
 */
function charLiteral(padded: string): Literal {
  const trimmed = withoutPadding(padded)
  return {
    compare: details => {
      if (details.kind !== 'string') return null
      const { minimum, maximum } = details
      if ([padded, minimum, maximum].some(hasControl)) return null
      const [least, greatest] = [withoutPadding(minimum), withoutPadding(maximum)]
      return textRange({ ...details, minimum: least, maximum: greatest }, trimmed)
    },
    hashes: [hashOfText(padded), hashOfText(trimmed)],
  }
}

function withoutPadding(text: string): string {
  let end = text.length
  while (end > 0 && text[end - 1] === ' ') end--
  return text.slice(0, end)
}

function hashOfText(text: string): Hash {
  const bytes = Buffer.from(text)
  return hashOfBytes(bytes, 0, bytes.length)
}

type Ordered = number | bigint

/** Of values that each stand for what lies from `low` to `high`. */
function rangeOf(
  { minimum, maximum }: { readonly minimum: Ordered; readonly maximum: Ordered },
  low: Ordered,
  high: Ordered,
): Range {
  const compare = (bound: Ordered): number => (bound < low ? -1 : bound > high ? 1 : 0)
  return { least: compare(minimum), greatest: compare(maximum) }
}

function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) < 0x20) return true
  return false
}
