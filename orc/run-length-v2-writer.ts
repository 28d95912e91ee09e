/**
 * Integer run-length encoding, version 2: cuts a sequence of integers into runs of at most 512 and
 * writes each in the smallest of four forms.
 *
 *     SHORT_REPEAT  00 bbb ccc              3 to 10 times one value of b + 1 bytes
 *     DIRECT        01 wwwww l  llllllll    each value in the width of code w
 *     PATCHED_BASE  10 wwwww l  llllllll …  value − minimum in that width, and patches for outliers
 *     DELTA         11 wwwww l  llllllll …  first value, first step, then steps in that width
 *
 * The files beside this one cut and write integers that are numbers, and those that are bigints.
 *
 * Source: ORC v1, "Integer Run Length Encoding, version 2".
 */
import type { ByteBuffer } from './byte-buffer.ts'
import type { IntegerBuffer } from './integer-buffer.ts'
import { writeNarrowRunLengthV2 } from './run-length-v2-narrow-writer.ts'
import { writeWideRunLengthV2 } from './run-length-v2-wide-writer.ts'

/** Encodes all integers of `values`, which are from 0 unless `isSigned`. */
export function writeRunLengthV2(
  values: IntegerBuffer,
  isSigned: boolean,
  output: ByteBuffer,
): void {
  if (values.wide !== null) {
    writeWideRunLengthV2(values.wide.subarray(0, values.length), isSigned, output)
  } else {
    writeNarrowRunLengthV2(values.narrow, values.length, isSigned, output)
  }
}
