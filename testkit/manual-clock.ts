/** A clock that stands until it is told to go on. Who sleeps wakes when its time is passed. */
import type { Clock } from '../runtime/clock.ts'

interface Sleeper {
  readonly wakesAt: number
  readonly wake: () => void
}

export class ManualClock implements Clock {
  #nowMs: number
  #monotonicMs = 0
  #sleepers: Sleeper[] = []

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs
  }

  now(): number {
    return this.#nowMs
  }

  monotonic(): number {
    return this.#monotonicMs
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve()
    return new Promise(resolve => {
      const sleeper = { wakesAt: this.#monotonicMs + milliseconds, wake: resolve }
      this.#sleepers.push(sleeper)
      signal?.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter(other => other !== sleeper)
        resolve()
      })
    })
  }

  /** Others run as promises do; no time passes. */
  yield(): Promise<void> {
    return Promise.resolve()
  }

  advance(milliseconds: number): void {
    this.#nowMs += milliseconds
    this.#monotonicMs += milliseconds
    const due = this.#sleepers.filter(({ wakesAt }) => wakesAt <= this.#monotonicMs)
    this.#sleepers = this.#sleepers.filter(({ wakesAt }) => wakesAt > this.#monotonicMs)
    for (const { wake } of due) wake()
  }

  /** The wall clock alone, forward or back, as when it is set. */
  jump(milliseconds: number): void {
    this.#nowMs += milliseconds
  }
}
