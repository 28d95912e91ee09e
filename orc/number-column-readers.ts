/** The columns of booleans, integers, dates, floats and decimals while they are read. */
import { hybridToProlepticDay } from './calendar.ts'
import { ColumnReader, spread } from './column-reader.ts'
import { isLittleEndian } from './endianness.ts'
import type {
  BooleanVector,
  DecimalVector,
  DoubleVector,
  IntegerVector,
  LongVector,
} from './vectors.ts'
import { bigUnzigzag, maxInt64, minInt64, unzigzag } from './zigzag.ts'

export class BooleanColumnReader extends ColumnReader {
  readonly #bits = this.openBits('DATA')

  protected override readSlots(
    count: number,
    valueCount: number,
    present: Uint8Array | null,
  ): BooleanVector {
    const values = this.uint8(count)
    this.#bits.read(values, valueCount)
    spread(values, present, valueCount, 0)
    return { kind: 'boolean', present, values }
  }
}

export class ByteColumnReader extends ColumnReader {
  readonly #bytes = this.openByteRuns('DATA')

  protected override readSlots(
    count: number,
    valueCount: number,
    present: Uint8Array | null,
  ): IntegerVector {
    const bytes = this.uint8(valueCount)
    this.#bytes.read(bytes, valueCount)
    const values = this.int32(count)
    for (let k = 0; k < valueCount; k++) values[k] = (bytes[k]! << 24) >> 24
    spread(values, present, valueCount, 0)
    return { kind: 'integer', present, values }
  }
}

/** short, int and date. */
export class IntegerColumnReader extends ColumnReader {
  readonly #integers = this.openIntegers('DATA', true)
  readonly #isHybridDate =
    this.column.type.kind === 'date' && this.stripe.calendar !== 'proleptic-gregorian'

  protected override readSlots(
    count: number,
    valueCount: number,
    present: Uint8Array | null,
  ): IntegerVector {
    const values = this.int32(count)
    this.#integers.readInt32(values, valueCount)
    if (this.#isHybridDate) {
      for (let k = 0; k < valueCount; k++) values[k] = hybridToProlepticDay(values[k]!)
    }
    spread(values, present, valueCount, 0)
    return { kind: 'integer', present, values }
  }
}

export class LongColumnReader extends ColumnReader {
  readonly #integers = this.openIntegers('DATA', true)

  protected override readSlots(
    count: number,
    valueCount: number,
    present: Uint8Array | null,
  ): LongVector {
    const values = this.#integers.readLongs(this.float64(count), valueCount)
    if (values instanceof BigInt64Array) spread(values, present, valueCount, 0n)
    else spread(values, present, valueCount, 0)
    return { kind: 'long', present, values }
  }
}

export class FloatColumnReader extends ColumnReader {
  readonly #data = this.openBytes('DATA')
  readonly #width = this.column.type.kind === 'float' ? 4 : 8

  protected override readSlots(
    count: number,
    valueCount: number,
    present: Uint8Array | null,
  ): DoubleVector {
    const values = this.float64(count)
    const bytes = this.#data.readBytes(valueCount * this.#width)
    if (this.#width === 8 && isLittleEndian) {
      new Uint8Array(values.buffer, values.byteOffset).set(bytes)
    } else {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
      for (let k = 0; k < valueCount; k++) {
        values[k] = this.#width === 4 ? view.getFloat32(k * 4, true) : view.getFloat64(k * 8, true)
      }
    }
    spread(values, present, valueCount, 0)
    return { kind: 'double', present, values }
  }
}

export class DecimalColumnReader extends ColumnReader {
  readonly #data = this.openBytes('DATA')
  readonly #scales = this.openIntegers('SECONDARY', true)
  readonly #scale = this.column.type.kind === 'decimal' ? this.column.type.scale : 0
  #scaleOf = new Float64Array(0)

  protected override readSlots(
    count: number,
    valueCount: number,
    present: Uint8Array | null,
  ): DecimalVector {
    if (this.#scaleOf.length < valueCount) this.#scaleOf = new Float64Array(valueCount)
    this.#scales.readNumbers(this.#scaleOf, valueCount)
    const numbers = this.float64(count)
    let done = 0
    const hasOneScale = this.#haveOneScale(valueCount)
    for (; done < valueCount; done++) {
      if (hasOneScale) {
        done += this.#data.readSmallVarints(numbers, done, valueCount - done)
        if (done === valueCount) break
      }
      const unsigned = this.#data.readVarint()
      if (typeof unsigned === 'number' && this.#scaleOf[done] === this.#scale) {
        numbers[done] = unzigzag(unsigned)
        continue
      }
      const value = this.#atScale(unsigned, this.#scaleOf[done]!)
      if (!isSafe(value)) return this.#readWide(numbers, done, value, valueCount, present)
      numbers[done] = Number(value)
    }
    spread(numbers, present, valueCount, 0)
    return { kind: 'decimal', present, values: numbers }
  }

  #haveOneScale(valueCount: number): boolean {
    for (let k = 0; k < valueCount; k++) if (this.#scaleOf[k] !== this.#scale) return false
    return true
  }

  /** Goes on with `first`, which is not a safe integer. */
  #readWide(
    numbers: Float64Array,
    done: number,
    first: bigint,
    valueCount: number,
    present: Uint8Array | null,
  ): DecimalVector {
    const values = Array.from(numbers, (value, k) => (k < done ? BigInt(value) : 0n))
    values[done] = first
    for (let k = done + 1; k < valueCount; k++) {
      values[k] = this.#atScale(this.#data.readVarint(), this.#scaleOf[k]!)
    }
    const areLongs = values.every(value => value >= minInt64 && value <= maxInt64)
    spread(values, present, valueCount, 0n)
    return { kind: 'decimal', present, values: areLongs ? BigInt64Array.from(values) : values }
  }

  /** Some writers trim trailing zeros, so that each value has a scale of its own. */
  #atScale(unsigned: number | bigint, scale: number): bigint {
    const unscaled = bigUnzigzag(BigInt(unsigned))
    const missing = this.#scale - scale
    if (missing > 76 || missing < -76) {
      throw this.corrupt(`a decimal has the scale ${scale}`)
    }
    if (missing >= 0) return unscaled * 10n ** BigInt(missing)
    // More digits than the column has: round half away from zero, as Hive does.
    const divisor = 10n ** BigInt(-missing)
    const half = unscaled < 0n ? -divisor / 2n : divisor / 2n
    return (unscaled + half) / divisor
  }
}

const maxSafe = BigInt(Number.MAX_SAFE_INTEGER)

function isSafe(value: bigint): boolean {
  return value <= maxSafe && value >= -maxSafe
}
