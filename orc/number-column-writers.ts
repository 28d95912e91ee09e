/** The columns of booleans, integers, dates and floats while they are written. */

import { doubled } from './arrays.ts'
import { BooleanRunLengthWriter } from './boolean-run-length.ts'
import { writeByteRunLength } from './byte-run-length.ts'
import {
  type ColumnContext,
  ColumnWriter,
  type FinishedStream,
  integerPosition,
} from './column-writer.ts'
import { ExactSum } from './exact-sum.ts'
import { IntegerBuffer } from './integer-buffer.ts'
import { int64OrNull, type StatisticsDetails } from './statistics.ts'
import type { ColumnEncoding } from './stripe-messages.ts'
import type { OrcColumn, OrcValue } from './types.ts'
import { maxInt64, minInt64, toInteger } from './zigzag.ts'

export class BooleanColumnWriter extends ColumnWriter {
  readonly #data = this.createStream()
  readonly #bits = new BooleanRunLengthWriter(this.#data, this.context.scratch)
  #count = 0
  #falseIndexes: number[] = []

  protected override appendValue(value: NonNullable<OrcValue>): void {
    if (typeof value !== 'boolean') this.reject(value, 'a boolean')
    if (!value) this.#falseIndexes.push(this.#count)
    this.#count++
  }

