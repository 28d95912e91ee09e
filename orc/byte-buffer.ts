/**
 * A growing run of bytes: what every encoder of this folder writes to. It knows variable-length
 * integers and UTF-8; it knows nothing of streams, chunks or compression.
 */

const firstCapacity = 256

/** Up to this many characters a loop over ASCII beats the call into native code. */
const maxLoopedCharacters = 48

const maxLoopedBytes = 32

export class ByteBuffer {
  /** The bytes from 0 to `length` are written; the rest is capacity. Replaced when it grows. */
  bytes: Buffer
  length = 0

  constructor(capacity = firstCapacity) {
    this.bytes = Buffer.allocUnsafe(capacity)
  }

  /** The written bytes, without a copy: valid until the next write. */
  view(): Buffer {
    return this.bytes.subarray(0, this.length)
  }

  clear(): void {
    this.length = 0
  }

  /** Makes room for `count` bytes after `length`. */
  reserve(count: number): void {
    const needed = this.length + count
    if (needed <= this.bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2))
    grown.set(this.view())
    this.bytes = grown
  }

  writeByte(value: number): void {
    if (this.length === this.bytes.length) this.reserve(1)
    this.bytes[this.length++] = value
  }

  writeBytes(source: Uint8Array): void {
    this.reserve(source.length)
    this.bytes.set(source, this.length)
    this.length += source.length
  }

  /** A part of `source`: a loop where it is short, since a view and a call cost more than its bytes. */
  writeSlice(source: Uint8Array, from: number, to: number): void {
    const count = to - from
    if (count > maxLoopedBytes) {
      this.writeBytes(source.subarray(from, to))
      return
    }
    this.reserve(count)
    const { bytes } = this
    let at = this.length
    for (let k = from; k < to; k++) bytes[at++] = source[k]!
    this.length = at
  }

  /** A base-128 integer, least significant group first. `value` is a safe integer from 0. */
  writeVarint(value: number): void {
    this.reserve(8)
    const bytes = this.bytes
    let at = this.length
    let rest = value
    while (rest >= 0x8000_0000) {
      bytes[at++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    while (rest >= 0x80) {
      bytes[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    bytes[at++] = rest
    this.length = at
  }

  /** As `writeVarint`, for a value from 0 of any size. */
  writeBigVarint(value: bigint): void {
    let rest = value
    // 49 bits are seven whole groups, and a safe integer: one bigint operation for seven bytes.
    while (rest > BigInt(Number.MAX_SAFE_INTEGER)) {
      let groups = Number(BigInt.asUintN(49, rest))
      for (let group = 0; group < 7; group++) {
        this.writeByte((groups % 128) | 0x80)
        groups = Math.floor(groups / 128)
      }
      rest >>= 49n
    }
    this.writeVarint(Number(rest))
  }

  /** Writes text as UTF-8 (a lone surrogate as U+FFFD); returns the number of bytes. */
  writeText(text: string): number {
    const start = this.length
    const characters = text.length
    if (characters <= maxLoopedCharacters) {
      this.reserve(characters * 3)
      const bytes = this.bytes
      let at = 0
      for (; at < characters; at++) {
        const unit = text.charCodeAt(at)
        if (unit >= 0x80) break
        bytes[start + at] = unit
      }
      if (at === characters) {
        this.length = start + characters
        return characters
      }
    } else {
      this.reserve(Buffer.byteLength(text))
    }
    const written = this.bytes.write(text, start, 'utf8')
    this.length = start + written
    return written
  }
}
