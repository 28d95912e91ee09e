/**
 * Bloom filters of row groups: whether a value may be among a group's. The bits are those of ORC's own writer, so
 * that each reader finds what the other wrote; the hashes are in `hashes.ts`.
 *
 * Source: ORC v1, "Bloom Filter Index"; `orc_proto.proto`.
 */
import { corrupt } from './errors.ts'
import type { Hash } from './hashes.ts'
import { MessageReader, MessageWriter } from './protobuf.ts'

export class BloomFilter {
  readonly hashCount: number
  /** Bits, the least significant of each byte first. */
  readonly bits: Uint8Array
  readonly #bitCount: number

  constructor(hashCount: number, bits: Uint8Array) {
    this.hashCount = hashCount
    this.bits = bits
    this.#bitCount = bits.length * 8
  }

  /** For so many distinct values, of which others are taken for one of them with the probability `fpp`. */
  static sized(valueCount: number, fpp: number): BloomFilter {
    const wanted = Math.floor((-valueCount * Math.log(fpp)) / Math.log(2) ** 2)
    // As the reference rounds, which adds a word where none is missing.
    const bitCount = wanted + (64 - (wanted % 64))
    const hashCount = Math.max(1, Math.round((bitCount / valueCount) * Math.log(2)))
    return new BloomFilter(hashCount, new Uint8Array(bitCount / 8))
  }

  add(hash: Hash): void {
    for (let k = 1; k <= this.hashCount; k++) {
      const bit = this.#bitOf(hash, k)
      this.bits[bit >>> 3]! |= 1 << (bit & 7)
    }
  }

  mayHave(hash: Hash): boolean {
    for (let k = 1; k <= this.hashCount; k++) {
      const bit = this.#bitOf(hash, k)
      if ((this.bits[bit >>> 3]! & (1 << (bit & 7))) === 0) return false
    }
    return true
  }

  #bitOf({ low, high }: Hash, k: number): number {
    const combined = (low + Math.imul(k, high)) | 0
    return (combined < 0 ? ~combined : combined) % this.#bitCount
  }
}

export function encodeBloomFilters(filters: readonly BloomFilter[]): Uint8Array {
  const message = new MessageWriter()
  for (const { hashCount, bits } of filters) {
    message.message(1, new MessageWriter().unsigned(1, hashCount).data(3, bits))
  }
  return message.bytes()
}

/** By row group; null where a filter has no bits in the form that is known. */
export function decodeBloomFilters(bytes: Uint8Array, where: string): (BloomFilter | null)[] {
  const message = new MessageReader(bytes, where)
  const filters: (BloomFilter | null)[] = []
  while (message.next()) {
    if (message.field !== 1) continue
    let hashCount = 0
    let bits = new Uint8Array(0)
    const inner = message.message()
    while (inner.next()) {
      if (inner.field === 1) hashCount = inner.unsigned()
      else if (inner.field === 3) bits = Uint8Array.from(inner.data())
    }
    if (hashCount > 64) throw corrupt(`a bloom filter has ${hashCount} hashes`, where)
    filters.push(bits.length === 0 || hashCount === 0 ? null : new BloomFilter(hashCount, bits))
  }
  return filters
}
