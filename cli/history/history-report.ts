/** What the record says, newest first: for `forager history` and for HTTP. */
import type { History, HistoryQuery, HistoryRow } from '../../observe/history/history.ts'
import type {
  BatchRow,
  LostRow,
  MarkRow,
  RunRow,
  SourceRow,
  StatementRow,
  WindowRow,
} from '../../observe/history/tables.ts'

export interface ReportOptions {
  readonly application: string
  /** Of the warehouse; absent: all. */
  readonly table?: string
  /** Rows of each kind. */
  readonly limit: number
  /** Milliseconds since the epoch. */
  readonly sinceMs?: number
}

/** Its run ended, or somebody went on behind it, and nobody wrote down how it ended. */
export type Shown<T> = T & { readonly is_interrupted: boolean }

export interface HistoryReport {
  readonly application: string
  readonly table: string | null
  readonly runs: readonly RunRow[]
  readonly sources: readonly SourceRow[]
  readonly windows: readonly Shown<WindowRow>[]
  readonly batches: readonly BatchRow[]
  readonly statements: readonly Shown<StatementRow>[]
  readonly marks: readonly MarkRow[]
  readonly lost: readonly LostRow[]
}

/** Of a table there are its batches and statements, and when it was held back. */
export async function reportOf(history: History, options: ReportOptions): Promise<HistoryReport> {
  const { application, table } = options
  const find = <T>(kind: HistoryQuery['kind'], where: HistoryRow): Promise<readonly T[]> =>
    newest<T>(history, kind, where, options)
  const own = table === undefined ? {} : { table_name: table }
  const none = <T>(): Promise<readonly T[]> => Promise.resolve([])
  const ofAll = <T>(kind: HistoryQuery['kind']): Promise<readonly T[]> =>
    table === undefined ? find<T>(kind, {}) : none<T>()
  const windows: Shown<WindowRow>[] = []
  for (const row of await ofAll<WindowRow>('windows')) {
    windows.push({ ...row, is_interrupted: await isWindowInterrupted(history, row) })
  }
  const statements: Shown<StatementRow>[] = []
  for (const row of await find<StatementRow>('statements', own)) {
    statements.push({ ...row, is_interrupted: await isStatementInterrupted(history, row) })
  }
  return {
    application,
    table: table ?? null,
    runs: await ofAll('runs'),
    sources: await ofAll('sources'),
    windows,
    batches: await find('batches', own),
    statements,
    marks: await find('marks', own),
    lost: await ofAll('lost'),
  }
}

async function newest<T>(
  history: History,
  kind: HistoryQuery['kind'],
  where: HistoryRow,
  { application, limit, sinceMs }: ReportOptions,
): Promise<readonly T[]> {
  const rows = await history.find({
    kind,
    where: { application, ...where },
    bounds: sinceMs === undefined ? [] : [{ column: 'recorded_ms', is: '>=', value: sinceMs }],
    order: ['recorded_ms', 'run_id', 'seq'],
    isDescending: true,
    limit,
  })
  return rows as unknown as readonly T[]
}

async function isStatementInterrupted(history: History, row: StatementRow): Promise<boolean> {
  if (row.state === 'completed' || row.state === 'failed') return false
  const { application, table_name } = row
  return await isOver(history, row, [
    { kind: 'statements', where: { application, table_name } },
    { kind: 'marks', where: { application, table_name, mark: 'table-opened' } },
  ])
}

async function isWindowInterrupted(history: History, row: WindowRow): Promise<boolean> {
  if (row.state === 'completed' || row.state === 'failed') return false
  const { application, task } = row
  return await isOver(history, row, [
    { kind: 'windows', where: { application, task } },
    { kind: 'marks', where: { application, task, mark: 'opened' } },
  ])
}

/** A table has one statement at a time, a task one window. */
async function isOver(
  history: History,
  { run_id, seq, recorded_ms }: WindowRow | StatementRow,
  successors: readonly Pick<HistoryQuery, 'kind' | 'where'>[],
): Promise<boolean> {
  const [run] = await history.find({ kind: 'runs', where: { run_id, seq: 0 } })
  if (run !== undefined && run.ended_ms !== null) return true
  for (const successor of successors) {
    const found = await history.find({
      ...successor,
      columns: ['run_id', 'seq'],
      bounds: [{ column: 'recorded_ms', is: '>=', value: recorded_ms ?? 0 }],
      order: ['recorded_ms', 'run_id', 'seq'],
      isDescending: true,
      limit: 100,
    })
    const isLater = found.some(one => one.run_id !== run_id || Number(one.seq) > (seq ?? 0))
    if (isLater) return true
  }
  return false
}

/** For programs: names as elsewhere in Forager's JSON, times as text. */
export function reportJson(report: HistoryReport): unknown {
  const { application, table, ...lists } = report
  const shown = Object.entries(lists).map(([name, rows]) => {
    return [name, (rows as readonly object[]).map(plainRow)]
  })
  return { application, table, ...Object.fromEntries(shown) }
}

/** A source may say any number. */
export function timeText(timeMs: number): string {
  const time = new Date(timeMs)
  return Number.isNaN(time.getTime()) ? String(timeMs) : time.toISOString()
}

export function plainRow(row: object): object {
  const entries = Object.entries(row).map(([name, value]) => {
    const isTime = name.endsWith('_ms')
    const camel = name
      .replace(/_ms$/, '_at')
      .replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    return [camel, isTime && typeof value === 'number' ? timeText(value) : value]
  })
  return Object.fromEntries(entries) as object
}
