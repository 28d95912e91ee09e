/** What the choice of a run's form needs to know of its values. Values are narrow (`zigzag.ts`). */
import { zigzag } from './zigzag.ts'

export class RunShape {
  minimum = 0
  maximum = 0
  isRising = true
  isFalling = true
  /** Whether every step equals the first. */
  isSteady = true
  firstStep = 0
  /** The greatest magnitude of the steps after the first. */
  greatestStep = 0

  get isMonotonic(): boolean {
    return this.isRising || this.isFalling
  }

  /** The largest unsigned integer that a value becomes. */
  greatestMagnitude(isSigned: boolean): number {
    return isSigned ? Math.max(zigzag(this.minimum), zigzag(this.maximum)) : this.maximum
  }

  start(value: number): void {
    this.minimum = value
    this.maximum = value
    this.isRising = true
    this.isFalling = true
    this.isSteady = true
    this.firstStep = 0
    this.greatestStep = 0
  }

  /** Takes in the values from `at` to `end` of a run that started at `from`. */
  extend(values: Float64Array, from: number, at: number, end: number): void {
    if (at === end) return
    if (at === from + 1) this.firstStep = values[at]! - values[from]!
    // Locals, because a loop over fields costs three times as much.
    let { minimum, maximum, isRising, isFalling, isSteady, greatestStep } = this
    const { firstStep } = this
    let previous = values[at - 1]!
    for (let k = at; k < end; k++) {
      const value = values[k]!
      const step = value - previous
      previous = value
      if (step !== firstStep) isSteady = false
      const size = step < 0 ? -step : step
      if (size > greatestStep && k > from + 1) greatestStep = size
      if (step < 0) {
        isRising = false
        if (value < minimum) minimum = value
      } else if (step > 0) {
        isFalling = false
        if (value > maximum) maximum = value
      }
    }
    this.minimum = minimum
    this.maximum = maximum
    this.isRising = isRising
    this.isFalling = isFalling
    this.isSteady = isSteady
    this.greatestStep = greatestStep
  }
}
