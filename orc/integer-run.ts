/** One decoded run of integers, of either run-length encoding. */
import { maxRunLength } from './run-header.ts'

/** The values are in the array that has the name of the form. */
export class IntegerRun {
  form: 'small' | 'narrow' | 'wide' = 'small'
  /** None of an unsigned stream is negative. */
  readonly small = new Int32Array(maxRunLength)
  /** Where one of them may be no int32. */
  readonly narrow = new Float64Array(maxRunLength)
  /** Where one of them may not be safe in a number. */
  wide: BigInt64Array = new BigInt64Array(0)
  length = 0

  setSmall(length: number): void {
    this.form = 'small'
    this.length = length
  }

  setNarrow(length: number): void {
    this.form = 'narrow'
    this.length = length
  }

  setWide(values: BigInt64Array): void {
    this.form = 'wide'
    this.wide = values
    this.length = values.length
  }
}
