/**
 * One session of HiveServer2 that is kept open: opened when it is first needed, opened anew with its
 * settings when the connection or the session is gone. Its statements run one after the other.
 *
 * A statement is submitted once. What was not answered is never submitted again here: its caller is
 * told `statement-unknown`, and decides.
 */
import { assert, ForagerError, type WarehouseError } from '../../model/errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import { HiveClient, type SessionHandle } from './hive-client.ts'
import { HiveRefusal, NoAnswer, refusalText, unreachable } from './hive-errors.ts'
import type { HiveConnectionOptions, HiveLimits } from './hive-options.ts'
import { hiveAddress, hiveLimits } from './hive-options.ts'
import type { HiveRow, HiveRows } from './hive-rows.ts'
import { HiveStatement, type StatementOptions } from './hive-statement.ts'

export interface SessionStatementOptions extends StatementOptions {
  /**
   * Only in the session as it was then (`incarnation`): for statements over temporary tables, which
   * end with it. In another one it is not submitted: `warehouse-unreachable`.
   */
  readonly incarnation?: number
}

/** What somebody who has statements knows of a session. */
export type Session = Pick<HiveSession, 'execute' | 'incarnation' | 'query'>

/** Results that are wanted whole are small; larger ones are for `rows`. */
const maxQueryRows = 100_000

interface OpenSession {
  readonly client: HiveClient
  readonly handle: SessionHandle
}

