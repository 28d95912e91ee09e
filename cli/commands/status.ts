/** `forager status`: where an application stands, of all its instances from the log, or of one by HTTP. */
import { keepSecret } from '../../model/secrets.ts'
import type { ApplicationStatus, TableStatus } from '../../runtime/status.ts'
import type { LoadedConfig } from '../config.ts'
import { applicationStatus, withLog } from '../look.ts'
import { formatTable, plural, writeOut } from '../output.ts'
import { UsageError } from '../usage-error.ts'

export interface StatusOptions {
  readonly json: boolean
  readonly url?: string
}

const httpTimeoutMs = 10_000

export async function statusCommand(
  loaded: LoadedConfig,
  { json, url }: StatusOptions,
): Promise<number> {
  if (url !== undefined) {
    await writeOut(await instanceStatus(url))
    return 0
  }
  const status = await withLog(loaded, log => applicationStatus(loaded, log))
  await writeOut(json ? `${JSON.stringify(status, null, 2)}\n` : statusText(status))
  return 0
}

async function instanceStatus(url: string): Promise<string> {
  if (!URL.canParse('/status', url) || !/^https?:/.test(url)) {
    throw new UsageError(`--url must be like http://127.0.0.1:9464, not ${url}`)
  }
  const address = new URL('/status', url)
  keepSecret(decodeURIComponent(address.password))
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(httpTimeoutMs) })
    if (response.ok) return await response.text()
    throw new UsageError(`${address.href} answers ${response.status}`)
  } catch (error) {
    if (error instanceof UsageError) throw error
    const reason = (error as { cause?: Error }).cause?.message ?? (error as Error).message
    throw new UsageError(`${address.href} does not answer: ${reason}`)
  }
}

export function statusText(status: ApplicationStatus): string {
  const { applicationId, members, tasks, tables, formats, missingTopics, deadLetters } = status
  const unowned = tasks.filter(({ member }) => member === null).length
  const hasMembers = members.length > 0
  const lines = [
    `${applicationId}: ${plural(members.length, 'member')}, ${plural(tasks.length, 'task')}` +
      `${hasMembers && unowned > 0 ? `, ${unowned} of them without an owner` : ''}.`,
  ]
  const hosts = new Map(members.map(({ id, host }, index) => [id, `${index + 1} ${host}`]))
  if (hasMembers) {
    const rows = members.map(({ id, clientId, host, tasks: count }) => {
      return [hosts.get(id)!.split(' ')[0]!, host, clientId, id, count]
    })
    lines.push(formatTable(['member', 'host', 'client', 'id', 'tasks'], rows, maxCellChars))
  }
  if (tasks.length > 0) {
    const rows = tasks.map(one => [
      one.task,
      one.member === null ? '' : hosts.get(one.member)!,
      one.committed === null ? '' : String(one.committed),
      String(one.end),
      one.lagRecords,
      one.lagSeconds === null ? '' : `${one.lagSeconds} s`,
    ])
    const head = ['task', 'member', 'committed', 'end', 'lag', 'oldest']
    lines.push(formatTable(head, rows, maxCellChars))
  }
  if (tables.length > 0) {
    const rows = tables.map(({ table, appliedAtMs, batchesWaiting, rowsWaiting, ...one }) => [
      table,
      appliedAtMs === null ? 'never' : new Date(appliedAtMs).toISOString(),
      batchesWaiting,
      rowsWaiting,
      stateOf(one),
    ])
    const head = ['table', 'last applied', 'batches waiting', 'rows waiting', 'state']
    lines.push(formatTable(head, rows, maxCellChars))
    for (const { table, quarantine } of tables) {
      if (quarantine === null) continue
      const { code, reason } = quarantine
      lines.push(`${table} is held back: ${reason.replaceAll(/\s+/g, ' ')} [${code}]\n`)
    }
  } else lines.push('No table was applied yet.\n')
  if (formats.length > 0) {
    const rows = formats.map(({ topic, format }) => [topic, format ?? 'not found out yet'])
    lines.push(formatTable(['topic', 'format'], rows, maxCellChars))
  }
  for (const topic of missingTopics) lines.push(`The topic ${topic} is not there.\n`)
  if (deadLetters > 0) lines.push(`${plural(deadLetters, 'dead letter')} kept.\n`)
  return lines.map(line => (line.endsWith('\n') ? line : `${line}\n`)).join('')
}

function stateOf({
  quarantine,
  isApplying,
  newRows,
  sourceDrop,
}: Pick<TableStatus, 'quarantine' | 'isApplying' | 'newRows' | 'sourceDrop'>): string {
  if (quarantine !== null) return 'held back'
  const first = newRows === null ? [] : [`first ${plural(newRows, 'row')}`]
  const dropped = sourceDrop === null ? [] : ['dropped at the source']
  return [...first, ...(isApplying ? ['applying'] : []), ...dropped].join(', ')
}

const maxCellChars = 80
