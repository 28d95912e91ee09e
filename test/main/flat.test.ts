/**
 * Flattened changes through the whole topology. The fold that judges the other recordings knows no
 * flattened ones: these are held against what the database had, with keys and kinds of the same tables
 * as they were recorded whole.
 */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { LogRecord } from '../../model/change-event.ts'
import { type Random, seededRandom } from '../../runtime/random.ts'
import { MemorySource } from '../../testkit/memory-source.ts'
import { compare, readFinal } from '../fold/compare.ts'
import { m4Exceptions } from '../fold/exceptions.ts'
import { foldEvents, type Tables } from '../fold/naive-fold.ts'
import { MainRun } from './main-run.ts'
import { actualTables, allRecords, openRecording, recordings } from './recordings.ts'

const path = join(import.meta.dirname, '../fixtures/mariadb/m5_unwrapped_flat.jsonl')
const whole = recordings[0]!
const tables = ['demo.user', 'demo.product', 'demo.user_order']
const like = foldEvents(whole.lines, { settings: whole.settings })
const final: Tables = new Map(
  [...readFinal(whole.finalPath, like)].filter(([name]) => tables.includes(name)),
)
const config = {
  source: { format: 'debezium-flat' },
  window: { maxAge: '2s', maxRows: 8 },
}

async function differences(run: MainRun): Promise<readonly string[]> {
  return compare(await actualTables(run, like), final, m4Exceptions)
}

/** In any order that keeps each partition's, with blocks of a partition sent again. */
async function feed(
  run: MainRun,
  source: MemorySource,
  queues: ReadonlyMap<string, readonly LogRecord[]>,
  random: Random,
): Promise<number> {
  let resent = 0
  const left = [...queues.values()].map(records => ({ records, next: 0 }))
  // A connector writes a schema change before the rows that follow it.
  for (const { records } of left)
    if (records[0]!.topic === 'm5') {
      for (const record of records) source.append(record)
    }
  const rows = left.filter(({ records }) => records[0]!.topic.startsWith('m5.demo.'))
  for (;;) {
    const open = rows.filter(({ records, next }) => next < records.length)
    if (open.length === 0) return resent
    const queue = open[Math.floor(random.next() * open.length)]!
    const record = queue.records[queue.next]!
    queue.next += 1
    source.append(record)
    if (random.next() < 0.2) {
      const count = Math.min(queue.next, 1 + Math.floor(random.next() * 8))
      source.resend(record, count)
      resent += count
    }
    if (random.next() < 0.5) await run.step(Math.floor(random.next() * 2000))
  }
}

describe('recorded events m5, flattened', () => {
  it.each([1, 3, 8])(
    'end as the database said, from %i partitions read unevenly',
    async partitions => {
      const source = await openRecording({ path }, partitions)
      const run = await MainRun.start({ source, seed: partitions, config, maxPollBytes: 4000 })
      await run.finish()
      expect(final.size).toBe(3)
      expect(await differences(run)).toEqual([])
    },
  )

  it('end as the database said with blocks sent again, for 20 seeds', async () => {
    let resent = 0
    for (let seed = 1; seed <= 20; seed += 1) {
      const random = seededRandom(seed)
      const partitions = [1, 3, 8][seed % 3]!
      const queues = await allRecords(await openRecording({ path }, partitions))
      const topics = new Set([...queues.values()].map(records => records[0]!.topic))
      const source = new MemorySource(
        Object.fromEntries([...topics].map(topic => [topic, partitions])),
      )
      const run = await MainRun.start({ source, seed, config })
      resent += await feed(run, source, queues, random)
      await run.finish()
      expect(await differences(run), `seed ${seed}`).toEqual([])
    }
    expect(resent).toBeGreaterThan(100)
  })
})
