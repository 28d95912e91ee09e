/**
 * Reading a value of one type as a wider one of the same column: by `commonType`, and where types were
 * inferred from values (`TableSchema.isInferred`) as text, which every value has.
 */
import type { ColumnType } from './column-type.ts'
import { commonType, isSameType, isText } from './column-type.ts'
import type { Value } from './value.ts'
import { checkInteger, checkText, misfit, rescale } from './value.ts'
import { plainText } from './value-text.ts'

/** A type that holds every value of both; text where nothing else does. */
export function commonInferredType(a: ColumnType, b: ColumnType): ColumnType {
  return commonType(a, b) ?? { kind: 'string' }
}

/** The result is the same object when nothing changes. */
export function widenValue(value: Value, from: ColumnType, to: ColumnType): Value {
  if (value === null || from === to) return value
  if (isText(to)) return isText(from) ? value : widenedText(from, value)
  if (to.kind === 'decimal') {
    const scale = from.kind === 'decimal' ? from.scale : 0
    return rescale(value as number | bigint, scale, to)
  }
  if (to.kind === 'array' && from.kind === 'array') {
    return (value as readonly Value[]).map(item => widenValue(item, from.element, to.element))
  }
  return value
}

/**
 * A value of a column as one of another type, which need not hold all of its values. Throws DecodeError
 * `value-invalid` where it does not hold this one.
 */
export function fitValue(value: Value, from: ColumnType, to: ColumnType): Value {
  if (value === null || isSameType(from, to)) return value
  const common = commonType(from, to)
  if (common !== null && isSameType(common, to)) return widenValue(value, from, to)
  if (to.kind === 'decimal' && (typeof value === 'number' || typeof value === 'bigint')) {
    return rescale(value, from.kind === 'decimal' ? from.scale : 0, to)
  }
  if (isInteger(to) && (isInteger(from) || from.kind === 'decimal')) {
    const whole = from.kind === 'decimal' ? wholeOf(value as number | bigint, from.scale) : value
    return checkInteger(to, whole as number | bigint)
  }
  if (isText(to) && isText(from)) return checkText(to, value as string)
  if (to.kind === 'float' && from.kind === 'double' && isSingle(value as number)) return value
  throw misfit(to, plainText(from, value))
}

function isInteger({ kind }: ColumnType): boolean {
  return integerKinds.has(kind)
}

const integerKinds: ReadonlySet<string> = new Set([
  'tinyint',
  'smallint',
  'int',
  'bigint',
  'ubigint',
])

function wholeOf(unscaled: number | bigint, scale: number): number | bigint {
  return rescale(unscaled, scale, { precision: 38, scale: 0 })
}

function isSingle(value: number): boolean {
  return Object.is(Math.fround(value), value)
}

/**
 * The one text of a value whatever its type was on the way: a decimal without trailing zeros, because the
 * scale of its column depends on what else came before. Hive reads old decimals as text in the same way.
 */
export function widenedText(type: ColumnType, value: Value): string {
  const text = plainText(type, value)
  return type.kind === 'decimal' && text.includes('.') ? text.replace(/\.?0+$/, '') : text
}
