/** The exact sum of integers of any size, without a bigint for each of them. */
import { maxNarrow } from './zigzag.ts'

export class ExactSum {
  #total = 0n
  /** Narrow after each step, so that adding a narrow integer stays exact. */
  #partial = 0

  add(value: number | bigint): void {
    if (typeof value === 'number' && value <= maxNarrow && value >= -maxNarrow) {
      this.#partial += value
      if (this.#partial > maxNarrow || this.#partial < -maxNarrow) this.#carry()
    } else {
      this.#total += BigInt(value)
    }
  }

  total(): bigint {
    this.#carry()
    return this.#total
  }

  #carry(): void {
    this.#total += BigInt(this.#partial)
    this.#partial = 0
  }
}
