/** From what a running application tells to rows of the record. One open row a task and a table is kept here. */
import type { OffsetRange } from '../../model/staged-batch.ts'
import { batchName } from '../../model/staged-batch.ts'
import type { Recorder, RowKey } from '../../observe/history/recorder.ts'
import type { Clock } from '../../runtime/clock.ts'
import type {
  BatchStaged,
  SourceCommitted,
  StatementTold,
  StreamsEvent,
  TableHeld,
  TablesOpened,
  TaskInput,
  TaskOpened,
  WindowClosed,
  WindowClosing,
} from '../../runtime/streams-events.ts'

/** Commits of a task that follow each other within this time are one row. */
const sourceRowMs = 10_000

interface OpenSource {
  readonly key: RowKey
  readonly startedMs: number
  readonly commits: number
  readonly told: SourceCommitted
}

interface OpenStatement {
  readonly key: RowKey
  readonly statement: string
  readonly startedMs: number
  readonly submittedMs: number | null
}

export class EventRows {
  readonly #recorder: Recorder
  readonly #clock: Clock
  readonly #sources = new Map<string, OpenSource>()
  readonly #windows = new Map<string, { readonly key: RowKey; readonly startedMs: number }>()
  readonly #statements = new Map<string, OpenStatement>()

  constructor(recorder: Recorder, clock: Clock) {
    this.#recorder = recorder
    this.#clock = clock
  }

  take(event: StreamsEvent): void {
    switch (event.type) {
      case 'task-opened':
        this.#takeOpened(event)
        break
      case 'tables-opened':
        this.#takeTables(event)
        break
      case 'source-committed':
        this.#takeSource(event)
        break
      case 'window-closing':
      case 'window-closed':
        this.#takeWindow(event)
        break
      case 'batch-staged':
        this.#takeBatch(event)
        break
      case 'statement':
        this.#takeStatement(event)
        break
      case 'table-held':
        this.#takeHeld(event)
        break
      default:
    }
  }

