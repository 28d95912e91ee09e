/**
 * The hashes of bloom filters, those of ORC's own writer. They are defined on 64 bits, and computed here on
 * halves of 32: bigints take ten times as long.
 *
 * Source: ORC v1, "Bloom Filter Index"; Thomas Wang's mix of integers; MurmurHash3.
 */

/** A 64-bit hash as two int32 halves. */
export interface Hash {
  readonly low: number
  readonly high: number
}

/** The 64 bits that the functions below work on. */
let low = 0
let high = 0

/** Of integers, dates (days) and timestamps (milliseconds in UTC). */
export function hashOfInteger(value: number | bigint): Hash {
  if (typeof value === 'bigint') {
    low = Number(BigInt.asIntN(32, value))
    high = Number(BigInt.asIntN(32, value >> 32n))
  } else {
    low = value | 0
    high = Math.floor(value / 0x1_0000_0000) | 0
  }
  return mixed()
}

const view = new DataView(new ArrayBuffer(8))

export function hashOfDouble(value: number): Hash {
  // Every NaN has one form.
  view.setFloat64(0, Number.isNaN(value) ? Number.NaN : value)
  low = view.getInt32(4)
  high = view.getInt32(0)
  return mixed()
}

/** Shifts to the right keep the sign. */
function mixed(): Hash {
  const { low: oldLow, high: oldHigh } = { low, high }
  shiftLeft(21)
  add(~oldLow, ~oldHigh)
  xorShifted(24)
  addShifted(3, 8)
  xorShifted(14)
  addShifted(2, 4)
  xorShifted(28)
  const [last, first] = [low, high]
  shiftLeft(31)
  add(last, first)
  return { low, high }
}

function shiftLeft(by: number): void {
  high = (high << by) | (low >>> (32 - by))
  low <<= by
}

function add(otherLow: number, otherHigh: number): void {
  const sum = (low >>> 0) + (otherLow >>> 0)
  high = (high + otherHigh + (sum > 0xffff_ffff ? 1 : 0)) | 0
  low = sum | 0
}

/** x + (x << a) + (x << b). */
function addShifted(a: number, b: number): void {
  const [oldLow, oldHigh] = [low, high]
  shiftLeft(a)
  add(oldLow, oldHigh)
  const [sumLow, sumHigh] = [low, high]
  low = oldLow
  high = oldHigh
  shiftLeft(b)
  add(sumLow, sumHigh)
}

/** x ^ (x >> by), with its sign. */
function xorShifted(by: number): void {
  low ^= (low >>> by) | (high << (32 - by))
  high ^= high >> by
}

/** Murmur3 of 64 bits, over the bytes of a text, or of the text of a decimal. */
export function hashOfBytes(bytes: Uint8Array, from: number, to: number): Hash {
  let hashLow = seed
  let hashHigh = 0
  let at = from
  for (; at + 8 <= to; at += 8) {
    scramble(wordAt(bytes, at, 4), wordAt(bytes, at + 4, 4))
    low ^= hashLow
    high ^= hashHigh
    rotateLeft(27)
    multiply(5, 0)
    add(0x52dc_e729, 0)
    hashLow = low
    hashHigh = high
  }
  if (at < to) {
    scramble(
      wordAt(bytes, at, Math.min(4, to - at)),
      at + 4 < to ? wordAt(bytes, at + 4, to - at - 4) : 0,
    )
    hashLow ^= low
    hashHigh ^= high
  }
  low = hashLow ^ (to - from)
  high = hashHigh
  low ^= high >>> 1
  multiply(0xed55_8ccd, 0xff51_afd7)
  low ^= high >>> 1
  multiply(0x1a85_ec53, 0xc4ce_b9fe)
  low ^= high >>> 1
  return { low, high }
}

const seed = 104_729

/** Some bytes, the least significant first. */
function wordAt(bytes: Uint8Array, at: number, count: number): number {
  let word = 0
  for (let k = count - 1; k >= 0; k--) word = (word << 8) | bytes[at + k]!
  return word
}

function scramble(wordLow: number, wordHigh: number): void {
  low = wordLow
  high = wordHigh
  multiply(0x1142_53d5, 0x87c3_7b91)
  rotateLeft(31)
  multiply(0x2745_937f, 0x4cf5_ad43)
}

function rotateLeft(by: number): void {
  const [oldLow, oldHigh] = [low, high]
  low = (oldLow << by) | (oldHigh >>> (32 - by))
  high = (oldHigh << by) | (oldLow >>> (32 - by))
}

/** By a constant, modulo 2^64. */
function multiply(byLow: number, byHigh: number): void {
  const crossed = Math.imul(low, byHigh) + Math.imul(high, byLow)
  // The upper half of the product of the lower halves, by halves of 16 bits.
  const [a, b] = [low & 0xffff, low >>> 16]
  const [c, d] = [byLow & 0xffff, byLow >>> 16]
  const middle = b * c + ((a * c) >>> 16)
  const upper =
    b * d + Math.floor(middle / 0x1_0000) + Math.floor((a * d + (middle & 0xffff)) / 0x1_0000)
  low = Math.imul(low, byLow)
  high = (crossed + upper) | 0
}
