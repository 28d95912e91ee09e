/**
 * Types in Hive's words: which one holds the values of another, and which one Hive can change into another
 * so that old rows keep their values (measured on 4.0.1: `docs/hive.md`). Hive itself also makes decimals and
 * varchars narrower, and cuts their values: so what it is asked for is decided here.
 */
import type { ColumnType } from '../../model/column-type.ts'
import { parseColumnType } from '../../model/column-type.ts'
import { ConfigError } from '../../model/errors.ts'
import { nullPartition } from '../../model/partition-by.ts'

const integers = ['tinyint', 'smallint', 'int', 'bigint']
const integerDigits: Readonly<Record<string, number>> = {
  tinyint: 3,
  smallint: 5,
  int: 10,
  bigint: 19,
}

/**
 * Whether a column of the table's type takes every value of the source's. Hive converts no arrays: those of another
 * type are not taken.
 */
export function holds(table: string, source: string): boolean {
  if (table === source) return true
  const [widths, digits] = [
    [table, source].map(type => integers.indexOf(type)),
    [table, source].map(digitsOf),
  ]
  if (widths.every(width => width >= 0)) return widths[0]! >= widths[1]!
  if (digits[0] !== null && digits[1] !== null && table.startsWith('decimal')) {
    const [own, needed] = digits as [Digits, Digits]
    return own.whole >= needed.whole && own.scale >= needed.scale
  }
  if (table === 'double' && source === 'float') return true
  if (table === 'string') return /^(var)?char\(/.test(source)
  const [own, needed] = [table, source].map(type => /^varchar\((\d+)\)$/.exec(type)?.[1])
  return own !== undefined && needed !== undefined && Number(own) >= Number(needed)
}

interface Digits {
  readonly whole: number
  readonly scale: number
}

function digitsOf(type: string): Digits | null {
  const known = integerDigits[type]
  if (known !== undefined) return { whole: known, scale: 0 }
  const match = /^decimal\((\d+),(\d+)\)$/.exec(type)
  if (match === null) return null
  return { whole: Number(match[1]) - Number(match[2]), scale: Number(match[2]) }
}

/** Whether it is the same type or a wider one, of arrays too. */
export function isAsWide(type: string, than: string): boolean {
  const [element, other] = [type, than].map(one => /^array<(.*)>$/.exec(one)?.[1])
  return element !== undefined && other !== undefined ? isAsWide(element, other) : holds(type, than)
}

/** Whether `CHANGE COLUMN` makes the one into the other, and every old value is the same in it. */
export function canChange(from: string, to: string): boolean {
  // As text old values are what Hive writes for them. Others than these it does not change into text.
  const hasText = /^(tinyint|smallint|int|bigint|float|double|date|timestamp|decimal\(.*\))$/
  return isAsWide(to, from) || (to === 'string' && hasText.test(from))
}

/** Whether Hive would make a column of the type narrower, and cut its values when they are read. */
export function mayBeNarrowed(type: string): boolean {
  return /^(decimal|varchar)\(/.test(type)
}

/**
 * What `canChange` says, of the column that a table is partitioned by: its values are the names of folders, which stay as
 * they are. (Of another scale Hive takes a decimal's name for its unscaled digits: 7 is 0.07 then.)
 */
export function canChangePlaces(from: string, to: string): boolean {
  const isInteger = [from, to].every(type => integers.includes(type))
  const isText = from.startsWith('varchar') && (to.startsWith('varchar') || to === 'string')
  return (isInteger || isText) && holds(to, from)
}

/**
 * Whether Hive 4.0.1 changes rows of a table that is partitioned by the type. Where the default partition's name does
 * not fit into it, or a folder's name is not read as it was written, the old row stays beside the new one.
 */
export function canUpdatePlaces(type: string): boolean {
  const varchar = /^varchar\((\d+)\)$/.exec(type)
  if (varchar !== null) return Number(varchar[1]) >= nullPartition.length
  return !/^(char|boolean|decimal\(\d+,[1-9])/.test(type)
}

/** Null for a type that no source has: a map, a struct. */
export function columnTypeOf(type: string): ColumnType | null {
  try {
    return parseColumnType(type)
  } catch (error) {
    if (error instanceof ConfigError) return null
    throw error
  }
}
