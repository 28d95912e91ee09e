/**
 * How long a table waits for the other halves of changed keys (`processors/changed-keys.ts`). The halves go through two
 * tasks, of which one may be behind; and the other half may never come: a filter ended it, or it was a bad message. So
 * the table goes on after a while, with all that it has: a first half is a delete like any other then.
 *
 * The time is the table's and not the half's. Where keys change all the time each batch has a half whose other one has
 * yet to come, and a table that waited for each of them would never be written.
 */
import type { TaskContext } from './task.ts'

/** A task that is further behind its neighbour than this may have its table held back: see `old-row-missing`. */
const maxWaitMs = 60_000

export class HalfWaits {
  readonly #context: TaskContext
  readonly #table: string
  /** Monotonic milliseconds; null: it does not wait. */
  #sinceMs: number | null = null
  /** Nothing more is to come. */
  isAtEnd = false

  constructor(context: TaskContext, table: string) {
    this.#context = context
    this.#table = table
  }

  /** Whether a half still waits for the other one. */
  readonly waits = (): boolean => {
    if (this.isAtEnd) return false
    const now = this.#context.clock.monotonic()
    if (this.#sinceMs === null) {
      this.#sinceMs = now
      const told = { table: this.#table, waitMs: maxWaitMs }
      this.#context.logger.debug('changed-key.waiting', told)
    }
    return now - this.#sinceMs < maxWaitMs
  }

  /** When it has waited long enough, in monotonic milliseconds; null: it does not wait. */
  get endMs(): number | null {
    return this.#sinceMs === null ? null : this.#sinceMs + maxWaitMs
  }

  /** The table was written. */
  end(): void {
    this.#sinceMs = null
  }
}
