/**
 * One connection to HiveServer2, its calls in our own words. A call ends with an answer, a HiveRefusal
 * or a NoAnswer, always: hive-driver by itself leaves calls waiting for ever when the connection ends.
 */
import { WarehouseError } from '../../model/errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { DriverConnection } from './driver-connection.ts'
import { credentials, openConnection } from './driver-connection.ts'
import { HiveRefusal, NoAnswer } from './hive-errors.ts'
import type { HiveConnectionOptions } from './hive-options.ts'
import { hiveLimits, sessionConfiguration } from './hive-options.ts'
import type { ColumnDescription, HiveColumn, HiveRow, ResultColumn } from './hive-rows.ts'
import { columnsOf, rowsOf } from './hive-rows.ts'

/** How long an answer is waited for. */
export interface Patience {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

type Driver = DriverConnection['driver']
export type SessionHandle = Parameters<Driver['closeSession']>[0]['sessionHandle']
export type OperationHandle = Parameters<Driver['closeOperation']>[0]['operationHandle']

export type OperationState = 'running' | 'finished' | 'cancelled'

/** TOperationState of TCLIService.thrift; what is absent here still runs, or is about to. */
const finishedState = 2
const cancelledStates = [3, 4, 6, 8]
const errorState = 5

/** TStatusCode. */
const errorStatuses = [3, 4]

/** HIVE_CLI_SERVICE_PROTOCOL_V10, of Hive 3; the server lowers it when it is older. */
const protocolVersion = 9

/** TFetchOrientation. */
const fetchNext = 0

/** CLI_SERVER_NAME of TGetInfoType: the cheapest question about a session. */
const serverName = 13

interface Status {
  readonly statusCode: number
  readonly sqlState?: string | null
  readonly errorCode?: number | null
  readonly errorMessage?: string | null
}

export class HiveClient {
  readonly #connection: DriverConnection
  readonly #clock: Clock
  readonly #options: HiveConnectionOptions
  readonly #waiting = new Set<(reason: Error) => void>()
  #lost: Error | null = null

  private constructor(connection: DriverConnection, options: HiveConnectionOptions, clock: Clock) {
    this.#connection = connection
    this.#options = options
    this.#clock = clock
    connection.onLost(reason => this.#lose(`the connection was lost: ${reason.message}`))
  }

  /** Rejects with whatever went wrong; then nothing stays open. */
  static async connect(
    options: HiveConnectionOptions,
    clock: Clock,
    signal?: AbortSignal,
  ): Promise<HiveClient> {
    const { connectTimeoutMs } = hiveLimits(options)
    const stopping = new AbortController()
    const opened = openConnection(options, stopping.signal)
    try {
      const connection = await within(clock, opened, { timeoutMs: connectTimeoutMs, signal })
      return new HiveClient(connection, options, clock)
    } catch (error) {
      stopping.abort()
      opened.then(connection => connection.destroy()).catch(() => undefined)
      throw error
    }
  }

  get isLost(): boolean {
    return this.#lost !== null
  }

  async openSession(patience: Patience): Promise<SessionHandle> {
    const response = await this.#ask(patience, driver =>
      driver.openSession({
        client_protocol: protocolVersion,
        ...credentials(this.#options.auth ?? { type: 'none' }),
        configuration: sessionConfiguration(this.#options),
      }),
    )
    return response.sessionHandle
  }

  async closeSession(sessionHandle: SessionHandle, patience: Patience): Promise<void> {
    await this.#ask(patience, driver => driver.closeSession({ sessionHandle }))
  }

  /** HiveRefusal when HiveServer2 does not know the session. */
  async checkSession(sessionHandle: SessionHandle, patience: Patience): Promise<void> {
    await this.#ask(patience, driver => driver.getInfo({ sessionHandle, infoType: serverName }))
  }

  /**
   * Compiles the statement, and has it run. HiveServer2 itself cancels it after so many seconds: also
   * when nobody is left here to do so.
   */
  async submit(
    sessionHandle: SessionHandle,
    statement: string,
    timeoutSeconds: number,
    patience: Patience,
  ): Promise<OperationHandle> {
    const response = await this.#ask(patience, driver =>
      // hive-driver's type says Buffer, and Thrift's library takes a number.
      driver.executeStatement({
        sessionHandle,
        statement,
        runAsync: true,
        queryTimeout: timeoutSeconds as unknown as Buffer,
      }),
    )
    return response.operationHandle
  }

  /** HiveServer2 answers when it ends, or after half a second to five. HiveRefusal when it failed. */
  async state(operationHandle: OperationHandle, patience: Patience): Promise<OperationState> {
    const response = await this.#ask(patience, driver =>
      driver.getOperationStatus({ operationHandle }),
    )
    const state = response.operationState ?? -1
    if (state === errorState) throw refusalOf(response)
    if (state === finishedState) return 'finished'
    return cancelledStates.includes(state) ? 'cancelled' : 'running'
  }

