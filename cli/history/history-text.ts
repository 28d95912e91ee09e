/** `forager history` for people. */

import type { GapReport } from '../../observe/history/gaps.ts'
import type { CheckedStream, Gap } from '../../observe/history/stream-gaps.ts'
import type { CheckedTable } from '../../observe/history/table-gaps.ts'
import type {
  BatchRow,
  MarkRow,
  RunRow,
  SourceRow,
  StatementRow,
  WindowRow,
} from '../../observe/history/tables.ts'
import { formatTable, plural } from '../output.ts'
import type { HistoryReport, Shown } from './history-report.ts'
import { timeText } from './history-report.ts'

const maxCellChars = 60
/** A run that is under way says so twice a minute. */
const silentMs = 90_000

type Cell = string | number
type Section = readonly [title: string, head: readonly string[], rows: readonly (readonly Cell[])[]]

export function reportText(report: HistoryReport, nowMs: number): string {
  const { table, runs, sources, windows, batches, statements, marks, lost } = report
  const sections: Section[] = [
    ['Runs', runHead, runs.map(run => runCells(run, nowMs))],
    ['Source commits', sourceHead, sources.map(sourceCells)],
    ['Windows', windowHead, windows.map(windowCells)],
    ['Batches', batchHead, batches.map(batchCells)],
    ['Statements', statementHead, statements.map(statementCells)],
    ['Where tasks and tables went on', markHead, marks.map(markCells)],
    [
      'Not written down',
      ['of', 'rows', 'from', 'to', 'run'],
      lost.map(one => [
        [one.of_kind, one.task ?? one.table_name].filter(Boolean).join(' '),
        one.row_count ?? 0,
        number(one.from_offset),
        number(one.to_offset),
        one.run_id ?? '',
      ]),
    ],
  ]
  const parts = sections.flatMap(([title, head, rows]) =>
    rows.length === 0 ? [] : [`${title}, newest first:\n${formatTable(head, rows, maxCellChars)}`],
  )
  if (parts.length > 0) return parts.join('\n')
  const what = table === null ? report.application : `the table ${table}`
  return `Nothing is recorded of ${what}.\n`
}

const runHead = ['run', 'instance', 'version', 'started', 'ended', 'state', 'rows', 'error']

function runCells(run: RunRow, nowMs: number): Cell[] {
  const isSilent = run.ended_ms === null && nowMs - (run.seen_ms ?? 0) > silentMs
  const state = isSilent ? `no sign since ${time(run.seen_ms)}` : (run.state ?? '')
  const { run_id, instance, version, last_seq, error } = run
  const times = [time(run.started_ms), time(run.ended_ms)]
  return [run_id ?? '', instance ?? '', version ?? '', ...times, state, last_seq ?? 0, error ?? '']
}

const sourceHead = ['partition', 'offsets', 'events', 'repeats', 'bad', 'source positions', 'ended']

function sourceCells(row: SourceRow): Cell[] {
  const { events, repeats, bad } = row
  const counts = [events ?? 0, repeats ?? 0, bad ?? 0]
  return [partition(row), range(row), ...counts, positions(row), time(row.ended_ms)]
}

const windowHead = [
  'window',
  'partition',
  'offsets',
  'state',
  'reason',
  'events',
  'net changes',
  'ended',
]

function windowCells(row: Shown<WindowRow>): Cell[] {
  const { window_id, reason, events, net_changes } = row
  const counts = [number(events), number(net_changes)]
  const begins = [window_id ?? '', partition(row), range(row), stateOf(row), reason ?? '']
  return [...begins, ...counts, time(row.ended_ms)]
}

const batchHead = ['table', 'staged at', 'window', 'rows', 'source positions', 'staged']

function batchCells(row: BatchRow): Cell[] {
  const { table_name, staged_offset, window_id, row_count, ended_ms } = row
  const begins = [table_name ?? '', number(staged_offset), window_id ?? '']
  return [...begins, row_count ?? 0, positions(row), time(ended_ms)]
}

const statementHead = [
  'statement',
  'state',
  'staged offsets',
  'batches',
  'inserted',
  'updated',
  'deleted',
  'source positions',
  'requested',
  'took',
]

function statementCells(row: Shown<StatementRow>): Cell[] {
  const { statement, from_offset, through_offset, batches, started_ms, ended_ms } = row
  const offsets = `${from_offset} to ${through_offset}`
  const counts = [row.rows_inserted, row.rows_updated, row.rows_deleted].map(number)
  const took = ended_ms === null || started_ms === null ? '' : `${ended_ms - started_ms} ms`
  const ends = [positions(row), time(started_ms), took]
  return [statement ?? '', stateOf(row), offsets, batches ?? 0, ...counts, ...ends]
}

