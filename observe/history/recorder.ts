/**
 * Writes the record, beside the data and never in its way: rows are kept in memory, within a bound, and
 * written together, a transaction at a time. While that fails it is tried again with pauses; beyond the
 * bound the oldest rows go, and what they covered is written down when it works again (`lost`).
 */
import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import type { History, HistoryEntry, HistoryKind, HistoryRow } from './history.ts'
import { LostRows } from './lost-rows.ts'
import type { RunRow } from './tables.ts'

export interface RecorderLimits {
  /** Rows that wait to be written. */
  readonly maxWaiting: number
  /** How long rows are kept, and how many of each kind. */
  readonly retainMs: number
  readonly maxRows: number
  /** How long a stop may take to write what waits. */
  readonly stopMs: number
}

export interface RunFacts {
  readonly run: string
  readonly application: string
  readonly instance: string
  readonly version: string
}

export interface RecorderOptions extends RunFacts {
  readonly history: History
  readonly limits: RecorderLimits
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
}

/** A row without what every row has. */
export type NewRow = HistoryRow

export interface RowKey {
  readonly seq: number
  readonly recordedMs: number
}

/** What waits this long is written together. */
const flushMs = 1000
const maxRowsPerWrite = 500
/** A run without news is seen this often. */
const seenMs = 30_000
const pruneMs = 3_600_000
const firstPauseMs = 1000
const maxPauseMs = 60_000
/** A server or a disk that says nothing for so long. */
const writeTimeoutMs = 30_000
const closeMs = 1000

export class Recorder {
  readonly #options: RecorderOptions
  readonly #startedMs: number
  readonly #closing = new AbortController()
  /** By number, the oldest first. */
  readonly #waiting = new Map<number, HistoryEntry>()
  readonly #lost = new LostRows()
  #seq = 0
  /** Up to which all rows are written, or known to be lost. */
  #lastSeq = 0
  #isOpen = false
  #isFailing = false
  /** Monotonic milliseconds. */
  #seenAtMs = Number.NEGATIVE_INFINITY
  #prunedAtMs = Number.NEGATIVE_INFINITY
  #loop: Promise<void> | null = null

  constructor(options: RecorderOptions) {
    this.#options = options
    this.#startedMs = options.clock.now()
  }

  start(): void {
    this.#loop = this.#run()
  }

