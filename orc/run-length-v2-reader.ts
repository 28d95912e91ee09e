/**
 * Decodes one run of integer run-length encoding, version 2. Runs whose values are int32 or safe in
 * a number by their widths are decoded as such, all others as int64 bigints (with its wrap-around).
 *
 * Source: ORC v1, "Integer Run Length Encoding, version 2"; the forms are drawn in
 * `run-length-v2-writer.ts` and `patched-base-writer.ts`.
 */
import {
  areNumbers,
  codableWidth,
  maxSmallWidth,
  packedBytes,
  unpackBigBits,
  unpackLarge,
  unpackSmall,
  widthOfCode,
} from './bit-packing.ts'
import type { ByteInput } from './byte-input.ts'
import { corrupt } from './errors.ts'
import type { IntegerRun } from './integer-run.ts'
import { maxRunLength, minRepeat, runMode } from './run-header.ts'
import { bigUnzigzag, unzigzag } from './zigzag.ts'

/** The widest field that is decoded as a number; the next codable width is 56. */
const maxNumberWidth = 48

export function decodeRunLengthV2(input: ByteInput, isSigned: boolean, run: IntegerRun): void {
  const first = input.readByte()
  const mode = first >> 6
  if (mode === runMode.shortRepeat) {
    decodeShortRepeat(input, first, isSigned, run)
    return
  }
  const widthCode = (first >> 1) & 31
  const count = (((first & 1) << 8) | input.readByte()) + 1
  if (mode === runMode.direct) decodeDirect(input, widthOfCode(widthCode), count, isSigned, run)
  else if (mode === runMode.delta) decodeDelta(input, widthCode, count, isSigned, run)
  else decodePatchedBase(input, widthOfCode(widthCode), count, run)
}

function decodeShortRepeat(
  input: ByteInput,
  first: number,
  isSigned: boolean,
  run: IntegerRun,
): void {
  const byteCount = ((first >> 3) & 7) + 1
  const count = (first & 7) + minRepeat
  if (byteCount > 6) {
    const unsigned = readBig(input, byteCount)
    const value = isSigned ? bigUnzigzag(unsigned) : unsigned
    run.setWide(new BigInt64Array(count).fill(value))
  } else {
    const unsigned = readUnsigned(input, byteCount)
    run.narrow.fill(isSigned ? unzigzag(unsigned) : unsigned, 0, count)
    run.setNarrow(count)
  }
}

function decodeDirect(
  input: ByteInput,
  width: number,
  count: number,
  isSigned: boolean,
  run: IntegerRun,
): void {
  if (width <= maxSmallWidth) {
    const { small } = run
    readSmallFields(input, width, count, small)
    if (isSigned) for (let k = 0; k < count; k++) small[k] = (small[k]! >>> 1) ^ -(small[k]! & 1)
    run.setSmall(count)
  } else if (width <= maxNumberWidth || haveNumbers(input, width, count)) {
    const { narrow } = run
    readFields(input, width, count, narrow)
    if (isSigned) for (let k = 0; k < count; k++) narrow[k] = unzigzag(narrow[k]!)
    run.setNarrow(count)
  } else {
    const unsigned = readWideFields(input, width, count)
    run.setWide(BigInt64Array.from(isSigned ? unsigned.map(bigUnzigzag) : unsigned))
  }
}

function decodeDelta(
  input: ByteInput,
  widthCode: number,
  count: number,
  isSigned: boolean,
  run: IntegerRun,
): void {
  const unsignedBase = input.readVarint()
  const unsignedStep = input.readVarint()
  const width = widthCode === 0 ? 0 : widthOfCode(widthCode)
  const reach = Number(unsignedBase) + Number(unsignedStep) * count + powersOfTwo[width]! * count
  if (reach > Number.MAX_SAFE_INTEGER) {
    decodeWideDelta(input, isSigned, width, count, run, BigInt(unsignedBase), BigInt(unsignedStep))
    return
  }
  const base = isSigned ? unzigzag(Number(unsignedBase)) : Number(unsignedBase)
  const step = unzigzag(Number(unsignedStep))
  if (width === 0) {
    setSteps(base, step, count, isSigned, run)
    return
  }
  const { narrow } = run
  if (count > 2) readFields(input, width, count - 2, narrow.subarray(2))
  narrow[0] = base
  narrow[1] = base + step
  const sign = step < 0 ? -1 : 1
  for (let k = 2; k < count; k++) narrow[k] = narrow[k - 1]! + sign * narrow[k]!
  run.setNarrow(count)
}

function setSteps(
  base: number,
  step: number,
  count: number,
  isSigned: boolean,
  run: IntegerRun,
): void {
  const last = base + (count - 1) * step
  const [least, greatest] = step < 0 ? [last, base] : [base, last]
  if (least < (isSigned ? minInt32 : 0) || greatest > maxInt32) {
    for (let k = 0; k < count; k++) run.narrow[k] = base + k * step
    run.setNarrow(count)
    return
  }
  if (step === 0) run.small.fill(base, 0, count)
  else for (let k = 0; k < count; k++) run.small[k] = base + k * step
  run.setSmall(count)
}