  #takeOpened({ task, input, offset, isNew }: TaskOpened): void {
    this.#sources.delete(task)
    this.#windows.delete(task)
    const { topic, topicId, partition } = input
    this.#recorder.put('marks', {
      mark: 'opened',
      task,
      topic,
      topic_id: topicId,
      topic_partition: partition,
      at_offset: offset,
      is_new: isNew ? 1 : 0,
    })
  }

  #takeTables({ task, token, topicId, tables }: TablesOpened): void {
    for (const { table, through } of tables) {
      const at = { topic_id: topicId, at_offset: through, token }
      this.#recorder.put('marks', { mark: 'table-opened', task, table_name: table, ...at })
    }
  }

  #takeSource(told: SourceCommitted): void {
    const { task, range, events, bad } = told
    if (range.from === range.to && events + bad + told.hop.size === 0) return
    const now = this.#clock.now()
    const before = this.#sources.get(task)
    const isJoined =
      before !== undefined &&
      before.told.range.to === range.from &&
      now - before.startedMs < sourceRowMs
    const joined = isJoined ? joinCommits(before.told, told) : told
    const startedMs = isJoined ? before.startedMs : now
    const commits = isJoined ? before.commits + 1 : 1
    const row = {
      state: 'completed',
      started_ms: startedMs,
      ended_ms: now,
      task,
      ...inputColumns(joined.input, joined.range),
      commits,
      events: joined.events,
      repeats: joined.repeats,
      bad: joined.bad,
      ...endColumns(joined),
      hop: JSON.stringify(
        Object.fromEntries([...joined.hop].map(([p, at]) => [p, [at.from, at.to]])),
      ),
    }
    const key = this.#recorder.put('sources', row, isJoined ? before.key : undefined)
    this.#sources.set(task, { key, startedMs, commits, told: joined })
  }

  #takeWindow(told: WindowClosing | WindowClosed): void {
    const { task, window, input, range, reason } = told
    const now = this.#clock.now()
    const isClosed = told.type === 'window-closed'
    const before = isClosed ? this.#windows.get(task) : undefined
    const startedMs = before?.startedMs ?? now
    const row = {
      state: isClosed ? 'completed' : 'inflight',
      started_ms: startedMs,
      ended_ms: isClosed ? now : null,
      window_id: window,
      task,
      ...inputColumns(input, range),
      reason,
      events: isClosed ? told.events : null,
      net_changes: isClosed ? told.netChanges : null,
      batches: isClosed ? told.batches : null,
    }
    const key = this.#recorder.put('windows', row, before?.key)
    if (isClosed) this.#windows.delete(task)
    else this.#windows.set(task, { key, startedMs })
  }

  #takeBatch({ batch, window, topicId, partition, offset }: BatchStaged): void {
    const now = this.#clock.now()
    const { table, task, range, files, rowCount, eventCount, sourceMs } = batch
    this.#recorder.put('batches', {
      state: 'completed',
      started_ms: now,
      ended_ms: now,
      table_name: table,
      batch: batchName(batch),
      window_id: window,
      task,
      from_offset: range.from,
      to_offset: range.to,
      staged_topic_id: topicId,
      staged_partition: partition,
      staged_offset: offset,
      row_count: rowCount,
      events: eventCount,
      bytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      ...endColumns({ positions: batch.positions ?? { first: '', last: '' }, sourceMs }),
    })
  }

  #takeStatement(told: StatementTold): void {
    const { table, statement, state, receipt, error } = told
    const now = this.#clock.now()
    const known = this.#statements.get(table)
    const before = state !== 'requested' && known?.statement === statement ? known : undefined
    const startedMs = before?.startedMs ?? now
    const submittedMs = state === 'inflight' ? now : (before?.submittedMs ?? null)
    const isOver = state === 'completed' || state === 'failed'
    const row = {
      state,
      started_ms: startedMs,
      ended_ms: isOver ? now : null,
      table_name: table,
      statement,
      token: told.token,
      attempt: told.attempt,
      staged_topic_id: told.topicId,
      from_offset: told.from,
      through_offset: told.through,
      batches: told.batches,
      submitted_ms: submittedMs,
      outcome: told.outcome ?? null,
      rows_inserted: receipt?.rowsInserted ?? null,
      rows_updated: receipt?.rowsUpdated ?? null,
      rows_deleted: receipt?.rowsDeleted ?? null,
      rows_searched: receipt?.rowsSearched ?? null,
      ...endColumns(told),
      error_code: error?.code ?? null,
      error: error?.message ?? null,
    }
    const key = this.#recorder.put('statements', row, before?.key)
    if (isOver) this.#statements.delete(table)
    else this.#statements.set(table, { key, statement, startedMs, submittedMs })
  }

  #takeHeld({ table, reason }: TableHeld): void {
    const mark = reason === null ? 'resumed' : 'held-back'
    const note = reason === null ? null : `${reason.code}: ${reason.message}`
    this.#recorder.put('marks', { mark, table_name: table, note })
  }
}

function inputColumns({ topic, topicId, partition }: TaskInput, { from, to }: OffsetRange) {
  const at = { topic, topic_id: topicId, topic_partition: partition }
  return { ...at, from_offset: from, to_offset: to }
}

function endColumns({
  positions,
  sourceMs,
}: Pick<SourceCommitted, 'positions' | 'sourceMs'>): Readonly<
  Record<string, string | number | null>
> {
  return {
    first_position: positions.first === '' ? null : positions.first,
    last_position: positions.last === '' ? null : positions.last,
    // Of nothing but truncates there is no time.
    first_source_ms: sourceMs.last === 0 ? null : sourceMs.first,
    last_source_ms: sourceMs.last === 0 ? null : sourceMs.last,
  }
}

function joinCommits(before: SourceCommitted, after: SourceCommitted): SourceCommitted {
  const hop = new Map(before.hop)
  for (const [partition, { from, to }] of after.hop) {
    hop.set(partition, { from: hop.get(partition)?.from ?? from, to })
  }
  const isFirst = before.sourceMs.last === 0
  return {
    ...after,
    range: { from: before.range.from, to: after.range.to },
    events: before.events + after.events,
    repeats: before.repeats + after.repeats,
    bad: before.bad + after.bad,
    positions: {
      first: isFirst ? after.positions.first : before.positions.first,
      last: after.sourceMs.last === 0 ? before.positions.last : after.positions.last,
    },
    sourceMs: {
      first: isFirst ? after.sourceMs.first : before.sourceMs.first,
      last: after.sourceMs.last === 0 ? before.sourceMs.last : after.sourceMs.last,
    },
    hop,
  }
}
