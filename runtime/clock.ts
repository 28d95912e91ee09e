/** Time and yielding. The only file that reads the system's clock or sets its timers. */

export interface Clock {
  /** Milliseconds since the epoch; it may jump. */
  now(): number
  /** Milliseconds that never go back, from an arbitrary start: for ages and durations. */
  monotonic(): number
  /** Resolves after so many milliseconds, or at once when the signal aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>
  /** Lets what waits (heartbeats, I/O, signals) run before the caller goes on. */
  yield(): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (milliseconds, signal) =>
    new Promise(resolve => {
      if (signal?.aborted === true) {
        resolve()
        return
      }
      const done = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, milliseconds)
      signal?.addEventListener('abort', done, { once: true })
    }),
  yield: () => new Promise(resolve => setImmediate(resolve)),
}
