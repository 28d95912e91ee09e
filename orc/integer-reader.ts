/**
 * Reads a stream of integers, whichever of the two run-length encodings it has: decodes one run at
 * a time and hands its values out in the amounts that are asked for.
 */
import { emptyArray } from './arrays.ts'
import type { ByteInput } from './byte-input.ts'
import { corrupt } from './errors.ts'
import { IntegerRun } from './integer-run.ts'
import { decodeRunLengthV1 } from './run-length-v1-reader.ts'
import { decodeRunLengthV2 } from './run-length-v2-reader.ts'
import { toInteger } from './zigzag.ts'

export type IntegerEncoding = 'run-length-v1' | 'run-length-v2'

const decoders = { 'run-length-v1': decodeRunLengthV1, 'run-length-v2': decodeRunLengthV2 }

export class IntegerReader {
  readonly #input: ByteInput
  readonly #isSigned: boolean
  readonly #decode: (input: ByteInput, isSigned: boolean, run: IntegerRun) => void
  /** Made for the first run: a file can name many columns that have none. */
  #run: IntegerRun | null = null
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
    let at = 0
    while (at < count) {
      const run = this.#openRun()
      const taken = Math.min(run.length - this.#used, count - at)
      if (run.wide === null) {
        for (let k = 0; k < taken; k++) target[at + k] = run.narrow[this.#used + k]!
      } else {
        for (let k = 0; k < taken; k++) target[at + k] = this.#narrowed(run.wide[this.#used + k]!)
      }
      this.#used += taken
      at += taken
    }
    return target.subarray(0, count)
  }

  /** The next `count` integers, each a number when it is safe, else a bigint. */
  readIntegers(count: number): (number | bigint)[] {
    const target = emptyArray<number | bigint>(count)
    let at = 0
    while (at < count) {
      const run = this.#openRun()
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

  #openRun(): IntegerRun {
    this.#run ??= new IntegerRun()
    if (this.#used === this.#run.length) {
      this.#decode(this.#input, this.#isSigned, this.#run)
      this.#used = 0
    }
    return this.#run
  }

  #narrowed(value: bigint): number {
    const integer = toInteger(value)
    if (typeof integer === 'number') return integer
    throw corrupt(`the integer ${integer} is out of range`, this.#input.where)
  }
}
