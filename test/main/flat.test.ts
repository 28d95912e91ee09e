/**
 * Flattened changes through the whole topology. The fold that judges the other recordings knows no
 * flattened ones: these are held against what the database had, with keys and kinds of the same tables
 * as they were recorded whole. Other recordings are flattened here, as the transform does it.
 */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { exactJsonText, parseExact } from '../../formats/json/lossless-json.ts'
import type { LogRecord } from '../../model/change-event.ts'
import { type Random, seededRandom } from '../../runtime/random.ts'
import { MemorySource } from '../../testkit/memory-source.ts'
import { compare, readFinal } from '../fold/compare.ts'
import { m4Exceptions } from '../fold/exceptions.ts'
import { foldEvents, type Tables } from '../fold/naive-fold.ts'
import { MainRun } from './main-run.ts'
import { actualTables, allRecords, finalTables, openRecording, recordings } from './recordings.ts'

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

/** Of the source block. */
const added =
  'connector,name,snapshot,db,schema,table,ts_ms,server_id,gtid,file,pos,row,lsn,sequence,txId'
const additions = {
  'add.fields': `op,${added
    .split(',')
    .map(name => `source.${name}`)
    .join()}`,
}

/** As the transform leaves it (`rewrite-with-tombstone`); truncates and messages do not come. */
function flattened(record: LogRecord): readonly LogRecord[] {
  if (record.value === null) return [record]
  const message = parseExact(Buffer.from(record.value).toString()) as Message
  const { schema, payload } = message
  if (payload?.op === undefined) return [record]
  const { op, before, after, source } = payload
  if (op === 't' || op === 'm') return []
  const isDelete = op === 'd'
  const sent = added.split(',').filter(name => Object.hasOwn(source!, name))
  const row = {
    ...(isDelete ? before : after),
    __deleted: String(isDelete),
    __op: op,
    ...Object.fromEntries(sent.map(name => [`__source_${name}`, source![name]])),
  }
  const members = (parent: Schema, name: string): Schema =>
    parent.fields!.find(({ field }) => field === name)!
  const own = members(schema!, 'after').fields!
  const sourceSchema = members(schema!, 'source')
  const fields = [
    ...own,
    ...['__deleted', '__op'].map(field => ({ type: 'string', optional: true, field })),
    ...sent.map(name => ({ ...members(sourceSchema, name), field: `__source_${name}` })),
  ]
  const value = { schema: { ...schema, fields, name: 'Value' }, payload: row }
  return [{ ...record, value: Buffer.from(exactJsonText(value)) }]
}

interface Schema {
  readonly field?: string
  readonly fields?: readonly Schema[]
}

interface Message {
  readonly schema?: Schema
  readonly payload?: {
    readonly op?: string
    readonly before?: object | null
    readonly after?: object | null
    readonly source?: Readonly<Record<string, unknown>>
  }
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
  for (const { records } of left.filter(({ records: [first] }) => !first!.topic.includes('.'))) {
    for (const record of records) source.append(record)
  }
  const rows = left.filter(({ records: [first] }) => /^..\.(?:demo|shop)\./.test(first!.topic))
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

/** Spread over so many topics and partitions, empty. */
function sourceFor(queues: ReadonlyMap<string, readonly LogRecord[]>, partitions: number) {
  const topics = [...queues.values()].map(records => [records[0]!.topic, partitions] as const)
  return new MemorySource(Object.fromEntries(topics))
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
      const source = sourceFor(queues, partitions)
      const run = await MainRun.start({ source, seed, config })
      resent += await feed(run, source, queues, random)
      await run.finish()
      expect(await differences(run), `seed ${seed}`).toEqual([])
    }
    expect(resent).toBeGreaterThan(100)
  })
})

describe.each(recordings.filter(({ name }) => ['m1', 'p1'].includes(name)))(
  'recorded events $name, flattened afterwards',
  recording => {
    const lines = recording.lines.filter(({ value }) => !/"op":"[tm]"/.test(value ?? ''))
    const fold = recording.fold(lines, { typesFrom: recording.lines })
    const isTruncated = (table: string): boolean =>
      recording.lines.some(({ topic, value }) => {
        return topic.endsWith(`.${table}`) && /"op":"t"/.test(value ?? '')
      })
    const flattening = { source: { format: 'debezium-flat', connector: additions } }

    const check = async (run: MainRun): Promise<void> => {
      const actual = await actualTables(run, fold)
      expect(actual.size).toBeGreaterThan(8)
      const folded = new Map([...fold].filter(([name]) => actual.has(name)))
      expect(compare(actual, folded, recording.exceptions)).toEqual([])
      // The transform drops truncates.
      const whole = [...finalTables(recording)].filter(([name]) => !isTruncated(name))
      expect(whole.length).toBeGreaterThan(5)
      expect(compare(actual, new Map(whole), recording.exceptions)).toEqual([])
    }

    const queuesOf = async (partitions: number) => {
      const queues = await allRecords(await openRecording(recording, partitions))
      const flat = [...queues].map(([name, records]) => [name, records.flatMap(flattened)] as const)
      return new Map(flat.filter(([, records]) => records.length > 0))
    }

    it.each([1, 3, 8])(
      'end as the database said, from %i partitions read unevenly',
      async partitions => {
        const queues = await queuesOf(partitions)
        const source = sourceFor(queues, partitions)
        for (const record of [...queues.values()].flat()) source.append(record)
        const run = await MainRun.start({
          source,
          seed: partitions,
          config: flattening,
          maxPollBytes: 4000,
        })
        await run.finish()
        await check(run)
      },
    )

    it('end so with blocks sent again, for 3 seeds', async () => {
      let dropped = 0
      for (let seed = 1; seed <= 3; seed += 1) {
        const partitions = [1, 3, 8][seed % 3]!
        const queues = await queuesOf(partitions)
        const source = sourceFor(queues, partitions)
        const run = await MainRun.start({
          source,
          seed,
          config: { ...flattening, window: { maxAge: '2s', maxRows: 8 } },
        })
        await feed(run, source, queues, seededRandom(seed))
        await run.finish()
        await check(run)
        dropped += run.metrics.total('forager_repeats_dropped_total')
      }
      expect(dropped).toBeGreaterThan(25)
    })
  },
)
