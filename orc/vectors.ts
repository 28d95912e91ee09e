/**
 * A batch of rows as columns: what the writer takes and the reader gives without an object for each
 * row. Every vector has a slot for each row, nulls included; what stands in the slot of a null does
 * not matter. `present` has 1 for a value and 0 for a null, and is null where all slots are values.
 *
 *     present: Uint8Array.of(1, 0, 1), values: Float64Array.of(7, 0, 9)        7, null, 9
 */
import type { OrcType } from './types.ts'

interface Slots {
  readonly present: Uint8Array | null
}

/** 0 or 1. */
export interface BooleanVector extends Slots {
  readonly kind: 'boolean'
  readonly values: Uint8Array
}

/** byte, short, int; and date in days since 1970-01-01, proleptic Gregorian. */
export interface IntegerVector extends Slots {
  readonly kind: 'integer'
  readonly values: Int32Array
}

/** long: numbers where all of them are safe integers. */
export interface LongVector extends Slots {
  readonly kind: 'long'
  readonly values: Float64Array | BigInt64Array
}

/** float and double. */
export interface DoubleVector extends Slots {
  readonly kind: 'double'
  readonly values: Float64Array
}

/** The unscaled integers at the column's scale; bigints where one of them needs more than an int64. */
export interface DecimalVector extends Slots {
  readonly kind: 'decimal'
  readonly values: Float64Array | BigInt64Array | readonly bigint[]
}

/**
 * string, varchar, char (UTF-8) and binary: slot k is `lengths[k]` bytes from `starts[k]` on. Values may
 * share bytes, as those of a dictionary do.
 */
export interface BytesVector extends Slots {
  readonly kind: 'bytes'
  readonly bytes: Uint8Array
  readonly starts: Int32Array
  readonly lengths: Int32Array
  /** Which entry of a dictionary each slot has, where the reader found one. */
  readonly dictionary?: { readonly ids: Int32Array; readonly entries: DictionaryEntries }
}

export interface DictionaryEntries {
  readonly size: number
  /** The entries as texts, decoded once. */
  texts(): readonly string[]
}

/** timestamp and timestamp_instant: seconds since 1970-01-01 00:00:00, rounded down, and nanoseconds. */
export interface TimestampVector extends Slots {
  readonly kind: 'timestamp'
  readonly seconds: Float64Array
  readonly nanos: Int32Array
}

/** list: slot k has the elements from `offsets[k]` to `offsets[k + 1]`; a null has none. */
export interface ListVector extends Slots {
  readonly kind: 'list'
  readonly offsets: Int32Array
  readonly elements: OrcVector
}

/** map: as a list, of keys and of values. */
export interface MapVector extends Slots {
  readonly kind: 'map'
  readonly offsets: Int32Array
  readonly keys: OrcVector
  readonly items: OrcVector
}

/** struct: a slot for each slot of the struct in every field, whether the struct is null or not. */
export interface StructVector extends Slots {
  readonly kind: 'struct'
  readonly fields: readonly OrcVector[]
}

/**
 * union: slot k is a value of the variant `tags[k]`, and stands there behind the values of the slots before
 * that have the same tag; nulls stand nowhere.
 */
export interface UnionVector extends Slots {
  readonly kind: 'union'
  readonly tags: Uint8Array
  readonly variants: readonly OrcVector[]
}

export type OrcVector =
  | BooleanVector
  | IntegerVector
  | LongVector
  | DoubleVector
  | DecimalVector
  | BytesVector
  | TimestampVector
  | ListVector
  | MapVector
  | StructVector
  | UnionVector

export interface OrcBatch {
  readonly rowCount: number
  readonly columns: readonly OrcVector[]
}

/** The kind of vector that a type has. */
export function vectorKindOf(type: OrcType): OrcVector['kind'] {
  switch (type.kind) {
    case 'byte':
    case 'short':
    case 'int':
    case 'date':
      return 'integer'
    case 'float':
      return 'double'
    case 'string':
    case 'varchar':
    case 'char':
    case 'binary':
      return 'bytes'
    case 'timestamp_instant':
      return 'timestamp'
    default:
      return type.kind
  }
}
