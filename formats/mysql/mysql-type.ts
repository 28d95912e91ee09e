/**
 * Types of columns as MySQL and MariaDB show them, and as canal sends them with each row.
 */
import { DecodeError } from '../../model/errors.ts'

/** The type of a column: `bigint(20) unsigned`, `decimal(10,2)`, `enum('a','b')`. */
export interface MySqlType {
  /** In capitals, without what follows it. */
  readonly name: string
  readonly length: number | null
  readonly scale: number | null
  readonly isUnsigned: boolean
  /** Of ENUM and SET, in order. */
  readonly labels: readonly string[]
}

/** How large the sizes of a type can be; others do not matter. */
const maxLengths: Readonly<Record<string, number>> = { DECIMAL: 65, BIT: 64, BINARY: 255 }
const maxSetLabels = 64

/** A word and white space end where they end: else a long one without an end is read anew from each letter. */
const typeForm = /^\s*([A-Za-z0-9_]+)\b\s*(?!\s)(?:\((.*)\))?([^()]*)$/s

/** Throws DecodeError `type-unsupported` for a text that is no type. */
export function parseMySqlType(text: string): MySqlType {
  const match = typeForm.exec(text)
  if (match === null) throw noType(text)
  const word = match[1]!.toUpperCase()
  const name = aliases[word] ?? word
  const inside = match[2] ?? ''
  const words = match[3]!.toUpperCase().split(/\s+/)
  const isChoice = name === 'ENUM' || name === 'SET'
  const sizes = isChoice ? [] : inside.split(',').map(size => Number.parseInt(size, 10))
  const labels = isChoice && match[2] !== undefined ? labelsIn(inside) : []
  if (labels === null) throw noType(text)
  const type = {
    name,
    length: sizeOf(sizes[0]),
    scale: sizeOf(sizes[1]),
    isUnsigned: words.includes('UNSIGNED') || words.includes('ZEROFILL'),
    labels,
  }
  if (!isSound(type)) throw noType(text)
  return type
}

const aliases: Readonly<Record<string, string>> = {
  DEC: 'DECIMAL',
  NUMERIC: 'DECIMAL',
  FIXED: 'DECIMAL',
  // As MySQL 8 shows it.
  GEOMCOLLECTION: 'GEOMETRYCOLLECTION',
}

function noType(text: string): DecodeError {
  return new DecodeError('type-unsupported', `"${text.slice(0, 60)}" is no type of MySQL`)
}

function isSound({ name, length, scale, labels }: MySqlType): boolean {
  if (name === 'SET') return labels.length <= maxSetLabels
  const maxLength = maxLengths[name]
  if (maxLength === undefined || length === null) return true
  return length >= 1 && length <= maxLength && (scale ?? 0) >= 0 && (scale ?? 0) <= length
}

function sizeOf(size: number | undefined): number | null {
  return size === undefined || Number.isNaN(size) ? null : size
}

const label = /\s*'((?:[^'\\]|''|\\.)*)'\s*(,|$)/sy

/**
 * `'a','it''s'`: a quote in a label is doubled, or it and a backslash have a backslash before them. Null
 * where the text is no such list.
 */
function labelsIn(text: string): string[] | null {
  const labels: string[] = []
  for (let end = 0; ; end = label.lastIndex) {
    label.lastIndex = end
    const match = label.exec(text)
    if (match === null) return null
    labels.push(
      match[1]!.replaceAll(/''|\\(['\\])/g, (_pair, escaped: string | undefined) => escaped ?? "'"),
    )
    if (match[2] === '') return labels
  }
}
