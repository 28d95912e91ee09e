/**
 * The memory of the vectors of a batch, which are pieces of few buffers: a buffer for each of them would
 * cost more time than what is read into it. Who has done with a batch when asking for the next one lets
 * them have the same memory. Counts what a batch takes, because that has a limit.
 */
import { OrcError } from './errors.ts'
import type { OrcColumn } from './types.ts'

/** The first buffer and the largest: small files take little, and vectors that are kept not much more. */
const leastBufferBytes = 4 * 1024
const greatestBufferBytes = 256 * 1024

/** Pieces begin where each kind of array may. */
const alignmentBytes = 8

export class BatchMemory {
  readonly #maxBytes: number
  readonly #isReused: boolean
  #buffer = new ArrayBuffer(0)
  /** Of `#buffer`. */
  #usedBytes = 0
  /** What the batch has of all buffers. */
  #pieceBytes = 0
  #batchBytes = 0
  #dictionaryBytes = 0

  constructor(maxBytes: number, isReused: boolean) {
    this.#maxBytes = maxBytes
    this.#isReused = isReused
  }

  startBatch(): void {
    this.#batchBytes = 0
    if (this.#isReused) {
      const { byteLength } = this.#buffer
      if (this.#pieceBytes > byteLength) this.#buffer = new ArrayBuffer(this.#pieceBytes)
      this.#usedBytes = 0
    }
    this.#pieceBytes = 0
  }

  /** The following give arrays of which each slot is to be set, and throw `limit-exceeded` as `claim` does. */
  float64(count: number, column: OrcColumn): Float64Array {
    const at = this.#take(count * 8, column)
    return new Float64Array(this.#buffer, at, count)
  }

  int32(count: number, column: OrcColumn): Int32Array {
    const at = this.#take(count * 4, column)
    return new Int32Array(this.#buffer, at, count)
  }

  uint8(count: number, column: OrcColumn): Uint8Array {
    const at = this.#take(count, column)
    return new Uint8Array(this.#buffer, at, count)
  }

  /** Counts what a batch has elsewhere. Throws `limit-exceeded` where the batch becomes too large by it. */
  claim(bytes: number, column: OrcColumn): void {
    this.#batchBytes += bytes
    this.#requireWithinLimit('a batch of rows', this.#batchBytes, column)
  }

  /** Counts what a dictionary has; those of a stripe have the limit together, beside that of its batches. */
  claimForDictionary(bytes: number, column: OrcColumn): void {
    this.#dictionaryBytes += bytes
    this.#requireWithinLimit('the dictionaries of a stripe', this.#dictionaryBytes, column)
  }

  #requireWithinLimit(what: string, bytes: number, { path }: OrcColumn): void {
    if (bytes <= this.#maxBytes) return
    const message = `with this column ${what} would take ${bytes} bytes; the limit is ${this.#maxBytes}`
    throw new OrcError('limit-exceeded', message, `column ${path}`)
  }

  /** Where in `#buffer` so many bytes are to be had. */
  #take(bytes: number, column: OrcColumn): number {
    this.claim(bytes, column)
    const needed = Math.ceil(bytes / alignmentBytes) * alignmentBytes
    this.#pieceBytes += needed
    const at = this.#usedBytes
    if (at + needed <= this.#buffer.byteLength) {
      this.#usedBytes = at + needed
      return at
    }
    const doubled = Math.min(2 * this.#buffer.byteLength, greatestBufferBytes)
    this.#buffer = new ArrayBuffer(Math.max(doubled, needed, leastBufferBytes))
    this.#usedBytes = needed
    return 0
  }
}
