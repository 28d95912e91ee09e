/**
 * What every column does while it is read: it tells which slots are null. The values are the business
 * of the subclasses, one for each family of types.
 */
import type { BatchMemory } from './batch-memory.ts'
import { BooleanRunLengthReader } from './boolean-run-length.ts'
import type { ByteInput } from './byte-input.ts'
import { ByteRunLengthReader } from './byte-run-length.ts'
import { corrupt, type OrcError } from './errors.ts'
import type { OrcCalendar } from './file-tail.ts'
import { type IntegerEncoding, IntegerReader } from './integer-reader.ts'
import type { ColumnEncoding, StreamKind } from './stripe-messages.ts'
import type { OrcColumn } from './types.ts'
import type { OrcVector } from './vectors.ts'

/** What a column needs to know of its stripe. */
export interface StripeContext {
  readonly calendar: OrcCalendar
  readonly writerTimezone: string
  /** What vectors are made of. */
  readonly memory: BatchMemory
  /**
   * The bytes of a stream from where reading begins, and what is to be skipped in its first run;
   * none for a stream that the stripe does not list.
   */
  openStream(column: OrcColumn, kind: StreamKind): OpenStream
  hasStream(column: OrcColumn, kind: StreamKind): boolean
}

export interface OpenStream {
  readonly input: ByteInput
  readonly skips: readonly number[]
}

export abstract class ColumnReader {
  protected readonly column: OrcColumn
  protected readonly stripe: StripeContext
  protected readonly encoding: ColumnEncoding
  readonly #present: BooleanRunLengthReader | null

  constructor(column: OrcColumn, encoding: ColumnEncoding, stripe: StripeContext) {
    this.column = column
    this.stripe = stripe
    this.encoding = encoding
    this.#present = stripe.hasStream(column, 'PRESENT') ? this.openBits('PRESENT') : null
  }

  /** The next `count` slots. */
  read(count: number): OrcVector {
    if (this.#present === null) return this.readSlots(count, count, null)
    const present = this.uint8(count)
    const valueCount = this.#present.read(present, count)
    return this.readSlots(count, valueCount, valueCount === count ? null : present)
  }

  /** The next `valueCount` values, spread over `count` slots. */
  protected abstract readSlots(
    count: number,
    valueCount: number,
    present: Uint8Array | null,
  ): OrcVector

  protected openBytes(kind: StreamKind): ByteInput {
    return this.stripe.openStream(this.column, kind).input
  }

  protected openBits(kind: StreamKind): BooleanRunLengthReader {
    const { input, skips } = this.stripe.openStream(this.column, kind)
    const reader = new BooleanRunLengthReader(input)
    const [byteCount = 0, bitCount = 0] = skips
    if (bitCount > 8) throw this.corrupt(`a row group starts at bit ${bitCount} of a byte`)
    reader.skip(byteCount, bitCount)
    return reader
  }

  protected openByteRuns(kind: StreamKind): ByteRunLengthReader {
    const { input, skips } = this.stripe.openStream(this.column, kind)
    const reader = new ByteRunLengthReader(input)
    if (skips.length > 0) reader.skip(skips[0]!)
    return reader
  }

  protected openIntegers(kind: StreamKind, isSigned: boolean): IntegerReader {
    const encoding: IntegerEncoding = this.encoding.kind.endsWith('_V2')
      ? 'run-length-v2'
      : 'run-length-v1'
    const { input, skips } = this.stripe.openStream(this.column, kind)
    const reader = new IntegerReader(input, encoding, isSigned)
    if (skips.length > 0) reader.skip(skips[0]!)
    return reader
  }

  /** The next `count` lengths. */
  protected readLengths(source: IntegerReader, target: Int32Array, count: number): void {
    source.readInt32(target, count, length => {
      // What is too long for an int32 is for every limit.
      if (length > 0) this.claim(Number(length))
      return this.corrupt(`a length is ${length}`)
    })
  }

  /** Arrays for the vectors of this batch; what is in them is left over from others. */
  protected float64(count: number): Float64Array {
    return this.stripe.memory.float64(count, this.column)
  }

  protected int32(count: number): Int32Array {
    return this.stripe.memory.int32(count, this.column)
  }

  protected uint8(count: number): Uint8Array {
    return this.stripe.memory.uint8(count, this.column)
  }

  /** Throws `limit-exceeded` where so many bytes more are too many for a batch. */
  protected claim(bytes: number): void {
    this.stripe.memory.claim(bytes, this.column)
  }

  protected corrupt(message: string): OrcError {
    return corrupt(message, `column ${this.column.path}`)
  }
}

/** Moves the first values of an array to the slots that are not null; the other slots become `empty`. */
export function spread<T>(
  values: { [index: number]: T },
  present: Uint8Array | null,
  valueCount: number,
  empty: T,
): void {
  if (present === null) return
  if (values instanceof Float64Array) {
    spreadDoubles(values, present, valueCount)
    return
  }
  if (values instanceof Int32Array) {
    spreadIntegers(values, present, valueCount)
    return
  }
  let taken = valueCount
  // From the end: a value never moves to a slot before its own.
  for (let slot = present.length - 1; slot >= 0; slot--) {
    values[slot] = present[slot] === 1 ? values[--taken]! : empty
  }
}

/** These two are `spread` for one kind of array each: a loop that meets several takes five times as long. */
function spreadDoubles(values: Float64Array, present: Uint8Array, valueCount: number): void {
  let taken = valueCount
  for (let slot = present.length - 1; slot >= 0; slot--) {
    values[slot] = present[slot] === 1 ? values[--taken]! : 0
  }
}

function spreadIntegers(values: Int32Array, present: Uint8Array, valueCount: number): void {
  let taken = valueCount
  for (let slot = present.length - 1; slot >= 0; slot--) {
    values[slot] = present[slot] === 1 ? values[--taken]! : 0
  }
}
