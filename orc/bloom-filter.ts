/**
 * Bloom filters of row groups: whether a value may be among a group's. Hashes and bits are those of ORC's own
 * writer, so that each reader finds what the other wrote.
 *
 * Source: ORC v1, "Bloom Filter Index"; `orc_proto.proto`.
 */
import { corrupt } from './errors.ts'
import { MessageReader, MessageWriter } from './protobuf.ts'

/** A 64-bit hash as two int32 halves. */
export interface Hash {
  readonly low: number
  readonly high: number
}

const noHash = { low: 0, high: 0 }

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

/** Of integers, dates (days) and timestamps (milliseconds in UTC). */
export function hashOfInteger(value: number | bigint): Hash {
  return mixed(BigInt.asIntN(64, BigInt(value)))
}

const view = new DataView(new ArrayBuffer(8))

export function hashOfDouble(value: number): Hash {
  // Every NaN has one form.
  view.setFloat64(0, Number.isNaN(value) ? Number.NaN : value)
  return mixed(view.getBigInt64(0))
}

/** Thomas Wang's mix of 64 bits, with arithmetic shifts. */
function mixed(value: bigint): Hash {
  const wrap = (all: bigint): bigint => BigInt.asIntN(64, all)
  let key = wrap(~value + (value << 21n))
  key ^= key >> 24n
  key = wrap(key + (key << 3n) + (key << 8n))
  key ^= key >> 14n
  key = wrap(key + (key << 2n) + (key << 4n))
  key ^= key >> 28n
  key = wrap(key + (key << 31n))
  return { low: Number(BigInt.asIntN(32, key)), high: Number(BigInt.asIntN(32, key >> 32n)) }
}

const seed = 104_729n
const c1 = 0x87c3_7b91_1142_53d5n
const c2 = 0x4cf5_ad43_2745_937fn

/** Murmur3 of 64 bits, over the bytes of a text or of the text of a decimal. */
export function hashOfBytes(bytes: Uint8Array, from: number, to: number): Hash {
  const length = to - from
  if (length < 0) return noHash
  const data = new DataView(bytes.buffer, bytes.byteOffset + from, length)
  const wrap = (all: bigint): bigint => BigInt.asUintN(64, all)
  const rotate = (word: bigint, by: bigint): bigint => wrap((word << by) | (word >> (64n - by)))
  let hash = seed
  const words = length >> 3
  for (let word = 0; word < words; word++) {
    const k = wrap(rotate(wrap(data.getBigUint64(word * 8, true) * c1), 31n) * c2)
    hash = wrap(rotate(hash ^ k, 27n) * 5n + 0x52dc_e729n)
  }
  if ((length & 7) > 0) {
    let tail = 0n
    for (let at = length - 1; at >= words * 8; at--) tail = (tail << 8n) | BigInt(data.getUint8(at))
    hash ^= wrap(rotate(wrap(tail * c1), 31n) * c2)
  }
  hash ^= BigInt(length)
  hash ^= hash >> 33n
  hash = wrap(hash * 0xff51_afd7_ed55_8ccdn)
  hash ^= hash >> 33n
  hash = wrap(hash * 0xc4ce_b9fe_1a85_ec53n)
  hash ^= hash >> 33n
  return { low: Number(BigInt.asIntN(32, hash)), high: Number(BigInt.asIntN(32, hash >> 32n)) }
}
