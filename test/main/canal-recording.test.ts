/**
 * The recording of canal against MariaDB's own tables. `test/fixtures/canal/final` has the rows that
 * the recorded messages tell of, as the database had them after `canal_0.sql` to `canal_2.sql` (without
 * the last `drop table`), in the form in which `forager rows` prints rows.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { LogRecord } from '../../model/change-event.ts'
import { partitionOfBytes } from '../../model/partitioner.ts'
import { type Random, seededRandom } from '../../runtime/random.ts'
import { MemorySource } from '../../testkit/memory-source.ts'
import { type Json, parseExactly } from '../fold/normal-form.ts'
import { canalLines, canalRecording } from '../formats/canal/canal-messages.ts'
import { split } from './canal-driver.ts'
import { MainRun } from './main-run.ts'
import { openRecording } from './recordings.ts'

type Line = Readonly<Record<string, Json>>
type Tables = Readonly<Record<string, readonly Line[]>>

const finalPath = join(import.meta.dirname, '../fixtures/canal/final')
const config = { source: { format: 'canal-json' }, window: { maxAge: '2s', maxRows: 8 } }

/** What the database had, and what of it the messages do not hold. */
function finalTables(): Tables {
  const tables: Record<string, Line[]> = {}
  for (const file of readdirSync(finalPath)) {
    const lines = readFileSync(join(finalPath, file), 'utf8').split('\n').filter(Boolean)
    const name = file.replace(/\.jsonl$/, '')
    tables[name] = lines.map(line => without(name, parseExactly(line) as Line))
  }
  // A renamed table is another one, and the row that was in it is where it was.
  const later = tables['canaldemo.later_table']!
  tables['canaldemo.later_table'] = later.filter(({ id }) => id === 3n)
  tables['canaldemo.late_table'] = later.filter(({ id }) => id === 2n)
  return tables
}

function without(table: string, row: Line): Line {
  const isZero = (value: Json): boolean => typeof value === 'string' && /-00/.test(value)
  switch (table) {
    case 'canaldemo.user': {
      // Neither the default of a new column nor the new name of an old one is told for old rows.
      const isTouched = row.id === 1n || row.id === 5n
      return {
        ...row,
        phone: isTouched ? row.phone! : null,
        mail: row.id === 1n ? null : row.mail!,
      }
    }
    case 'canaldemo.zero_dates':
      return Object.fromEntries(
        Object.entries(row).map(([name, value]) => [name, isZero(value) ? null : value]),
      )
    case 'canaldemo.wide_gbk':
      // canal read them in another character set.
      return { ...row, v: '\uFFFD'.repeat(4), l: '\uFFFD' }
    default:
      return row
  }
}

/** The rows of a run: the columns that the other side has, in the order of the rows' text. */
async function tablesOf(run: MainRun, like: Tables | null = null): Promise<Tables> {
  const tables: Record<string, Line[]> = {}
  for (const name of await run.tableNames()) {
    const columns = Object.keys(like?.[name]?.[0] ?? {})
    tables[name] = (await run.lines(name)).map(line => {
      const row = parseExactly(line) as Record<string, Json>
      return like === null ? row : Object.fromEntries(columns.map(one => [one, row[one]!]))
    })
  }
  return sorted(tables)
}

function sorted(tables: Tables): Tables {
  const text = (row: Line) =>
    Object.entries(row)
      .map(
        ([name, value]) => `${name}=${typeof value === 'bigint' ? value : JSON.stringify(value)}`,
      )
      .sort()
      .join('\0')
  const byText = (a: Line, b: Line) => (text(a) < text(b) ? -1 : 1)
  return Object.fromEntries(
    Object.entries(tables).map(([name, rows]) => [name, [...rows].sort(byText)]),
  )
}