  /** Takes a row in; `key` is that of one that was given before, and is replaced. Never fails. */
  put(kind: Exclude<HistoryKind, 'runs'>, given: NewRow, key: RowKey = this.#nextKey()): RowKey {
    const { run, application, limits, metrics } = this.#options
    const row = {
      ...given,
      run_id: run,
      seq: key.seq,
      application,
      recorded_ms: key.recordedMs,
    }
    this.#waiting.set(key.seq, { kind, row })
    if (this.#waiting.size > limits.maxWaiting) this.#dropOldest()
    metrics.set('forager_history_rows_waiting', this.#waiting.size)
    return key
  }

  /** The history, to be read meanwhile; null while it cannot be asked. */
  get readable(): History | null {
    return this.#isOpen ? this.#options.history : null
  }

  /** Writes what waits, within the bound; then how the run ended. */
  async close(error: string | null): Promise<void> {
    const { clock, logger, limits, history } = this.#options
    this.#closing.abort()
    const ended = { state: error === null ? 'completed' : 'failed', error, ended_ms: clock.now() }
    const done = new AbortController()
    const flushing = (async () => {
      await this.#loop
      while (this.#waiting.size > 0 || this.#lost.size > 0) {
        if (!(await this.flush())) return false
      }
      return await this.#attempt(() => history.write([{ kind: 'runs', row: this.#runRow(ended) }]))
    })()
    const isWritten = await Promise.race([
      flushing,
      clock.sleep(limits.stopMs, done.signal).then(() => false),
    ])
    if (!isWritten) logger.warn('history.unwritten', { rows: this.#waiting.size })
    const closing = history.close().catch(() => undefined)
    await Promise.race([closing, clock.sleep(closeMs, done.signal)])
    done.abort()
  }

  #nextKey(): RowKey {
    this.#seq += 1
    return { seq: this.#seq, recordedMs: this.#options.clock.now() }
  }

  async #run(): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#closing
    let pauseMs = firstPauseMs
    while (!signal.aborted) {
      if (await this.#step()) {
        pauseMs = firstPauseMs
        await clock.sleep(flushMs, signal)
      } else {
        await clock.sleep(pauseMs, signal)
        pauseMs = Math.min(maxPauseMs, pauseMs * 2)
      }
    }
  }

  /** False when it failed. */
  async #step(): Promise<boolean> {
    const { application, clock, history, limits } = this.#options
    const now = clock.monotonic()
    const isSeen = now - this.#seenAtMs < seenMs
    while (this.#waiting.size > 0 || this.#lost.size > 0 || !isSeen) {
      if (!(await this.flush())) return false
      if (this.#waiting.size < maxRowsPerWrite || this.#closing.signal.aborted) break
    }
    if (now - this.#prunedAtMs < pruneMs || this.#closing.signal.aborted) return true
    this.#prunedAtMs = now
    const beforeMs = clock.now() - limits.retainMs
    return await this.#attempt(() =>
      history.prune({ application, beforeMs, maxRows: limits.maxRows }),
    )
  }

  /** One transaction: rows that wait, what was lost, and that the run was seen. False when it failed. */
  async flush(): Promise<boolean> {
    const { clock, history, metrics } = this.#options
    const taken = [...this.#waiting].slice(0, maxRowsPerWrite)
    const lost = this.#lost.rows()
    // New rows came in their order: with these, all up to the highest are written, or known to be lost.
    const lastSeq = taken.reduce((last, [seq]) => Math.max(last, seq), this.#lastSeq)
    const entries = [
      { kind: 'runs', row: this.#runRow({ last_seq: lastSeq }) },
      ...taken.map(([, entry]) => entry),
      ...lost.map(row => ({ kind: 'lost', row }) as const),
    ] as const
    if (!(await this.#attempt(() => history.write(entries)))) return false
    this.#lastSeq = lastSeq
    this.#seenAtMs = clock.monotonic()
    this.#lost.remove(lost)
    // One that was replaced meanwhile is to be written again.
    for (const [seq, entry] of taken) {
      if (this.#waiting.get(seq) === entry) this.#waiting.delete(seq)
    }
    metrics.count('forager_history_rows_total', entries.length)
    metrics.set('forager_history_rows_waiting', this.#waiting.size)
    return true
  }

  /** False when it failed; then the history is opened anew the next time. */
  async #attempt(action: () => Promise<void>): Promise<boolean> {
    const { clock, history, logger, metrics } = this.#options
    const { address } = history
    const done = new AbortController()
    try {
      const acting = this.#opened().then(action)
      const late = clock.sleep(writeTimeoutMs, done.signal).then(() => {
        if (!done.signal.aborted)
          throw new Error(`it did not answer for ${writeTimeoutMs / 1000} s`)
      })
      await Promise.race([acting, late])
      if (this.#isFailing) logger.info('history.recovered', { address })
      this.#isFailing = false
      return true
    } catch (error) {
      metrics.count('forager_history_failures_total', 1)
      const reason = (error as Error).message
      if (!this.#isFailing) logger.warn('history.failed', { address, reason })
      this.#isFailing = true
      this.#isOpen = false
      void history.close().catch(() => undefined)
      return false
    } finally {
      done.abort()
    }
  }

  async #opened(): Promise<void> {
    if (!this.#isOpen) await this.#options.history.open()
    this.#isOpen = true
  }

  #dropOldest(): void {
    const { clock, metrics } = this.#options
    const [oldest] = this.#waiting
    const [seq, entry] = oldest!
    this.#waiting.delete(seq)
    this.#lost.add(entry, clock.now())
    metrics.count('forager_history_lost_total', 1)
  }

  #runRow(now: Partial<RunRow>): RunRow {
    const { run, application, instance, version, clock } = this.#options
    return {
      run_id: run,
      seq: 0,
      application,
      recorded_ms: this.#startedMs,
      state: 'inflight',
      started_ms: this.#startedMs,
      ended_ms: null,
      instance,
      version,
      seen_ms: clock.now(),
      last_seq: this.#lastSeq,
      is_pruned: 0,
      error: null,
      ...now,
    }
  }
}
