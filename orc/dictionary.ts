/**
 * The distinct strings of a column in a stripe, and which of them each row has. Entries are
 * numbered as they come; the file has them sorted by their UTF-8 bytes, so the numbers change at
 * the end.
 */

import { doubled } from './arrays.ts'
import { ByteBuffer } from './byte-buffer.ts'
import { compareSlices } from './byte-range.ts'

export class Dictionary {
  /** The bytes of the entries, one after the other. */
  readonly bytes = new ByteBuffer()
  readonly #idOfText = new Map<string, number>()
  readonly #ends: number[] = []
  #ids = new Int32Array(1024)
  #idCount = 0

  /** How many entries there are. */
  get size(): number {
    return this.#ends.length
  }

  /** How many strings were added. */
  get count(): number {
    return this.#idCount
  }

  /** Adds a string; returns the bytes that it took. */
  add(text: string): number {
    let id = this.#idOfText.get(text)
    let taken = 4
    if (id === undefined) {
      id = this.#ends.length
      this.#idOfText.set(text, id)
      // Beside its bytes an entry costs a place in the map and the string itself.
      taken += this.bytes.writeText(text) + text.length + 64
      this.#ends.push(this.bytes.length)
    }
    if (this.#idCount === this.#ids.length) this.#ids = doubled(this.#ids)
    this.#ids[this.#idCount++] = id
    return taken
  }

  /** Takes back the last `add`. Its entry stays, at the cost of a few bytes. */
  removeLast(): void {
    this.#idCount--
  }

  /** The entries of the strings `from` to `to`, in the order in which they were added. */
  ids(from: number, to: number): Int32Array {
    return this.#ids.subarray(from, to)
  }

  start(id: number): number {
    return id === 0 ? 0 : this.#ends[id - 1]!
  }

  end(id: number): number {
    return this.#ends[id]!
  }

  entry(id: number): Buffer {
    return this.bytes.bytes.subarray(this.start(id), this.end(id))
  }

  /** The ids of all entries, sorted by the entries' bytes. */
  sortedIds(): Int32Array {
    const { bytes } = this.bytes
    return Int32Array.from(this.#ends.keys()).sort((a, b) =>
      compareSlices(bytes, this.start(a), this.end(a), this.start(b), this.end(b)),
    )
  }

  get heldBytes(): number {
    return this.bytes.length * 2 + this.#ends.length * 64 + this.#idCount * 4
  }
}
