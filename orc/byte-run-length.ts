/**
 * Runs of bytes: the encoding of tinyint, and underneath that of booleans.
 *
 *     control 0…127    one byte follows, to be repeated control + 3 times
 *     control 128…255  256 − control literal bytes follow
 *
 * Source: ORC v1, "Byte Run Length Encoding".
 */
import type { ByteBuffer } from './byte-buffer.ts'
import type { ByteInput } from './byte-input.ts'

const minRepeat = 3
const maxRepeat = 130
const maxLiterals = 128

/** Encodes all of `bytes`; the run that is under way at the end is ended. */
export function writeByteRunLength(bytes: Uint8Array, output: ByteBuffer): void {
  let from = 0
  while (from < bytes.length) {
    const repeat = repeatLength(bytes, from)
    if (repeat >= minRepeat) {
      output.writeByte(repeat - minRepeat)
      output.writeByte(bytes[from]!)
      from += repeat
    } else {
      const end = literalEnd(bytes, from)
      output.writeByte(256 - (end - from))
      output.writeBytes(bytes.subarray(from, end))
      from = end
    }
  }
}

function repeatLength(bytes: Uint8Array, from: number): number {
  const limit = Math.min(bytes.length, from + maxRepeat)
  const value = bytes[from]
  let at = from + 1
  while (at < limit && bytes[at] === value) at++
  return at - from
}

function literalEnd(bytes: Uint8Array, from: number): number {
  const limit = Math.min(bytes.length, from + maxLiterals)
  for (let at = from; at < limit; at++) {
    if (bytes[at] === bytes[at + 1] && bytes[at] === bytes[at + 2]) return at
  }
  return limit
}

export class ByteRunLengthReader {
  readonly #input: ByteInput
  #left = 0
  #isRepeat = false
  #repeated = 0

  constructor(input: ByteInput) {
    this.#input = input
  }

  /** Fills the first `count` bytes of `target`. */
  read(target: Uint8Array, count: number): void {
    let at = 0
    while (at < count) {
      if (this.#left === 0) this.#startRun()
      const length = Math.min(this.#left, count - at)
      if (this.#isRepeat) target.fill(this.#repeated, at, at + length)
      else target.set(this.#input.readBytes(length), at)
      this.#left -= length
      at += length
    }
  }

  skip(count: number): void {
    for (let left = count; left > 0; ) {
      if (this.#left === 0) this.#startRun()
      const length = Math.min(this.#left, left)
      if (!this.#isRepeat) this.#input.readBytes(length)
      this.#left -= length
      left -= length
    }
  }

  #startRun(): void {
    const control = this.#input.readByte()
    this.#isRepeat = control < 128
    this.#left = this.#isRepeat ? control + minRepeat : 256 - control
    if (this.#isRepeat) this.#repeated = this.#input.readByte()
  }
}
