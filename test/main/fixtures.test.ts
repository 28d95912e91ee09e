import { describe, expect, it } from 'vitest'
import { MemorySource } from '../../testkit/memory-source.ts'
import { compare } from '../fold/compare.ts'
import { parseExactly } from '../fold/normal-form.ts'
import { MainRun, mainTopology } from './main-run.ts'
import {
  actualTables,
  allRecords,
  finalTables,
  ofMysql,
  openRecording,
  recordings,
} from './recordings.ts'

describe.each([...recordings, ofMysql])('recorded events $name', recording => {
  const { config } = recording
  const fold = recording.fold(recording.lines)

  it.each([1, 3, 8])(
    'end as the database said, from %i partitions read unevenly',
    async partitions => {
      const source = await openRecording(recording, partitions)
      const run = await MainRun.start({ source, seed: partitions, maxPollBytes: 4000, config })
      await run.finish()
      const actual = await actualTables(run, fold)
      expect(compare(actual, finalTables(recording), recording.exceptions)).toEqual([])
      const folded = new Map(fold)
      for (const name of folded.keys()) if (!actual.has(name)) folded.delete(name)
      expect(folded.size).toBeGreaterThan(recording === ofMysql ? 0 : 8)
      expect(compare(actual, folded, recording.exceptions)).toEqual([])
    },
  )

  it('are equal up to each truncate, before it empties the table', async () => {
    const lines = recording.lines.filter(uncut())
    const source = new MemorySource(
      Object.fromEntries(lines.map(({ topic }) => [topic, 3] as const)),
    )
    const records = [...(await allRecords(await openRecording(recording, 3))).values()].flat()
    const kept = new Set(lines.map(({ topic, key, value }) => JSON.stringify([topic, key, value])))
    for (const { offset: _, ...record } of records) {
      const [key, value] = [record.key, record.value].map(part => part?.toString() ?? null)
      if (kept.has(JSON.stringify([record.topic, key, value]))) source.append(record)
    }
    const run = await MainRun.start({ source, seed: 1, config })
    await run.finish()
    const cut = recording.fold(lines, { typesFrom: recording.lines })
    const actual = await actualTables(run, cut)
    const expected = new Map([...cut].filter(([name]) => actual.has(name)))
    expect(compare(actual, expected, recording.exceptions)).toEqual([])
  })
})

describe('values that were replaced', () => {
  it.each([...recordings, ofMysql].map(one => [one.name, one] as const))(
    'of %s are counted by table and reason',
    async (name, recording) => {
      const { config } = recording
      const run = await MainRun.start({
        source: await openRecording(recording, 1),
        seed: 1,
        config,
      })
      await run.finish()
      const found = run.metrics.series('forager_values_replaced_total')
      const counted = found.map(({ labels, value }) => `${labels.table} ${labels.reason} ${value}`)
      expect(counted).toEqual(replacedIn[name] ?? [])
    },
  )
})

/** What PostgreSQL's tables have of infinity. MariaDB's zero dates were replaced by Debezium. */
const replacedIn: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  ['p1', 'p2', 'p4'].map(name => [name, ['shop.all_types infinity 9', 'shop.user infinity 1']]),
)

/** Keeps a table's events up to its first truncate. */
function uncut(): (line: { topic: string; value: string | null }) => boolean {
  const truncated = new Set<string>()
  return ({ topic, value }) => {
    if (value === null) return true
    const message = parseExactly(value) as Record<string, unknown>
    const payload = (message.payload ?? message) as Record<string, unknown>
    const source = payload.source as Record<string, unknown> | undefined
    const table = `${topic} ${String(source?.schema)} ${String(source?.table)}`
    if (payload.op === 't') truncated.add(table)
    return !truncated.has(table)
  }
}

describe('the crash recording', () => {
  const path = new URL('../fixtures/crash/crash2.perf.t100k.full_topic.jsonl.gz', import.meta.url)
  const types = {
    id: 'bigint',
    user_id: 'int',
    product_id: 'int',
    order_num: 'int',
    amount: 'decimal(10,2)',
    note: 'string',
    create_time: 'timestamp',
  }
  const tables = [{ from: 'perf.*', to: '{database}.{table}', columns: { types } }]

  it.each([1, 3, 8])('ends with its 100,000 rows, from %i partitions', async partitions => {
    const source = await openRecording({ path: path.pathname }, partitions)
    const config = { tables, window: { maxRows: 20_000 } }
    const run = await MainRun.start({ source, seed: 1, config })
    await run.finish()
    const rows = await run.rows('perf.t100k')
    expect(rows).toHaveLength(100_000)
    expect(new Set(rows.map(row => row.key)).size).toBe(100_000)
    expect(run.metrics.total('forager_repeats_dropped_total')).toBe(14_447)
    expect(run.metrics.total('forager_events_total')).toBe(100_000)
    const [first] = await run.lines('perf.t100k')
    expect(first).toBe(
      '{"id":1,"user_id":1,"product_id":1,"order_num":1,"amount":"0.01","note":"订单 note 1","create_time":"2024-01-01 00:00:01"}',
    )
  })
})

it('tells its topology in Kafka Streams’ form', () => {
  expect(mainTopology().describe('main').toString()).toContain('Sub-topology: 2')
})