  async cancel(operationHandle: OperationHandle, patience: Patience): Promise<void> {
    await this.#ask(patience, driver => driver.cancelOperation({ operationHandle }))
  }

  async closeOperation(operationHandle: OperationHandle, patience: Patience): Promise<void> {
    await this.#ask(patience, driver => driver.closeOperation({ operationHandle }))
  }

  async columns(operationHandle: OperationHandle, patience: Patience): Promise<HiveColumn[]> {
    const response = await this.#ask(patience, driver =>
      driver.getResultSetMetadata({ operationHandle }),
    )
    return columnsOf((response.schema?.columns ?? []) as readonly ColumnDescription[])
  }

  /** The next rows, none at the end. */
  async fetch(
    operationHandle: OperationHandle,
    maxRows: number,
    patience: Patience,
  ): Promise<HiveRow[]> {
    const { results } = await this.#ask(patience, driver =>
      driver.fetchResults({ operationHandle, orientation: fetchNext, maxRows, fetchType: 0 }),
    )
    // hive.server2.thrift.resultset.serialize.in.tasks: the columns are within a blob, and look like no rows.
    if (results?.binaryColumns != null || results?.columnCount != null) throw unreadableResult()
    return rowsOf((results?.columns ?? []) as unknown as readonly ResultColumn[])
  }

  /** Ends every call that waits with NoAnswer `lost`. */
  destroy(): void {
    this.#lose('the connection was closed')
    this.#connection.destroy()
  }

  #lose(message: string): void {
    this.#lost ??= new NoAnswer('lost', message)
    for (const reject of this.#waiting) reject(this.#lost)
  }

  async #ask<T extends { readonly status: Status }>(
    patience: Patience,
    call: (driver: Driver) => Promise<T>,
  ): Promise<T> {
    if (this.#lost !== null) throw this.#lost
    let stopWaiting: (reason: Error) => void = () => undefined
    const lost = new Promise<never>((_, reject) => {
      stopWaiting = reject
      this.#waiting.add(reject)
    })
    try {
      const answer = Promise.race([call(this.#connection.driver), lost])
      const response = await within(this.#clock, answer, patience)
      if (errorStatuses.includes(response.status.statusCode)) throw refusalOf(response.status)
      return response
    } catch (error) {
      if (error instanceof HiveRefusal || error instanceof NoAnswer) throw error
      // HiveServer2 failed while it handled the call, or its answer makes no sense: what it did is unknown.
      this.destroy()
      const message = error instanceof Error ? error.message : String(error)
      throw new NoAnswer('lost', `the call failed: ${message}`, error)
    } finally {
      this.#waiting.delete(stopWaiting)
    }
  }
}

function unreadableResult(): WarehouseError {
  const setting = 'hive.server2.thrift.resultset.serialize.in.tasks'
  return new WarehouseError(
    'statement-failed',
    `HiveServer2 sends results in a form that is not read here: give sessions the setting ${setting}: 'false'`,
  )
}

function refusalOf(status: Omit<Status, 'statusCode'>): HiveRefusal {
  return new HiveRefusal(
    status.errorMessage ?? 'HiveServer2 gave no reason',
    status.sqlState ?? null,
    status.errorCode ?? 0,
  )
}

/** Timers take no longer time than this, and fire at once when given one. */
const maxTimeoutMs = 2 ** 31 - 1

/** NoAnswer when it does not settle in time, or the signal aborts before. */
async function within<T>(clock: Clock, answer: Promise<T>, patience: Patience): Promise<T> {
  const { timeoutMs, signal } = patience
  const settled = new AbortController()
  const settle = (): void => settled.abort()
  if (signal?.aborted === true) settle()
  signal?.addEventListener('abort', settle, { once: true })
  const slept = clock.sleep(Math.min(timeoutMs, maxTimeoutMs), settled.signal)
  const givenUp = slept.then((): never => {
    if (signal?.aborted === true) throw new NoAnswer('aborted', 'it was cancelled')
    throw new NoAnswer('timeout', `there was no answer within ${timeoutMs} ms`)
  })
  // When the answer came, what the sleep says does not matter any more; nor does an answer that comes late.
  givenUp.catch(() => undefined)
  answer.catch(() => undefined)
  try {
    return await Promise.race([answer, givenUp])
  } finally {
    signal?.removeEventListener('abort', settle)
    settle()
  }
}
