/**
 * How a column of the source is compared with its column of the target. Both may have another type for
 * one value (a decimal for an unsigned bigint, text for a number too large for Hive), so values are
 * compared by what they say; where that cannot be decided the pair says why.
 */
import type { ColumnType } from '../../model/column-type.ts'
import { columnTypeText, isText } from '../../model/column-type.ts'
import { ForagerError } from '../../model/errors.ts'
import type { Value } from '../../model/value.ts'
import { unscaledText } from '../../model/value.ts'
import { jsonText, plainText } from '../../model/value-text.ts'
import type { SourceColumn } from './source-database.ts'
import { valueOfText } from './value-texts.ts'

/** A value that its database gave and that is none of its type. */
export class Unreadable {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type Cell = Value | Unreadable

export interface TargetColumn {
  readonly name: string
  readonly type: ColumnType
}

export interface ColumnPair {
  readonly source: SourceColumn
  readonly target: TargetColumn
  readonly isEqual: (source: Value, target: Value) => boolean
}

/** A reason, in words, when the two cannot be compared. */
export function pairOf(
  source: SourceColumn,
  target: TargetColumn,
  { binaryMode = 'bytes' }: { readonly binaryMode?: string | undefined } = {},
): ColumnPair | string {
  if (source.whyNot !== undefined) return source.whyNot
  const isEqual = equalityOf(source, target.type, binaryMode)
  if (isEqual !== null) return { source, target, isEqual }
  const type = columnTypeText(target.type)
  return `it is ${source.declared} in the source and ${type} in the target`
}

type Equality = (source: Value, target: Value) => boolean

function equalityOf(source: SourceColumn, to: ColumnType, binaryMode: string): Equality | null {
  const from = source.type
  const same = sameClass(source, to)
  if (same !== null) return same
  if (isNumber(from) && isFloat(to)) return (a, b) => Number(plainText(from, a)) === b
  if (isFloat(from) && isNumber(to)) return (a, b) => a === Number(plainText(to, b))
  if (isText(to) && from.kind === 'binary') return (a, b) => bytesText(a, binaryMode) === b
  if (isText(to) && isNumber(from)) return textEquality(to, a => plainText(from, a))
  // A type that the configuration states for a column of text.
  if (isText(from) && to.kind !== 'binary' && to.kind !== 'array') {
    const type = { ...source, type: to }
    const equal = sameClass(type, to)!
    return (a, b) => equal(valueOfText(to, a as string), b)
  }
  return null
}

/** Values of types that say the same. */
function sameClass({ type: from, form }: SourceColumn, to: ColumnType): Equality | null {
  if (isNumber(from) && isNumber(to)) return (a, b) => numberText(from, a) === numberText(to, b)
  if (isFloat(from) && isFloat(to)) return floatEquality(from, to, form === 'six-digits')
  if (isText(from) && isText(to)) {
    if (form === 'json') return isSameJson
    if (form === 'number') return (a, b) => withoutZeros(a as string) === withoutZeros(b as string)
    return textEquality(to, a => a as string)
  }
  if (isMoment(from) && isMoment(to)) return (a, b) => a === b
  if (from.kind === 'date' && to.kind === 'date') return (a, b) => a === b
  if (from.kind === 'binary' && to.kind === 'binary') {
    return (a, b) => Buffer.compare(a as Uint8Array, b as Uint8Array) === 0
  }
  if (from.kind === 'array' && to.kind === 'array') return arrayEquality(from.element, to.element)
  return null
}

/** Hive fills a `char` with spaces, and so does PostgreSQL. */
function textEquality(to: ColumnType, textOf: (value: Value) => string): Equality {
  if (to.kind !== 'char') return (a, b) => textOf(a) === b
  return (a, b) => withoutPadding(textOf(a)) === withoutPadding(b as string)
}

function withoutPadding(text: string): string {
  return text.replace(/ +$/, '')
}

function floatEquality(from: ColumnType, to: ColumnType, isSixDigits: boolean): Equality {
  if (from.kind === 'double' && to.kind === 'double') return isSameDouble
  return (a, b) => {
    const [left, right] = [Math.fround(a as number), Math.fround(b as number)]
    if (isSameDouble(left, right)) return true
    // A snapshot reads a `float` of MySQL as text of six digits.
    return isSixDigits && left.toPrecision(6) === right.toPrecision(6)
  }
}

function isSameDouble(a: Value, b: Value): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b))
}

function arrayEquality(from: ColumnType, to: ColumnType): Equality | null {
  const source = { type: from } as SourceColumn
  const equal = sameClass(source, to)
  if (equal === null) return null
  return (a, b) => {
    const [left, right] = [a as readonly Value[], b as readonly Value[]]
    if (left.length !== right.length) return false
    return left.every((item, index) => {
      const other = right[index]!
      return item === null || other === null ? item === other : equal(item, other)
    })
  }
}

function isSameJson(a: Value, b: Value): boolean {
  if (a === b) return true
  try {
    return canonicalJson(a as string) === canonicalJson(b as string)
  } catch {
    return false
  }
}

/** Without spaces, and with the keys of objects in order; numbers keep their digits. */
function canonicalJson(text: string): string {
  return JSON.stringify(
    JSON.parse(text, (_key, value: unknown, context?: { source?: string }) => {
      if (typeof value === 'number') return { $number: context?.source ?? String(value) }
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
      return Object.fromEntries(Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1)))
    }),
  )
}

function bytesText(value: Value, mode: string): string {
  const bytes = Buffer.from(value as Uint8Array)
  if (mode === 'hex') return bytes.toString('hex')
  return bytes.toString(mode === 'base64-url-safe' ? 'base64url' : 'base64')
}

const integerKinds: readonly string[] = ['tinyint', 'smallint', 'int', 'bigint', 'ubigint']

function isNumber({ kind }: ColumnType): boolean {
  return kind === 'boolean' || kind === 'decimal' || integerKinds.includes(kind)
}

function isFloat({ kind }: ColumnType): boolean {
  return kind === 'float' || kind === 'double'
}

function isMoment({ kind }: ColumnType): boolean {
  return kind === 'timestamp' || kind === 'timestamptz'
}

/** `1.50` and `1.5` are one number, and so are true and 1. */
function numberText(type: ColumnType, value: Value): string {
  if (typeof value === 'boolean') return value ? '1' : '0'
  const number = value as number | bigint
  if (type.kind !== 'decimal' || type.scale === 0) return String(number)
  return withoutZeros(unscaledText(number, type.scale))
}

function withoutZeros(number: string): string {
  return number.includes('.') ? number.replace(/\.?0+$/, '') : number
}

/** Whether keys of the two are in one order, and equal where the values are. */
export function isSameKeyClass(source: SourceColumn, to: ColumnType): boolean {
  return source.form === undefined && sameClass(source, to) !== null && source.type.kind !== 'array'
}

export function areCellsEqual(pair: ColumnPair, source: Cell, target: Cell): boolean {
  if (source instanceof Unreadable || target instanceof Unreadable) return false
  if (source === null || target === null) return source === target
  try {
    return pair.isEqual(source, target)
  } catch (error) {
    // A text that is no value of the type that the configuration states.
    if (error instanceof ForagerError) return false
    throw error
  }
}

/** As JSON. */
export function cellText(type: ColumnType, cell: Cell): string {
  return cell instanceof Unreadable ? JSON.stringify(cell.text) : jsonText(type, cell)
}
