/**
 * One statement in an open session: submitted, asked after until it ends, cancelled when it takes too
 * long. It ends finished, or as a WarehouseError that says what is known:
 *
 *     submit ── refused: the session is gone ──▶ HiveRefusal, the caller may open another and submit again
 *       │  └─── refused ──▶ statement-failed
 *       │  └─── no answer ─▶ statement-unknown, and the connection is dropped: HiveServer2 ends the session then
 *       ▼
 *     state ─── failed ───▶ statement-failed; statement-unknown when it may have failed after its commit
 *       │  └─── no answer ─▶ statement-unknown
 *       │  └─── too late ──▶ cancel, and ask once more: finished, failed, or statement-unknown
 *       ▼
 *     finished
 */
import type { Clock } from '../../runtime/clock.ts'
import type { HiveClient, OperationHandle, Patience, SessionHandle } from './hive-client.ts'
import {
  failed,
  HiveRefusal,
  mayHaveCommitted,
  NoAnswer,
  refusalText,
  unknown,
} from './hive-errors.ts'
import type { HiveLimits } from './hive-options.ts'

const firstWaitMs = 10
const maxWaitMs = 1_000
/** HiveServer2's own limit ends what nobody is left to cancel; ours comes first. */
const serverGraceMs = 30_000

export interface StatementOptions {
  /** From when it is its turn; absent: the limit of the connection's options. */
  readonly timeoutMs?: number
  /** Cancels it: it ends `statement-unknown`, unless Hive says that it ended before. */
  readonly signal?: AbortSignal
}

export interface StatementPlace {
  readonly client: HiveClient
  readonly session: SessionHandle
  readonly limits: HiveLimits
  readonly clock: Clock
}

/** A statement that finished. Its operation is to be closed. */
export class HiveStatement {
  readonly #place: StatementPlace
  readonly #sql: string
  readonly #operation: OperationHandle
  readonly #deadline: Deadline

  private constructor(
    place: StatementPlace,
    sql: string,
    operation: OperationHandle,
    deadline: Deadline,
  ) {
    this.#place = place
    this.#sql = sql
    this.#operation = operation
    this.#deadline = deadline
  }

  /**
   * Resolves when it finished. HiveRefusal when HiveServer2 does not know the session, and did nothing;
   * else WarehouseError `statement-failed` or `statement-unknown`.
   */
  static async run(
    place: StatementPlace,
    sql: string,
    options: StatementOptions,
  ): Promise<HiveStatement> {
    const deadline = new Deadline(place, options)
    const operation = await submit(place, sql, deadline)
    const statement = new HiveStatement(place, sql, operation, deadline)
    try {
      await statement.#finish()
    } catch (error) {
      await statement.close()
      throw error
    }
    return statement
  }

  get operation(): OperationHandle {
    return this.#operation
  }

