/**
 * Reading a file in another schema than its own: which of its columns stands for which of those that are
 * wanted, and how its values become theirs. A column that the file lacks is null in every row.
 */
import { convertScalar } from './conversions.ts'
import { OrcError } from './errors.ts'
import type { OrcColumn, OrcStructType, OrcType } from './types.ts'
import type { ListVector, MapVector, OrcVector, StructVector, UnionVector } from './vectors.ts'
import { vectorKindOf } from './vectors.ts'

export type MatchBy = 'name' | 'position'

export type Convert = (vector: OrcVector, count: number) => OrcVector

export interface WantedColumn {
  readonly type: OrcType
  /** Null where the file has no such column. */
  readonly column: OrcColumn | null
  /** Null where the values are as wanted. */
  readonly convert: Convert | null
}

/** Throws `schema-incompatible` for types of which one does not become the other. */
export function matchColumns(
  root: OrcColumn,
  wanted: OrcStructType,
  by: MatchBy,
): readonly WantedColumn[] {
  return wanted.fields.map(({ name, type }, place) => {
    const column = columnOf(root, name, place, by)
    const convert = column === null ? null : conversionOf(column, type)
    return { type, column, convert }
  })
}

/** Names are those of Hive, which has no case: the exact one is taken first. */
function columnOf(struct: OrcColumn, name: string, place: number, by: MatchBy): OrcColumn | null {
  if (by === 'position') return struct.children[place] ?? null
  if (struct.type.kind !== 'struct') return null
  const names = struct.type.fields.map(field => field.name)
  const exact = names.indexOf(name)
  if (exact >= 0) return struct.children[exact]!
  const folded = names.findIndex(own => own.toLowerCase() === name.toLowerCase())
  return struct.children[folded] ?? null
}

/** Files of Hive before 2.0 name their columns `_col0`, `_col1` and so on: only places tell them apart. */
export function haveNoNames(schema: OrcType): boolean {
  if (schema.kind !== 'struct') return false
  return schema.fields.length > 0 && schema.fields.every(({ name }) => /^_col\d+$/.test(name))
}

function conversionOf(column: OrcColumn, to: OrcType): Convert | null {
  const from = column.type
  const incompatible = (): OrcError =>
    new OrcError('schema-incompatible', `${from.kind} does not become ${to.kind}`, column.path)
  const { children } = column
  if (from.kind === 'struct' && to.kind === 'struct') return structConversion(column, to)
  if (from.kind === 'list' && to.kind === 'list') {
    const element = conversionOf(children[0]!, to.element)
    if (element === null) return null
    return vector => {
      const list = vector as ListVector
      return { ...list, elements: element(list.elements, list.offsets.at(-1)!) }
    }
  }
  if (from.kind === 'map' && to.kind === 'map') {
    const [key, item] = [conversionOf(children[0]!, to.key), conversionOf(children[1]!, to.value)]
    if (key === null && item === null) return null
    return vector => {
      const map = vector as MapVector
      const count = map.offsets.at(-1)!
      const keys = key === null ? map.keys : key(map.keys, count)
      return { ...map, keys, items: item === null ? map.items : item(map.items, count) }
    }
  }
  if (from.kind === 'union' && to.kind === 'union') {
    if (to.variants.length < from.variants.length) throw incompatible()
    const inner = children.map((child, tag) => conversionOf(child, to.variants[tag]!))
    return vector => unionConverted(vector as UnionVector, to.variants, inner)
  }
  const convert = convertScalar(from, to)
  if (convert === undefined) throw incompatible()
  return convert
}

function structConversion(column: OrcColumn, to: OrcStructType): Convert {
  const fields = matchColumns(column, to, 'name')
  return (vector, count) => {
    const struct = vector as StructVector
    return {
      ...struct,
      fields: fields.map(({ type, column: own, convert }) => {
        if (own === null) return nullVector(type, count)
        const field = struct.fields[column.children.indexOf(own)]!
        return convert === null ? field : convert(field, count)
      }),
    }
  }
}

function unionConverted(
  vector: UnionVector,
  to: readonly OrcType[],
  inner: readonly (Convert | null)[],
): UnionVector {
  const counts = to.map(() => 0)
  vector.tags.forEach((tag, slot) => {
    if (vector.present?.[slot] !== 0) counts[tag]!++
  })
  const variants = to.map((type, tag) => {
    const own = vector.variants[tag]
    if (own === undefined) return nullVector(type, 0)
    return inner[tag] == null ? own : inner[tag](own, counts[tag]!)
  })
  return { ...vector, variants }
}

/** A column of which every slot is null. */
export function nullVector(type: OrcType, count: number): OrcVector {
  const present = new Uint8Array(count)
  const kind = vectorKindOf(type)
  switch (kind) {
    case 'boolean':
      return { kind, present, values: new Uint8Array(count) }
    case 'integer':
      return { kind, present, values: new Int32Array(count) }
    case 'long':
    case 'double':
    case 'decimal':
      return { kind, present, values: new Float64Array(count) }
    case 'bytes':
      return {
        kind,
        present,
        bytes: new Uint8Array(0),
        starts: new Int32Array(count),
        lengths: new Int32Array(count),
      }
    case 'timestamp':
      return { kind, present, seconds: new Float64Array(count), nanos: new Int32Array(count) }
    case 'list': {
      const elements = nullVector((type as { element: OrcType }).element, 0)
      return { kind, present, offsets: new Int32Array(count + 1), elements }
    }
    case 'map': {
      const { key, value } = type as { key: OrcType; value: OrcType }
      const [keys, items] = [nullVector(key, 0), nullVector(value, 0)]
      return { kind, present, offsets: new Int32Array(count + 1), keys, items }
    }
    case 'struct': {
      const { fields } = type as OrcStructType
      return { kind, present, fields: fields.map(field => nullVector(field.type, count)) }
    }
    case 'union': {
      const { variants } = type as { variants: readonly OrcType[] }
      const none = variants.map(variant => nullVector(variant, 0))
      return { kind, present, tags: new Uint8Array(count), variants: none }
    }
  }
}

/** A column as it is. */
export function toWanted(column: OrcColumn): WantedColumn {
  return { type: column.type, column, convert: null }
}

/** The wanted column of a batch whose own columns were read. */
export function wantedVector(
  { type, column, convert }: WantedColumn,
  read: ReadonlyMap<OrcColumn, OrcVector>,
  rowCount: number,
): OrcVector {
  if (column === null) return nullVector(type, rowCount)
  const vector = read.get(column)!
  return convert === null ? vector : convert(vector, rowCount)
}
