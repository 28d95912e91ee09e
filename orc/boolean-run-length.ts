/**
 * Booleans: eight to a byte, the first in the highest bit, the bytes as byte runs. Both PRESENT
 * streams and boolean columns are of this form.
 *
 * Source: ORC v1, "Boolean Run Length Encoding".
 */
import type { ByteBuffer } from './byte-buffer.ts'
import type { ByteInput } from './byte-input.ts'
import { ByteRunLengthReader, writeByteRunLength } from './byte-run-length.ts'
import type { StreamOutput } from './stream-output.ts'

/**
 * Writes booleans to a stream. The bits of an unfinished byte are held back, because a byte in the
 * middle of a stream cannot be padded; `position` counts them.
 */
export class BooleanRunLengthWriter {
  readonly #output: StreamOutput
  readonly #scratch: ByteBuffer
  #bits = new Uint8Array(64)
  /** Bits of `#bits[0]` that are taken: 0 to 7. */
  #heldBits = 0

  constructor(output: StreamOutput, scratch: ByteBuffer) {
    this.#output = output
    this.#scratch = scratch
  }

  /** The stream's position, no bytes to skip in the run that starts there, and the bits to skip. */
  position(): number[] {
    return [...this.#output.position(), 0, this.#heldBits]
  }

  /** Appends `count` booleans: true but for those at `falseIndexes`. */
  append(count: number, falseIndexes: readonly number[]): void {
    const bitCount = this.#heldBits + count
    this.#makeRoom(bitCount)
    const bits = this.#bits
    bits[0]! |= 0xff >> this.#heldBits
    bits.fill(0xff, 1, (bitCount + 7) >> 3)
    for (const index of falseIndexes) {
      const at = this.#heldBits + index
      bits[at >> 3]! &= ~(0x80 >> (at & 7))
    }
    const wholeBytes = bitCount >> 3
    this.#write(bits.subarray(0, wholeBytes))
    this.#heldBits = bitCount & 7
    // The held bits move to the front; what lies behind them becomes zero, the padding of the end.
    bits[0] = this.#heldBits === 0 ? 0 : bits[wholeBytes]! & ~(0xff >> this.#heldBits)
  }

  /** Pads and writes what is held back, and is ready for the next stripe. */
  finish(): void {
    if (this.#heldBits > 0) this.#write(this.#bits.subarray(0, 1))
    this.#bits[0] = 0
    this.#heldBits = 0
  }

  #write(bytes: Uint8Array): void {
    this.#scratch.clear()
    writeByteRunLength(bytes, this.#scratch)
    this.#output.append(this.#scratch.view())
  }

  #makeRoom(bitCount: number): void {
    const needed = (bitCount + 7) >> 3
    if (needed <= this.#bits.length) return
    const grown = new Uint8Array(Math.max(needed, this.#bits.length * 2))
    grown[0] = this.#bits[0]!
    this.#bits = grown
  }
}

export class BooleanRunLengthReader {
  readonly #bytes: ByteRunLengthReader
  readonly #current = new Uint8Array(1)
  #bitsLeft = 0

  constructor(input: ByteInput) {
    this.#bytes = new ByteRunLengthReader(input)
  }

  /** Fills the first `count` bytes of `target` with 0 or 1; returns how many are 1. */
  read(target: Uint8Array, count: number): number {
    let trueCount = 0
    for (let at = 0; at < count; at++) {
      if (this.#bitsLeft === 0) {
        this.#bytes.read(this.#current, 1)
        this.#bitsLeft = 8
      }
      this.#bitsLeft--
      const bit = (this.#current[0]! >> this.#bitsLeft) & 1
      target[at] = bit
      trueCount += bit
    }
    return trueCount
  }
}
