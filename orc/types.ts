/**
 * The types and values of ORC, and the numbering of columns.
 *
 * A schema is a tree of types. ORC gives each node a column id in pre-order, the root being 0:
 *
 *     struct<id:bigint,tags:array<string>>      0 struct
 *                                               ├ 1 id            long
 *                                               └ 2 tags          list
 *                                                 └ 3 tags.element  string
 */
import { OrcError } from './errors.ts'

export type OrcType =
  | {
      readonly kind:
        | 'boolean'
        | 'byte'
        | 'short'
        | 'int'
        | 'long'
        | 'float'
        | 'double'
        | 'string'
        | 'binary'
        | 'date'
        | 'timestamp'
        | 'timestamp_instant'
    }
  | { readonly kind: 'varchar' | 'char'; readonly length: number }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'list'; readonly element: OrcType }
  | { readonly kind: 'map'; readonly key: OrcType; readonly value: OrcType }
  | { readonly kind: 'union'; readonly variants: readonly OrcType[] }
  | OrcStructType

export interface OrcStructType {
  readonly kind: 'struct'
  readonly fields: readonly OrcField[]
}

export interface OrcField {
  readonly name: string
  readonly type: OrcType
}

export type OrcTypeKind = OrcType['kind']

/**
 * One value of a column.
 *
 * | type | value |
 * |---|---|
 * | boolean | boolean |
 * | byte, short, int, float, double | number |
 * | long | number when it is a safe integer, else bigint; both are accepted |
 * | decimal | the unscaled integer at the column's scale, number when safe, else bigint |
 * | string, varchar, char | string |
 * | binary | Uint8Array |
 * | date | days since 1970-01-01, proleptic Gregorian |
 * | timestamp, timestamp_instant | microseconds since 1970-01-01, as long; see `TimestampUnit` |
 * | struct | the values of its fields, in order |
 * | list | array |
 * | map | Map |
 * | union | which of its variants, from 0, and a value of that one |
 */
export type OrcValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly OrcValue[]
  | ReadonlyMap<OrcValue, OrcValue>
  | OrcUnionValue

export interface OrcUnionValue {
  readonly tag: number
  readonly value: OrcValue
}

/** With `nanos`, timestamps are bigints of nanoseconds. */
export type TimestampUnit = 'micros' | 'nanos'

/** A node of the schema with its column id; `path` is `address.city`, empty for the root. */
export interface OrcColumn {
  readonly id: number
  readonly path: string
  readonly type: OrcType
  readonly children: readonly OrcColumn[]
}

/** Deeper schemas are refused: readers recurse, and a hostile file must not exhaust their stack. */
export const maxSchemaDepth = 64

/**
 * Numbers the columns of a schema and checks it.
 *
 * Others write longer texts, and names that Hive would not know: they are read.
 *
 * Throws `schema-invalid` for an empty or repeated field name and for a length, precision or scale
 * out of range.
 */
export function numberColumns(schema: OrcType, purpose: 'write' | 'read' = 'write'): OrcColumn {
  let nextId = 0
  const number = (type: OrcType, path: string, depth: number): OrcColumn => {
    if (depth > maxSchemaDepth) {
      throw new OrcError('schema-invalid', `types are nested deeper than ${maxSchemaDepth}`, path)
    }
    checkParameters(type, path, purpose)
    const id = nextId++
    const children = childTypes(type).map(([name, child]) =>
      number(child, path === '' ? name : `${path}.${name}`, depth + 1),
    )
    return { id, path, type, children }
  }
  return number(schema, '', 0)
}

/** The columns of a tree in the order of their ids. */
export function listColumns(root: OrcColumn): OrcColumn[] {
  return [root, ...root.children.flatMap(listColumns)]
}

function childTypes(type: OrcType): (readonly [string, OrcType])[] {
  switch (type.kind) {
    case 'struct':
      return type.fields.map(field => [field.name, field.type] as const)
    case 'list':
      return [['element', type.element]]
    case 'map':
      return [
        ['key', type.key],
        ['value', type.value],
      ]
    case 'union':
      return type.variants.map((variant, tag) => [String(tag), variant] as const)
    default:
      return []
  }
}

function checkParameters(type: OrcType, path: string, purpose: 'write' | 'read'): void {
  const problem = parameterProblem(type, purpose === 'read')
  if (problem !== null) throw new OrcError('schema-invalid', problem, path)
}

function parameterProblem(type: OrcType, isRead: boolean): string | null {
  const isWithin = (value: number, least: number, most: number): boolean =>
    Number.isInteger(value) && value >= least && value <= most

  switch (type.kind) {
    case 'varchar':
      if (isRead || isWithin(type.length, 1, 65_535)) return null
      return 'the length of varchar is 1 to 65535'
    case 'char':
      if (isRead || isWithin(type.length, 1, 255)) return null
      return 'the length of char is 1 to 255'
    case 'decimal':
      if (!isWithin(type.precision, 1, 38)) return 'the precision of decimal is 1 to 38'
      return isWithin(type.scale, 0, type.precision)
        ? null
        : 'the scale of decimal is 0 to its precision'
    case 'union':
      return isWithin(type.variants.length, 1, 256) ? null : 'a union has 1 to 256 variants'
    case 'struct': {
      if (isRead) return null
      const names = new Set(type.fields.map(field => field.name))
      if (names.has('')) return 'a field has no name'
      return names.size === type.fields.length ? null : 'two fields have the same name'
    }
    default:
      return null
  }
}
