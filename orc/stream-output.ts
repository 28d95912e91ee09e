/**
 * One stream of a stripe while it is written: bytes in, chunks out. With a codec each chunk gets a
 * header of 3 bytes; without one there are no headers, and a chunk is only a piece of memory.
 *
 *     | length·2 + isOriginal (3 bytes, little-endian) | length bytes |  next chunk …
 *
 * Source: ORC v1, "Compression".
 */
import { ByteBuffer } from './byte-buffer.ts'
import type { Chunking } from './compression.ts'

/** To ask a codec costs more than the few bytes that it may save here. */
const leastBytes = 64

export class StreamOutput {
  readonly #chunking: Chunking
  readonly #block = new ByteBuffer()
  #pieces: Uint8Array[] = []
  #pieceBytes = 0

  constructor(chunking: Chunking) {
    this.#chunking = chunking
  }

  /** Bytes held: finished chunks and the block that is being filled. */
  get sizeBytes(): number {
    return this.#pieceBytes + this.#block.length
  }

  /**
   * Where the next byte will be, as row indexes state it: the offset in the stream, or with a codec
   * the offset of the chunk and the offset in the chunk once decompressed.
   */
  position(): number[] {
    return this.#chunking.codec === null
      ? [this.#pieceBytes + this.#block.length]
      : [this.#pieceBytes, this.#block.length]
  }

  append(bytes: Uint8Array): void {
    const { blockBytes } = this.#chunking
    let from = 0
    while (from < bytes.length) {
      const to = Math.min(bytes.length, from + blockBytes - this.#block.length)
      this.#block.writeBytes(bytes.subarray(from, to))
      from = to
      if (this.#block.length === blockBytes) this.#finishBlock()
    }
  }

  /** Ends the stream, gives its pieces away, and is ready for the stream of the next stripe. */
  finish(): Uint8Array[] {
    this.#finishBlock()
    const pieces = this.#pieces
    this.#pieces = []
    this.#pieceBytes = 0
    return pieces
  }

  #finishBlock(): void {
    const block = this.#block.view()
    if (block.length === 0) return
    const { codec } = this.#chunking
    if (codec === null) {
      this.#push(new Uint8Array(block))
    } else {
      const compressed = block.length < leastBytes ? block : codec.compress(block)
      const isOriginal = compressed.length >= block.length
      const chunk = isOriginal ? block : compressed
      const framed = new Uint8Array(3 + chunk.length)
      const header = chunk.length * 2 + (isOriginal ? 1 : 0)
      framed[0] = header & 0xff
      framed[1] = (header >>> 8) & 0xff
      framed[2] = header >>> 16
      framed.set(chunk, 3)
      this.#push(framed)
    }
    this.#block.clear()
  }

  #push(piece: Uint8Array): void {
    this.#pieces.push(piece)
    this.#pieceBytes += piece.length
  }
}

export function totalLength(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0)
}

/** A whole section (a footer, an index) in the framing of the file. */
export function frameSection(bytes: Uint8Array, chunking: Chunking): Uint8Array {
  const output = new StreamOutput(chunking)
  output.append(bytes)
  return Buffer.concat(output.finish())
}
