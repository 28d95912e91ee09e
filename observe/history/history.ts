/**
 * The record of what runs: a row for every run, source commit, window, batch and statement, in tables of
 * its own. Rows of a run are numbered from 1 without a hole (`seq`), so that a row that is gone is noticed.
 *
 *     run ─ sources (source topic → hop) ─ windows (hop → staged) ─ batches ─ statements (staged → table)
 *         └ marks: where a task or a table went on      └ lost: what could not be written down
 */

/** What a column holds. Times are milliseconds since the epoch. */
export type HistoryValue = string | number | null

export type HistoryRow = Readonly<Record<string, HistoryValue>>

export const historyKinds = [
  'runs',
  'sources',
  'windows',
  'batches',
  'statements',
  'marks',
  'lost',
] as const

export type HistoryKind = (typeof historyKinds)[number]

export interface HistoryEntry {
  readonly kind: HistoryKind
  /** Its `run_id` and `seq` say which it is: written again, it replaces what was there. */
  readonly row: HistoryRow
}

export interface HistoryQuery {
  readonly kind: HistoryKind
  /** Absent: all. */
  readonly columns?: readonly string[]
  /** Rows that differ in these columns. */
  readonly isDistinct?: boolean
  readonly where?: HistoryRow
  /** All of them hold. */
  readonly bounds?: readonly HistoryBound[]
  /** Ascending, unless `isDescending`. */
  readonly order?: readonly string[]
  readonly isDescending?: boolean
  readonly limit?: number
}

export interface HistoryBound {
  readonly column: string
  readonly is: '>' | '>=' | '<' | '<='
  readonly value: number
}

export interface HistoryLimits {
  readonly application: string
  /** Rows that were recorded before go. Milliseconds since the epoch. */
  readonly beforeMs: number
  /** Of each kind; the oldest go. */
  readonly maxRows: number
}

/** Where the record is kept. A call that fails says why as StateError `history-unavailable`. */
export interface History {
  /** For messages: `sqlite:.forager/shop-history.sqlite`. */
  readonly address: string
  /** Makes its tables, where it may write. */
  open(): Promise<void>
  /** All of them, or none. */
  write(entries: readonly HistoryEntry[]): Promise<void>
  find(query: HistoryQuery): Promise<readonly HistoryRow[]>
  prune(limits: HistoryLimits): Promise<void>
  close(): Promise<void>
}
