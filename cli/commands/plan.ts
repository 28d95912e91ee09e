/** `forager plan`: what would become of the tables' columns if what waits were applied. Nothing is done. */
import { systemClock } from '../../runtime/clock.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import type { ChangePlan, PlannedTable } from '../../runtime/plan-changes.ts'
import { planChanges } from '../../runtime/plan-changes.ts'
import { systemRandom } from '../../runtime/random.ts'
import { buildTopology, openLogReadOnly } from '../application.ts'
import type { LoadedConfig } from '../config.ts'
import { formatCount, plural, writeOut } from '../output.ts'
import { statePath } from '../warehouse.ts'

export interface PlanCommandOptions {
  readonly json: boolean
  readonly maxMessages: number
}

/** What a table would be refused with is no failure of the command, and scripts can tell. */
export const refusedCode = 3

/** Exit code 3 when a change would be refused, 1 when a message cannot be read. */
export async function planCommand(
  loaded: LoadedConfig,
  { json, maxMessages }: PlanCommandOptions,
): Promise<number> {
  const plan = await planOf(loaded, maxMessages)
  await writeOut(json ? `${jsonText(plan)}\n` : planText(plan, maxMessages))
  if (plan.notRead.some(({ error }) => error !== null)) return 1
  return plan.tables.some(({ refused }) => refused !== null) ? refusedCode : 0
}

export async function planOf(loaded: LoadedConfig, maxMessages: number): Promise<ChangePlan> {
  const log = await openLogReadOnly(loaded)
  try {
    return await planChanges({
      log,
      applicationId: loaded.config.applicationId,
      topology: buildTopology(loaded),
      context: {
        fileSystem: nodeFileSystem,
        clock: systemClock,
        random: systemRandom,
        stateDir: statePath(loaded),
      },
      maxMessages,
    })
  } finally {
    await log.close()
  }
}

function jsonText(plan: ChangePlan): string {
  const notRead = plan.notRead.map(({ error, ...at }) => ({
    ...at,
    error: error === null ? null : { code: error.code, reason: error.describe() },
  }))
  return JSON.stringify({ ...plan, notRead }, null, 2)
}

export function planText(plan: ChangePlan, maxMessages: number): string {
  const lines = plan.tables.flatMap(tableLines)
  if (lines.length === 0) lines.push('Nothing to change.')
  for (const topic of plan.missingTopics) lines.push(`The topic ${topic} is not there.`)
  for (const { topic, partition, from, end, error } of plan.notRead) {
    const what = `${topic}-${partition} was not read from offset ${from} to ${end}`
    if (error === null) {
      lines.push(`${what}: --max-messages (${formatCount(maxMessages)}) was reached.`)
    } else lines.push(`${what}: a run would fail as well: ${oneLine(error.describe())}`)
  }
  if (plan.messagesRead > 0) {
    const messages = plural(plan.messagesRead, 'message')
    lines.push(`Looked at: ${messages} on the way to staging.`)
  }
  return `${lines.join('\n')}\n`
}

function tableLines(planned: PlannedTable): string[] {
  const { table, batchesWaiting, heldBack, changes, statements, left, refused } = planned
  const lines: string[] = []
  if (heldBack !== null) {
    const since = new Date(heldBack.sinceMs).toISOString()
    lines.push(
      `table ${table} is held back since ${since}, with ${plural(batchesWaiting, 'batch', 'batches')}: ` +
        `${oneLine(heldBack.reason)} [${heldBack.code}]`,
    )
    const isClear = refused === null && changes.length === 0 && left.length === 0
    lines.push(isClear ? '  when it is resumed, nothing is changed' : '  when it is resumed:')
  }
  for (const { text, mode } of changes) lines.push(`table ${table}: ${text} (${mode})`)
  for (const statement of statements) lines.push(...statementLines(statement))
  for (const { text, mode } of left) lines.push(`table ${table}: ${text} (${mode})`)
  if (refused !== null) {
    lines.push(`table ${table} would be held back: ${oneLine(refused.reason)} [${refused.code}]`)
  }
  return lines
}

function statementLines(statement: string): readonly string[] {
  return `${statement}${statement.startsWith('--') ? '' : ';'}`.split('\n').map(line => `  ${line}`)
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}
