/**
 * Fixed-width bit fields, most significant bit first: the payload of run-length encoding version 2,
 * and the widths that its headers can express. Unsigned integers as numbers (to 53 bits) here; the
 * `Big` functions do the same for bigints of 64 bits.
 *
 * Source: ORC v1, "Integer Run Length Encoding, version 2".
 */
import type { ByteBuffer } from './byte-buffer.ts'

/** Indexed by the 5-bit code of a header: the width in bits. */
const codedWidths = [...Array(24).keys()]
  .map(code => code + 1)
  .concat(26, 28, 30, 32, 40, 48, 56, 64)

/** Indexed by a width in bits: the code of the narrowest width that is not narrower. */
const codeOfWidth = Uint8Array.from({ length: 65 }, (_, width) =>
  codedWidths.findIndex(coded => coded >= width),
)

export function widthOfCode(code: number): number {
  return codedWidths[code]!
}

export function codeOf(width: number): number {
  return codeOfWidth[width]!
}

/** So many one bits, at most 30: computing a power would take as long as several fields. */
function maskOf(width: number): number {
  return (1 << width) - 1
}

/** The narrowest width of a header that holds `width` bits. */
export function codableWidth(width: number): number {
  return codedWidths[codeOfWidth[width]!]!
}

/** How many bits an unsigned integer up to 2^53 needs; 1 for 0. */
export function bitWidth(value: number): number {
  if (value < 2) return 1
  return value < 0x1_0000_0000 ? 32 - Math.clz32(value) : 64 - Math.clz32(value / 0x1_0000_0000)
}

export function bigBitWidth(value: bigint): number {
  const high = Number(value >> 32n)
  return high === 0 ? bitWidth(Number(value)) : 32 + bitWidth(high)
}

export function packedBytes(count: number, width: number): number {
  return Math.ceil((count * width) / 8)
}

/**
 * Packs the first `count` values, padding the last byte. `width` is one that headers can express.
 */
export function packBits(
  values: Float64Array,
  count: number,
  width: number,
  output: ByteBuffer,
): void {
  output.reserve(packedBytes(count, width))
  if (width >= 32) packWholeBytes(values, count, width >> 3, output)
  else packNarrow(values, count, width, output)
}

function packNarrow(values: Float64Array, count: number, width: number, output: ByteBuffer): void {
  const bytes = output.bytes
  let at = output.length
  let held = 0
  let heldBits = 0
  // With up to 7 bits held, more than 24 would overflow an int32: wider values go in two steps.
  const upperBits = width > 24 ? width - 16 : 0
  const lowerBits = width - upperBits
  const lowerMask = maskOf(lowerBits)
  for (let k = 0; k < count; k++) {
    const value = values[k]! | 0
    if (upperBits > 0) {
      held = (held << upperBits) | (value >>> lowerBits)
      heldBits += upperBits
      while (heldBits >= 8) {
        heldBits -= 8
        bytes[at++] = held >>> heldBits
      }
    }
    held = (held << lowerBits) | (value & lowerMask)
    heldBits += lowerBits
    while (heldBits >= 8) {
      heldBits -= 8
      bytes[at++] = held >>> heldBits
    }
  }
  if (heldBits > 0) bytes[at++] = held << (8 - heldBits)
  output.length = at
}

function packWholeBytes(
  values: Float64Array,
  count: number,
  byteCount: number,
  output: ByteBuffer,
): void {
  const bytes = output.bytes
  let at = output.length
  for (let k = 0; k < count; k++) {
    const value = values[k]!
    const high = Math.floor(value / 0x1_0000_0000)
    for (let byte = byteCount - 1; byte >= 4; byte--) {
      bytes[at++] = high >>> ((byte - 4) * 8)
    }
    const low = value >>> 0
    bytes[at++] = low >>> 24
    bytes[at++] = low >>> 16
    bytes[at++] = low >>> 8
    bytes[at++] = low
  }
  output.length = at
}

