/**
 * `forager history --gaps`: whether what was read went, range by range, from the source's partitions through
 * windows and batches into the tables. It is proven from the record alone; where the record itself has a
 * hole, that is told apart.
 */
import type { History } from './history.ts'
import { checkRuns } from './run-checks.ts'
import type { CheckedStream, Gap, Unrecorded } from './stream-gaps.ts'
import { checkStreams, missingText } from './stream-gaps.ts'
import type { CheckedTable } from './table-gaps.ts'
import { checkTables } from './table-gaps.ts'

export interface GapReport {
  readonly sources: readonly CheckedStream[]
  readonly windows: readonly CheckedStream[]
  readonly tables: readonly CheckedTable[]
  readonly gaps: readonly Gap[]
  readonly unrecorded: readonly Unrecorded[]
  /** Runs that are still under way, or were killed. */
  readonly runsWithoutEnd: number
}

export async function findGaps(
  history: History,
  application: string,
  table: string | null,
): Promise<GapReport> {
  const checked = await checkRuns(history, application)
  const sources = await checkStreams(history, application, 'sources', checked)
  const windows = await checkStreams(history, application, 'windows', checked)
  const tables = await checkTables(history, application, table, checked)
  const all = [...sources, ...windows, ...tables]
  const rows = checked.missing.map(
    (missing): Gap => ({
      kind: 'rows-missing',
      where: `the record of the run ${missing.run}`,
      from: missing.first,
      to: missing.last + 1,
      what: missingText(missing),
      record: 'somebody deleted them, or the database lost them',
    }),
  )
  const short = checked.shortWindows.flatMap(({ window, found }): Gap[] => {
    const isLost = checked.lost.some(
      one => one.of_kind === 'batches' && one.run_id === window.run_id,
    )
    if (isLost) return []
    const where = `windows of ${window.task} (${window.topic}-${window.topic_partition})`
    const { from_offset: from, to_offset: to, batches } = window
    const what = `the window ${window.window_id} staged ${batches} batches, and ${found} are recorded`
    return [{ kind: 'rows-missing', where, from, to, what, record: 'rows of batches are missing' }]
  })
  return {
    sources,
    windows,
    tables,
    gaps: [...all.flatMap(({ gaps }) => gaps), ...short, ...rows],
    unrecorded: all.flatMap(({ unrecorded }) => unrecorded),
    runsWithoutEnd: [...checked.runs.values()].filter(run => run.ended_ms === null).length,
  }
}
