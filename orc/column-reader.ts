/**
 * What every column does while it is read: it puts the nulls among the values. The values are the
 * business of the subclasses, one for each family of types.
 */
import { emptyArray } from './arrays.ts'
import { BooleanRunLengthReader } from './boolean-run-length.ts'
import type { ByteInput } from './byte-input.ts'
import { corrupt, OrcError } from './errors.ts'
import type { OrcCalendar } from './file-tail.ts'
import { type IntegerEncoding, IntegerReader } from './integer-reader.ts'
import type { ColumnEncoding, StreamKind } from './stripe-messages.ts'
import type { OrcColumn, OrcValue, TimestampUnit } from './types.ts'

/** What a column needs to know of its stripe. */
export interface StripeContext {
  readonly calendar: OrcCalendar
  readonly writerTimezone: string
  readonly timestampUnit: TimestampUnit
  /** The most values, or bytes, that one read of one column may decode to. */
  readonly maxBatchBytes: number
  /** The bytes of a stream; none for a stream that the stripe does not list. */
  openStream(column: OrcColumn, kind: StreamKind): ByteInput
  hasStream(column: OrcColumn, kind: StreamKind): boolean
}

export abstract class ColumnReader {
  protected readonly column: OrcColumn
  protected readonly stripe: StripeContext
  protected readonly encoding: ColumnEncoding
  readonly #present: BooleanRunLengthReader | null
  #presence = new Uint8Array(0)

  constructor(column: OrcColumn, encoding: ColumnEncoding, stripe: StripeContext) {
    this.column = column
    this.stripe = stripe
    this.encoding = encoding
    this.#present = stripe.hasStream(column, 'PRESENT')
      ? new BooleanRunLengthReader(stripe.openStream(column, 'PRESENT'))
      : null
  }

  /** The next `count` values, nulls among them. */
  read(count: number): OrcValue[] {
    if (this.#present === null) return this.readValues(count)
    if (this.#presence.length < count) this.#presence = new Uint8Array(count)
    const presence = this.#presence
    const valueCount = this.#present.read(presence, count)
    const values = this.readValues(valueCount)
    if (valueCount === count) return values
    const slots = emptyArray<OrcValue>(count)
    let taken = 0
    for (let slot = 0; slot < count; slot++) {
      slots[slot] = presence[slot] === 1 ? values[taken++]! : null
    }
    return slots
  }

  /** The next `count` values that are not null. */
  protected abstract readValues(count: number): OrcValue[]

  protected openStream(kind: StreamKind): ByteInput {
    return this.stripe.openStream(this.column, kind)
  }

  protected openIntegers(kind: StreamKind, isSigned: boolean): IntegerReader {
    const encoding: IntegerEncoding = this.encoding.kind.endsWith('_V2')
      ? 'run-length-v2'
      : 'run-length-v1'
    return new IntegerReader(this.openStream(kind), encoding, isSigned)
  }

  /**
   * The next `count` lengths, and their sum; `unitBytes` is what one unit of length takes in
   * memory. Refuses what they would make the reader hold.
   */
  protected readLengths(
    lengths: IntegerReader,
    count: number,
    unitBytes: number,
  ): { lengths: Float64Array; total: number } {
    const read = lengths.readNumbers(count)
    let total = 0
    for (const length of read) {
      if (length < 0) throw this.corrupt(`a length is ${length}`)
      total += length
    }
    this.requireWithinLimit(total * unitBytes)
    return { lengths: read, total }
  }

  protected requireWithinLimit(bytes: number): void {
    const { maxBatchBytes } = this.stripe
    if (bytes <= maxBatchBytes) return
    const message = `a batch of rows takes ${bytes} bytes; the limit is ${maxBatchBytes}`
    throw new OrcError('limit-exceeded', message, `column ${this.column.path}`)
  }

  protected corrupt(message: string): OrcError {
    return corrupt(message, `column ${this.column.path}`)
  }
}