const markHead = ['what', 'task or table', 'at', 'when', 'run', 'note']

function markCells(row: MarkRow): Cell[] {
  const { mark, task, table_name, at_offset, is_new, run_id, note } = row
  const what = is_new === 1 ? `${mark} for the first time` : (mark ?? '')
  const begins = [what, table_name ?? task ?? '', number(at_offset)]
  return [...begins, time(row.recorded_ms), run_id ?? '', note ?? '']
}

function stateOf(row: Shown<StatementRow> | Shown<WindowRow>): string {
  if (row.is_interrupted) return `interrupted (${row.state})`
  if ('outcome' in row && row.outcome !== null && row.outcome !== 'applied') {
    return `${row.state}: ${row.outcome}`
  }
  if ('error_code' in row && row.error_code !== null) return `${row.state}: ${row.error_code}`
  return row.state ?? ''
}

function time(timeMs: number | null): string {
  return timeMs === null ? '' : timeText(timeMs)
}

function number(value: number | null): string {
  return value === null ? '' : String(value)
}

function partition({ topic, topic_partition }: SourceRow | WindowRow): string {
  return `${topic}-${topic_partition}`
}

function range({ from_offset, to_offset }: SourceRow | WindowRow): string {
  return `[${from_offset}, ${to_offset})`
}

function positions({
  first_position,
  last_position,
}: {
  readonly first_position: string | null
  readonly last_position: string | null
}): string {
  if (first_position === last_position) return last_position ?? ''
  return `${first_position ?? '?'} … ${last_position ?? '?'}`
}

export function gapsText(report: GapReport): string {
  const { sources, windows, tables, gaps, unrecorded, runsWithoutEnd } = report
  const parts = [
    formatTable(
      ['source partition', 'committed', 'events', 'source positions'],
      sources.map(one => [
        `${one.topic}-${one.partition}`,
        `[${one.from}, ${one.to})`,
        one.events,
        positions({ first_position: one.firstPosition, last_position: one.lastPosition }),
      ]),
      maxCellChars,
    ),
    formatTable(
      ['window task', 'reads', 'in windows', 'waiting'],
      windows.map(one => [
        one.task,
        `${one.topic}-${one.partition}`,
        `[${one.from}, ${one.to})`,
        waitingOf(one, sources),
      ]),
      maxCellChars,
    ),
    formatTable(
      ['table', 'batches', 'applied', 'waiting', 'state', 'applied through'],
      tables.map(tableCells),
      maxCellChars,
    ),
  ]
  if (runsWithoutEnd > 0) {
    parts.push(`${plural(runsWithoutEnd, 'run')} did not end: under way, or killed.\n`)
  }
  if (unrecorded.length > 0) {
    parts.push('Known by its ends alone:\n')
    parts.push(...unrecorded.map(one => `  ${one.where}: ${offsets(one)}: ${one.why}\n`))
  }
  if (gaps.length === 0) {
    parts.push('No gap: ranges tile from the source to the tables.\n')
    return parts.join('')
  }
  parts.push(`${plural(gaps.length, 'gap')}:\n`, ...gaps.map(gap => `  ${gapText(gap)}\n`))
  return parts.join('')
}

function tableCells({
  table,
  batches,
  applied,
  waiting,
  isHeldBack,
  lastPosition,
}: CheckedTable): Cell[] {
  return [table, batches, applied, waiting, isHeldBack ? 'held back' : '', lastPosition ?? '']
}

/** What sources wrote to the hop and no window has yet. */
export function waitingOf(window: CheckedStream, sources: readonly CheckedStream[]): number {
  const ends = sources.flatMap(({ hopEnds }) => hopEnds.get(window.partition) ?? [])
  const isOfHop = !sources.some(({ task }) => task === window.task)
  return isOfHop ? Math.max(0, Math.max(0, ...ends) - window.to) : 0
}

function gapText(gap: Gap): string {
  const { where, kind, what, record } = gap
  const place = kind === 'rows-missing' ? '' : ` ${offsets(gap)}:`
  const advice =
    record === null
      ? ' The record has all its rows there: what is in the gap may be missing in the tables.'
      : kind === 'rows-missing'
        ? ''
        : ` It may be a gap of the record alone: ${record}.`
  return `${where}:${place} ${what}.${advice}`
}

function offsets({
  from,
  to,
}: {
  readonly from: number | null
  readonly to: number | null
}): string {
  if (from === null) return `before offset ${to}`
  return to === from + 1 ? `offset ${from}` : `offsets ${from} to ${(to ?? 0) - 1}`
}
