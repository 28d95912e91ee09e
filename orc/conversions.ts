/**
 * Values of one type as those of another, where none is guessed: numbers to wider and narrower ones,
 * to decimals and to text, decimals to others, text to text, dates to timestamps and to text. A value
 * that the other type cannot have becomes null, as in Hive. Text is not parsed.
 */
import { formatDecimal } from './decimal.ts'
import { fitText } from './text-length.ts'
import { textsOf } from './texts.ts'
import type { OrcType } from './types.ts'
import type {
  BytesVector,
  DecimalVector,
  DictionaryEntries,
  IntegerVector,
  LongVector,
  OrcVector,
} from './vectors.ts'
import { maxInt64, minInt64 } from './zigzag.ts'

type Conversion = (vector: OrcVector) => OrcVector

const integerBits: Readonly<Record<string, number>> = { byte: 8, short: 16, int: 32, long: 64 }

const texts: readonly string[] = ['string', 'varchar', 'char']

/** Null where nothing is to be done, undefined where one does not become the other. */
export function convertScalar(from: OrcType, to: OrcType): Conversion | null | undefined {
  const isInteger = from.kind in integerBits || from.kind === 'boolean'
  if (texts.includes(from.kind) && texts.includes(to.kind)) return textConversion(from, to)
  if (from.kind === 'decimal' && to.kind === 'decimal') {
    if (from.scale === to.scale && from.precision <= to.precision) return null
    return vector => toDecimal(integersOf(vector), from.scale, to)
  }
  if (from.kind === to.kind) return null
  if (isInteger && to.kind in integerBits) {
    const isWider = from.kind !== 'boolean' && integerBits[from.kind]! < integerBits[to.kind]!
    if (isWider && to.kind !== 'long') return null
    return vector => toInteger(vector, integerBits[to.kind]!)
  }
  if (isInteger && isFloat(to)) return vector => toDouble(integersOf(vector), 0, to)
  if (isInteger && to.kind === 'decimal') return vector => toDecimal(integersOf(vector), 0, to)
  if (isInteger && texts.includes(to.kind)) {
    const isBoolean = from.kind === 'boolean'
    return vector =>
      toText(integersOf(vector), to, value =>
        isBoolean ? (value ? 'TRUE' : 'FALSE') : String(value),
      )
  }
  if (isFloat(from) && isFloat(to)) {
    return to.kind === 'double' ? null : vector => toDouble(integersOf(vector), 0, to)
  }
  if (from.kind === 'decimal' && isFloat(to)) {
    return vector => toDouble(integersOf(vector), from.scale, to)
  }
  if (from.kind === 'decimal' && texts.includes(to.kind)) {
    return vector => toText(integersOf(vector), to, value => formatDecimal(value, from.scale))
  }
  if (from.kind === 'date' && to.kind === 'timestamp') return dateToTimestamp
  if (from.kind === 'date' && texts.includes(to.kind)) {
    return vector => toText(integersOf(vector), to, dayText)
  }
  return undefined
}

function isFloat({ kind }: OrcType): boolean {
  return kind === 'float' || kind === 'double'
}

interface Integers {
  readonly present: Uint8Array | null
  readonly values: ArrayLike<number | bigint>
}

function integersOf(vector: OrcVector): Integers {
  return vector as unknown as Integers
}

/** A copy that can be changed. */
function presentOf({ present, values }: Integers): Uint8Array {
  return present === null ? new Uint8Array(values.length).fill(1) : Uint8Array.from(present)
}

function toInteger(vector: OrcVector, bits: number): IntegerVector | LongVector {
  const { values, present } = integersOf(vector)
  if (bits === 64) return { kind: 'long', present, values: Float64Array.from(values, Number) }
  const kept = presentOf({ values, present })
  const narrow = new Int32Array(values.length)
  const limit = 2 ** (bits - 1)
  for (let k = 0; k < values.length; k++) {
    const value = values[k]!
    if (value >= -limit && value < limit) narrow[k] = Number(value)
    else kept[k] = 0
  }
  return { kind: 'integer', present: kept, values: narrow }
}

