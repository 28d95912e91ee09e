/**
 * What every column does while it is read: it tells which slots are null. The values are the business
 * of the subclasses, one for each family of types.
 */
import { BooleanRunLengthReader } from './boolean-run-length.ts'
import type { ByteInput } from './byte-input.ts'
import { ByteRunLengthReader } from './byte-run-length.ts'
import { corrupt, OrcError } from './errors.ts'
import type { OrcCalendar } from './file-tail.ts'
import { type IntegerEncoding, IntegerReader } from './integer-reader.ts'
import type { ColumnEncoding, StreamKind } from './stripe-messages.ts'
import type { OrcColumn } from './types.ts'
import type { OrcVector } from './vectors.ts'

/** What a column needs to know of its stripe. */
export interface StripeContext {
  readonly calendar: OrcCalendar
  readonly writerTimezone: string
  /** The most values, or bytes, that one read of one column may decode to. */
  readonly maxBatchBytes: number
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
    const present = new Uint8Array(count)
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

  /**
   * The next `count` lengths in an array of `size`, and their sum; `unitBytes` is what one unit of length
   * takes in memory. Refuses what they would make the reader hold.
   */
  protected readLengths(
    lengths: IntegerReader,
    count: number,
    size: number,
    unitBytes: number,
  ): { lengths: Int32Array; total: number } {
    const read = new Int32Array(size)
    lengths.readInt32(read, count, length =>
      length < 0
        ? this.corrupt(`a length is ${length}`)
        : this.#limitExceeded(Number(length) * unitBytes),
    )
    let total = 0
    for (let k = 0; k < count; k++) {
      const length = read[k]!
      if (length < 0) throw this.corrupt(`a length is ${length}`)
      total += length
    }
    this.requireWithinLimit(total * unitBytes)
    return { lengths: read, total }
  }

  protected requireWithinLimit(bytes: number): void {
    if (bytes > this.stripe.maxBatchBytes) throw this.#limitExceeded(bytes)
  }

  #limitExceeded(bytes: number): OrcError {
    const { maxBatchBytes } = this.stripe
    const message = `a batch of rows takes ${bytes} bytes; the limit is ${maxBatchBytes}`
    return new OrcError('limit-exceeded', message, `column ${this.column.path}`)
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
