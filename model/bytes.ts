/**
 * Writing and reading of Forager's own binary forms: the hop's frames, rows in stores, keys.
 * Integers are zig-zag base-128 varints of any size; text is UTF-8 behind its length in bytes.
 */
import { isUtf8 } from 'node:buffer'
import { assert } from './errors.ts'
import { toInteger } from './value.ts'

/** Of an integer that is exact as a number. */
const maxVarintBytes = 8
/** Its eighth byte at most: beyond it numbers are not exact. */
const maxEighthByte = 0x1f
const halfUnit = 2 ** 28

/** An append-only buffer that grows. `take()` hands the bytes out and starts anew. */
export class ByteWriter {
  #bytes: Buffer
  /** Before it lies what was handed out. */
  #start = 0
  #length = 0

  constructor(initialBytes = 1024) {
    this.#bytes = Buffer.allocUnsafe(initialBytes)
  }

  get length(): number {
    return this.#length - this.#start
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length] = value
    this.#length += 1
  }

  /** A length or count: 0 to 2^31 − 1. */
  count(value: number): void {
    this.#reserve(5)
    let rest = value
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#bytes[this.#length++] = rest
  }

  integer(value: number | bigint): void {
    this.#reserve(maxVarintBytes)
    if (typeof value === 'number' && value >= -0x4000_0000 && value < 0x4000_0000) {
      this.count(((value << 1) ^ (value >> 31)) >>> 0)
      return
    }
    if (typeof value === 'number' && Math.abs(value) < 2 ** 52) {
      // In two halves of 28 bits: the remainder of a large number is a slow call.
      const zigzag = value >= 0 ? value * 2 : -value * 2 - 1
      const high = Math.floor(zigzag / halfUnit)
      const low = zigzag - high * halfUnit
      for (let bits = 0; bits < 28; bits += 7) {
        this.#bytes[this.#length++] = ((low >> bits) & 0x7f) | 0x80
      }
      this.count(high)
      return
    }
    const big = BigInt(value)
    let rest = big >= 0n ? big << 1n : (-big << 1n) - 1n
    while (rest >= 0x80n) {
      this.byte(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    this.byte(Number(rest))
  }

  /**
   * The integer that begins there, which is in this form: where it ends; -1, with nothing written, when it
   * has more than `maxBytes` (8 at most), is longer than it had to be, or is cut off.
   */
  integerOf(bytes: Uint8Array, start: number, maxBytes: number): number {
    this.#reserve(maxVarintBytes)
    for (let index = 0; index < maxBytes; index += 1) {
      const byte = bytes[start + index]
      if (byte === undefined) return -1
      this.#bytes[this.#length + index] = byte
      if (byte >= 0x80) continue
      const isPadded = byte === 0 && index > 0
      if (isPadded || (index === maxVarintBytes - 1 && byte > maxEighthByte)) return -1
      this.#length += index + 1
      return start + index + 1
    }
    return -1
  }

  double(value: number): void {
    this.#reserve(8)
    this.#length = this.#bytes.writeDoubleLE(value, this.#length)
  }

  /** Bytes behind their length. */
  blob(bytes: Uint8Array): void {
    this.count(bytes.length)
    this.raw(bytes)
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** Part of `bytes` behind its length. */
  blobOf(bytes: Uint8Array, start: number, end: number): void {
    this.count(end - start)
    this.rawOf(bytes, start, end)
  }

  /** Text that lies in `bytes` behind its length; false, with nothing to be kept, when it is not UTF-8. */
  textOf(bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start
    if (length > 128) {
      this.blobOf(bytes, start, end)
      return isUtf8(bytes.subarray(start, end))
    }
    this.#reserve(length + 2)
    this.count(length)
    let all = 0
    for (let index = 0; index < length; index += 1) {
      const byte = bytes[start + index]!
      this.#bytes[this.#length + index] = byte
      all |= byte
    }
    this.#length += length
    return all < 0x80 || isUtf8(bytes.subarray(start, end))
  }

  /** Part of `bytes`. */
  rawOf(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start
    this.#reserve(length)
    // A call into the runtime costs more than copying a short text.
    if (length > 64) this.#bytes.set(bytes.subarray(start, end), this.#length)
    else {
      for (let index = 0; index < length; index += 1) {
        this.#bytes[this.#length + index] = bytes[start + index]!
      }
    }
    this.#length += length
  }

  /** Sets bits of a byte that was written before. */
  setBits(place: number, bits: number): void {
    this.#bytes[this.#start + place]! |= bits
  }

  /** UTF-8 behind its length in bytes. */
  text(value: string): void {
    // A UTF-16 unit takes at most three bytes of UTF-8, so a short text has a length of one byte.
    if (value.length <= 42) {
      this.#reserve(1 + value.length * 3)
      const written = this.#bytes.write(value, this.#length + 1, 'utf8')
      this.#bytes[this.#length] = written
      this.#length += 1 + written
      return
    }
    const bytes = Buffer.byteLength(value)
    this.count(bytes)
    this.#reserve(bytes)
    this.#length += this.#bytes.write(value, this.#length, 'utf8')
  }

  /** A string whose every char is one byte (a key), behind its length. */
  binary(value: string): void {
    this.count(value.length)
    this.#reserve(value.length)
    this.#length += this.#bytes.write(value, this.#length, 'latin1')
  }

  /** Forgets what was written: the beginning of a row that could not be written to its end. */
  reset(): void {
    this.#length = this.#start
  }

  /** What was written, as it lies there; the writer is empty afterwards, and goes on behind it. */
  handOut(): Buffer {
    const bytes = this.view()
    this.#start = this.#length
    return bytes
  }

  /** What was written, as it lies there: until the next write. */
  view(): Buffer {
    return this.#bytes.subarray(this.#start, this.#length)
  }

  /** A copy of what was written; the writer is empty afterwards. */
  take(): Buffer {
    const taken = Buffer.from(this.view())
    this.reset()
    return taken
  }

  /** What was written, as a binary string; the writer is empty afterwards. */
  takeBinary(): string {
    const taken = this.#bytes.toString('latin1', this.#start, this.#length)
    this.reset()
    return taken
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const length = this.length
    // What was handed out stays where it is: the buffer after it need not be larger.
    const least = this.#start > 0 ? this.#bytes.length : this.#bytes.length * 2
    const grown = Buffer.allocUnsafe(Math.max(length + count, least))
    this.#bytes.copy(grown, 0, this.#start, this.#length)
    this.#bytes = grown
    this.#start = 0
    this.#length = length
  }
}

/** Reads what a ByteWriter wrote. Reading past the end breaks an invariant. */
export class ByteReader {
  #bytes: Buffer
  #position: number

  /** Where reading goes on. */
  get position(): number {
    return this.#position
  }

  set position(position: number) {
    this.#position = position
  }

  constructor(bytes: Uint8Array, position = 0) {
    this.#bytes = toBuffer(bytes)
    this.#position = position
  }

  /** Reading goes on there: one reader for many records. */
  moveTo(bytes: Buffer, position: number): void {
    this.#bytes = bytes
    this.#position = position
  }

  skip(length: number): void {
    const end = this.#position + length
    assert(end <= this.#bytes.length, 'an internal record ends in the middle')
    this.#position = end
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#bytes.length
  }

  byte(): number {
    const value = this.#bytes[this.#position]
    assert(value !== undefined, 'an internal record ends in the middle')
    this.#position += 1
    return value
  }

  count(): number {
    let value = 0
    for (let shift = 1; ; shift *= 0x80) {
      const byte = this.byte()
      value += (byte & 0x7f) * shift
      if (byte < 0x80) return value
    }
  }

  integer(): number | bigint {
    let low = 0
    for (let bits = 0; bits < 28; bits += 7) {
      const byte = this.byte()
      low |= (byte & 0x7f) << bits
      if (byte < 0x80) return (low >> 1) ^ -(low & 1)
    }
    let high = 0
    for (let bits = 0; bits < 28; bits += 7) {
      const byte = this.byte()
      high |= (byte & 0x7f) << bits
      if (byte < 0x80) return integerOfHalves(low, high)
    }
    let big = bigOfHalves(low, high)
    for (let bits = 56n; ; bits += 7n) {
      const byte = this.byte()
      big |= BigInt(byte & 0x7f) << bits
      if (byte < 0x80) return integerOfZigzag(big)
    }
  }

  double(): number {
    const start = this.#position
    assert(start + 8 <= this.#bytes.length, 'an internal record ends in the middle')
    this.#position = start + 8
    return this.#bytes.readDoubleLE(start)
  }

  /** A view of the bytes behind their length: it lives as long as what is read. */
  blob(): Buffer {
    return this.raw(this.count())
  }

  raw(length: number): Buffer {
    const start = this.#position
    this.skip(length)
    return this.#bytes.subarray(start, this.#position)
  }

  text(): string {
    const length = this.count()
    const start = this.#position
    this.skip(length)
    return this.#bytes.toString('utf8', start, this.#position)
  }

  binary(): string {
    const length = this.count()
    const start = this.#position
    this.skip(length)
    return this.#bytes.toString('latin1', start, this.#position)
  }
}

/** The integer whose zig-zag form has these lower 28 bits, and those above them. */
export function integerOfHalves(low: number, high: number): number | bigint {
  if (high >= 2 ** 25) return integerOfZigzag(bigOfHalves(low, high))
  const half = high * (halfUnit / 2) + (low >> 1)
  return (low & 1) === 0 ? half : -half - 1
}

export function bigOfHalves(low: number, high: number): bigint {
  return (BigInt(high) << 28n) | BigInt(low)
}

export function integerOfZigzag(zigzag: bigint): number | bigint {
  return toInteger((zigzag & 1n) === 0n ? zigzag >> 1n : -((zigzag + 1n) >> 1n))
}

/** The same bytes. */
export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
