/**
 * A few sessions of HiveServer2, shared by whoever has statements: each is an application master of its
 * own in the cluster. They are opened when all others are busy, up to a limit, and kept.
 */
import { assert } from '../../model/errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import { unreachable } from './hive-errors.ts'
import type { HiveConnectionOptions } from './hive-options.ts'
import type { Session } from './hive-session.ts'
import { HiveSession } from './hive-session.ts'

/** What somebody who has statements knows of them; see `HiveSessions`. */
export interface Sessions {
  use<T>(action: (session: Session) => Promise<T>, signal?: AbortSignal): Promise<T>
  close(): Promise<void>
}

export class HiveSessions implements Sessions {
  readonly #options: HiveConnectionOptions
  readonly #clock: Clock
  readonly #maxSessions: number
  /** The last one used is taken first: it is warm. */
  readonly #idle: HiveSession[] = []
  #waiting: ((session: HiveSession) => void)[] = []
  #sessionCount = 0
  #isClosed = false

  constructor(options: HiveConnectionOptions, clock: Clock, maxSessions = 2) {
    assert(maxSessions >= 1, 'a pool of sessions has at least one')
    this.#options = options
    this.#clock = clock
    this.#maxSessions = maxSessions
  }

  /**
   * Gives the action a session for itself, as soon as one is free, in the order of the calls. Whatever
   * the action does, the session serves the next one: it opens itself anew when it has to. Who is aborted
   * while waiting gets `warehouse-unreachable`.
   */
  async use<T>(action: (session: HiveSession) => Promise<T>, signal?: AbortSignal): Promise<T> {
    assert(!this.#isClosed, 'a pool of sessions of Hive is used after it was closed')
    const session = await this.#take(signal)
    try {
      return await action(session)
    } finally {
      this.#giveBack(session)
    }
  }

  /** Ends every session, after the actions under way and those that wait. */
  async close(): Promise<void> {
    this.#isClosed = true
    while (this.#sessionCount > 0) {
      const session = await this.#take()
      this.#sessionCount -= 1
      await session.close()
    }
  }

  async #take(signal?: AbortSignal): Promise<HiveSession> {
    const idle = this.#idle.pop()
    if (idle !== undefined) return idle
    if (!this.#isClosed && this.#sessionCount < this.#maxSessions) {
      this.#sessionCount += 1
      return new HiveSession(this.#options, this.#clock)
    }
    return await new Promise((resolve, reject) => {
      const cancelled = (): void => {
        this.#waiting = this.#waiting.filter(one => one !== taken)
        reject(unreachable('it was cancelled before a session was free'))
      }
      const taken = (session: HiveSession): void => {
        signal?.removeEventListener('abort', cancelled)
        resolve(session)
      }
      this.#waiting.push(taken)
      signal?.addEventListener('abort', cancelled, { once: true })
    })
  }

  #giveBack(session: HiveSession): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#idle.push(session)
    else next(session)
  }
}
