/**
 * The integers of a column until its row group is encoded: numbers while all of them are narrow
 * (see `zigzag.ts`), int64 bigints from the first one that is not.
 */
import { doubled } from './arrays.ts'
import { maxNarrow } from './zigzag.ts'

export class IntegerBuffer {
  /** The first `length` are the values, unless `wide` holds them. */
  narrow = new Float64Array(64)
  wide: BigInt64Array | null = null
  length = 0

  push(value: number): void {
    if (value > maxNarrow || value < -maxNarrow || this.wide !== null) {
      this.pushWide(BigInt(value))
      return
    }
    if (this.length === this.narrow.length) this.narrow = doubled(this.narrow)
    this.narrow[this.length++] = value
  }

  /** Integers of which each is an int32, or a safe integer. Those of slots that are null are left out. */
  pushNumbers(
    values: Int32Array | Float64Array,
    from: number,
    to: number,
    present: Uint8Array | null,
  ): void {
    this.#reserve(to - from)
    if (this.wide === null && present === null && values instanceof Int32Array) {
      this.narrow.set(values.subarray(from, to), this.length)
      this.length += to - from
      return
    }
    const { narrow } = this
    let { length } = this
    let k = from
    for (; k < to && this.wide === null; k++) {
      if (present !== null && present[k] === 0) continue
      const value = values[k]!
      if (value > maxNarrow || value < -maxNarrow) break
      narrow[length++] = value
    }
    this.length = length
    for (; k < to; k++) if (present === null || present[k] === 1) this.push(values[k]!)
  }

  #reserve(count: number): void {
    if (this.wide !== null) return
    while (this.length + count > this.narrow.length) this.narrow = doubled(this.narrow)
  }

  /** `value` is an int64. */
  pushWide(value: bigint): void {
    this.wide ??= BigInt64Array.from(this.narrow, BigInt)
    if (this.length === this.wide.length) this.wide = doubled(this.wide)
    this.wide[this.length++] = value
  }

  /** Keeps the first `length` values. */
  truncate(length: number): void {
    this.length = length
  }

  clear(): void {
    this.length = 0
    this.wide = null
  }
}
