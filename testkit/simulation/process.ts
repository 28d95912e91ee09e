/**
 * One process of an application, from its start to its crash or end: the real runtime over what the
 * simulation injects. Each call of an interface is a step of the scheduler; before it takes effect and
 * after, the process may crash, stand still, or be answered late.
 */
import { SourceError, StateError } from '../../model/errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Random } from '../../runtime/random.ts'
import type { SimulatedFileSystem } from '../simulated-file-system.ts'
import type { Faults } from './faults.ts'
import type { Actor, Scheduler } from './scheduler.ts'

/** Of the group: who is not heard of for so long is given up. */
export const sessionMs = 3000
const startMs = Date.UTC(2026, 0, 1)
const maxPauseMs = 20_000
const maxSlowMs = 8000
const maxJumpMs = 3_600_000
const maxFullMs = 5000

/** What a call is of: which faults it may meet. */
export type CallKind = 'log' | 'file' | 'statement'

export interface ProcessHost {
  readonly scheduler: Scheduler
  readonly faults: Faults
  readonly files: SimulatedFileSystem
  /** Called at every point where a process may crash; true: it does. */
  readonly isLast: () => boolean
  /** The process is gone. */
  readonly onCrash: (process: Process, where: string) => void
  /** All processes end at once. */
  readonly onPowerCut: (where: string) => void
  /** After a call of its files. */
  readonly onFileCall: (operation: string, path: string) => Promise<void> | void
}

/** Calls that report what was just done: nothing of it can be undone by an error. */
const reports = new Set([
  'linked',
  'madeDirectory',
  'removed',
  'renamed',
  'synced',
  'syncedDirectory',
  'wrote',
])
const writes = new Set(['link', 'makeDirectory', 'rename', 'sync', 'write'])

export class Process implements Actor {
  readonly name: string
  readonly random: Random
  readonly clock: Clock
  readonly files: SimulatedFileSystem
  pausedUntilMs = 0
  isGone = false
  /** Leaves the group as its session ends; null: it is no member. */
  onSessionEnd: (() => void) | null = null
  readonly #host: ProcessHost
  /** Its wall clock is wrong by so much. */
  #skewMs = 0
  #diskFullUntilMs = 0

  constructor(name: string, random: Random, host: ProcessHost) {
    this.name = name
    this.random = random
    this.#host = host
    this.files = host.files.as(name, (operation, path) => this.#fileCall(operation, path))
    const { scheduler } = host
    this.clock = {
      now: () => Math.floor(startMs + scheduler.nowMs + this.#skewMs),
      monotonic: () => scheduler.nowMs,
      sleep: (milliseconds, signal) => scheduler.sleep(this, milliseconds, signal),
      yield: () => scheduler.turn(this, 'yields'),
    }
  }

  /** A call of an interface, at whatever step the seed chooses; errors of the effect are its caller's. */
  async call<T>(kind: CallKind, what: string, effect: () => T | Promise<T>): Promise<T> {
    await this.#host.scheduler.turn(this, what)
    await this.#disturb(what)
    this.#fail(kind, what)
    const result = await effect()
    await this.#disturb(`${what}, done`)
    return result
  }

  /** An answer of somebody else's step is taken in a step of its own. */
  async answered(): Promise<void> {
    await this.#host.scheduler.turn(this, 'is answered')
  }

  /** Ends at once, wherever it is. */
  end(): void {
    this.isGone = true
    // Nobody tells the group.
    const { scheduler } = this.#host
    scheduler.at(scheduler.nowMs + sessionMs, () => this.onSessionEnd?.())
  }

  async #fileCall(operation: string, path: string): Promise<void> {
    const { scheduler, faults, onFileCall } = this.#host
    const what = `${operation} ${path}`
    if (reports.has(operation)) {
      await onFileCall(operation, path)
      await this.#disturb(what)
      return
    }
    await scheduler.turn(this, what)
    await this.#disturb(what)
    if (writes.has(operation)) {
      if (faults.strikes('disk-full', () => `${this.name}: ${what}`)) {
        this.#diskFullUntilMs = scheduler.nowMs + faults.amount('disk-full', maxFullMs)
      }
      if (scheduler.nowMs < this.#diskFullUntilMs && !faults.isOver) {
        throw new StateError('storage-failed', `cannot write ${path}: no space left on device`)
      }
    }
    this.#fail('file', what)
  }

  /** Where a process may end, stand still, be slow, or be told another time. */
  async #disturb(what: string): Promise<void> {
    const { scheduler, faults, isLast, onCrash, onPowerCut } = this.#host
    const where = (): string => `${this.name}: ${what}`
    if (isLast() || faults.strikes('crash', where)) {
      onCrash(this, what)
      await never()
    }
    if (faults.strikes('power', where)) {
      onPowerCut(what)
      await never()
    }
    if (faults.strikes('clock-jump', where)) {
      const jumpMs = faults.amount('clock-jump', maxJumpMs)
      this.#skewMs += faults.choose('clock-jump', 2) === 0 ? jumpMs : -jumpMs
    }
    if (faults.strikes('rebalance', where)) this.onSessionEnd?.()
    if (faults.strikes('pause', where)) {
      this.#pause(faults.amount('pause', maxPauseMs))
      await scheduler.turn(this, 'goes on')
    }
    if (faults.strikes('slow', where)) {
      await scheduler.sleep(this, faults.amount('slow', maxSlowMs))
    }
    if (this.isGone) await never()
  }

  #pause(milliseconds: number): void {
    const { scheduler } = this.#host
    const until = scheduler.nowMs + milliseconds
    this.pausedUntilMs = until
    // So that time goes on to it when everybody waits.
    scheduler.at(until, () => undefined)
    scheduler.at(scheduler.nowMs + sessionMs, () => {
      if (this.pausedUntilMs === until && scheduler.nowMs < until) this.onSessionEnd?.()
    })
  }

  #fail(kind: CallKind, what: string): void {
    const { faults } = this.#host
    if (kind === 'statement' || !faults.strikes('transient', () => `${this.name}: ${what}`)) return
    const message = `${what}: it was not answered`
    throw kind === 'log'
      ? new SourceError('kafka-unreachable', message, { retry: 'backoff' })
      : new StateError('storage-unreachable', message, { retry: 'backoff' })
  }
}

export function never(): Promise<never> {
  return new Promise(() => undefined)
}
