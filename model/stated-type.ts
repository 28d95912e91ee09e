/**
 * The types that `columns.types` can name: those of columns (`model/column-type.ts`), and words for what
 * the values of a source are where that is more than the column's type.
 *
 * | word | column | for |
 * |---|---|---|
 * | time, time(p) | string | a time of day of p digits: `HH:MM:SS[.ffffff]` |
 * | timestamp(p) | timestamp | a timestamp of p digits, where the unit depends on them |
 * | interval | bigint | an amount of time: microseconds |
 * | bit(n) | string | bits: a text of 0 and 1 |
 * | fail | string | a column that must be null: a value is an error |
 */
import type { ColumnType } from './column-type.ts'
import { columnTypeText, parseColumnType } from './column-type.ts'
import { ConfigError } from './errors.ts'

export type StatedType =
  | ColumnType
  | { readonly kind: 'sized-timestamp'; readonly digits: number }
  | { readonly kind: 'time'; readonly digits?: number }
  | { readonly kind: 'bit'; readonly length: number }
  | { readonly kind: 'interval' | 'fail' }

const words = 'time, time(p), timestamp(p), interval, bit(n), fail'

/** Throws ConfigError `config-invalid`. */
export function parseStatedType(text: string): StatedType {
  const word = text.trim().toLowerCase()
  if (word === 'time' || word === 'interval' || word === 'fail') return { kind: word }
  const [, name, digits] = /^(time|timestamp|bit) ?\( ?(\d{1,5}) ?\)$/.exec(word) ?? []
  const size = Number(digits)
  if (name === 'bit' && size >= 1) return { kind: 'bit', length: size }
  if (name === 'time' && size <= 9) return { kind: 'time', digits: size }
  if (name === 'timestamp' && size <= 9) return { kind: 'sized-timestamp', digits: size }
  try {
    return parseColumnType(text)
  } catch (error) {
    throw new ConfigError('config-invalid', `${(error as Error).message}; and ${words}`)
  }
}

/** The column that such values are kept in. */
export function columnTypeOf(stated: StatedType): ColumnType {
  switch (stated.kind) {
    case 'time':
    case 'bit':
    case 'fail':
      return { kind: 'string' }
    case 'interval':
      return { kind: 'bigint' }
    case 'sized-timestamp':
      return { kind: 'timestamp' }
    default:
      return stated
  }
}

export function statedTypeText(stated: StatedType): string {
  switch (stated.kind) {
    case 'bit':
      return `bit(${stated.length})`
    case 'sized-timestamp':
      return `timestamp(${stated.digits})`
    case 'time':
      return stated.digits === undefined ? 'time' : `time(${stated.digits})`
    case 'interval':
    case 'fail':
      return stated.kind
    default:
      return columnTypeText(stated)
  }
}
