/** `forager history`: the record of what runs, and whether its ranges tile. */

import { findGaps } from '../../observe/history/gaps.ts'
import type { History } from '../../observe/history/history.ts'
import { systemClock } from '../../runtime/clock.ts'
import type { LoadedConfig } from '../config.ts'
import { reportJson, reportOf } from '../history/history-report.ts'
import { gapsText, reportText, waitingOf } from '../history/history-text.ts'
import { withHistory } from '../history/open-history.ts'
import { writeOut } from '../output.ts'
import { suggestion } from '../suggestion.ts'
import { UsageError } from '../usage-error.ts'

export interface HistoryOptions {
  readonly gaps: boolean
  readonly limit: number
  /** Milliseconds since the epoch. */
  readonly since?: number
  readonly json: boolean
}

/** Exit code 1 when there is a gap. */
export async function historyCommand(
  loaded: LoadedConfig,
  table: string | undefined,
  { gaps, limit, since, json }: HistoryOptions,
): Promise<number> {
  const application = loaded.config.applicationId
  return await withHistory(loaded, async history => {
    if (gaps) {
      const report = await findGaps(history, application, table ?? null)
      // What is not there must not pass for what is whole.
      if (report.sources.length === 0 || (table !== undefined && report.tables.length === 0)) {
        throw await unknownTable(history, application, table)
      }
      const windows = report.windows.map(one => ({
        ...one,
        waiting: waitingOf(one, report.sources),
      }))
      const shown = { ...report, windows }
      const plain = (_: string, value: unknown): unknown =>
        value instanceof Map ? Object.fromEntries(value as Map<unknown, unknown>) : value
      await writeOut(json ? `${JSON.stringify(shown, plain, 2)}\n` : gapsText(report))
      return report.gaps.length === 0 ? 0 : 1
    }
    const report = await reportOf(history, {
      application,
      limit,
      ...(table === undefined ? {} : { table }),
      ...(since === undefined ? {} : { sinceMs: since }),
    })
    const isKnown = report.batches.length + report.statements.length + report.marks.length > 0
    if (table !== undefined && since === undefined && !isKnown) {
      throw await unknownTable(history, application, table)
    }
    const text = json
      ? `${JSON.stringify(reportJson(report), null, 2)}\n`
      : reportText(report, systemClock.now())
    await writeOut(text)
    return 0
  })
}

async function unknownTable(
  history: History,
  application: string,
  table: string | undefined,
): Promise<UsageError> {
  if (table === undefined) return new UsageError(`nothing is recorded of ${application} yet`)
  const columns = ['table_name']
  const where = { application }
  const rows = await history.find({ kind: 'batches', columns, isDistinct: true, where })
  const known = rows.map(row => String(row.table_name))
  return new UsageError(`nothing is recorded of the table ${table}${suggestion(table, known)}`)
}
