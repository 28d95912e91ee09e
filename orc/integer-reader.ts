/**
 * Reads a stream of integers, whichever of the two run-length encodings it has: decodes one run at
 * a time and hands its values out in the amounts that are asked for.
 */
import type { ByteInput } from './byte-input.ts'
import { corrupt } from './errors.ts'
import { IntegerRun } from './integer-run.ts'
import { decodeRunLengthV1 } from './run-length-v1-reader.ts'
import { decodeRunLengthV2 } from './run-length-v2-reader.ts'
import { toInteger } from './zigzag.ts'

export type IntegerEncoding = 'run-length-v1' | 'run-length-v2'

const decoders = { 'run-length-v1': decodeRunLengthV1, 'run-length-v2': decodeRunLengthV2 }

/** Copies of more values than this are the engine's. */
const maxLooped = 16

export class IntegerReader {
  readonly #input: ByteInput
  readonly #isSigned: boolean
  readonly #leastInt32: number
  readonly #decode: (input: ByteInput, isSigned: boolean, run: IntegerRun) => void
  /** Made for the first run: a file can name many columns that have none. */
  #run: IntegerRun | null = null
  #used = 0

  constructor(input: ByteInput, encoding: IntegerEncoding, isSigned: boolean) {
    this.#input = input
    this.#isSigned = isSigned
    this.#leastInt32 = isSigned ? -(2 ** 31) : 0
    this.#decode = decoders[encoding]
  }

  skip(count: number): void {
    for (let left = count; left > 0; ) {
      const run = this.#openRun()
      const taken = Math.min(run.length - this.#used, left)
      this.#used += taken
      left -= taken
    }
  }

  /**
   * The next `count` integers, for streams whose integers are safe by meaning (lengths, seconds,
   * indexes): others are a corrupt file.
   */
  readNumbers(target: Float64Array, count: number): void {
    let at = 0
    while (at < count) {
      const run = this.#openRun()
      const used = this.#used
      const taken = Math.min(run.length - used, count - at)
      if (run.form === 'wide') {
        for (let k = 0; k < taken; k++) target[at + k] = this.#narrowed(run.wide[used + k]!)
      } else {
        copyNumbers(run, used, taken, target, at)
      }
      this.#used += taken
      at += taken
    }
  }

  /**
   * The next `count` integers; `refuse` makes the error for one beyond an int32, and for a negative one of
   * an unsigned stream.
   */
  readInt32(
    target: Int32Array,
    count: number,
    refuse: (value: number | bigint) => Error = value => this.#outOfRange(value),
  ): void {
    const least = this.#leastInt32
    let at = 0
    while (at < count) {
      const run = this.#openRun()
      const used = this.#used
      const taken = Math.min(run.length - used, count - at)
      if (run.form === 'small') {
        copyInt32(run.small, used, taken, target, at)
      } else {
        const values = run[run.form]
        for (let k = used; k < used + taken; k++) {
          const integer = Number(values[k]!)
          // Bigints, too: one that is no int32 is none as the nearest number either.
          if (integer !== (integer | 0) || integer < least) throw refuse(values[k]!)
          target[at + k - used] = integer
        }
      }
      this.#used += taken
      at += taken
    }
  }

  /** The next `count` integers: in `numbers` when all of them are safe, else as bigints in its memory. */
  readLongs(numbers: Float64Array, count: number): Float64Array | BigInt64Array {
    let at = 0
    while (at < count) {
      const run = this.#openRun()
      const used = this.#used
      const taken = Math.min(run.length - used, count - at)
      if (run.form === 'wide') {
        for (let k = 0; k < taken; k++) {
          const integer = toInteger(run.wide[used + k]!)
          if (typeof integer === 'bigint') return this.#readWide(numbers, at, count)
          numbers[at + k] = integer
        }
      } else {
        copyNumbers(run, used, taken, numbers, at)
      }
      this.#used += taken
      at += taken
    }
    return numbers
  }

  /** Goes on from `from`, where a run has an integer that is not safe. */
  #readWide(numbers: Float64Array, from: number, count: number): BigInt64Array {
    const integers = new BigInt64Array(numbers.buffer, numbers.byteOffset, numbers.length)
    for (let k = 0; k < from; k++) integers[k] = BigInt(numbers[k]!)
    let at = from
    while (at < count) {
      const run = this.#openRun()
      const used = this.#used
      const taken = Math.min(run.length - used, count - at)
      if (run.form === 'wide') {
        integers.set(run.wide.subarray(used, used + taken), at)
      } else {
        const values = run[run.form]
        for (let k = 0; k < taken; k++) integers[at + k] = BigInt(values[used + k]!)
      }
      this.#used += taken
      at += taken
    }
    return integers
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
    throw this.#outOfRange(integer)
  }

  #outOfRange(integer: number | bigint): Error {
    return corrupt(`the integer ${integer} is out of range`, this.#input.where)
  }
}

function copyInt32(
  source: Int32Array,
  from: number,
  count: number,
  target: Int32Array,
  to: number,
): void {
  if (count > maxLooped) target.set(source.subarray(from, from + count), to)
  else for (let k = 0; k < count; k++) target[to + k] = source[from + k]!
}

function copyNumbers(
  { form, small, narrow }: IntegerRun,
  from: number,
  count: number,
  target: Float64Array,
  to: number,
): void {
  if (count > maxLooped) {
    target.set((form === 'small' ? small : narrow).subarray(from, from + count), to)
  } else if (form === 'small') {
    for (let k = 0; k < count; k++) target[to + k] = small[from + k]!
  } else {
    for (let k = 0; k < count; k++) target[to + k] = narrow[from + k]!
  }
}