describe('the recording of canal', () => {
  it.each([1, 2, 3])('ends as the database said (seed %i)', async seed => {
    const source = await openRecording({ path: canalRecording }, 1)
    const run = await MainRun.start({ source, seed, config, maxPollBytes: 4000 * seed })
    await run.finish()
    const expected = sorted(finalTables())
    expect(Object.keys(expected)).toHaveLength(11)
    expect(await tablesOf(run, expected)).toEqual(expected)
    expect(run.metrics.total('forager_messages_total', { kind: 'message' })).toBe(32)
    expect(run.metrics.total('forager_messages_total', { kind: 'schema-change' })).toBe(8)
    // Five of the row 3, three of the row 4.
    const table = 'canaldemo.zero_dates'
    const labels = { table, reason: 'zero_date' }
    expect(run.metrics.total('forager_values_replaced_total', labels)).toBe(8)
    expect(run.metrics.total('forager_values_replaced_total')).toBe(8)
  })

  it('ends so when blocks of it are sent again', async () => {
    const expected = sorted(finalTables())
    for (let seed = 1; seed <= 6; seed += 1) {
      const run = await replayed([...recordedMessages()], 1, seed)
      expect(await tablesOf(run, expected), `seed ${seed}`).toEqual(expected)
    }
  })
})

describe.each([3, 8])('the recording as canal sends it over %i partitions', partitions => {
  it('is refused where a key changes', async () => {
    const source = new MemorySource({ canal_demo: partitions })
    for (const record of placed(recordedMessages(), partitions)) source.append(record)
    const run = await MainRun.start({ source, seed: 1, config })
    await expect(run.finish()).rejects.toMatchObject({ code: 'changed-key-unordered' })
  })

  it('ends as through one without what has to be refused, with blocks sent again', async () => {
    const allowed = recordedMessages().filter(message => !isRefused(message))
    expect(allowed.length).toBeGreaterThan(30)
    const one = await tablesOf(await replayed(allowed, 1, 1))
    expect(Object.keys(one)).toHaveLength(11)
    for (let seed = 1; seed <= 6; seed += 1) {
      const run = await replayed(allowed, partitions, seed)
      expect(await tablesOf(run), `seed ${seed}`).toEqual(one)
    }
  })
})

describe('the same changes, a row a message', () => {
  const rowsOf = (messages: readonly Message[], partitions: number) =>
    messages.flatMap(rowMessages).map(({ key, value }) => {
      const [keyBytes, valueBytes] = [key, value].map(json => Buffer.from(JSON.stringify(json)))
      const partition = partitionOfBytes(keyBytes!, partitions)
      return { ...recordOf(partition, {}), key: keyBytes!, value: valueBytes! }
    })

  it('end as the flat messages do, and what names no table is counted', async () => {
    const run = await fed(rowsOf(recordedMessages(), 1), {
      partitions: 1,
      seed: 1,
      format: 'canal-rows',
      resendRate: 0,
    })
    const expected = sorted(finalTables())
    expect(await tablesOf(run, expected)).toEqual(expected)
    expect(run.metrics.total('forager_messages_total', { kind: 'no-table' })).toBe(32)
  })

  it('end so when blocks are sent again', async () => {
    const expected = sorted(finalTables())
    for (let seed = 1; seed <= 3; seed += 1) {
      const options = { partitions: 1, seed, format: 'canal-rows' } as const
      const run = await fed(rowsOf(recordedMessages(), 1), options)
      expect(await tablesOf(run, expected), `seed ${seed}`).toEqual(expected)
    }
  })

  it.each([3, 8])(
    'end so over %i partitions, but for truncates, with blocks sent again',
    async partitions => {
      const allowed = recordedMessages().filter(({ type }) => type !== 'TRUNCATE')
      const format = 'canal-rows'
      const one = await fed(rowsOf(allowed, 1), { partitions: 1, seed: 1, format, resendRate: 0 })
      const expected = await tablesOf(one)
      expect(Object.keys(expected)).toHaveLength(11)
      for (let seed = 1; seed <= 3; seed += 1) {
        const run = await fed(rowsOf(allowed, partitions), { partitions, seed, format })
        expect(await tablesOf(run), `seed ${seed}`).toEqual(expected)
      }
    },
  )
})

