/**
 * Run-length encoding version 2 for narrow integers (see `zigzag.ts`), which nearly all are.
 *
 * A repeat of three and more at the front becomes a run of its own. Otherwise values are taken
 * until a repeat comes whose own run would save more than the headers that the cut costs.
 */
import { bitWidth, codableWidth, codeOf, packBits, packedBytes } from './bit-packing.ts'
import type { ByteBuffer } from './byte-buffer.ts'
import { choosePatchedWidth, writePatchedBase } from './patched-base-writer.ts'
import { maxRunLength, maxShortRepeat, minRepeat, runMode, writeRunHeader } from './run-header.ts'
import { RunShape } from './run-shape.ts'
import { maxNarrow, zigzag } from './zigzag.ts'

/** A run's values as its form stores them. Shared, because encoding is synchronous. */
const stored = new Float64Array(maxRunLength)
const shape = new RunShape()

/** Encodes the first `count` of `values`, which are narrow. The last run is ended. */
export function writeNarrowRunLengthV2(
  values: Float64Array,
  count: number,
  isSigned: boolean,
  output: ByteBuffer,
): void {
  let from = 0
  while (from < count) {
    const limit = Math.min(count, from + maxRunLength)
    const repeat = repeatLength(values, from, limit)
    if (repeat >= minRepeat) {
      writeRepeat(values[from]!, repeat, isSigned, output)
      from += repeat
    } else {
      const end = measureLiterals(values, from, limit, isSigned)
      writeLiterals(values, from, end, isSigned, output)
      from = end
    }
  }
}

function repeatLength(values: Float64Array, from: number, limit: number): number {
  const value = values[from]
  let at = from + 1
  while (at < limit && values[at] === value) at++
  return at - from
}

/** Index of the first of three equal values, or `limit`. */
function nextRepeat(values: Float64Array, from: number, limit: number): number {
  for (let at = from + 2; at < limit; at++) {
    if (values[at] === values[at - 1] && values[at] === values[at - 2]) return at - 2
  }
  return limit
}

/** Finds where the literals that start at `from` end, and leaves their shape in `shape`. */
function measureLiterals(
  values: Float64Array,
  from: number,
  limit: number,
  isSigned: boolean,
): number {
  shape.start(values[from]!)
  let at = from + 1
  for (;;) {
    const repeatAt = nextRepeat(values, at, limit)
    shape.extend(values, from, at, repeatAt)
    if (repeatAt === limit) return limit
    const repeat = repeatLength(values, repeatAt, limit)
    if (repeatPays(values[repeatAt]!, repeat, isSigned)) return repeatAt
    at = repeatAt + repeat
    shape.extend(values, from, repeatAt, at)
  }
}

/** Whether the literals of `shape` should end before `repeat` times `value`. */
function repeatPays(value: number, repeat: number, isSigned: boolean): boolean {
  const direct = bitWidth(Math.max(shape.greatestMagnitude(isSigned), magnitude(value, isSigned)))
  const isDelta = shape.isMonotonic && shape.firstStep !== 0
  const literalBits = isDelta ? Math.min(direct, bitWidth(shape.greatestStep)) : direct
  const ownBytes = 2 + varintBytes(magnitude(value, isSigned))
  const nextHeaderBytes = literalBits < direct ? ownBytes + 1 : 2
  return repeat * literalBits > 8 * (ownBytes + nextHeaderBytes)
}

function writeRepeat(value: number, repeat: number, isSigned: boolean, output: ByteBuffer): void {
  const unsigned = magnitude(value, isSigned)
  if (repeat <= maxShortRepeat) {
    const byteCount = Math.ceil(bitWidth(unsigned) / 8)
    output.writeByte((runMode.shortRepeat << 6) | ((byteCount - 1) << 3) | (repeat - minRepeat))
    stored[0] = unsigned
    packBits(stored, 1, byteCount * 8, output)
  } else {
    // A delta run of step 0: width code 0 means that there are no steps to store.
    writeRunHeader(runMode.delta, 0, repeat, output)
    output.writeVarint(unsigned)
    output.writeVarint(0)
  }
}