  protected override removeLastValue(): void {
    this.#count--
    if (this.#falseIndexes.at(-1) === this.#count) this.#falseIndexes.pop()
  }

  protected override summarize(): StatisticsDetails {
    return { kind: 'boolean', trueCount: this.#count - this.#falseIndexes.length }
  }

  protected override positions(): number[] {
    return this.#bits.position()
  }

  protected override encodeGroup(): void {
    this.#bits.append(this.#count, this.#falseIndexes)
    this.#count = 0
    this.#falseIndexes = []
  }

  protected override finishStreams(): FinishedStream[] {
    this.#bits.finish()
    return [{ kind: 'DATA', pieces: this.#data.finish() }]
  }

  protected override encoding(): ColumnEncoding {
    return { kind: 'DIRECT', dictionarySize: 0 }
  }

  protected override ownHeldBytes(): number {
    return this.#data.sizeBytes
  }
}

/** byte, short, int, long and date. */
export class IntegerColumnWriter extends ColumnWriter {
  readonly #data = this.createStream()
  readonly #values = new IntegerBuffer()
  readonly #minimum: number
  readonly #maximum: number

  constructor(column: OrcColumn, context: ColumnContext) {
    super(column, context)
    const bits = { byte: 8, short: 16, int: 32, date: 32 }[column.type.kind as 'byte'] ?? 0
    // A number that stands for a long must be safe: beyond, two longs would be one number.
    this.#maximum = bits === 0 ? Number.MAX_SAFE_INTEGER : 2 ** (bits - 1) - 1
    this.#minimum = bits === 0 ? Number.MIN_SAFE_INTEGER : -(2 ** (bits - 1))
  }

  protected override appendValue(value: NonNullable<OrcValue>): void {
    if (typeof value === 'number') {
      const isValid = Number.isInteger(value) && value >= this.#minimum && value <= this.#maximum
      if (!isValid) this.reject(value, 'an integer in range')
      this.#values.push(value)
    } else if (typeof value === 'bigint' && this.column.type.kind === 'long') {
      if (value < minInt64 || value > maxInt64) this.reject(value, 'an int64')
      const integer = toInteger(value)
      if (typeof integer === 'number') this.#values.push(integer)
      else this.#values.pushWide(integer)
    } else {
      this.reject(value, 'an integer')
    }
  }

  protected override removeLastValue(): void {
    this.#values.truncate(this.#values.length - 1)
  }

  protected override summarize(): StatisticsDetails {
    const { minimum, maximum, sum } = summarizeIntegers(this.#values)
    return this.column.type.kind === 'date'
      ? { kind: 'date', minimum: Number(minimum), maximum: Number(maximum) }
      : { kind: 'integer', minimum, maximum, sum: int64OrNull(sum) }
  }

  protected override positions(): number[] {
    return integerPosition(this.#data)
  }

  protected override encodeGroup(): void {
    if (this.column.type.kind === 'byte') {
      const { scratch } = this.context
      scratch.clear()
      const values = this.#values.narrow.subarray(0, this.#values.length)
      writeByteRunLength(
        Uint8Array.from(values, value => value & 0xff),
        scratch,
      )
      this.#data.append(scratch.view())
    } else {
      this.writeIntegers(this.#values, true, this.#data)
    }
    this.#values.clear()
  }

  protected override finishStreams(): FinishedStream[] {
    return [{ kind: 'DATA', pieces: this.#data.finish() }]
  }

  protected override encoding(): ColumnEncoding {
    return { kind: this.column.type.kind === 'byte' ? 'DIRECT' : 'DIRECT_V2', dictionarySize: 0 }
  }

  protected override ownHeldBytes(): number {
    return this.#data.sizeBytes
  }
}

function summarizeIntegers(values: IntegerBuffer): {
  minimum: number | bigint
  maximum: number | bigint
  sum: bigint
} {
  const sum = new ExactSum()
  const taken = (values.wide ?? values.narrow).subarray(0, values.length)
  let minimum = taken[0]!
  let maximum = minimum
  for (const value of taken) {
    if (value < minimum) minimum = value
    else if (value > maximum) maximum = value
    sum.add(value)
  }
  return {
    minimum: toInteger(BigInt(minimum)),
    maximum: toInteger(BigInt(maximum)),
    sum: sum.total(),
  }
}

/** float and double: the bytes of IEEE 754, least significant first. */
export class FloatColumnWriter extends ColumnWriter {
  readonly #data = this.createStream()
  readonly #isFloat = this.column.type.kind === 'float'
  #values = new Float64Array(1024)
  #count = 0

  protected override appendValue(value: NonNullable<OrcValue>): void {
    if (typeof value !== 'number') this.reject(value, 'a number')
    if (this.#count === this.#values.length) this.#values = doubled(this.#values)
    this.#values[this.#count++] = this.#isFloat ? Math.fround(value) : value
  }

  protected override removeLastValue(): void {
    this.#count--
  }

  /**
   * Undefined when a value is not a number: no minimum can then be true in the eyes of all readers,
   * and those before ORC 1.6 do not look at the sum to find out.
   */
  protected override summarize(): StatisticsDetails | undefined {
    let minimum = this.#values[0]!
    let maximum = minimum
    let sum = 0
    let hasNaN = false
    for (let k = 0; k < this.#count; k++) {
      const value = this.#values[k]!
      if (value <= minimum) {
        // Readers order −0 before 0.
        if (value < minimum || Object.is(value, -0)) minimum = value
      }
      if (value >= maximum) {
        if (value > maximum || Object.is(value, 0)) maximum = value
      }
      if (Number.isNaN(value)) hasNaN = true
      sum += value
    }
    return hasNaN ? undefined : { kind: 'double', minimum, maximum, sum }
  }

  protected override positions(): number[] {
    return this.#data.position()
  }

  protected override encodeGroup(): void {
    const { scratch } = this.context
    const byteCount = this.#count * (this.#isFloat ? 4 : 8)
    scratch.clear()
    scratch.reserve(byteCount)
    const { buffer, byteOffset } = scratch.bytes
    const view = new DataView(buffer, byteOffset, byteCount)
    for (let k = 0; k < this.#count; k++) {
      if (this.#isFloat) view.setFloat32(k * 4, this.#values[k]!, true)
      else view.setFloat64(k * 8, this.#values[k]!, true)
    }
    this.#data.append(scratch.bytes.subarray(0, byteCount))
    this.#count = 0
  }

  protected override finishStreams(): FinishedStream[] {
    return [{ kind: 'DATA', pieces: this.#data.finish() }]
  }

  protected override encoding(): ColumnEncoding {
    return { kind: 'DIRECT', dictionarySize: 0 }
  }

  protected override ownHeldBytes(): number {
    return this.#data.sizeBytes
  }
}
