/**
 * The integers of a column until its row group is encoded: numbers while all of them are narrow
 * (see `zigzag.ts`), int64 bigints from the first one that is not.
 */
import { doubled } from './arrays.ts'
import { maxNarrow } from './zigzag.ts'

export class IntegerBuffer {
  /** The first `length` are the values, unless `wide` holds them. */
  narrow = new Float64Array(1024)
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
