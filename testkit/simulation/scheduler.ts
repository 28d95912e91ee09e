/**
 * What happens next, and when. Every await of an interface that is injected (log, files, clock, staging,
 * statements) parks here, of every instance; one of them goes on at a time, and a random number of the seed
 * says which. Time is simulated: a step takes some milliseconds of it, and when nobody can go on it is the
 * time at which the next one wakes.
 *
 * Why a seed tells one story: between two steps nothing runs but promises. The next step is chosen when
 * the queue of promises is empty (`process.nextTick` runs then, and not before), and what the runtime waits
 * for is parked here or is a promise of something parked: there are no threads (ORC's codecs are called
 * synchronously), no timers, no input. What escaped would show: either nobody could go on, which is an error
 * here, or it would change the story of a seed, for which a test runs many seeds twice.
 */
import { systemClock } from '../../runtime/clock.ts'
import type { Random } from '../../runtime/random.ts'

/** Who parks: an instance, the producer, a server. */
export interface Actor {
  readonly name: string
  /** Simulated milliseconds until which it is paused. */
  pausedUntilMs: number
  /** It never goes on. */
  isGone: boolean
}

interface Parked {
  readonly actor: Actor
  readonly what: string
  readonly goOn: () => void
}

interface Timer {
  readonly atMs: number
  readonly ring: () => void
}

export interface SchedulerOptions {
  readonly random: Random
  /** A step takes up to so many milliseconds. */
  readonly maxStepMs: number
  /** Steps after which a run is taken for one without an end. */
  readonly maxSteps: number
  /** Of each step: when it was, who went on, and with what. */
  readonly tell: (actor: Actor, what: string) => void
}

/** Steps after which what is outside the simulation has its turn: a test's time-out, a signal. */
const stepsAtOnce = 5000

export class Scheduler {
  readonly #options: SchedulerOptions
  #parked: Parked[] = []
  /** The next one is the last. */
  readonly #timers: Timer[] = []
  #steps = 0
  nowMs = 0

  constructor(options: SchedulerOptions) {
    this.#options = options
  }

  get steps(): number {
    return this.#steps
  }

  /** Resolves when the seed lets the actor go on here. */
  turn(actor: Actor, what: string): Promise<void> {
    return new Promise(goOn => {
      this.#parked.push({ actor, what, goOn })
    })
  }

  /** Resolves in a step of the actor at that time or later; at once, in a step, when the signal aborts. */
  sleep(actor: Actor, milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const wake = (): void => {
        signal?.removeEventListener('abort', wake)
        this.#cancel(timer)
        this.#parked.push({ actor, what: 'wakes', goOn: resolve })
      }
      const timer = this.at(this.nowMs + milliseconds, wake)
      if (signal?.aborted === true) wake()
      else signal?.addEventListener('abort', wake)
    })
  }

  /** Calls back at that time; nobody's step. */
  at(atMs: number, ring: () => void): Timer {
    const timer = { atMs, ring }
    this.#timers.splice(this.#timers.findLastIndex(other => other.atMs > atMs) + 1, 0, timer)
    return timer
  }

  /** Steps until it is so. It is asked after each step, when everybody waits. Throws what it throws. */
  async run(isOver: () => boolean): Promise<void> {
    for (;;) {
      await quiet()
      if (isOver()) return
      this.#step()
      if (this.#steps % stepsAtOnce === 0) await systemClock.yield()
    }
  }

  #step(): void {
    const { random, maxStepMs, maxSteps, tell } = this.#options
    this.#steps += 1
    if (this.#steps > maxSteps) throw new Error(`it goes on after ${maxSteps} steps`)
    const hasRung = this.#pass(random.next() * maxStepMs)
    const runnable = this.#runnable()
    if (runnable.length === 0) {
      const next = this.#timers.at(-1)
      // Who was called back in this step begins behind it.
      if (next === undefined && hasRung) return
      if (next === undefined) throw new Error('nobody can go on: something waits outside')
      this.#pass(Math.max(0, next.atMs - this.nowMs))
      return
    }
    const chosen = runnable[Math.floor(random.next() * runnable.length)]!
    this.#parked.splice(this.#parked.indexOf(chosen), 1)
    tell(chosen.actor, chosen.what)
    chosen.goOn()
  }

  #runnable(): readonly Parked[] {
    const { nowMs } = this
    if (this.#parked.some(({ actor }) => actor.isGone)) {
      this.#parked = this.#parked.filter(({ actor }) => !actor.isGone)
    }
    return this.#parked.filter(({ actor }) => actor.pausedUntilMs <= nowMs)
  }

  /** Whether somebody was called back. */
  #pass(milliseconds: number): boolean {
    let hasRung = false
    this.nowMs += milliseconds
    for (let due = this.#timers.at(-1); due !== undefined; due = this.#timers.at(-1)) {
      if (due.atMs > this.nowMs) break
      this.#timers.pop()
      due.ring()
      hasRung = true
    }
    return hasRung
  }

  #cancel(timer: Timer): void {
    const place = this.#timers.indexOf(timer)
    if (place >= 0) this.#timers.splice(place, 1)
  }
}

/** Until no promise has anything to do. */
function quiet(): Promise<void> {
  return new Promise(resolve => process.nextTick(resolve))
}
