/**
 * A column of decimals while it is written: zig-zag varints of the unscaled values, and beside them
 * the scale of each value, which is here always that of the column.
 */

import { doubled } from './arrays.ts'
import type { BloomFilter } from './bloom-filter.ts'
import type { ByteBuffer } from './byte-buffer.ts'
import {
  type ColumnContext,
  ColumnWriter,
  type FinishedStream,
  integerPosition,
} from './column-writer.ts'
import { formatDecimal } from './decimal.ts'
import { ExactSum } from './exact-sum.ts'
import { hashOfDecimal } from './literal.ts'
import { writeNarrowRunLengthV2 } from './run-length-v2-narrow-writer.ts'
import { decimalSumText, type StatisticsDetails } from './statistics.ts'
import type { OrcColumn, OrcValue } from './types.ts'
import type { DecimalVector } from './vectors.ts'
import { bigZigzag, toInteger } from './zigzag.ts'

export class DecimalColumnWriter extends ColumnWriter {
  readonly #data = this.createStream()
  readonly #scales = this.createStream()
  readonly #scale: number
  readonly #limit: bigint
  readonly #numberLimit: number
  #narrow = new Float64Array(1024)
  /** All values, from the first one that is not a safe integer on. */
  #wide: bigint[] | null = null
  #count = 0

  constructor(column: OrcColumn, context: ColumnContext) {
    super(column, context)
    if (column.type.kind !== 'decimal') throw new TypeError('not a decimal column')
    this.#scale = column.type.scale
    this.#limit = 10n ** BigInt(column.type.precision)
    this.#numberLimit = Math.min(Number(this.#limit), 2 ** 53)
  }

  protected override appendValue(value: NonNullable<OrcValue>): void {
    if (typeof value === 'number') {
      const isValid =
        Number.isInteger(value) && value < this.#numberLimit && value > -this.#numberLimit
      if (!isValid) this.reject(value, 'an unscaled integer within the precision')
      this.#push(value)
    } else {
      const isValid = typeof value === 'bigint' && value < this.#limit && value > -this.#limit
      if (!isValid) this.reject(value, 'an unscaled integer within the precision')
      this.#push(toInteger(value))
    }
  }

  protected override appendVector(
    { values }: DecimalVector,
    from: number,
    to: number,
    present: Uint8Array | null,
  ): void {
    for (let k = from; k < to; k++) {
      if (present !== null && present[k] === 0) continue
      const value = values[k]!
      this.#push(typeof value === 'bigint' ? toInteger(value) : value)
    }
  }

  #push(value: number | bigint): void {
    if (typeof value === 'number' && this.#wide === null) {
      if (this.#count === this.#narrow.length) this.#narrow = doubled(this.#narrow)
      this.#narrow[this.#count++] = value
      return
    }
    this.#wide ??= Array.from(this.#narrow.subarray(0, this.#count), BigInt)
    this.#wide[this.#count++] = BigInt(value)
  }

  protected override removeLastValue(): void {
    this.#count--
  }

  protected override summarize(): StatisticsDetails {
    const sum = new ExactSum()
    const values = this.#wide ?? this.#narrow
    let minimum = values[0]!
    let maximum = minimum
    for (let k = 0; k < this.#count; k++) {
      const value = values[k]!
      if (value < minimum) minimum = value
      else if (value > maximum) maximum = value
      sum.add(value)
    }
    return {
      kind: 'decimal',
      minimum: formatDecimal(minimum, this.#scale),
      maximum: formatDecimal(maximum, this.#scale),
      sum: decimalSumText(sum.total(), this.#scale),
    }
  }

  protected override addHashes(filter: BloomFilter): void {
    const values = this.#wide ?? this.#narrow
    for (let k = 0; k < this.#count; k++) filter.add(hashOfDecimal(values[k]!, this.#scale))
  }

  protected override positions(): number[] {
    return [...this.#data.position(), ...integerPosition(this.#scales)]
  }

  protected override encodeGroup(): void {
    const { scratch } = this.context
    scratch.clear()
    if (this.#wide === null) {
      writeVarints(this.#narrow, this.#count, scratch)
    } else {
      for (let k = 0; k < this.#count; k++) scratch.writeBigVarint(bigZigzag(this.#wide[k]!))
    }
    this.#data.append(scratch.view())
    scratch.clear()
    writeNarrowRunLengthV2(
      new Float64Array(this.#count).fill(this.#scale),
      this.#count,
      true,
      scratch,
    )
    this.#scales.append(scratch.view())
    this.#count = 0
    this.#wide = null
  }

  protected override finishStreams(): FinishedStream[] {
    return [
      { kind: 'DATA', pieces: this.#data.finish() },
      { kind: 'SECONDARY', pieces: this.#scales.finish() },
    ]
  }

  protected override ownHeldBytes(): number {
    return this.#data.sizeBytes + this.#scales.sizeBytes
  }
}

/** Signed varints of safe integers. */
function writeVarints(values: Float64Array, count: number, output: ByteBuffer): void {
  // At most eight groups of seven bits each, and all room at once.
  output.reserve(count * 8)
  const { bytes } = output
  let at = output.length
  for (let k = 0; k < count; k++) {
    const value = values[k]!
    if (value <= maxSmall && value >= -maxSmall) {
      let rest = (value << 1) ^ (value >> 31)
      while (rest > 0x7f) {
        bytes[at++] = (rest & 0x7f) | 0x80
        rest >>>= 7
      }
      bytes[at++] = rest
    } else {
      // Twice a safe integer may not be one: its last bit is the sign's, and goes first.
      const isNegative = value < 0
      let rest = isNegative ? -(value + 1) : value
      bytes[at++] = ((rest % 64) * 2 + (isNegative ? 1 : 0)) | 0x80
      rest = Math.floor(rest / 64)
      while (rest > 0x7f) {
        bytes[at++] = (rest % 128) | 0x80
        rest = Math.floor(rest / 128)
      }
      bytes[at++] = rest
    }
  }
  output.length = at
}

/** Its zig-zag form is an int32. */
const maxSmall = 2 ** 30 - 1
