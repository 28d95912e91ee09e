/**
 * The distinct byte strings of a column in a stripe, and which of them each row has. Entries are
 * numbered as they come; the file has them sorted by their bytes, so the numbers change at the end.
 */
import { doubled } from './arrays.ts'
import { ByteBuffer } from './byte-buffer.ts'
import { compareSlices } from './byte-range.ts'

/** From so many entries with neighbouring hashes on, somebody chose the values to make this slow. */
const maxProbes = 256

export class Dictionary {
  /** The bytes of the entries, one after the other. */
  readonly bytes = new ByteBuffer()
  #size = 0
  #ends = new Int32Array(256)
  /** Which addition made an entry. */
  #makers = new Int32Array(256)
  /** By hash, with open addressing: an entry's number and one more, 0 for none. */
  #slots = new Int32Array(1024)
  #hashes = new Int32Array(256)
  /** Of those that came as texts: half the time of a text's bytes and their hash. */
  readonly #idOfText = new Map<string, number>()
  #ids = new Int32Array(1024)
  #idCount = 0
  /** By their bytes, from when somebody chose them so that their hashes meet. */
  #idOfBytes: Map<string, number> | null = null

  /** How many entries there are. */
  get size(): number {
    return this.#size
  }

  /** How many strings were added. */
  get count(): number {
    return this.#idCount
  }

  /** Adds a text; returns the bytes that it took. */
  addText(text: string): number {
    const known = this.#idOfText.get(text)
    if (known !== undefined) return this.#addId(known)
    const from = this.bytes.length
    this.bytes.writeText(text)
    const taken = this.#addTail(from) + text.length + 48
    this.#idOfText.set(text, this.#ids[this.#idCount - 1]!)
    return taken
  }

  /** Adds some bytes; returns the bytes that they took. */
  addBytes(source: Uint8Array, from: number, to: number): number {
    const hash = hashOf(source, from, to)
    const found = this.#find(source, from, to, hash)
    if (found >= 0) return this.#addId(found)
    this.bytes.writeSlice(source, from, to)
    return this.#addId(this.#addEntry(hash)) + (to - from) + 16
  }

  /** Adds what was written behind the last entry, and takes it away again where it is known. */
  #addTail(from: number): number {
    const { bytes } = this
    const to = bytes.length
    const hash = hashOf(bytes.bytes, from, to)
    const found = this.#find(bytes.bytes, from, to, hash)
    if (found < 0) return this.#addId(this.#addEntry(hash)) + (to - from) + 16
    bytes.length = from
    return this.#addId(found)
  }

  #addId(id: number): number {
    if (this.#idCount === this.#ids.length) this.#ids = doubled(this.#ids)
    this.#ids[this.#idCount++] = id
    return 4
  }

  #find(source: Uint8Array, from: number, to: number, hash: number): number {
    if (this.#idOfBytes !== null) return this.#idOfBytes.get(latin1(source, from, to)) ?? -1
    const mask = this.#slots.length - 1
    const own = this.bytes.bytes
    for (let probes = 0, at = hash & mask; ; at = (at + 1) & mask, probes++) {
      const id = this.#slots[at]! - 1
      if (id < 0) return -1
      if (probes === maxProbes) return this.#findByBytes(source, from, to)
      if (this.#hashes[id] !== hash) continue
      const start = this.start(id)
      if (this.#ends[id]! - start !== to - from) continue
      let k = from
      for (let other = start; k < to && source[k] === own[other]; k++) other++
      if (k === to) return id
    }
  }

  /** From now on: the engine's hashes of texts have a seed that nobody knows. */
  #findByBytes(source: Uint8Array, from: number, to: number): number {
    this.#idOfBytes = new Map()
    const { bytes } = this.bytes
    for (let id = 0; id < this.#size; id++) {
      this.#idOfBytes.set(latin1(bytes, this.start(id), this.end(id)), id)
    }
    return this.#find(source, from, to, 0)
  }

  #addEntry(hash: number): number {
    const id = this.#size++
    if (id === this.#ends.length) {
      this.#ends = doubled(this.#ends)
      this.#hashes = doubled(this.#hashes)
      this.#makers = doubled(this.#makers)
    }
    this.#makers[id] = this.#idCount
    this.#ends[id] = this.bytes.length
    this.#hashes[id] = hash
    this.#idOfBytes?.set(latin1(this.bytes.bytes, this.start(id), this.bytes.length), id)
    if (this.#idOfBytes !== null) return id
    if (this.#size * 2 > this.#slots.length) this.#rehash()
    else this.#place(id)
    return id
  }

  #place(id: number): void {
    const mask = this.#slots.length - 1
    let at = this.#hashes[id]! & mask
    while (this.#slots[at] !== 0) at = (at + 1) & mask
    this.#slots[at] = id + 1
  }

  #rehash(): void {
    this.#slots = new Int32Array(this.#slots.length * 2)
    for (let id = 0; id < this.#size; id++) this.#place(id)
  }

  /** Takes back the last addition, with the entry that it made. */
  removeLast(): void {
    const id = this.#ids[--this.#idCount]!
    if (this.#makers[id] === this.#idCount) this.#removeLastEntry(id)
  }

  #removeLastEntry(id: number): void {
    const { bytes } = this.bytes
    const [start, end] = [this.start(id), this.end(id)]
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8')
    // Several texts that are no Unicode have the same bytes.
    if (text.includes('\ufffd')) this.#idOfText.clear()
    else this.#idOfText.delete(text)
    this.#idOfBytes?.delete(latin1(bytes, start, end))
    const mask = this.#slots.length - 1
    let at = this.#hashes[id]! & mask
    while (this.#slots[at] !== 0 && this.#slots[at] !== id + 1) at = (at + 1) & mask
    // Nothing was placed after it, so that no search passes its place.
    this.#slots[at] = 0
    this.bytes.length = start
    this.#size--
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

  /** The ids of all entries, sorted by the entries' bytes. */
  sortedIds(): Int32Array {
    const { bytes } = this.bytes
    return Int32Array.from({ length: this.#size }, (_, id) => id).sort((a, b) =>
      compareSlices(bytes, this.start(a), this.end(a), this.start(b), this.end(b)),
    )
  }

  get heldBytes(): number {
    const { length } = this.#ends
    const texts = this.#idOfText.size === 0 ? 0 : this.bytes.length + this.#idOfText.size * 48
    return this.bytes.length + texts + length * 12 + this.#slots.length * 4 + this.#idCount * 4
  }
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1')
}

function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c_9dc5 ^ (to - from)
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ bytes[at]!, 0x0100_0193)
  // The low bits choose the slot, and are the weakest.
  return hash ^ (hash >>> 15)
}
