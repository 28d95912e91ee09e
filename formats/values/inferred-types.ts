/**
 * Types of columns that nobody declares, learned from values: for formats without schemas. A column is as
 * narrow as what was seen of it, and widens:
 *
 *     boolean ────────────────────┐
 *     bigint ── decimal(p,s) ─────┴── string          anything else that differs ── string
 *
 * Numbers are exact: one with a fraction or an exponent is a decimal, never a double, and text when 38
 * digits do not hold it beside the others. Objects and arrays are their JSON text.
 *
 * Nothing of it has to outlive the process. Columns of the warehouse widen by the same rule
 * (`unionSchema`), and a value has one text whatever its type was before (`widenedText`): what is read
 * anew under a narrower type becomes the same row of the same table.
 */
import type { ColumnType } from '../../model/column-type.ts'
import { columnTypeText, isSameType, maxDecimalPrecision } from '../../model/column-type.ts'
import { DecodeError } from '../../model/errors.ts'
import type { Column, TableSchema } from '../../model/table-schema.ts'
import { internSchema } from '../../model/table-schema.ts'
import type { Row, Value } from '../../model/value.ts'
import { misfit, powerOfTen, toInteger } from '../../model/value.ts'
import { commonInferredType, widenValue } from '../../model/widening.ts'
import { DecimalText, exactJsonText } from '../json/lossless-json.ts'
import type { ColumnIds } from '../mysql/column-ids.ts'
import { identityIn, idsText, noIds } from '../mysql/column-ids.ts'
import { checkColumnName } from './row-reader.ts'

/** A value and the narrowest type that holds it. */
export interface TypedValue {
  readonly type: ColumnType
  readonly value: Value
  /** Its type is known from elsewhere: it is the column's, whatever else was seen. */
  readonly isDeclared?: true
}

/** By column name; null where neither value nor type is known. */
export type TypedRow = Readonly<Record<string, TypedValue | null>>

export interface InferredRows {
  readonly schema: TableSchema
  /** As they were given, under the schema. */
  readonly rows: readonly (Row | null)[]
}

interface InferredTable {
  /** Null: only nulls so far. */
  readonly types: Map<string, ColumnType | null>
  /** By names and types of columns and key. */
  readonly schemas: Map<string, TableSchema>
}

const maxSchemas = 1000

export class InferredTypes {
  readonly #tables = new Map<string, InferredTable>()

  /**
   * The rows of one change under one schema, which has the columns that any of them has; with
   * `isComplete` all that were ever seen of the table, which rows without them have as nulls. Throws
   * DecodeError `value-invalid` when a column of the key would become text.
   */
  read(
    table: string,
    key: readonly string[],
    given: readonly (TypedRow | null)[],
    {
      isComplete = false,
      ids = noIds,
    }: { readonly isComplete?: boolean; readonly ids?: ColumnIds } = {},
  ): InferredRows {
    const known = this.#table(table)
    const declared = new Map<string, ColumnType>()
    for (const row of given) {
      if (row !== null) learn(known, declared, key, row)
    }
    const names = isComplete
      ? new Set([...known.types.keys(), ...declared.keys()])
      : new Set(given.flatMap(row => Object.keys(row ?? {})))
    const schema = schemaOf(known, declared, key, [...names], ids)
    return { schema, rows: given.map(row => rowOf(schema, row, isComplete)) }
  }

  #table(table: string): InferredTable {
    const known = this.#tables.get(table)
    if (known !== undefined) return known
    const made = { types: new Map(), schemas: new Map() }
    this.#tables.set(table, made)
    return made
  }
}

function learn(
  { types }: InferredTable,
  declared: Map<string, ColumnType>,
  key: readonly string[],
  row: TypedRow,
): void {
  for (const [name, found] of Object.entries(row)) {
    // Before it is learned: the rows that follow would have it too.
    checkColumnName(name)
    if (found?.isDeclared === true) {
      declared.set(name, found.type)
      continue
    }
    const before = types.get(name)
    if (found === null || before === undefined || before === null) {
      types.set(name, found?.type ?? before ?? null)
      continue
    }
    if (isSameType(before, found.type)) continue
    const common = commonInferredType(before, found.type)
    if (common.kind === 'string' && key.includes(name)) throw keyAsText(name, before, found.type)
    types.set(name, common)
  }
}

/** The bytes of a key are its type's: rows that are there would not be found again. */
function keyAsText(column: string, before: ColumnType, now: ColumnType): DecodeError {
  return new DecodeError(
    'value-invalid',
    `the key column ${column} was ${columnTypeText(before)} and is ${columnTypeText(now)} now: ` +
      'state its type (`columns.types`)',
    { context: { column } },
  )
}

