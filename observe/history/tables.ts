/** The tables of the record, as data: every dialect makes the same ones (`sql-history.ts`). */
import type { HistoryKind } from './history.ts'

/**
 * `id` and `name`: text that is looked up by; `text`: of any length; `number`: whole, up to 2^53. Text that
 * is longer than its column is cut.
 */
export type ColumnType = 'id' | 'name' | 'text' | 'number'

export const maxChars = { id: 64, name: 300, text: 16_000 } as const

type Columns = Readonly<Record<string, ColumnType>>

/** Which run wrote the row, its number there, and when. */
const everyRow = {
  run_id: 'id',
  seq: 'number',
  application: 'name',
  recorded_ms: 'number',
} as const satisfies Columns

/** What has a beginning, an end, and one of `requested`, `inflight`, `completed`, `failed`. */
const span = {
  state: 'id',
  started_ms: 'number',
  ended_ms: 'number',
} as const satisfies Columns

/** Of the source: its log's positions and its clock, at both ends. */
const sourceEnds = {
  first_position: 'text',
  last_position: 'text',
  first_source_ms: 'number',
  last_source_ms: 'number',
} as const satisfies Columns

/** A half-open range of offsets of one partition. `topic_id` tells a topic that was made anew. */
const range = {
  task: 'name',
  topic: 'text',
  topic_id: 'id',
  topic_partition: 'number',
  from_offset: 'number',
  to_offset: 'number',
} as const satisfies Columns

const columnsOf = {
  runs: {
    ...everyRow,
    ...span,
    instance: 'text',
    version: 'text',
    seen_ms: 'number',
    last_seq: 'number',
    is_pruned: 'number',
    error: 'text',
  },
  sources: {
    ...everyRow,
    ...span,
    ...range,
    commits: 'number',
    events: 'number',
    repeats: 'number',
    bad: 'number',
    ...sourceEnds,
    hop: 'text',
  },
  windows: {
    ...everyRow,
    ...span,
    window_id: 'text',
    ...range,
    reason: 'id',
    events: 'number',
    net_changes: 'number',
    batches: 'number',
  },
  batches: {
    ...everyRow,
    ...span,
    table_name: 'name',
    batch: 'text',
    window_id: 'text',
    task: 'name',
    from_offset: 'number',
    to_offset: 'number',
    staged_topic_id: 'id',
    staged_partition: 'number',
    staged_offset: 'number',
    row_count: 'number',
    events: 'number',
    bytes: 'number',
    ...sourceEnds,
  },
  statements: {
    ...everyRow,
    ...span,
    table_name: 'name',
    statement: 'text',
    token: 'number',
    attempt: 'number',
    staged_topic_id: 'id',
    from_offset: 'number',
    through_offset: 'number',
    batches: 'number',
    submitted_ms: 'number',
    outcome: 'id',
    rows_inserted: 'number',
    rows_updated: 'number',
    rows_deleted: 'number',
    rows_searched: 'number',
    ...sourceEnds,
    error_code: 'id',
    error: 'text',
  },
  marks: {
    ...everyRow,
    mark: 'id',
    task: 'name',
    table_name: 'name',
    topic: 'text',
    topic_id: 'id',
    topic_partition: 'number',
    at_offset: 'number',
    is_new: 'number',
    token: 'number',
    note: 'text',
  },
  lost: {
    ...everyRow,
    of_kind: 'id',
    task: 'name',
    table_name: 'name',
    topic_id: 'id',
    topic_partition: 'number',
    from_offset: 'number',
    to_offset: 'number',
    row_count: 'number',
    first_seq: 'number',
    last_seq: 'number',
    note: 'text',
  },
} as const satisfies Readonly<Record<HistoryKind, Columns>>

export const historyColumns: Readonly<Record<HistoryKind, Columns>> = columnsOf

type ValueOf<T extends ColumnType> = T extends 'number' ? number | null : string | null

/** A row of a kind, with every column. */
export type RowOf<K extends HistoryKind> = {
  readonly [C in keyof (typeof columnsOf)[K]]: (typeof columnsOf)[K][C] extends ColumnType
    ? ValueOf<(typeof columnsOf)[K][C]>
    : never
}

export type RunRow = RowOf<'runs'>
export type SourceRow = RowOf<'sources'>
export type WindowRow = RowOf<'windows'>
export type BatchRow = RowOf<'batches'>
export type StatementRow = RowOf<'statements'>
export type MarkRow = RowOf<'marks'>
export type LostRow = RowOf<'lost'>

export function historyTable(kind: HistoryKind): string {
  return `forager_${kind}`
}

/** By which columns rows are looked for. */
export const historyIndexes: Readonly<Record<HistoryKind, readonly (readonly string[])[]>> = {
  runs: [['application', 'recorded_ms']],
  sources: [
    ['application', 'recorded_ms'],
    ['application', 'task', 'topic_id', 'from_offset'],
  ],
  windows: [
    ['application', 'recorded_ms'],
    ['application', 'task', 'topic_id', 'from_offset'],
  ],
  batches: [
    ['application', 'recorded_ms'],
    ['application', 'table_name', 'staged_offset'],
  ],
  statements: [
    ['application', 'recorded_ms'],
    ['application', 'table_name', 'through_offset'],
  ],
  marks: [['application', 'recorded_ms']],
  lost: [['application', 'recorded_ms']],
}

/** Written once, and not replaced. */
export const keptColumns: readonly string[] = ['is_pruned']
