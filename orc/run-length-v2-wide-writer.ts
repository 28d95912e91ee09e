/**
 * Run-length encoding version 2 for int64 values that do not fit a number: correct for all of them,
 * small for the common cases (equal values; rising or falling identifiers), plain otherwise.
 */
import {
  bigBitWidth,
  bitWidth,
  codableWidth,
  codeOf,
  packBigBits,
  packBits,
} from './bit-packing.ts'
import type { ByteBuffer } from './byte-buffer.ts'
import { maxRunLength, minRepeat, runMode, writeRunHeader } from './run-header.ts'
import { writeNarrowRunLengthV2 } from './run-length-v2-narrow-writer.ts'
import { bigZigzag, maxNarrow, zigzag } from './zigzag.ts'

const narrowest = BigInt(-maxNarrow)
const widest = BigInt(maxNarrow)

const narrow = new Float64Array(maxRunLength)
const steps = new Float64Array(maxRunLength)

export function writeWideRunLengthV2(
  values: BigInt64Array,
  isSigned: boolean,
  output: ByteBuffer,
): void {
  for (let from = 0; from < values.length; from += maxRunLength) {
    writeWindow(values.subarray(from, from + maxRunLength), isSigned, output)
  }
}

/** At most 512 values: as narrow ones if they are, else as one run. */
function writeWindow(values: BigInt64Array, isSigned: boolean, output: ByteBuffer): void {
  if (values.every(value => value >= narrowest && value <= widest)) {
    values.forEach((value, index) => {
      narrow[index] = Number(value)
    })
    writeNarrowRunLengthV2(narrow, values.length, isSigned, output)
  } else if (isDeltaRun(values)) {
    writeWideDelta(values, isSigned, output)
  } else {
    const unsigned = Array.from(values, value => (isSigned ? bigZigzag(value) : value))
    const width = codableWidth(
      unsigned.reduce((most, value) => Math.max(most, bigBitWidth(value)), 1),
    )
    writeRunHeader(runMode.direct, codeOf(width), values.length, output)
    packBigBits(unsigned, width, output)
  }
}

/** Whether the values go one way in narrow steps; leaves the steps in `steps`. */
function isDeltaRun(values: BigInt64Array): boolean {
  if (values.length < minRepeat) return false
  for (let k = 1; k < values.length; k++) {
    const step = values[k]! - values[k - 1]!
    if (step > widest || step < narrowest) return false
    steps[k - 1] = Number(step)
  }
  const taken = steps.subarray(0, values.length - 1)
  // The first step gives the direction: it may be 0 only if all are.
  const first = taken[0]!
  if (first === 0) return taken.every(step => step === 0)
  return first > 0 ? taken.every(step => step >= 0) : taken.every(step => step <= 0)
}

function writeWideDelta(values: BigInt64Array, isSigned: boolean, output: ByteBuffer): void {
  const first = steps[0]!
  const later = steps.subarray(1, values.length - 1).map(Math.abs)
  const isSteady = later.every(step => step === Math.abs(first))
  const width = codableWidth(Math.max(2, bitWidth(later.reduce((a, b) => Math.max(a, b), 0))))
  writeRunHeader(runMode.delta, isSteady ? 0 : codeOf(width), values.length, output)
  output.writeBigVarint(isSigned ? bigZigzag(values[0]!) : values[0]!)
  output.writeVarint(zigzag(first))
  if (!isSteady) packBits(later, later.length, width, output)
}
