/**
 * A column of timestamps, of either kind, while it is written. The form is that of `timestamp.ts`.
 */
import type { BloomFilter } from './bloom-filter.ts'
import { ColumnWriter, type FinishedStream, integerPosition } from './column-writer.ts'
import { hashOfInteger } from './hashes.ts'
import { IntegerBuffer } from './integer-buffer.ts'
import type { StatisticsDetails } from './statistics.ts'
import { encodeNanos, secondsOfStored, storedSeconds } from './timestamp.ts'
import type { OrcValue } from './types.ts'
import type { TimestampVector } from './vectors.ts'
import { maxInt64, minInt64 } from './zigzag.ts'

const nanosPerSecond = 1_000_000_000n

export class TimestampColumnWriter extends ColumnWriter {
  readonly #data = this.createStream()
  readonly #nanoData = this.createStream()
  /** As they are stored. */
  readonly #seconds = new IntegerBuffer()
  readonly #nanos = new IntegerBuffer()

  protected override appendValue(value: NonNullable<OrcValue>): void {
    if (typeof value === 'bigint') this.#appendBig(value)
    else if (typeof value === 'number' && Number.isSafeInteger(value)) this.#appendNumber(value)
    else this.reject(value, `an integer of ${this.context.timestampUnit}`)
  }

  #appendNumber(value: number): void {
    if (this.context.timestampUnit === 'nanos') {
      this.#appendBig(BigInt(value))
      return
    }
    // Safe integers are too few for the quotient to be rounded up to the next whole second.
    const seconds = Math.floor(value / 1e6)
    const micros = value - seconds * 1e6
    this.#store(seconds, micros * 1000)
  }

  #appendBig(value: bigint): void {
    const isMicros = this.context.timestampUnit === 'micros'
    if (isMicros && (value < minInt64 || value > maxInt64)) this.reject(value, 'an int64')
    const all = isMicros ? value * 1000n : value
    const nanos = ((all % nanosPerSecond) + nanosPerSecond) % nanosPerSecond
    const seconds = (all - nanos) / nanosPerSecond
    if (all / 1000n > maxInt64 || all / 1000n < minInt64) this.reject(value, 'within 292,000 years')
    this.#store(Number(seconds), Number(nanos))
  }

  protected override appendVector(
    vector: TimestampVector,
    from: number,
    to: number,
    present: Uint8Array | null,
  ): void {
    for (let k = from; k < to; k++) {
      if (present === null || present[k] === 1) this.#store(vector.seconds[k]!, vector.nanos[k]!)
    }
  }

  #store(seconds: number, nanos: number): void {
    this.#seconds.push(storedSeconds(seconds, nanos))
    this.#nanos.push(nanos)
  }

  protected override removeLastValue(): void {
    this.#seconds.truncate(this.#seconds.length - 1)
    this.#nanos.truncate(this.#nanos.length - 1)
  }

  protected override addHashes(filter: BloomFilter): void {
    for (let k = 0; k < this.#seconds.length; k++) {
      const nanos = this.#nanos.narrow[k]!
      const seconds = secondsOfStored(this.#seconds.narrow[k]!, nanos)
      const millis = seconds * 1000 + Math.floor(nanos / 1e6)
      const isSafe = Number.isSafeInteger(millis)
      const exact = isSafe ? millis : BigInt(seconds) * 1000n + BigInt(Math.floor(nanos / 1e6))
      filter.add(hashOfInteger(exact))
    }
  }

  /** Of the times as they will be read: see the scar in `timestamp.ts`. */
  protected override summarize(): StatisticsDetails {
    const seconds = this.#seconds.narrow
    const nanos = this.#nanos.narrow
    let leastSeconds = Number.POSITIVE_INFINITY
    let leastNanos = 0
    let greatestSeconds = Number.NEGATIVE_INFINITY
    let greatestNanos = 0
    for (let k = 0; k < this.#seconds.length; k++) {
      const fraction = nanos[k]!
      const second = secondsOfStored(seconds[k]!, fraction)
      if (second < leastSeconds || (second === leastSeconds && fraction < leastNanos)) {
        leastSeconds = second
        leastNanos = fraction
      }
      if (second > greatestSeconds || (second === greatestSeconds && fraction > greatestNanos)) {
        greatestSeconds = second
        greatestNanos = fraction
      }
    }
    return {
      kind: 'timestamp',
      minimum: BigInt(leastSeconds) * nanosPerSecond + BigInt(leastNanos),
      maximum: BigInt(greatestSeconds) * nanosPerSecond + BigInt(greatestNanos),
    }
  }

  protected override positions(): number[] {
    return [...integerPosition(this.#data), ...integerPosition(this.#nanoData)]
  }

  protected override encodeGroup(): void {
    const nanos = this.#nanos.narrow
    for (let k = 0; k < this.#nanos.length; k++) nanos[k] = encodeNanos(nanos[k]!)
    this.writeIntegers(this.#seconds, true, this.#data)
    this.writeIntegers(this.#nanos, false, this.#nanoData)
    this.#seconds.clear()
    this.#nanos.clear()
  }

  protected override finishStreams(): FinishedStream[] {
    return [
      { kind: 'DATA', pieces: this.#data.finish() },
      { kind: 'SECONDARY', pieces: this.#nanoData.finish() },
    ]
  }

  protected override ownHeldBytes(): number {
    return this.#data.sizeBytes + this.#nanoData.sizeBytes
  }
}