/** Writes the values of `shape` in the smallest form. */
function writeLiterals(
  values: Float64Array,
  from: number,
  end: number,
  isSigned: boolean,
  output: ByteBuffer,
): void {
  const count = end - from
  const directWidth = codableWidth(bitWidth(shape.greatestMagnitude(isSigned)))
  const directBytes = 2 + packedBytes(count, directWidth)
  const deltaBytes = deltaRunBytes(values[from]!, count, isSigned)
  const leastBytes = Math.min(directBytes, deltaBytes)
  const patchedWidth = choosePatchedWidth(values, from, count, shape, leastBytes)
  if (patchedWidth > 0) {
    writePatchedBase(values, from, count, shape, patchedWidth, output)
  } else if (deltaBytes < directBytes) {
    writeDelta(values, from, count, isSigned, output)
  } else if (isDeltaButForFirst(count, directWidth)) {
    writeDirect(values, from, 1, directWidth, isSigned, output)
    shape.start(values[from + 1]!)
    shape.extend(values, from + 1, from + 2, end)
    writeLiterals(values, from + 1, end, isSigned, output)
  } else {
    writeDirect(values, from, count, directWidth, isSigned, output)
  }
}

/**
 * The sign of the first step gives the direction of a delta run, so the run cannot start with two
 * equal values: the first then goes alone. Without this, half the runs of a sorted column with
 * duplicates would miss the form that suits them.
 */
function isDeltaButForFirst(count: number, directWidth: number): boolean {
  const isSorted = shape.isMonotonic && shape.firstStep === 0
  return isSorted && count > maxShortRepeat && deltaWidth() * 2 <= directWidth
}

function writeDirect(
  values: Float64Array,
  from: number,
  count: number,
  width: number,
  isSigned: boolean,
  output: ByteBuffer,
): void {
  writeRunHeader(runMode.direct, codeOf(width), count, output)
  if (isSigned) for (let k = 0; k < count; k++) stored[k] = zigzag(values[from + k]!)
  else for (let k = 0; k < count; k++) stored[k] = values[from + k]!
  packBits(stored, count, width, output)
}

/** The size of the values of `shape` as a delta run; infinite where that form cannot hold them. */
function deltaRunBytes(first: number, count: number, isSigned: boolean): number {
  const canHold =
    shape.isMonotonic && shape.firstStep !== 0 && Math.abs(shape.firstStep) <= maxNarrow
  if (!canHold || count < 2) return Number.POSITIVE_INFINITY
  const base = 2 + varintBytes(magnitude(first, isSigned)) + varintBytes(zigzag(shape.firstStep))
  return shape.isSteady ? base : base + packedBytes(count - 2, deltaWidth())
}

function writeDelta(
  values: Float64Array,
  from: number,
  count: number,
  isSigned: boolean,
  output: ByteBuffer,
): void {
  const width = shape.isSteady ? 0 : deltaWidth()
  writeRunHeader(runMode.delta, width === 0 ? 0 : codeOf(width), count, output)
  output.writeVarint(magnitude(values[from]!, isSigned))
  output.writeVarint(zigzag(shape.firstStep))
  if (width === 0) return
  for (let k = 2; k < count; k++) {
    stored[k - 2] = Math.abs(values[from + k]! - values[from + k - 1]!)
  }
  packBits(stored, count - 2, width, output)
}

/** Code 0 of a delta run means no steps at all, so steps of one bit take two. */
function deltaWidth(): number {
  return codableWidth(Math.max(2, bitWidth(shape.greatestStep)))
}

function magnitude(value: number, isSigned: boolean): number {
  return isSigned ? zigzag(value) : value
}

function varintBytes(value: number): number {
  return Math.ceil(bitWidth(value) / 7)
}
