/** `forager dead-letters list CONFIG`: bad messages that were kept, where, why and when. */
import type { DeadLetter } from '../../model/dead-letter.ts'
import { readDeadLetters } from '../../runtime/dead-letters.ts'
import { openOwnLog } from '../application.ts'
import type { LoadedConfig } from '../config.ts'
import { plural, writeOut } from '../output.ts'

export interface ListOptions {
  /** A line of JSON for each letter, with the whole message. */
  readonly json: boolean
  /** The source's name of the one table whose letters are listed. */
  readonly table?: string
  /** So many of the newest ones. Absent: some for people, all for programs. */
  readonly limit?: number
}

const maxValueChars = 160
const defaultLimit = 100

/** Reads the log beside the instances that run: it joins no group, and changes nothing. */
export async function listDeadLettersCommand(
  loaded: LoadedConfig,
  { json, table, limit = json ? Number.POSITIVE_INFINITY : defaultLimit }: ListOptions,
): Promise<number> {
  const isAll = limit === Number.POSITIVE_INFINITY
  const letters: DeadLetter[] = []
  let count = 0
  for await (const letter of lettersOf(loaded)) {
    if (table !== undefined && letter.table !== table) continue
    count += 1
    // They need not fit into memory then.
    if (isAll) {
      await writeOut(jsonLine(letter))
      continue
    }
    letters.push(letter)
    if (letters.length > limit) letters.shift()
  }
  for (const letter of letters) await writeOut(json ? jsonLine(letter) : textBlock(letter))
  if (json) return 0
  const left = count - letters.length
  const ofTable = table === undefined ? '' : ` of ${table}`
  const rest = left === 0 ? '' : ` Not shown: ${plural(left, 'older one')} (--limit ${count}).`
  await writeOut(`${plural(count, 'dead letter')}${ofTable}.${rest}\n`)
  return 0
}

async function* lettersOf(loaded: LoadedConfig): AsyncGenerator<DeadLetter> {
  const log = await openOwnLog(loaded)
  if (log === null) return
  try {
    yield* readDeadLetters(log, loaded.config.applicationId)
  } finally {
    await log.close()
  }
}

/** As it is read at night: what to look for first, then the message. */
function textBlock({ offset, record, code, message, table, failedAtMs }: DeadLetter): string {
  const { topic, partition, key, value } = record
  const ofTable = table === null ? '' : ` (${table})`
  const when = new Date(failedAtMs).toISOString()
  return [
    `${offset}  ${when}  ${topic}-${partition} at ${record.offset}${ofTable}`,
    `    ${code}: ${oneLine(message)}`,
    `    key    ${shown(key)}`,
    `    value  ${shown(value)}`,
    '',
  ].join('\n')
}

function jsonLine({ offset, record, code, message, table, task, failedAtMs }: DeadLetter): string {
  const { topic, partition, timestampMs, key, value, headers } = record
  const line = {
    letter: offset,
    topic,
    partition,
    offset: record.offset,
    timestampMs,
    table,
    code,
    message,
    task,
    failedAtMs,
    ...named('key', key),
    ...named('value', value),
    headers: headers.map(header => ({ name: header.key, ...named('value', header.value) })),
  }
  return `${JSON.stringify(line)}\n`
}

/** Text where the bytes are text, else base64 under another name, so that nothing is lost. */
function named(name: string, bytes: Uint8Array | null): Record<string, string | null> {
  if (bytes === null) return { [name]: null }
  const text = textOf(bytes)
  return text === null
    ? { [`${name}Base64`]: Buffer.from(bytes).toString('base64') }
    : { [name]: text }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textOf(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes)
  } catch {
    return null
  }
}

function shown(bytes: Uint8Array | null): string {
  if (bytes === null) return '(none)'
  const text = oneLine(textOf(bytes) ?? `base64 ${Buffer.from(bytes).toString('base64')}`)
  if (text.length <= maxValueChars) return text
  return `${text.slice(0, maxValueChars)}… (${plural(bytes.length, 'byte')})`
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}
