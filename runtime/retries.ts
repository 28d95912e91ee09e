/**
 * When something that failed is tried again, and when it is given up: what may pass by itself is tried for
 * ever, ever less often; what a server refuses again and again will not succeed by itself.
 */
import { ForagerError } from '../model/errors.ts'

/** With the waits between them, a good minute. Refusals count until something succeeds. */
const maxRefusals = 7
const firstWaitMs = 1000
const maxWaitMs = 60_000

export class Retries {
  #failures = 0
  #refusals = 0

  /** Milliseconds to wait; null: it is not to be tried again. */
  afterFailure(isRefusal: boolean): number | null {
    this.#failures += 1
    if (isRefusal) this.#refusals += 1
    if (isRefusal && this.#refusals >= maxRefusals) return null
    return Math.min(firstWaitMs * 2 ** (this.#failures - 1), maxWaitMs)
  }

  reset(): void {
    this.#failures = 0
    this.#refusals = 0
  }
}

/** An owner before came in between: what is there has to be looked at, and the same is tried at once. */
export function isConflict(error: unknown): error is ForagerError {
  return error instanceof ForagerError && error.code === 'warehouse-conflict'
}
