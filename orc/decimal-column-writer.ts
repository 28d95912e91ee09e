/**
 * A column of decimals while it is written: zig-zag varints of the unscaled values, and beside them
 * the scale of each value, which is here always that of the column.
 */
import {
  type ColumnContext,
  ColumnWriter,
  type FinishedStream,
  integerPosition,
} from './column-writer.ts'
import { formatDecimal } from './decimal.ts'
import { ExactSum } from './exact-sum.ts'
import { writeNarrowRunLengthV2 } from './run-length-v2-narrow-writer.ts'
import { decimalSumText, type StatisticsDetails } from './statistics.ts'
import type { OrcColumn, OrcValue } from './types.ts'
import { bigZigzag, maxNarrow, toInteger, zigzag } from './zigzag.ts'

export class DecimalColumnWriter extends ColumnWriter {
  readonly #data = this.createStream()
  readonly #scales = this.createStream()
  readonly #scale: number
  readonly #limit: bigint
  readonly #numberLimit: number
  /**
   * The first `#count`; kept in one array for numbers and bigints, as most columns have only one.
   */
  readonly #values: (number | bigint)[] = []
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
      this.#values[this.#count++] = value
    } else {
      const isValid = typeof value === 'bigint' && value < this.#limit && value > -this.#limit
      if (!isValid) this.reject(value, 'an unscaled integer within the precision')
      this.#values[this.#count++] = toInteger(value)
    }
  }

  protected override removeLastValue(): void {
    this.#count--
  }

  protected override summarize(): StatisticsDetails {
    const sum = new ExactSum()
    let minimum = this.#values[0]!
    let maximum = minimum
    for (let k = 0; k < this.#count; k++) {
      const value = this.#values[k]!
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

  protected override positions(): number[] {
    return [...this.#data.position(), ...integerPosition(this.#scales)]
  }

  protected override encodeGroup(): void {
    const { scratch } = this.context
    scratch.clear()
    for (let k = 0; k < this.#count; k++) {
      const value = this.#values[k]!
      const isNarrow = typeof value === 'number' && value <= maxNarrow && value >= -maxNarrow
      if (isNarrow) scratch.writeVarint(zigzag(value))
      else scratch.writeBigVarint(bigZigzag(BigInt(value)))
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
