/**
 * The PATCHED_BASE form of run-length encoding version 2: all values as distances from the minimum
 * in a width that fits most of them, and for the few that are wider a list of patches.
 *
 *     header (2) | bbb ppppp | ggg lllll | minimum, b + 1 bytes, sign and magnitude
 *     | low bits of every distance | patches: gap from the last patch, high bits
 *
 * A gap over 255 is bridged by fillers: patches with gap 255 and no bits.
 *
 * Source: ORC v1, "Patched Base".
 */
import { bitWidth, codableWidth, codeOf, packBits, packedBytes } from './bit-packing.ts'
import type { ByteBuffer } from './byte-buffer.ts'
import { maxRunLength, runMode, writeRunHeader } from './run-header.ts'
import type { RunShape } from './run-shape.ts'

const maxGap = 255
const maxGapWidth = 8

/** The header counts up to 31 patches; the gaps of one run never need more than two fillers. */
const maxPatched = 31 - 2

/** A gap and the high bits must fit one number; wider patches are left to the other forms. */
const maxPatchWidth = 40

/** Shorter runs hardly gain by patches. */
const minCount = 32

const distances = new Float64Array(maxRunLength)
const patches = new Float64Array(31)
const countOfWidth = new Int32Array(54)

/** The width for most values that makes the form smaller than `maxBytes`, or 0 if there is none. */
export function choosePatchedWidth(
  values: Float64Array,
  from: number,
  count: number,
  shape: RunShape,
  maxBytes: number,
): number {
  // Under two bits a value nothing is left to gain.
  if (count < minCount || maxBytes * 4 < count) return 0
  const { minimum } = shape
  countOfWidth.fill(0)
  for (let k = from; k < from + count; k++) countOfWidth[bitWidth(values[k]! - minimum)]!++

  const fullWidth = bitWidth(shape.maximum - minimum)
  let patched = 0
  let best = 0
  let leastBytes = maxBytes
  for (let width = fullWidth - 1; width >= 1; width--) {
    patched += countOfWidth[width + 1]!
    const patchWidth = codableWidth(fullWidth - width)
    if (patched > maxPatched || patchWidth > maxPatchWidth) break
    if (codableWidth(width) !== width) continue
    const patchBytes = packedBytes(patched + 2, codableWidth(patchWidth + maxGapWidth))
    const bytes = 4 + baseBytes(minimum) + packedBytes(count, width) + patchBytes
    if (bytes < leastBytes) {
      leastBytes = bytes
      best = width
    }
  }
  return best
}

export function writePatchedBase(
  values: Float64Array,
  from: number,
  count: number,
  shape: RunShape,
  width: number,
  output: ByteBuffer,
): void {
  const { minimum } = shape
  const patchWidth = codableWidth(bitWidth(shape.maximum - minimum) - width)
  const lowRange = 2 ** width
  const gapRange = 2 ** patchWidth
  let patchCount = 0
  let widestGap = 0
  let lastPatched = 0
  for (let k = 0; k < count; k++) {
    const distance = values[from + k]! - minimum
    distances[k] = distance % lowRange
    if (distance < lowRange) continue
    let gap = k - lastPatched
    for (; gap > maxGap; gap -= maxGap) patches[patchCount++] = maxGap * gapRange
    patches[patchCount++] = gap * gapRange + Math.floor(distance / lowRange)
    widestGap = Math.max(widestGap, k - lastPatched)
    lastPatched = k
  }

  const gapWidth = bitWidth(Math.min(widestGap, maxGap))
  writeRunHeader(runMode.patchedBase, codeOf(width), count, output)
  output.writeByte(((baseBytes(minimum) - 1) << 5) | codeOf(patchWidth))
  output.writeByte(((gapWidth - 1) << 5) | patchCount)
  writeBase(minimum, output)
  packBits(distances, count, width, output)
  packBits(patches, patchCount, codableWidth(patchWidth + gapWidth), output)
}

/** One bit more than the magnitude, for the sign. */
function baseBytes(minimum: number): number {
  return Math.ceil((bitWidth(Math.abs(minimum)) + 1) / 8)
}

function writeBase(minimum: number, output: ByteBuffer): void {
  const byteCount = baseBytes(minimum)
  const base = Math.abs(minimum)
  for (let byte = byteCount - 1; byte >= 0; byte--) {
    const sign = minimum < 0 && byte === byteCount - 1 ? 0x80 : 0
    output.writeByte(sign | (Math.floor(base / 256 ** byte) & 0xff))
  }
}
