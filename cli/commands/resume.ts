/** `forager resume CONFIG TABLE…`: tables that were held back go on. */
import { systemClock } from '../../runtime/clock.ts'
import { quarantinedTables, resumeTables } from '../../runtime/resume.ts'
import { buildTopology, openOwnLog } from '../application.ts'
import type { LoadedConfig } from '../config.ts'
import { plural, writeOut } from '../output.ts'
import { UsageError } from '../usage-error.ts'

export interface ResumeOptions {
  readonly all: boolean
}

/** Without a table it lists those that are held back. Exit code 1 when one that is named is not. */
export async function resumeCommand(
  loaded: LoadedConfig,
  tables: readonly string[],
  { all }: ResumeOptions,
): Promise<number> {
  if (all && tables.length > 0) throw new UsageError('name tables, or give --all, not both')
  const log = await openOwnLog(loaded)
  if (log === null) throw new UsageError('the application was never run')
  try {
    const { applicationId } = loaded.config
    const held = await quarantinedTables(log, applicationId)
    if (!all && tables.length === 0) {
      await writeOut(heldText(held))
      return 0
    }
    const missing = tables.filter(table => !held.has(table))
    for (const table of missing) await writeOut(`${table} is not held back.\n`)
    const resumed = all ? [...held.keys()] : tables.filter(table => held.has(table))
    if (resumed.length > 0) {
      const topology = buildTopology(loaded)
      await resumeTables(log, { applicationId, topology, clock: systemClock, tables: resumed })
    }
    const which = resumed.length === 0 ? '' : `: ${resumed.join(', ')}`
    await writeOut(
      `${plural(resumed.length, 'table')} may go on${which}. What was parked is applied first; ` +
        '`forager status` shows how far it is.\n',
    )
    return missing.length === 0 ? 0 : 1
  } finally {
    await log.close()
  }
}

type Held = Awaited<ReturnType<typeof quarantinedTables>>

function heldText(held: Held): string {
  if (held.size === 0) return 'No table is held back.\n'
  const lines = [...held].map(([table, { code, reason, sinceMs }]) => {
    const since = new Date(sinceMs).toISOString()
    return `${table}  since ${since}\n    ${reason.replaceAll(/\s+/g, ' ')} [${code}]\n`
  })
  return lines.join('')
}