export class HiveSession {
  readonly #options: HiveConnectionOptions
  readonly #limits: HiveLimits
  readonly #clock: Clock
  #open: OpenSession | null = null
  /** A session whose connection was lost: HiveServer2 may still have it, with a statement in it. */
  #left: SessionHandle | null = null
  #incarnation = 0
  #usedMs = 0
  #turn: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(options: HiveConnectionOptions, clock: Clock) {
    this.#options = options
    this.#limits = hiveLimits(options)
    this.#clock = clock
  }

  /** Counts the sessions it was so far; 0 before the first statement. */
  get incarnation(): number {
    return this.#incarnation
  }

  /**
   * Runs a statement to its end. WarehouseError `warehouse-unreachable` when it was surely not
   * submitted, `statement-failed` when Hive surely did not do it, `statement-unknown` else.
   */
  async execute(sql: string, options: SessionStatementOptions = {}): Promise<void> {
    const release = await this.#takeTurn()
    try {
      const statement = await this.#run(sql, options)
      await statement.close()
    } finally {
      release()
    }
  }

  /** A small result as a whole; errors as of `execute`. */
  async query(sql: string, options: SessionStatementOptions = {}): Promise<HiveRows> {
    const rows: HiveRow[] = []
    let columns: HiveRows['columns'] = []
    for await (const part of this.rows(sql, options)) {
      columns = part.columns
      rows.push(...part.rows)
      assert(rows.length <= maxQueryRows, `a query has more than ${maxQueryRows} rows`)
    }
    return { columns, rows }
  }

  /**
   * A result in parts, at least one; the next part is fetched when it is asked for. Other statements wait
   * until it was read or left (`break`). Its time includes what the reader takes.
   */
  async *rows(
    sql: string,
    options: SessionStatementOptions = {},
  ): AsyncGenerator<HiveRows, void, void> {
    const release = await this.#takeTurn()
    try {
      const statement = await this.#run(sql, options)
      try {
        yield* parts(statement, this.#limits.maxRowsPerFetch)
      } finally {
        await statement.close()
      }
    } finally {
      release()
    }
  }

  /** Ends the session at HiveServer2, after the statements that wait; then nothing can be executed. */
  async close(): Promise<void> {
    const release = await this.#takeTurn()
    try {
      this.#isClosed = true
      const open = this.#open
      this.#open = null
      if (open === null) return
      const patience = { timeoutMs: this.#limits.cancelTimeoutMs }
      // When it cannot be closed in order, the end of the connection closes it.
      await open.client.closeSession(open.handle, patience).catch(() => undefined)
      open.client.destroy()
    } finally {
      release()
    }
  }

  async #takeTurn(): Promise<() => void> {
    const before = this.#turn
    let release: () => void = () => undefined
    this.#turn = new Promise(resolve => {
      release = resolve
    })
    await before
    return release
  }

  async #run(sql: string, options: SessionStatementOptions): Promise<HiveStatement> {
    for (let attempt = 1; ; attempt += 1) {
      const { client, handle } = await this.#ensureOpen(options)
      const place = { client, session: handle, limits: this.#limits, clock: this.#clock }
      try {
        return await HiveStatement.run(place, sql, options)
      } catch (error) {
        if (!(error instanceof HiveRefusal)) throw error
        // HiveServer2 does not know the session, so it did nothing: another one may be asked.
        this.#drop(null)
        if (attempt === 2) throw this.#unreachable('it forgets its sessions at once', error)
      } finally {
        this.#usedMs = this.#clock.monotonic()
      }
    }
  }

  async #ensureOpen({ signal, incarnation }: SessionStatementOptions): Promise<OpenSession> {
    assert(!this.#isClosed, 'a session of Hive is used after it was closed')
    if (signal?.aborted === true) {
      throw unreachable('the statement was cancelled before it was submitted')
    }
    await this.#check(signal)
    const isSame = this.#open !== null && incarnation === this.#incarnation
    if (incarnation !== undefined && !isSame) {
      throw unreachable('the session ended, and its temporary tables with it')
    }
    this.#open ??= await this.#connect(signal)
    return this.#open
  }

  /** Lets go of a session that is gone: before a statement goes out nothing is in doubt. */
  async #check(signal: AbortSignal | undefined): Promise<void> {
    if (this.#open === null) return
    const { client, handle } = this.#open
    if (client.isLost) {
      this.#drop(handle)
      return
    }
    if (this.#clock.monotonic() - this.#usedMs < this.#limits.idleCheckMs) return
    try {
      await client.checkSession(handle, { timeoutMs: this.#limits.connectTimeoutMs, signal })
    } catch (error) {
      if (!(error instanceof HiveRefusal) && !(error instanceof NoAnswer)) throw error
      if (error instanceof NoAnswer && error.reason === 'aborted') {
        throw unreachable('the statement was cancelled before it was submitted', error)
      }
      this.#drop(error instanceof HiveRefusal ? null : handle)
    }
  }

  #drop(left: SessionHandle | null): void {
    this.#open?.client.destroy()
    this.#open = null
    this.#left = left
  }

  async #connect(signal: AbortSignal | undefined): Promise<OpenSession> {
    const client = await this.#connectClient(signal)
    try {
      await this.#endLeft(client)
      const handle = await client.openSession({ timeoutMs: this.#limits.openTimeoutMs, signal })
      this.#incarnation += 1
      this.#usedMs = this.#clock.monotonic()
      return { client, handle }
    } catch (error) {
      client.destroy()
      if (error instanceof HiveRefusal) {
        throw this.#unreachable(`it refused a session: ${refusalText(error)}`, error)
      }
      if (error instanceof NoAnswer) throw this.#unreachable(error.message, error)
      throw error
    }
  }

  async #connectClient(signal: AbortSignal | undefined): Promise<HiveClient> {
    try {
      return await HiveClient.connect(this.#options, this.#clock, signal)
    } catch (error) {
      if (error instanceof ForagerError || !(error instanceof Error)) throw error
      throw this.#unreachable(error.message, error)
    }
  }

  /** With it HiveServer2 ends what still runs in it. A binary connection's sessions end by themselves. */
  async #endLeft(client: HiveClient): Promise<void> {
    const left = this.#left
    this.#left = null
    if (left === null) return
    const patience = { timeoutMs: this.#limits.cancelTimeoutMs }
    await client.closeSession(left, patience).catch(() => undefined)
  }

  #unreachable(reason: string, cause: Error): WarehouseError {
    return unreachable(`HiveServer2 at ${hiveAddress(this.#options)}: ${reason}`, cause)
  }
}

async function* parts(statement: HiveStatement, maxRows: number): AsyncGenerator<HiveRows> {
  const { operation } = statement
  const columns = await statement.ask((client, patience) => client.columns(operation, patience))
  for (let isFirst = true; ; isFirst = false) {
    const rows = await statement.ask((client, patience) =>
      client.fetch(operation, maxRows, patience),
    )
    if (rows.length > 0 || isFirst) yield { columns, rows }
    // HiveServer2 does not say whether there are more (hasMoreRows is false always).
    if (rows.length === 0) return
  }
}
