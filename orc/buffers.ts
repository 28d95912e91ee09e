/** A sink and a source in memory. */
import type { OrcSource } from './stripe-reader.ts'
import type { OrcSink } from './writer.ts'

export class BufferSink implements OrcSink {
  readonly #pieces: Uint8Array[] = []

  async write(bytes: Uint8Array): Promise<void> {
    this.#pieces.push(bytes)
  }

  /** All that was written so far. */
  bytes(): Uint8Array {
    return Buffer.concat(this.#pieces)
  }
}

export class BufferSource implements OrcSource {
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get sizeBytes(): number {
    return this.#bytes.length
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    return this.#bytes.subarray(offset, offset + length)
  }
}