export function packBigBits(values: readonly bigint[], width: number, output: ByteBuffer): void {
  const view = Buffer.alloc(8)
  for (const value of values) {
    view.writeBigUInt64BE(value)
    output.writeBytes(view.subarray(8 - width / 8))
  }
}

/** The widest field that lies within four bytes, from whichever bit of the first one on. */
export const maxSmallWidth = 24

/** Unpacks `count` fields of at most `maxSmallWidth` bits, starting at byte `from`. */
export function unpackSmall(
  bytes: DataView,
  from: number,
  count: number,
  width: number,
  target: Int32Array,
): void {
  const mask = maskOf(width)
  // The last fields of all have no four bytes from their first one on.
  const safeCount = Math.min(count, Math.floor(((bytes.byteLength - from - 4) * 8) / width))
  let bit = 0
  let k = 0
  for (; k < safeCount; k++, bit += width) {
    target[k] = (bytes.getInt32(from + (bit >>> 3)) >>> (32 - width - (bit & 7))) & mask
  }
  for (; k < count; k++, bit += width) {
    let held = 0
    const end = (bit + width + 7) >>> 3
    for (let at = bit >>> 3; at < end; at++) held = (held << 8) | bytes.getUint8(from + at)
    target[k] = (held >>> (end * 8 - bit - width)) & mask
  }
}

/** Unpacks `count` fields of more bits, at most 53, starting at byte `from`. */
export function unpackLarge(
  bytes: Uint8Array,
  from: number,
  count: number,
  width: number,
  target: Float64Array,
): void {
  if (width >= 32) unpackWholeBytes(bytes, from, count, width >> 3, target)
  else unpackInTwo(bytes, from, count, width, target)
}

/** With up to 7 bits held, more than 24 would overflow an int32. */
function unpackInTwo(
  bytes: Uint8Array,
  from: number,
  count: number,
  width: number,
  target: Float64Array,
): void {
  let at = from
  let held = 0
  let heldBits = 0
  const upperBits = width - 16
  const upperMask = maskOf(upperBits)
  for (let k = 0; k < count; k++) {
    while (heldBits < upperBits) {
      held = (held << 8) | bytes[at++]!
      heldBits += 8
    }
    heldBits -= upperBits
    const upper = (held >>> heldBits) & upperMask
    while (heldBits < 16) {
      held = (held << 8) | bytes[at++]!
      heldBits += 8
    }
    heldBits -= 16
    target[k] = upper * 0x1_0000 + ((held >>> heldBits) & 0xffff)
  }
}

function unpackWholeBytes(
  bytes: Uint8Array,
  from: number,
  count: number,
  byteCount: number,
  target: Float64Array,
): void {
  let at = from
  for (let k = 0; k < count; k++) {
    let value = 0
    for (let byte = 0; byte < byteCount; byte++) value = value * 256 + bytes[at++]!
    target[k] = value
  }
}

/** Whether fields of 56 or 64 bits hold nothing beyond 2^53, so that they may be unpacked as numbers. */
export function areNumbers(
  bytes: Uint8Array,
  from: number,
  count: number,
  width: 56 | 64,
): boolean {
  const step = width >> 3
  const end = from + count * step
  for (let at = from; at < end; at += step) {
    const high = width === 56 ? bytes[at]! : bytes[at]! * 256 + bytes[at + 1]!
    if (high >= 0x20) return false
  }
  return true
}

/** As `unpackLarge`, for values of any width to 64 bits. */
export function unpackBigBits(
  bytes: Uint8Array,
  from: number,
  count: number,
  width: number,
): bigint[] {
  const values: bigint[] = []
  let at = from
  let held = 0n
  let heldBits = 0
  for (let k = 0; k < count; k++) {
    while (heldBits < width) {
      held = (held << 8n) | BigInt(bytes[at++]!)
      heldBits += 8
    }
    heldBits -= width
    values.push(held >> BigInt(heldBits))
    held = BigInt.asUintN(heldBits, held)
  }
  return values
}
