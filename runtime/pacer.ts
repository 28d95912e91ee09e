/** Keeps synchronous slices short: heartbeats, signals and I/O get their turn at least this often. */
import type { Clock } from './clock.ts'

export const maxSliceMs = 100

export class Pacer {
  readonly #clock: Clock
  #sliceStart: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#sliceStart = clock.monotonic()
  }

  /** Yields when the slice has lasted long enough. */
  async rest(): Promise<void> {
    if (this.#clock.monotonic() - this.#sliceStart < maxSliceMs) return
    await this.#clock.yield()
    this.#sliceStart = this.#clock.monotonic()
  }
}

/** The same batches, with a rest between each two. */
export async function* paced<T>(
  batches: AsyncIterable<T>,
  rest: () => Promise<void>,
): AsyncGenerator<T> {
  for await (const batch of batches) {
    yield batch
    await rest()
  }
}
