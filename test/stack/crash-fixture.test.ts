/**
 * A topic as a real connector left it whose worker was killed: 114,447 records, of which 14,447 were sent
 * again. It is written to a broker as it was recorded, and read by instances of which one is killed.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, expect, inject, it } from 'vitest'
import type { LogRecord } from '../../model/change-event.ts'
import { newName, openKafka, partitionsOf, produce, until } from './instances.ts'
import { Running } from './running.ts'
import { readTable, tableDifferences } from './tables.ts'

const log = openKafka(inject('broker'))
afterAll(() => log.close())

const path = join(import.meta.dirname, '../fixtures/crash/crash2.perf.t100k.full_topic.jsonl.gz')

interface Line {
  readonly partition: number
  readonly timestamp: number
  readonly headers: readonly { readonly key: string; readonly value: string }[]
  readonly key: string
  readonly value: string
}

const lines = gunzipSync(readFileSync(path))
  .toString('utf8')
  .split('\n')
  .filter(Boolean)
  .map(line => JSON.parse(line) as Line)

function recordsFor(topic: string): LogRecord[] {
  return lines.map(({ partition, timestamp, headers, key, value }, offset) => ({
    topic,
    partition,
    offset,
    timestampMs: timestamp,
    key: Buffer.from(key),
    value: Buffer.from(value),
    headers: headers.map(one => ({ key: one.key, value: Buffer.from(one.value) })),
  }))
}

interface Row {
  readonly id: number
  readonly note: string
  readonly amount: string
}

/** The last row of each key; no row was ever changed or deleted in this run. */
function expectedRows(): Map<string, Record<string, unknown>> {
  const rows = new Map<string, Record<string, unknown>>()
  for (const { value } of lines) {
    const { after, op } = JSON.parse(value) as { after: Row; op: string }
    expect(op).toBe('c')
    const amount = Buffer.from(after.amount, 'base64')
    // Without its scale, on both sides: `decimal(12,2)`.
    const cents = amount.readIntBE(0, amount.length)
    rows.set(String(after.id), { id: after.id, note: after.note, amount: cents })
  }
  return rows
}

it('a topic with a crash of its producer ends as the database had it, with an instance killed', async () => {
  const topic = newName('crash2.perf.t100k')
  await log.createTopic({ name: topic, partitions: 1, cleanup: 'delete' })
  const records = recordsFor(topic)
  expect(records.length).toBe(114_447)
  const config = {
    source: {
      type: 'kafka',
      brokers: [inject('broker')],
      topics: [topic],
      format: 'debezium-json',
      sessionTimeout: '6s',
      connector: { 'decimal.handling.mode': 'precise' },
    },
    tables: [
      {
        from: 'perf.t100k',
        to: 't100k',
        columns: {
          types: {
            id: 'bigint',
            user_id: 'bigint',
            product_id: 'bigint',
            order_num: 'int',
            amount: 'decimal(12,2)',
            note: 'string',
            create_time: 'timestamp',
          },
        },
      },
    ],
    warehouse: { type: 'embedded', path: 'warehouse' },
    window: { maxAge: '1s', maxRows: 5000 },
    repartition: { partitions: 4 },
    commitInterval: '200ms',
  }
  await Running.use({ name: 'crash-fixture', log, config }, async running => {
    running.start()
    running.start()
    const source = partitionsOf(topic, 1)
    const producing = produce(log, records, { atOnce: 2000, pauseMs: 100 })
    // Somewhere in the block that comes again, the one that reads it dies.
    await until('the reader is in the middle', async () => {
      const [committed] = await log.committed(running.applicationId, source)
      return (committed?.offset ?? 0) > 40_000
    })
    const reader = running.instances.find(({ lines: said }) => {
      const last = said.filter(({ event }) => event === 'tasks.assigned').at(-1)
      return String(last?.tasks).includes(`${topic}-0`)
    })
    expect(reader).toBeDefined()
    await reader!.kill()
    await producing
    await running.untilApplied(source)
    await running.stop()
    const repeats = running.instances
      .flatMap(one => one.lines)
      .filter(({ event }) => event === 'repeats.dropped')
    expect(repeats.length).toBeGreaterThan(0)
    const rows = await readTable(running.warehouse, 't100k')
    const expected = expectedRows()
    expect(expected.size).toBe(100_000)
    expect(tableDifferences(rows, ({ id }) => String(id), expected)).toEqual([])
  })
})