function schemaOf(
  { types, schemas }: InferredTable,
  declared: ReadonlyMap<string, ColumnType>,
  key: readonly string[],
  names: readonly string[],
  ids: ColumnIds,
): TableSchema {
  const typeOf = (name: string) => declared.get(name) ?? types.get(name) ?? null
  const texts = names.map(name => `${name} ${textOf(typeOf(name))} ${declared.has(name)}`)
  const id = [...texts, ...key, idsText(ids)].join('\0')
  const known = schemas.get(id)
  if (known !== undefined) return known
  const missing = key.find(name => !names.includes(name))
  if (missing !== undefined) {
    throw new DecodeError(
      'key-column-missing',
      `the key column ${missing} is not in the row (${names.join(', ')})`,
      { context: { column: missing } },
    )
  }
  const untyped = key.find(name => typeOf(name) === null)
  if (untyped !== undefined) {
    throw new DecodeError(
      'type-unknown',
      `the key column ${untyped} has had no value yet: state its type (\`columns.types\`)`,
      { context: { column: untyped } },
    )
  }
  const columns = names.map((name): Column => {
    const type = typeOf(name)
    const column = { ...identityIn(ids, name), name, nullable: true }
    return type === null
      ? { ...column, type: { kind: 'string' }, isUntyped: true }
      : { ...column, type }
  })
  const isInferred = names.some(name => !declared.has(name))
  const schema = internSchema({ columns, key: [...key], ...(isInferred ? { isInferred } : {}) })
  if (schemas.size >= maxSchemas) schemas.clear()
  schemas.set(id, schema)
  return schema
}

function textOf(type: ColumnType | null): string {
  return type === null ? '' : columnTypeText(type)
}

function rowOf(schema: TableSchema, given: TypedRow | null, isComplete: boolean): Row | null {
  if (given === null) return null
  const row: Record<string, Value> = {}
  for (const { name, type } of schema.columns) {
    if (!Object.hasOwn(given, name)) {
      if (isComplete) row[name] = null
      continue
    }
    const found = given[name] ?? null
    row[name] = found === null ? null : widenValue(found.value, found.type, type)
  }
  return row
}

const boolean: ColumnType = { kind: 'boolean' }
const bigint: ColumnType = { kind: 'bigint' }
const string: ColumnType = { kind: 'string' }

/** What `parseExact` gave, as the value that it is by itself. Null for null. */
export function inferJson(json: unknown): TypedValue | null {
  switch (typeof json) {
    case 'string':
      return { type: string, value: json }
    case 'boolean':
      return { type: boolean, value: json }
    case 'number':
      return Number.isSafeInteger(json)
        ? { type: bigint, value: json === 0 ? 0 : json }
        : inferNumber(String(json))
    case 'bigint':
      return inferNumber(json.toString())
    default:
      if (json === null || json === undefined) return null
      return json instanceof DecimalText
        ? inferNumber(json.text)
        : { type: string, value: textOfJson(json) }
  }
}

/** Text of nested objects and arrays; so deep ones that they cannot be written are refused. */
export function textOfJson(json: unknown): string {
  try {
    return exactJsonText(json)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw misfit(string, Array.isArray(json) ? '[…]' : '{…}')
  }
}

const maxBigint = 2n ** 63n - 1n
const minBigint = -(2n ** 63n)
/** Room before the point, so that a column of amounts does not widen with every digit. */
const usualWhole = 9

/** A number by its digits, as JSON writes them. */
export function inferNumber(text: string): TypedValue {
  const match = /^(-?)(\d{1,400})(?:\.(\d{1,400}))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text)
  if (match === null) return { type: string, value: text }
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  const digits = BigInt(whole + fraction)
  const unscaled = sign === '-' ? -digits : digits
  const scale = fraction.length - Number(exponent)
  if (scale <= 0) return inferWhole(unscaled * powerOfTen(-scale), text)
  return inferFraction(unscaled, scale, text)
}

function inferWhole(value: bigint, text: string): TypedValue {
  if (value >= minBigint && value <= maxBigint) return { type: bigint, value: toInteger(value) }
  const precision = digitsOf(value)
  if (precision > maxDecimalPrecision) return { type: string, value: text }
  return { type: { kind: 'decimal', precision, scale: 0 }, value: toInteger(value) }
}

function inferFraction(given: bigint, givenScale: number, text: string): TypedValue {
  let [unscaled, scale] = [given, givenScale]
  let whole = Math.max(0, digitsOf(unscaled) - scale)
  // Zeros at the end are the column's scale, unless there is no room for them.
  while (whole + scale > maxDecimalPrecision && scale > 0 && unscaled % 10n === 0n) {
    unscaled /= 10n
    scale -= 1
  }
  if (whole + scale > maxDecimalPrecision) return { type: string, value: text }
  if (whole < usualWhole) whole = Math.min(usualWhole, maxDecimalPrecision - scale)
  const precision = whole + scale
  return { type: { kind: 'decimal', precision, scale }, value: toInteger(unscaled) }
}

function digitsOf(value: bigint): number {
  return (value < 0n ? -value : value).toString().length
}
