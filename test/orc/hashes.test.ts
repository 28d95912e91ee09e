import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Hash } from '../../orc/hashes.ts'
import { hashOfBytes, hashOfDouble, hashOfInteger } from '../../orc/hashes.ts'

const wrap = (value: bigint): bigint => BigInt.asUintN(64, value)

function whole({ low, high }: Hash): bigint {
  return (BigInt.asUintN(32, BigInt(high)) << 32n) | BigInt.asUintN(32, BigInt(low))
}

/** The definitions, on bigints of 64 bits. */
function mixed(value: bigint): bigint {
  const signed = (all: bigint): bigint => BigInt.asIntN(64, all)
  let key = signed(~value + (value << 21n))
  key ^= key >> 24n
  key = signed(key + (key << 3n) + (key << 8n))
  key ^= key >> 14n
  key = signed(key + (key << 2n) + (key << 4n))
  key ^= key >> 28n
  return wrap(key + (key << 31n))
}

function murmur(bytes: Uint8Array): bigint {
  const rotate = (word: bigint, by: bigint): bigint => wrap((word << by) | (word >> (64n - by)))
  const scramble = (word: bigint): bigint =>
    wrap(rotate(wrap(word * 0x87c3_7b91_1142_53d5n), 31n) * 0x4cf5_ad43_2745_937fn)
  const wordOf = (part: Uint8Array): bigint =>
    part.reduceRight((word, byte) => (word << 8n) | BigInt(byte), 0n)
  let hash = 104_729n
  const words = bytes.length >> 3
  for (let k = 0; k < words; k++) {
    hash = rotate(hash ^ scramble(wordOf(bytes.subarray(k * 8, k * 8 + 8))), 27n)
    hash = wrap(hash * 5n + 0x52dc_e729n)
  }
  if (bytes.length % 8 > 0) hash ^= scramble(wordOf(bytes.subarray(words * 8)))
  hash ^= BigInt(bytes.length)
  hash = wrap((hash ^ (hash >> 33n)) * 0xff51_afd7_ed55_8ccdn)
  hash = wrap((hash ^ (hash >> 33n)) * 0xc4ce_b9fe_1a85_ec53n)
  return hash ^ (hash >> 33n)
}

it('of integers is the mix of their 64 bits, whether they come as numbers or as bigints', () => {
  const integers = fc.oneof(fc.maxSafeInteger(), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n))
  fc.assert(
    fc.property(integers, value => {
      expect(whole(hashOfInteger(value))).toBe(mixed(BigInt(value)))
      expect(hashOfInteger(BigInt(value))).toEqual(hashOfInteger(value))
    }),
    { numRuns: 2000 },
  )
})

it('of doubles is that of their bits', () => {
  const view = new DataView(new ArrayBuffer(8))
  fc.assert(
    fc.property(fc.double(), value => {
      view.setFloat64(0, value)
      expect(whole(hashOfDouble(value))).toBe(mixed(view.getBigInt64(0)))
    }),
    { numRuns: 2000 },
  )
})

it('of bytes is that of Murmur3, wherever they lie', () => {
  const bytes = fc.uint8Array({ maxLength: 40 })
  fc.assert(
    fc.property(bytes, bytes, (before, value) => {
      const all = Buffer.concat([before, value, before])
      const from = before.length
      expect(whole(hashOfBytes(all, from, from + value.length))).toBe(murmur(value))
    }),
    { numRuns: 2000 },
  )
})
