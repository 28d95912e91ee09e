/** A column of timestamps, of either kind, while it is read. The form is that of `timestamp.ts`. */
import { hybridToProlepticSeconds } from './calendar.ts'
import { ColumnReader, type StripeContext, spread } from './column-reader.ts'
import type { ColumnEncoding } from './stripe-messages.ts'
import { wallClock } from './time-zone.ts'
import { decodeNanos, maxNanos, secondsOfStored } from './timestamp.ts'
import type { OrcColumn } from './types.ts'
import type { TimestampVector } from './vectors.ts'

export class TimestampColumnReader extends ColumnReader {
  readonly #seconds = this.openIntegers('DATA', true)
  readonly #nanos = this.openIntegers('SECONDARY', false)
  /** From seconds since 2015 began at the writer to seconds of the clock on its wall; null in UTC. */
  readonly #toWall: ((stored: number, nanos: number) => number) | null
  #encodedNanos = new Float64Array(0)

  constructor(column: OrcColumn, encoding: ColumnEncoding, stripe: StripeContext) {
    super(column, encoding, stripe)
    // Those with a zone are stored as instants in UTC, whatever the writer's zone is.
    this.#toWall =
      column.type.kind === 'timestamp' ? wallClock(stripe.writerTimezone, column.path) : null
  }

  protected override readSlots(
    count: number,
    valueCount: number,
    present: Uint8Array | null,
  ): TimestampVector {
    const isProleptic = this.stripe.calendar === 'proleptic-gregorian'
    const toWall = this.#toWall
    const seconds = this.float64(count)
    const nanos = this.int32(count)
    if (this.#encodedNanos.length < valueCount) this.#encodedNanos = new Float64Array(valueCount)
    const encoded = this.#encodedNanos
    this.#seconds.readNumbers(seconds, valueCount)
    this.#nanos.readNumbers(encoded, valueCount)
    for (let k = 0; k < valueCount; k++) {
      const fraction = decodeNanos(encoded[k]!)
      if (!(fraction >= 0 && fraction <= maxNanos)) {
        throw this.corrupt(`a timestamp has ${fraction} nanoseconds`)
      }
      nanos[k] = fraction
      if (toWall === null) seconds[k] = secondsOfStored(seconds[k]!, fraction)
      else seconds[k] = toWall(seconds[k]!, fraction)
    }
    if (!isProleptic) {
      for (let k = 0; k < valueCount; k++) seconds[k] = hybridToProlepticSeconds(seconds[k]!)
    }
    spread(seconds, present, valueCount, 0)
    spread(nanos, present, valueCount, 0)
    return { kind: 'timestamp', present, seconds, nanos }
  }
}
