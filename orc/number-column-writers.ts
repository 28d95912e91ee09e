/** The columns of booleans, integers, dates and floats while they are written. */
import { doubled } from './arrays.ts'
import type { BloomFilter } from './bloom-filter.ts'
import { BooleanRunLengthWriter } from './boolean-run-length.ts'
import { writeByteRunLength } from './byte-run-length.ts'
import {
  type ColumnContext,
  ColumnWriter,
  type FinishedStream,
  integerPosition,
} from './column-writer.ts'
import { isLittleEndian } from './endianness.ts'
import { ExactSum } from './exact-sum.ts'
import { hashOfDouble, hashOfInteger } from './hashes.ts'
import { IntegerBuffer } from './integer-buffer.ts'
import { int64OrNull, type StatisticsDetails } from './statistics.ts'
import type { ColumnEncoding } from './stripe-messages.ts'
import type { OrcColumn, OrcValue } from './types.ts'
import type { BooleanVector, DoubleVector, IntegerVector, LongVector } from './vectors.ts'
import { maxInt64, minInt64, toInteger } from './zigzag.ts'

export class BooleanColumnWriter extends ColumnWriter {
  readonly #data = this.createStream()
  readonly #bits = new BooleanRunLengthWriter(this.#data, this.context.scratch)
  #values = new Uint8Array(1024)
  #count = 0

  protected override appendValue(value: NonNullable<OrcValue>): void {
    if (typeof value !== 'boolean') this.reject(value, 'a boolean')
    this.#reserve(1)
    this.#values[this.#count++] = value ? 1 : 0
  }

  protected override appendVector(
    { values }: BooleanVector,
    from: number,
    to: number,
    present: Uint8Array | null,
  ): void {
    this.#reserve(to - from)
    for (let k = from; k < to; k++) {
      if (present === null || present[k] === 1) this.#values[this.#count++] = values[k]!
    }
  }

  #reserve(count: number): void {
    while (this.#count + count > this.#values.length) this.#values = doubled(this.#values)
  }

  protected override removeLastValue(): void {
    this.#count--
  }

  protected override summarize(): StatisticsDetails {
    let trueCount = 0
    for (let k = 0; k < this.#count; k++) trueCount += this.#values[k]!
    return { kind: 'boolean', trueCount }
  }

  protected override positions(): number[] {
    return this.#bits.position()
  }

  protected override encodeGroup(): void {
    this.#bits.append(this.#values, this.#count)
    this.#count = 0
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
      this.#pushBig(value)
    } else {
      this.reject(value, 'an integer')
    }
  }

  protected override appendVector(
    { values }: IntegerVector | LongVector,
    from: number,
    to: number,
    present: Uint8Array | null,
  ): void {
    if (!(values instanceof BigInt64Array)) {
      this.#values.pushNumbers(values, from, to, present)
      return
    }
    for (let k = from; k < to; k++) {
      if (present === null || present[k] === 1) this.#pushBig(values[k]!)
    }
  }

  #pushBig(value: bigint): void {
    const integer = toInteger(value)
    if (typeof integer === 'number') this.#values.push(integer)
    else this.#values.pushWide(integer)
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

  protected override addHashes(filter: BloomFilter): void {
    const { wide, narrow, length } = this.#values
    for (let k = 0; k < length; k++) filter.add(hashOfInteger((wide ?? narrow)[k]!))
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

interface Summary {
  minimum: number | bigint
  maximum: number | bigint
  sum: bigint
}

function summarizeIntegers({ narrow, wide, length }: IntegerBuffer): Summary {
  if (wide !== null) return summarizeWide(wide, length)
  let minimum = narrow[0]!
  let maximum = minimum
  let sum = 0
  for (let k = 0; k < length; k++) {
    const value = narrow[k]!
    if (value < minimum) minimum = value
    if (value > maximum) maximum = value
    sum += value
  }
  const greatest = Math.max(-minimum, maximum)
  // Every partial sum was exact when none of them can have left the safe integers.
  if (greatest * length <= Number.MAX_SAFE_INTEGER) return { minimum, maximum, sum: BigInt(sum) }
  const exact = new ExactSum()
  for (let k = 0; k < length; k++) exact.add(narrow[k]!)
  return { minimum, maximum, sum: exact.total() }
}

function summarizeWide(wide: BigInt64Array, length: number): Summary {
  const sum = new ExactSum()
  let minimum = wide[0]!
  let maximum = minimum
  for (const value of wide.subarray(0, length)) {
    if (value < minimum) minimum = value
    else if (value > maximum) maximum = value
    sum.add(value)
  }
  return { minimum: toInteger(minimum), maximum: toInteger(maximum), sum: sum.total() }
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

  protected override appendVector(
    { values }: DoubleVector,
    from: number,
    to: number,
    present: Uint8Array | null,
  ): void {
    while (this.#count + to - from > this.#values.length) this.#values = doubled(this.#values)
    if (present === null && !this.#isFloat) {
      this.#values.set(values.subarray(from, to), this.#count)
      this.#count += to - from
      return
    }
    for (let k = from; k < to; k++) {
      if (present !== null && present[k] === 0) continue
      this.#values[this.#count++] = this.#isFloat ? Math.fround(values[k]!) : values[k]!
    }
  }

  protected override removeLastValue(): void {
    this.#count--
  }

  /**
   * Undefined when a value is not a number: no minimum can then be true in the eyes of all readers,
   * and those before ORC 1.6 do not look at the sum to find out.
   */
  protected override summarize(): StatisticsDetails | undefined {
    const values = this.#values
    let minimum = values[0]!
    let maximum = minimum
    let sum = 0
    let hasZero = false
    for (let k = 0; k < this.#count; k++) {
      const value = values[k]!
      if (value < minimum) minimum = value
      if (value > maximum) maximum = value
      if (value === 0) hasZero = true
      sum += value
    }
    // A sum is also not a number where infinities of both signs meet.
    if (Number.isNaN(sum) && values.subarray(0, this.#count).some(Number.isNaN)) return undefined
    if (hasZero && (minimum === 0 || maximum === 0)) {
      // Readers order −0 before 0.
      const zeros = values.subarray(0, this.#count).filter(value => value === 0)
      if (minimum === 0) minimum = zeros.some(zero => Object.is(zero, -0)) ? -0 : 0
      if (maximum === 0) maximum = zeros.some(zero => Object.is(zero, 0)) ? 0 : -0
    }
    return { kind: 'double', minimum, maximum, sum }
  }

  protected override addHashes(filter: BloomFilter): void {
    for (let k = 0; k < this.#count; k++) filter.add(hashOfDouble(this.#values[k]!))
  }

  protected override positions(): number[] {
    return this.#data.position()
  }

  protected override encodeGroup(): void {
    const count = this.#count
    this.#count = 0
    if (!this.#isFloat && isLittleEndian) {
      this.#data.append(new Uint8Array(this.#values.buffer, 0, count * 8))
      return
    }
    const { scratch } = this.context
    const width = this.#isFloat ? 4 : 8
    scratch.clear()
    scratch.reserve(count * width)
    const { buffer, byteOffset } = scratch.bytes
    const view = new DataView(buffer, byteOffset, count * width)
    for (let k = 0; k < count; k++) {
      if (this.#isFloat) view.setFloat32(k * 4, this.#values[k]!, true)
      else view.setFloat64(k * 8, this.#values[k]!, true)
    }
    this.#data.append(scratch.bytes.subarray(0, count * width))
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
