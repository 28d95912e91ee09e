/** The columns of structs, lists, maps and unions while they are read. */
import { ColumnReader, type StripeContext, spread } from './column-reader.ts'
import type { ColumnEncoding } from './stripe-messages.ts'
import type { OrcColumn } from './types.ts'
import type { ListVector, MapVector, OrcVector, StructVector, UnionVector } from './vectors.ts'

/** What a struct takes as a value, at the least. */
const structBytes = 8

abstract class CompoundColumnReader extends ColumnReader {
  protected readonly children: readonly ColumnReader[]

  constructor(
    column: OrcColumn,
    encoding: ColumnEncoding,
    stripe: StripeContext,
    children: readonly ColumnReader[],
  ) {
    super(column, encoding, stripe)
    this.children = children
  }
}

export class StructColumnReader extends CompoundColumnReader {
  protected override readSlots(
    count: number,
    valueCount: number,
    present: Uint8Array | null,
  ): StructVector {
    // A struct without fields has no vectors, but values all the same.
    this.claim(count * structBytes)
    const fields = this.children.map(field => spreadVector(field.read(valueCount), present, count))
    return { kind: 'struct', present, fields }
  }
}

/** list and map. */
export class CollectionColumnReader extends CompoundColumnReader {
  readonly #lengths = this.openIntegers('LENGTH', false)

  protected override readSlots(
    count: number,
    valueCount: number,
    present: Uint8Array | null,
  ): ListVector | MapVector {
    const lengths = this.int32(count)
    this.readLengths(this.#lengths, lengths, valueCount)
    spread(lengths, present, valueCount, 0)
    const offsets = this.int32(count + 1)
    let total = 0
    offsets[0] = 0
    for (let k = 0; k < count; k++) {
      total += lengths[k]!
      offsets[k + 1] = total
    }
    const [first, second] = this.children.map(child => child.read(total))
    return second === undefined
      ? { kind: 'list', present, offsets, elements: first! }
      : { kind: 'map', present, offsets, keys: first!, items: second }
  }
}

export class UnionColumnReader extends CompoundColumnReader {
  readonly #tags = this.openByteRuns('DATA')

  protected override readSlots(
    count: number,
    valueCount: number,
    present: Uint8Array | null,
  ): UnionVector {
    const tags = this.uint8(count)
    this.#tags.read(tags, valueCount)
    const counts = new Int32Array(256)
    for (let k = 0; k < valueCount; k++) counts[tags[k]!]!++
    const unknown = counts.findIndex((found, tag) => found > 0 && tag >= this.children.length)
    if (unknown >= 0) throw this.corrupt(`the union has no variant ${unknown}`)
    spread(tags, present, valueCount, 0)
    const variants = this.children.map((child, tag) => child.read(counts[tag]!))
    return { kind: 'union', present, tags, variants }
  }
}

/** The slots of a field that stand for a struct that is null are null as well. */
function spreadVector(vector: OrcVector, parent: Uint8Array | null, count: number): OrcVector {
  if (parent === null) return vector
  const { present: own } = vector
  const present = Uint8Array.from(parent)
  let taken = 0
  const places = new Int32Array(count)
  for (let slot = 0; slot < count; slot++) {
    if (parent[slot] === 0) continue
    places[slot] = taken
    if (own !== null) present[slot] = own[taken]!
    taken++
  }
  return takeSlots(vector, places, present)
}

type Numbers = Uint8Array | Int32Array | Float64Array | BigInt64Array

/** A vector with the slots at `places`; those that are null may have any place. */
export function takeSlots(
  vector: OrcVector,
  places: Int32Array,
  present: Uint8Array | null,
): OrcVector {
  switch (vector.kind) {
    case 'boolean':
    case 'integer':
    case 'long':
    case 'double':
      return { ...vector, present, values: take(vector.values, places) } as OrcVector
    case 'decimal':
      return {
        ...vector,
        present,
        values: Array.isArray(vector.values)
          ? Array.from(places, place => (vector.values as readonly bigint[])[place] ?? 0n)
          : take(vector.values as Float64Array, places),
      }
    case 'bytes': {
      const { dictionary, ...plain } = vector
      const taken: OrcVector = {
        ...plain,
        present,
        starts: take(vector.starts, places),
        lengths: take(vector.lengths, places),
      }
      if (dictionary === undefined) return taken
      return { ...taken, dictionary: { ...dictionary, ids: take(dictionary.ids, places) } }
    }
    case 'timestamp':
      return {
        ...vector,
        present,
        seconds: take(vector.seconds, places),
        nanos: take(vector.nanos, places),
      }
    case 'struct':
      return {
        ...vector,
        present,
        fields: vector.fields.map(field => {
          return takeSlots(field, places, presentAt(field.present, places, present))
        }),
      }
    case 'list':
    case 'map':
      return { ...vector, present, offsets: takeOffsets(vector.offsets, places, present) }
    case 'union':
      return { ...vector, present, tags: take(vector.tags, places) }
  }
}

function presentAt(
  own: Uint8Array | null,
  places: Int32Array,
  parent: Uint8Array | null,
): Uint8Array | null {
  if (own === null) return parent
  return Uint8Array.from(places, (place, k) => (own[place] ?? 0) & (parent?.[k] ?? 1))
}

function take<T extends Numbers>(values: T, places: Int32Array): T {
  const taken = new (values.constructor as new (length: number) => T)(places.length)
  for (let k = 0; k < places.length; k++) {
    if (values.length > 0) taken[k] = values[places[k]!]! as never
  }
  return taken
}

/** Places ascend and leave no value out, so that the children stay as they are. */
function takeOffsets(
  offsets: Int32Array,
  places: Int32Array,
  present: Uint8Array | null,
): Int32Array {
  const taken = new Int32Array(places.length + 1)
  for (let k = 0; k < places.length; k++) {
    const isNull = present !== null && present[k] === 0
    const length = isNull ? 0 : offsets[places[k]! + 1]! - offsets[places[k]!]!
    taken[k + 1] = taken[k]! + length
  }
  return taken
}
