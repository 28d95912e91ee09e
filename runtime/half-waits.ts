/**
 * How long a table waits for the other half of a changed key (`processors/changed-keys.ts`). The halves go through
 * two tasks, of which one may be behind; and the other half may never come: a filter ended it, or it was a bad
 * message. So the table goes on after a while: a first half is a delete like any other then.
 */
import type { WaitingBatch } from '../processors/merge.ts'
import type { TaskContext } from './task.ts'

/** A task that is further behind its neighbour than this has its table held back: see `old-row-missing`. */
const maxWaitMs = 5 * 60_000

export class HalfWaits {
  readonly #context: TaskContext
  readonly #table: string
  /** Since when, in monotonic milliseconds. */
  readonly #since = new WeakMap<WaitingBatch, number>()
  /** Nothing more is to come. */
  isAtEnd = false

  constructor(context: TaskContext, table: string) {
    this.#context = context
    this.#table = table
  }

  /** Whether a batch with a half still waits for the other one. */
  readonly waits = (one: WaitingBatch): boolean => {
    if (this.isAtEnd) return false
    const now = this.#context.clock.monotonic()
    const since = this.#since.get(one)
    if (since !== undefined) return now - since < maxWaitMs
    this.#since.set(one, now)
    const { task, range } = one.batch
    const told = { table: this.#table, task, ...range, waitMs: maxWaitMs }
    this.#context.logger.info('changed-key.waiting', told)
    return true
  }

  /** When the first of the batches has waited long enough, in monotonic milliseconds; null: none waits. */
  endMs(waiting: readonly WaitingBatch[]): number | null {
    const ends = waiting.flatMap(one => {
      const since = this.#since.get(one)
      return since === undefined ? [] : since + maxWaitMs
    })
    return ends.length === 0 ? null : Math.min(...ends)
  }
}