function decodeWideDelta(
  input: ByteInput,
  isSigned: boolean,
  width: number,
  count: number,
  run: IntegerRun,
  unsignedBase: bigint,
  unsignedStep: bigint,
): void {
  const values = new BigInt64Array(count)
  const step = bigUnzigzag(unsignedStep)
  values[0] = isSigned ? bigUnzigzag(unsignedBase) : unsignedBase
  if (width === 0) {
    for (let k = 1; k < count; k++) values[k] = values[k - 1]! + step
  } else {
    const later = count > 2 ? readWideFields(input, width, count - 2) : []
    if (count > 1) values[1] = values[0]! + step
    later.forEach((size, index) => {
      values[index + 2] = values[index + 1]! + (step < 0n ? -size : size)
    })
  }
  run.setWide(values)
}

function decodePatchedBase(input: ByteInput, width: number, count: number, run: IntegerRun): void {
  const third = input.readByte()
  const fourth = input.readByte()
  const baseByteCount = (third >> 5) + 1
  const patchWidth = widthOfCode(third & 31)
  const gapWidth = (fourth >> 5) + 1
  const patchCount = fourth & 31
  if (patchWidth + gapWidth > 64) throw corrupt('a patch is wider than 64 bits', input.where)

  const isNarrow =
    baseByteCount <= 6 &&
    width + patchWidth <= maxNumberWidth &&
    patchWidth + gapWidth <= maxNumberWidth
  if (!isNarrow) {
    const gap = { width: gapWidth, patchWidth, patchCount }
    decodeWidePatchedBase(input, width, count, baseByteCount, gap, run)
    return
  }
  const signAndBase = readUnsigned(input, baseByteCount)
  const signBit = powersOfTwo[baseByteCount * 8 - 1]!
  const base = signAndBase >= signBit ? signBit - signAndBase : signAndBase
  const { narrow } = run
  readFields(input, width, count, narrow)
  readFields(input, codableWidth(patchWidth + gapWidth), patchCount, patches)
  const range = powersOfTwo[patchWidth]!
  const scale = powersOfTwo[width]!
  const gapMask = (1 << gapWidth) - 1
  let at = 0
  for (let k = 0; k < patchCount; k++) {
    const gap = Math.floor(patches[k]! / range)
    at += gap & gapMask
    if (at >= count) throw corrupt('a patch lies outside of its run', input.where)
    narrow[at] = narrow[at]! + (patches[k]! - gap * range) * scale
  }
  for (let k = 0; k < count; k++) narrow[k] = narrow[k]! + base
  run.setNarrow(count)
}

/** By exponent: computing them takes as long as several values. */
const powersOfTwo = Float64Array.from({ length: 65 }, (_, exponent) => 2 ** exponent)

/** A run has at most 31. */
const patches = new Float64Array(32)

function decodeWidePatchedBase(
  input: ByteInput,
  width: number,
  count: number,
  baseByteCount: number,
  gap: { readonly width: number; readonly patchWidth: number; readonly patchCount: number },
  run: IntegerRun,
): void {
  const signAndBase = readBig(input, baseByteCount)
  const signBit = 1n << BigInt(baseByteCount * 8 - 1)
  const base = signAndBase >= signBit ? signBit - signAndBase : signAndBase
  const wide = readWideFields(input, width, count)
  const fields = readWideFields(input, codableWidth(gap.patchWidth + gap.width), gap.patchCount)
  let at = 0
  for (const patch of fields) {
    at += Number(patch >> BigInt(gap.patchWidth)) & (2 ** gap.width - 1)
    if (at >= count) throw corrupt('a patch lies outside of its run', input.where)
    wide[at] = wide[at]! | (BigInt.asUintN(gap.patchWidth, patch) << BigInt(width))
  }
  run.setWide(BigInt64Array.from(wide, distance => base + distance))
}

/** An unsigned big-endian integer of at most six bytes. */
function readUnsigned(input: ByteInput, byteCount: number): number {
  let value = 0
  for (let byte = 0; byte < byteCount; byte++) value = value * 256 + input.readByte()
  return value
}

/** An unsigned big-endian integer of whole bytes. */
function readBig(input: ByteInput, byteCount: number): bigint {
  let value = 0n
  for (let byte = 0; byte < byteCount; byte++) value = (value << 8n) | BigInt(input.readByte())
  return value
}

function readFields(input: ByteInput, width: number, count: number, target: Float64Array): void {
  if (width <= maxSmallWidth) {
    readSmallFields(input, width, count, smallFields)
    target.set(smallFields.subarray(0, count))
    return
  }
  const byteCount = packedBytes(count, width)
  input.require(byteCount)
  unpackLarge(input.bytes, input.position, count, width, target)
  input.position += byteCount
}

const minInt32 = -(2 ** 31)
const maxInt32 = 2 ** 31 - 1

/** Before they are numbers of an array that also holds larger ones. */
const smallFields = new Int32Array(maxRunLength)

function readSmallFields(input: ByteInput, width: number, count: number, target: Int32Array): void {
  const byteCount = packedBytes(count, width)
  input.require(byteCount)
  unpackSmall(input.view, input.position, count, width, target)
  input.position += byteCount
}

/** Wide fields may hold numbers all the same: times in microseconds take 56 bits with their sign. */
function haveNumbers(input: ByteInput, width: number, count: number): boolean {
  if (width !== 56 && width !== 64) return false
  input.require(packedBytes(count, width))
  return areNumbers(input.bytes, input.position, count, width)
}

function readWideFields(input: ByteInput, width: number, count: number): bigint[] {
  const byteCount = packedBytes(count, width)
  input.require(byteCount)
  const values = unpackBigBits(input.bytes, input.position, count, width)
  input.position += byteCount
  return values
}