function toDouble({ values, present }: Integers, scale: number, to: OrcType): OrcVector {
  const isFloat = to.kind === 'float'
  const numbers = Float64Array.from(values, value => {
    // The nearest number to all of its digits, which dividing is not.
    const number = scale === 0 ? Number(value) : Number(formatDecimal(value, scale))
    return isFloat ? Math.fround(number) : number
  })
  return { kind: 'double', present, values: numbers }
}

function toDecimal(
  integers: Integers,
  scale: number,
  to: { readonly precision: number; readonly scale: number },
): DecimalVector {
  const present = presentOf(integers)
  const limit = 10n ** BigInt(to.precision)
  const up = 10n ** BigInt(Math.max(0, to.scale - scale))
  const down = 10n ** BigInt(Math.max(0, scale - to.scale))
  const values = Array.from(integers.values, (value, k) => {
    const unscaled = BigInt(value) * up
    const half = unscaled < 0n ? -down / 2n : down / 2n
    const rounded = down === 1n ? unscaled : (unscaled + half) / down
    if (rounded < limit && rounded > -limit) return rounded
    present[k] = 0
    return 0n
  })
  const areLongs = values.every(value => value >= minInt64 && value <= maxInt64)
  return { kind: 'decimal', present, values: areLongs ? BigInt64Array.from(values) : values }
}

function textConversion(from: OrcType, to: OrcType): Conversion | null {
  const isShorter = 'length' in to && !('length' in from && from.length <= to.length)
  if (!isShorter) return null
  // Values of char are read without their padding.
  const cut = { kind: 'varchar', length: (to as { length: number }).length } as const
  const cutTexts = (found: readonly string[]): string[] => found.map(text => fitText(cut, text))
  const known = new WeakMap<DictionaryEntries, BytesVector>()
  return vector => {
    const { bytes, starts, lengths, present, dictionary } = vector as BytesVector
    if (dictionary === undefined) {
      return bytesOf(cutTexts(textsOf(bytes, starts, lengths, present)), present)
    }
    // Once for all batches: the entries may be many more than the rows of one.
    const { ids, entries } = dictionary
    const own = known.get(entries) ?? bytesOf(cutTexts(entries.texts()), null)
    known.set(entries, own)
    return {
      kind: 'bytes',
      present,
      bytes: own.bytes,
      starts: ids.map(id => own.starts[id] ?? 0),
      lengths: ids.map(id => own.lengths[id] ?? 0),
    }
  }
}

function toText(
  { values, present }: Integers,
  to: OrcType,
  textOf: (value: number | bigint) => string | null,
): BytesVector {
  const kept = presentOf({ values, present })
  const limit = 'length' in to ? to.length : Number.POSITIVE_INFINITY
  const found = Array.from(values, (value, k) => {
    const text = kept[k] === 1 ? textOf(value) : ''
    // Digits that are cut off would make another number.
    if (text === null || text.length > limit) kept[k] = 0
    return text ?? ''
  })
  return bytesOf(found, kept)
}

function bytesOf(found: readonly string[], present: Uint8Array | null): BytesVector {
  const pieces = found.map(text => Buffer.from(text))
  const starts = new Int32Array(found.length)
  const lengths = Int32Array.from(pieces, piece => piece.length)
  for (let k = 1; k < found.length; k++) starts[k] = starts[k - 1]! + lengths[k - 1]!
  return { kind: 'bytes', present, bytes: Buffer.concat(pieces), starts, lengths }
}

function dateToTimestamp(vector: OrcVector): OrcVector {
  const { values, present } = vector as IntegerVector
  const seconds = Float64Array.from(values, day => day * 86_400)
  return { kind: 'timestamp', present, seconds, nanos: new Int32Array(values.length) }
}

/** `YYYY-MM-DD`; years beyond 9999 have more digits, and those beyond 275,000 none. */
function dayText(day: number | bigint): string | null {
  const date = new Date(Number(day) * 86_400_000)
  if (Number.isNaN(date.getTime())) return null
  const text = date.toISOString()
  return text.slice(0, text.indexOf('T')).replace(/^\+0*(?=\d{5})/, '')
}
