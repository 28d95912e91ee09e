/**
 * Reads a stream of integers, whichever of the two run-length encodings it has: decodes one run at a
 * time and hands its values out in the amounts that are asked for.
 */
import type { ByteInput } from './byte-input.ts'
import { corrupt } from './errors.ts'
import { decodeRunLengthV1 } from './run-length-v1-reader.ts'
import { decodeRunLengthV2 } from './run-length-v2-reader.ts'
import { toInteger } from './zigzag.ts'

const maxRunLength = 512

/** One decoded run: in `wide` when a value may not be safe in a number, else in `narrow`. */
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

export type IntegerEncoding = 'run-length-v1' | 'run-length-v2'

const decoders = { 'run-length-v1': decodeRunLengthV1, 'run-length-v2': decodeRunLengthV2 }

export class IntegerReader {
  readonly #input: ByteInput
  readonly #isSigned: boolean
  readonly #decode: (input: ByteInput, isSigned: boolean, run: IntegerRun) => void
  readonly #run = new IntegerRun()
  #used = 0
  #numbers = new Float64Array(0)

  constructor(input: ByteInput, encoding: IntegerEncoding, isSigned: boolean) {
    this.#input = input
    this.#isSigned = isSigned
    this.#decode = decoders[encoding]
  }

  /**
   * The next `count` integers; the array is valid until the next call. For streams whose integers
   * are safe by meaning (lengths, seconds, indexes): others are a corrupt file.
   */
  readNumbers(count: number): Float64Array {
    if (this.#numbers.length < count) this.#numbers = new Float64Array(count)
    const target = this.#numbers
    const run = this.#run
    let at = 0
    while (at < count) {
      this.#openRun()
      const taken = Math.min(run.length - this.#used, count - at)
      for (let k = 0; k < taken; k++) target[at + k] = run.narrow[this.#used + k]!
      if (run.wide !== null) this.#narrowInto(target, at, taken)
      this.#used += taken
      at += taken
    }
    return target.subarray(0, count)
  }

  /** The next `count` integers, each a number when it is safe, else a bigint. */
  readIntegers(count: number): (number | bigint)[] {
    const target: (number | bigint)[] = new Array(count)
    const run = this.#run
    let at = 0
    while (at < count) {
      this.#openRun()
      const taken = Math.min(run.length - this.#used, count - at)
      if (run.wide === null) {
        for (let k = 0; k < taken; k++) target[at + k] = run.narrow[this.#used + k]!
      } else {
        for (let k = 0; k < taken; k++) target[at + k] = toInteger(run.wide[this.#used + k]!)
      }
      this.#used += taken
      at += taken
    }
    return target
  }

  #openRun(): void {
    if (this.#used < this.#run.length) return
    this.#decode(this.#input, this.#isSigned, this.#run)
    this.#used = 0
  }

  #narrowInto(target: Float64Array, at: number, count: number): void {
    for (let k = 0; k < count; k++) {
      const value = toInteger(this.#run.wide![this.#used + k]!)
      if (typeof value === 'bigint') {
        throw corrupt(`the integer ${value} is out of range`, this.#input.where)
      }
      target[at + k] = value
    }
  }
}
