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

  /** Appends `count` booleans, each 0 or 1; all of them are 1 where `values` is null. */
  append(values: Uint8Array | null, count: number): void {
    const bitCount = this.#heldBits + count
    this.#makeRoom(bitCount)
    const bits = this.#bits
    if (values === null) {
      bits[0]! |= 0xff >> this.#heldBits
      bits.fill(0xff, 1, (bitCount + 7) >> 3)
    } else {
      packInto(bits, this.#heldBits, values, count)
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

/** Behind the first `heldBits` bits; those of the last byte that are left over become zero. */
function packInto(bits: Uint8Array, heldBits: number, values: Uint8Array, count: number): void {
  let at = 0
  let byte = bits[0]!
  let bitCount = heldBits
  for (let k = 0; k < count; k++) {
    byte |= values[k]! << (7 - bitCount)
    if (++bitCount < 8) continue
    bits[at++] = byte
    byte = 0
    bitCount = 0
  }
  if (bitCount > 0) bits[at] = byte
}

const countOfBits = Uint8Array.from({ length: 256 }, (_, byte) => {
  return byte.toString(2).replaceAll('0', '').length
})

export class BooleanRunLengthReader {
  readonly #bytes: ByteRunLengthReader
  /** Whole bytes of one call, before they are taken apart. */
  #packed = new Uint8Array(64)
  #current = 0
  #bitsLeft = 0

  constructor(input: ByteInput) {
    this.#bytes = new ByteRunLengthReader(input)
  }

  /** Goes past so many bytes, and then bits of the next one. */
  skip(byteCount: number, bitCount: number): void {
    this.#bytes.skip(byteCount)
    this.#bitsLeft = 0
    if (bitCount > 0) this.read(new Uint8Array(bitCount), bitCount)
  }

  /** Fills the first `count` bytes of `target` with 0 or 1; returns how many are 1. */
  read(target: Uint8Array, count: number): number {
    let trueCount = 0
    let at = 0
    for (; at < count && this.#bitsLeft > 0; at++) trueCount += target[at] = this.#takeBit()
    const wholeBytes = (count - at) >> 3
    const packed = this.#takeBytes((count - at + 7) >> 3)
    for (let byte = 0; byte < wholeBytes; byte++, at += 8) {
      const bits = packed[byte]!
      trueCount += countOfBits[bits]!
      target[at] = bits >> 7
      target[at + 1] = (bits >> 6) & 1
      target[at + 2] = (bits >> 5) & 1
      target[at + 3] = (bits >> 4) & 1
      target[at + 4] = (bits >> 3) & 1
      target[at + 5] = (bits >> 2) & 1
      target[at + 6] = (bits >> 1) & 1
      target[at + 7] = bits & 1
    }
    if (at === count) return trueCount
    this.#current = packed[wholeBytes]!
    this.#bitsLeft = 8
    for (; at < count; at++) trueCount += target[at] = this.#takeBit()
    return trueCount
  }

  #takeBit(): number {
    this.#bitsLeft--
    return (this.#current >> this.#bitsLeft) & 1
  }

  #takeBytes(count: number): Uint8Array {
    if (this.#packed.length < count) this.#packed = new Uint8Array(count)
    this.#bytes.read(this.#packed, count)
    return this.#packed
  }
}
