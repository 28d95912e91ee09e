/**
 * The types of columns: what Forager knows of a value between a source and Hive. Each is written in
 * Hive's words (`columnTypeText`), and each names the one form its values take in memory.
 *
 * | type | value in memory |
 * |---|---|
 * | boolean | boolean |
 * | tinyint, smallint, int, bigint, ubigint | number when it is a safe integer, else bigint |
 * | decimal(p,s) | the unscaled integer: number when safe, else bigint |
 * | float, double | number |
 * | string, varchar(n), char(n) | string |
 * | binary | Uint8Array |
 * | date | days since 1970-01-01, proleptic Gregorian |
 * | timestamp, timestamptz | microseconds since the epoch: number when safe, else bigint |
 * | array<t> | array of values |
 */
import { ConfigError } from './errors.ts'

export type ColumnType =
  | { readonly kind: SimpleKind }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'varchar' | 'char'; readonly length: number }
  | { readonly kind: 'array'; readonly element: ColumnType }

type SimpleKind = (typeof simpleKinds)[number]

const simpleKinds = [
  'boolean',
  'tinyint',
  'smallint',
  'int',
  'bigint',
  // MySQL's BIGINT UNSIGNED: decimal(20,0) in Hive, but shown as the integer that it is.
  'ubigint',
  'float',
  'double',
  'string',
  'binary',
  'date',
  // Local date and time without a zone, and an instant. Both are shown in UTC.
  'timestamp',
  'timestamptz',
] as const

export const maxDecimalPrecision = 38

/** Forager's word for a type, which is Hive's except for `ubigint` and `timestamptz`. */
export function columnTypeText(type: ColumnType): string {
  switch (type.kind) {
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    case 'varchar':
    case 'char':
      return `${type.kind}(${type.length})`
    case 'array':
      return `array<${columnTypeText(type.element)}>`
    default:
      return type.kind
  }
}

/** The type that Hive knows for it. */
export function hiveTypeText(type: ColumnType): string {
  switch (type.kind) {
    case 'ubigint':
      return 'decimal(20,0)'
    case 'timestamptz':
      return 'timestamp with local time zone'
    case 'array':
      return `array<${hiveTypeText(type.element)}>`
    default:
      return columnTypeText(type)
  }
}

/** Reads a type from its text, Forager's word or Hive's. Throws ConfigError `config-invalid`. */
export function parseColumnType(text: string): ColumnType {
  const word = text.trim().toLowerCase().replaceAll(/\s+/g, ' ')
  const simple = simpleKinds.find(kind => kind === (aliases[word] ?? word))
  if (simple !== undefined) return { kind: simple }
  const sized = /^(decimal|numeric|varchar|char) ?\( ?(\d+) ?(?:, ?(\d+) ?)?\)$/.exec(word)
  if (sized !== null && Number(sized[2]) >= 1) {
    const first = Number(sized[2])
    const scale = Number(sized[3] ?? 0)
    if (sized[1] === 'varchar' || sized[1] === 'char') {
      if (sized[3] === undefined) return { kind: sized[1], length: first }
    } else if (first <= maxDecimalPrecision && scale <= first) {
      return { kind: 'decimal', precision: first, scale }
    }
  }
  const array = /^array ?<(.*)>$/.exec(word)
  if (array !== null) return { kind: 'array', element: parseColumnType(array[1] ?? '') }
  throw new ConfigError(
    'config-invalid',
    `"${text}" is not a type; known are ${simpleKinds.join(', ')}, decimal(p,s) with p up to ` +
      `${maxDecimalPrecision}, varchar(n), char(n) and array<type>`,
  )
}

const aliases: Readonly<Record<string, SimpleKind>> = {
  integer: 'int',
  bool: 'boolean',
  text: 'string',
  'timestamp with local time zone': 'timestamptz',
}

export function isSameType(a: ColumnType, b: ColumnType): boolean {
  return a === b || columnTypeText(a) === columnTypeText(b)
}

/** Integers in order of width; a wider one holds every value of a narrower one. */
const integerKinds: readonly string[] = ['tinyint', 'smallint', 'int', 'bigint']

/** How many digits an integer type can need. */
const integerDigits: Readonly<Record<string, number>> = {
  tinyint: 3,
  smallint: 5,
  int: 10,
  bigint: 19,
  ubigint: 20,
}

/**
 * The narrowest type that holds every value of both, or null when there is none. It is used when a
 * column changes in the source: `int` to `bigint`, `decimal(10,2)` to `decimal(12,4)`.
 */
export function commonType(a: ColumnType, b: ColumnType): ColumnType | null {
  if (isSameType(a, b)) return a
  const widths = [integerKinds.indexOf(a.kind), integerKinds.indexOf(b.kind)]
  if (widths.every(width => width >= 0)) return widths[0]! > widths[1]! ? a : b
  if (isText(a) && isText(b)) return commonText(a, b)
  if (a.kind === 'float' && b.kind === 'double') return b
  if (a.kind === 'double' && b.kind === 'float') return a
  if (a.kind === 'array' && b.kind === 'array') {
    const element = commonType(a.element, b.element)
    return element === null ? null : { kind: 'array', element }
  }
  return commonDecimal(a, b)
}

export function isText(type: ColumnType): boolean {
  return type.kind === 'string' || type.kind === 'varchar' || type.kind === 'char'
}

function commonText(a: ColumnType, b: ColumnType): ColumnType {
  if (a.kind === 'varchar' && b.kind === 'varchar') return a.length > b.length ? a : b
  return { kind: 'string' }
}

function commonDecimal(a: ColumnType, b: ColumnType): ColumnType | null {
  const left = asDecimal(a)
  const right = asDecimal(b)
  if (left === null || right === null) return null
  const scale = Math.max(left.scale, right.scale)
  const whole = Math.max(left.precision - left.scale, right.precision - right.scale)
  return whole + scale > maxDecimalPrecision
    ? null
    : { kind: 'decimal', precision: whole + scale, scale }
}

function asDecimal(type: ColumnType): { precision: number; scale: number } | null {
  if (type.kind === 'decimal') return type
  const digits = integerDigits[type.kind]
  return digits === undefined ? null : { precision: digits, scale: 0 }
}
