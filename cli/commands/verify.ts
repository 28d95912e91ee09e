/** `forager verify`: whether the tables hold what their sources hold, row by row. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigError, ForagerError } from '../../model/errors.ts'
import type { FollowedSchema } from '../../model/schema-change.ts'
import type { ToldTables } from '../../runtime/applied.ts'
import { toldTables } from '../../runtime/applied.ts'
import { openLogReadOnly, routerOf, rulesOf } from '../application.ts'
import type { LoadedConfig } from '../config.ts'
import { applicationStatus, withLog } from '../look.ts'
import { formatCount, plural, writeError, writeOut } from '../output.ts'
import { EmbeddedTarget } from '../verify/embedded-target.ts'
import { HiveTarget } from '../verify/hive-target.ts'
import { openDatabase } from '../verify/open-database.ts'
import { reportText } from '../verify/report-text.ts'
import type { TableReport } from '../verify/table-report.ts'
import type { VerifyTarget } from '../verify/target.ts'
import type { VerifyReport } from '../verify/verify-tables.ts'
import { verifyTables } from '../verify/verify-tables.ts'
import { connectionOf, warehousePath } from '../warehouse.ts'

export interface VerifyCommandOptions {
  readonly table?: readonly string[]
  readonly json: boolean
  readonly maxDifferences: number
  readonly rangeRows: number
  /** Seconds. */
  readonly lookAgain?: number
}

/** Exit code 1 when something is different, or could not be compared. */
export async function verifyCommand(
  loaded: LoadedConfig,
  { table, json, maxDifferences, rangeRows, lookAgain }: VerifyCommandOptions,
): Promise<number> {
  const source = await openDatabase(loaded)
  if (source === null) {
    throw new ConfigError(
      'config-invalid',
      `${loaded.path}: source.database is missing: say where the database is`,
    )
  }
  const { followed, dropped } = await toldByLog(loaded)
  const target = targetOf(loaded, followed)
  try {
    const note = await backlogNote(loaded)
    if (note !== null && !json && lookAgain === undefined) await writeOut(`${note}\n`)
    const report = await verifyTables({
      source,
      target,
      router: routerOf(loaded.config),
      rules: rulesOf(loaded.config),
      dropped,
      maxDifferences,
      rangeRows,
      binaryMode: loaded.config.source.connector['binary.handling.mode'],
      onRange: (name, { sourceRows }) => {
        if (!json) writeError(`${name}: ${plural(sourceRows, 'row')} compared so far\n`)
      },
      onTable: one => writeOut(json ? `${jsonLine(one)}\n` : reportText(one, target.name)),
      ...(table === undefined ? {} : { only: table }),
      ...(lookAgain === undefined ? {} : { lookAgain: () => sleep(lookAgain * 1000) }),
    })
    await writeOut(json ? `${summaryLine(report, note)}\n` : summaryText(report))
    return report.isEqual && report.tables.length > 0 ? 0 : 1
  } finally {
    await source.close()
    await target.close()
  }
}

function targetOf(
  loaded: LoadedConfig,
  followed: ReadonlyMap<string, FollowedSchema>,
): VerifyTarget {
  const { warehouse } = loaded.config
  if (warehouse.type === 'embedded') return new EmbeddedTarget(warehousePath(loaded))
  const { database, version } = warehouse
  return new HiveTarget(connectionOf(warehouse), database, version, followed)
}

/** How each table followed; without it nothing is taken to be by policy that only the log tells. */
async function toldByLog(loaded: LoadedConfig): Promise<ToldTables> {
  try {
    const log = await openLogReadOnly(loaded)
    try {
      return await toldTables(log, loaded.config.applicationId)
    } finally {
      await log.close()
    }
  } catch (error) {
    if (!(error instanceof ForagerError)) throw error
    writeError(`Note: how tables followed is not known: ${error.message}\n`)
    return { followed: new Map(), dropped: new Set() }
  }
}

/** Null when everything was applied: a comparison at rest. */
async function backlogNote(loaded: LoadedConfig): Promise<string | null> {
  if (loaded.config.source.type !== 'kafka') return null
  try {
    const { tasks } = await withLog(loaded, log => applicationStatus(loaded, log))
    const behind = tasks.reduce((sum, { lagRecords }) => sum + lagRecords, 0)
    if (behind === 0) return null
    return `Note: the application has not applied everything: ${plural(behind, 'record')} behind. Some differences may be of that.`
  } catch (error) {
    if (!(error instanceof ForagerError)) throw error
    return `Note: whether everything was applied is not known: ${error.message}`
  }
}

function jsonLine(report: TableReport): string {
  return JSON.stringify(report)
}

function summaryLine(
  { tables, unknown, dropped, isEqual }: VerifyReport,
  note: string | null,
): string {
  const different = tables.filter(({ status }) => status !== 'equal').map(one => one.table)
  return JSON.stringify({ isEqual, tables: tables.length, different, unknown, dropped, note })
}

function summaryText({ tables, unknown, dropped }: VerifyReport): string {
  const lines = [
    ...unknown.map(name => `The source has no table ${name}, or no rule names it.`),
    ...dropped.map(name => `The source dropped ${name}: its target is as the policy says.`),
  ]
  if (tables.length === 0) lines.push('No table was compared.')
  else {
    const count = (status: TableReport['status']): number =>
      tables.filter(one => one.status === status).length
    const parts = [`${formatCount(count('equal'))} of ${plural(tables.length, 'table')} equal`]
    const left = count('refused') + count('not-compared')
    if (count('different') > 0) parts.push(`${count('different')} different`)
    if (count('missing') > 0) parts.push(`${count('missing')} missing`)
    if (left > 0) parts.push(`${left} not compared`)
    lines.push(`${parts.join(', ')}.`)
  }
  return `${lines.join('\n')}\n`
}
