/** One decoded run of integers, of either run-length encoding. */
import { maxRunLength } from './run-header.ts'

/** The values are in `wide` when one of them may not be safe in a number, else in `narrow`. */
export class IntegerRun {
  readonly narrow = new Float64Array(maxRunLength)
  wide: BigInt64Array | null = null
  length = 0

  setWide(values: BigInt64Array): void {
    this.wide = values
    this.length = values.length
  }

  setNarrow(length: number): void {
    this.wide = null
    this.length = length
  }
}
