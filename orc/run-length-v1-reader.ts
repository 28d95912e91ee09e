/**
 * Integer run-length encoding, version 1, which files of version 0.11 have. It is only read.
 *
 *     control 0…127    control + 3 values: a signed byte (the step), a varint (the first value)
 *     control 128…255  256 − control literal varints
 *
 * Source: ORC v1, "Integer Run Length Encoding, version 1".
 */
import type { ByteInput } from './byte-input.ts'
import type { IntegerRun } from './integer-run.ts'
import { bigUnzigzag } from './zigzag.ts'

export function decodeRunLengthV1(input: ByteInput, isSigned: boolean, run: IntegerRun): void {
  const control = input.readByte()
  const values =
    control < 128
      ? readSteps(input, isSigned, control + 3)
      : readLiterals(input, isSigned, 256 - control)
  run.setWide(values)
}

function readSteps(input: ByteInput, isSigned: boolean, count: number): BigInt64Array {
  const step = BigInt.asIntN(8, BigInt(input.readByte()))
  let value = readInteger(input, isSigned)
  return new BigInt64Array(count).map(() => {
    const current = value
    value += step
    return current
  })
}

function readLiterals(input: ByteInput, isSigned: boolean, count: number): BigInt64Array {
  return new BigInt64Array(count).map(() => readInteger(input, isSigned))
}

function readInteger(input: ByteInput, isSigned: boolean): bigint {
  const value = BigInt(input.readVarint())
  return isSigned ? bigUnzigzag(value) : value
}
