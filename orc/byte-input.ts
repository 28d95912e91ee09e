/**
 * One stream of a stripe (or a whole section of the file) while it is read: chunks in, bytes out.
 * Chunks are decompressed when they are needed, so a stream costs its bytes on disk and one chunk.
 * Every length that comes from the file is checked here before it is used.
 */
import type { Chunking, Codec } from './compression.ts'
import { corrupt, OrcError } from './errors.ts'

const emptyBytes = new Uint8Array(0)
const emptyView = new DataView(emptyBytes.buffer)

/** More groups than this do not fit 128 bits, the largest integer of the format. */
const maxVarintBytes = 19

export class ByteInput {
  /** For error messages. */
  readonly where: string
  /** The chunk that is being read, from `position` on. */
  bytes: Uint8Array = emptyBytes
  position = 0
  #view: DataView = emptyView
  #viewed: Uint8Array = emptyBytes
  readonly #source: Uint8Array
  readonly #chunking: Chunking
  /** Offset in `#source` of the next chunk. */
  #nextChunk = 0

  constructor(source: Uint8Array, chunking: Chunking, where: string) {
    this.where = where
    this.#source = source
    this.#chunking = chunking
  }

  /**
   * Goes on at a position of a row index: with a codec the offset of a chunk and one in what the
   * chunk holds, else one offset. `source` begins at `base` of the stream.
   */
  seek([offset = 0, within = 0]: readonly number[], base: number): void {
    const at = offset - base
    if (at < 0 || at > this.#source.length) throw this.#noSuchPosition(offset, within)
    this.#nextChunk = at
    this.bytes = emptyBytes
    this.position = 0
    if (this.#chunking.codec === null) {
      this.bytes = this.#source
      this.position = at
      this.#nextChunk = this.#source.length
    } else if (within > 0) {
      if (at === this.#source.length) throw this.#noSuchPosition(offset, within)
      this.#openNextChunk()
      if (within > this.bytes.length) throw this.#noSuchPosition(offset, within)
      this.position = within
    }
  }

  #noSuchPosition(offset: number, within: number): OrcError {
    return corrupt(`the row index points at ${offset}, ${within}, where nothing is`, this.where)
  }

  /** `bytes`, made once for all runs of a chunk. */
  get view(): DataView {
    const { bytes } = this
    if (this.#viewed !== bytes) {
      this.#viewed = bytes
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    }
    return this.#view
  }

  get isAtEnd(): boolean {
    while (this.position === this.bytes.length) {
      if (this.#nextChunk === this.#source.length) return true
      this.#openNextChunk()
    }
    return false
  }

  readByte(): number {
    if (this.position === this.bytes.length) this.require(1)
    return this.bytes[this.position++]!
  }

  /** Makes the next `count` bytes contiguous in `bytes`. Meant for the few bytes of one run. */
  require(count: number): void {
    if (count <= this.bytes.length - this.position) return
    const pieces: Uint8Array[] = []
    let gathered = 0
    while (gathered < count) {
      if (this.isAtEnd) {
        throw corrupt(`the data ends ${count - gathered} bytes too early`, this.where)
      }
      pieces.push(this.bytes.subarray(this.position))
      gathered += this.bytes.length - this.position
      this.position = this.bytes.length
    }
    this.bytes = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
    this.position = 0
  }

  /** The next `count` bytes, as a view where they lie in one chunk. */
  readBytes(count: number): Uint8Array {
    this.require(count)
    const from = this.position
    this.position += count
    return this.bytes.subarray(from, this.position)
  }

  /** All that is left, which may not be more than `maxBytes`. */
  readAll(maxBytes: number): Uint8Array {
    const pieces: Uint8Array[] = []
    let total = 0
    while (!this.isAtEnd) {
      pieces.push(this.bytes.subarray(this.position))
      total += this.bytes.length - this.position
      this.position = this.bytes.length
      if (total > maxBytes) {
        throw new OrcError(
          'limit-exceeded',
          `a section is larger than ${maxBytes} bytes`,
          this.where,
        )
      }
    }
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
  }

  /** A base-128 integer from 0: a number when it is safe, else a bigint of at most 133 bits. */
  readVarint(): number | bigint {
    let value = 0
    let scale = 1
    for (let group = 0; group < 7; group++) {
      const byte = this.readByte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 128
    }
    return this.#finishLongVarint(BigInt(value))
  }

  /**
   * As many signed varints as are small (at most four bytes) and in the chunk that is open, at most
   * `count` of them; returns how many.
   */
  readSmallVarints(target: Float64Array, from: number, count: number): number {
    const { bytes } = this
    let at = this.position
    const last = bytes.length - 4
    let k = from
    const end = from + count
    while (k < end && at <= last) {
      let value = bytes[at]!
      let size = 1
      if (value >= 0x80) {
        const second = bytes[at + 1]!
        value = (value & 0x7f) | ((second & 0x7f) << 7)
        size = 2
        if (second >= 0x80) {
          const third = bytes[at + 2]!
          value |= (third & 0x7f) << 14
          size = 3
          if (third >= 0x80) {
            const fourth = bytes[at + 3]!
            if (fourth >= 0x80) break
            value |= fourth << 21
            size = 4
          }
        }
      }
      target[k++] = (value >>> 1) ^ -(value & 1)
      at += size
    }
    this.position = at
    return k - from
  }

  #finishLongVarint(low: bigint): number | bigint {
    let value = low
    for (let group = 7; group < maxVarintBytes; group++) {
      const byte = this.readByte()
      value |= BigInt(byte & 0x7f) << BigInt(7 * group)
      if (byte < 0x80) return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
    }
    throw corrupt('an integer has no end', this.where)
  }

  #openNextChunk(): void {
    const { codec, blockBytes } = this.#chunking
    this.position = 0
    if (codec === null) {
      this.bytes = this.#source
      this.#nextChunk = this.#source.length
      return
    }
    const at = this.#nextChunk
    const left = this.#source.length - at
    if (left < 3) throw corrupt('a chunk header is cut off', this.where)
    const header = this.#source[at]! | (this.#source[at + 1]! << 8) | (this.#source[at + 2]! << 16)
    const length = header >>> 1
    if (length > left - 3) throw corrupt(`a chunk of ${length} bytes is cut off`, this.where)
    if (length > blockBytes) throw corrupt('a chunk is larger than the block size', this.where)
    const chunk = this.#source.subarray(at + 3, at + 3 + length)
    this.#nextChunk = at + 3 + length
    this.bytes = (header & 1) === 1 ? chunk : this.#decompress(codec, chunk, blockBytes)
  }

  #decompress(codec: Codec, chunk: Uint8Array, blockBytes: number): Uint8Array {
    try {
      return codec.decompress(chunk, blockBytes)
    } catch (cause) {
      throw new OrcError('file-corrupt', 'a chunk cannot be decompressed', this.where, { cause })
    }
  }
}