type Message = Parameters<typeof split>[0]
type Texts = Readonly<Record<string, string | null>>

/** A changed key cannot be told so: it is a delete and an insert. Rows without a key have no place. */
function rowMessages(message: Message): readonly { key: Texts; value: object }[] {
  const { database, table, type, data, old, mysqlType, pkNames, es, ts } = message
  const common = { binlog_id: '1', exe_time: es, cur_time: ts }
  if (table === '') return [{ key: {}, value: { ...common, event_type: type, cols: [] } }]
  const named = { ...common, table: `${String(database)}.${String(table)}` }
  if (!Array.isArray(data)) return [{ key: {}, value: { ...named, event_type: type, cols: null } }]
  if (pkNames === null) return []
  const names = pkNames as readonly string[]
  const types = mysqlType as Texts
  const oneOf = (eventType: unknown, row: Texts, changed: Texts) => ({
    key: Object.fromEntries(names.map(name => [name, row[name]!])),
    value: {
      ...named,
      event_type: eventType,
      cols: Object.entries(row).map(([col, val]) => {
        return { col, val, type: types[col], update: col in changed }
      }),
    },
  })
  return (data as readonly Texts[]).flatMap((row, index) => {
    const before = (old as readonly Texts[] | null)?.[index] ?? {}
    return names.some(name => name in before)
      ? [oneOf('DELETE', { ...row, ...before }, {}), oneOf('INSERT', row, row)]
      : [oneOf(type, row, before)]
  })
}

function recordedMessages(): readonly Message[] {
  return canalLines.map(({ value }) => JSON.parse(value!) as Message)
}

/** A truncate, and an update whose row had another key before. */
function isRefused({ type, old, pkNames }: Message): boolean {
  if (type === 'TRUNCATE') return true
  const names = (pkNames ?? []) as readonly string[]
  return ((old ?? []) as readonly object[]).some(row => names.some(name => name in row))
}

function placed(messages: readonly Message[], partitions: number) {
  return messages.flatMap(message =>
    split(message, partitions).map(([partition, part]) => recordOf(partition, part)),
  )
}

function recordOf(partition: number, message: Message): Omit<LogRecord, 'offset'> {
  const value = Buffer.from(JSON.stringify(message))
  return { topic: 'canal_demo', partition, timestampMs: 0, key: null, value, headers: [] }
}

async function replayed(
  messages: readonly Message[],
  partitions: number,
  seed: number,
): Promise<MainRun> {
  return await fed(placed(messages, partitions), { partitions, seed, format: 'canal-json' })
}

/** From a producer that sends the last records of a partition again, at random points. */
async function fed(
  records: readonly Omit<LogRecord, 'offset'>[],
  {
    partitions,
    seed,
    format,
    resendRate = 0.15,
  }: {
    readonly partitions: number
    readonly seed: number
    readonly format: 'canal-json' | 'canal-rows'
    readonly resendRate?: number
  },
): Promise<MainRun> {
  const random: Random = seededRandom(seed)
  const source = new MemorySource({ canal_demo: partitions })
  const own = { ...config, source: { format } }
  const run = await MainRun.start({ source, seed, config: own, maxPollBytes: 2000 + seed * 500 })
  for (const record of records) {
    source.append(record)
    if (random.next() < resendRate) source.resend(record, 1 + Math.floor(random.next() * 15))
    if (random.next() < 0.2) await run.step(Math.floor(random.next() * 2000))
  }
  await run.finish()
  return run
}

it('the hash of canal’s partitions is that of Java', () => {
  const message = { data: [{ id: '1' }, { id: '12' }, { id: 'hello' }], old: null, pkNames: ['id'] }
  const at = split(message, 1_000_000_007).map(([partition]) => partition)
  expect(at).toEqual([49, 1569, 99_162_322])
})