  /** For a call about its result, within what is left of its time. */
  async ask<T>(call: (client: HiveClient, patience: Patience) => Promise<T>): Promise<T> {
    try {
      return await call(this.#place.client, this.#deadline.forAnswer())
    } catch (error) {
      throw this.#ended(error)
    }
  }

  /** Frees what HiveServer2 holds for it. What it cannot free goes with the session. */
  async close(): Promise<void> {
    const { client, limits } = this.#place
    if (client.isLost) return
    try {
      await client.closeOperation(this.#operation, { timeoutMs: limits.cancelTimeoutMs })
    } catch (error) {
      if (error instanceof NoAnswer) client.destroy()
      else if (!(error instanceof HiveRefusal)) throw error
    }
  }

  async #finish(): Promise<void> {
    const { client, clock } = this.#place
    let waitMs = firstWaitMs
    for (;;) {
      const askedMs = clock.monotonic()
      if (this.#deadline.isOver) return await this.#cancel()
      let state: 'running' | 'finished' | 'cancelled'
      try {
        state = await client.state(this.#operation, this.#deadline.forAnswer())
      } catch (error) {
        if (error instanceof NoAnswer && this.#deadline.isOver) return await this.#cancel()
        throw this.#ended(error)
      }
      if (state === 'finished') return
      if (state === 'cancelled') throw unknown(this.#sql, 'HiveServer2 or somebody cancelled it')
      // HiveServer2 answers late by itself (hive.server2.long.polling.timeout): then nothing is left to wait.
      await this.#deadline.sleep(waitMs - (clock.monotonic() - askedMs))
      waitMs = Math.min(waitMs * 2, maxWaitMs)
    }
  }

  /** It may have ended while nobody looked: then that is what counts. */
  async #cancel(): Promise<void> {
    const { client, limits } = this.#place
    const why = this.#deadline.reason
    const patience = { timeoutMs: limits.cancelTimeoutMs }
    try {
      await client.cancel(this.#operation, patience)
      if ((await client.state(this.#operation, patience)) === 'finished') return
    } catch (error) {
      // HiveServer2 ends the sessions of a connection with it, and their statements.
      if (error instanceof NoAnswer) client.destroy()
      else throw this.#ended(error)
    }
    throw unknown(this.#sql, why)
  }

  #ended(error: unknown): unknown {
    if (error instanceof NoAnswer) {
      if (error.reason === 'timeout') this.#place.client.destroy()
      const reason = this.#deadline.isOver ? this.#deadline.reason : error.message
      return unknown(this.#sql, reason, error)
    }
    if (!(error instanceof HiveRefusal)) return error
    if (error.isHandleUnknown || mayHaveCommitted(error)) {
      return unknown(this.#sql, refusalText(error), error)
    }
    return failed(this.#sql, error)
  }
}

async function submit(
  { client, session }: StatementPlace,
  sql: string,
  deadline: Deadline,
): Promise<OperationHandle> {
  const timeoutSeconds = Math.ceil((deadline.timeoutMs + serverGraceMs) / 1000)
  try {
    return await client.submit(session, sql, timeoutSeconds, deadline.forAll())
  } catch (error) {
    if (error instanceof NoAnswer) {
      // Nobody knows its handle, so only the end of its session ends it.
      client.destroy()
      const reason = deadline.isOver ? deadline.reason : error.message
      throw unknown(sql, reason, error)
    }
    // What is refused here was not compiled, so nothing of it was done.
    if (error instanceof HiveRefusal && !error.isHandleUnknown) throw failed(sql, error)
    throw error
  }
}

/** When a statement must have ended. */
class Deadline {
  readonly timeoutMs: number
  readonly #endMs: number
  readonly #place: StatementPlace
  readonly #signal: AbortSignal | undefined

  constructor(place: StatementPlace, { timeoutMs, signal }: StatementOptions) {
    this.timeoutMs = timeoutMs ?? place.limits.statementTimeoutMs
    this.#endMs = place.clock.monotonic() + this.timeoutMs
    this.#place = place
    this.#signal = signal
  }

  get isOver(): boolean {
    return this.#signal?.aborted === true || this.#leftMs <= 0
  }

  get reason(): string {
    return this.#signal?.aborted === true
      ? 'it was cancelled'
      : `it was cancelled after ${this.timeoutMs} ms`
  }

  /** For an answer that takes as long as the statement. */
  forAll(): Patience {
    return { timeoutMs: Math.ceil(this.#leftMs), signal: this.#signal }
  }

  /** For an answer that comes soon. */
  forAnswer(): Patience {
    const timeoutMs = Math.min(Math.ceil(this.#leftMs), this.#place.limits.requestTimeoutMs)
    return { timeoutMs, signal: this.#signal }
  }

  async sleep(milliseconds: number): Promise<void> {
    const waitMs = Math.min(milliseconds, this.#leftMs)
    if (waitMs > 0) await this.#place.clock.sleep(waitMs, this.#signal)
  }

  get #leftMs(): number {
    return Math.max(0, this.#endMs - this.#place.clock.monotonic())
  }
}
