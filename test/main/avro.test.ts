/**
 * The recordings in Avro through the program's own topology: they were made by the same program of SQL as
 * those in JSON with schemas, so that the same tables come out, as the databases had them.
 */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { LogRecord } from '../../model/change-event.ts'
import { type Random, seededRandom } from '../../runtime/random.ts'
import { MemorySource } from '../../testkit/memory-source.ts'
import { compare, type FoldException } from '../fold/compare.ts'
import { m1Exceptions, p1Exceptions } from '../fold/exceptions.ts'
import { foldEvents } from '../fold/naive-fold.ts'
import { MainRun } from './main-run.ts'
import { actualTables, allRecords, finalTables, openRecording, recordings } from './recordings.ts'

const fixtures = join(import.meta.dirname, '../fixtures')

const avroRecordings: readonly {
  readonly name: string
  readonly file: string
  readonly like: string
  readonly exceptions: readonly FoldException[]
}[] = [
  {
    name: 'm3',
    file: 'mariadb/m3_avro_confluent',
    like: 'm1',
    exceptions: m1Exceptions,
  },
  {
    name: 'p3',
    file: 'postgres/p3_avro_confluent',
    like: 'p1',
    exceptions: [
      ...p1Exceptions,
      {
        kind: 'column',
        table: 'shop.all_types',
        column: 'MiXed Case',
        why: 'Avro has no blanks in names: field.name.adjustment.mode made MiXed_Case of it',
      },
    ],
  },
]

describe.each(avroRecordings)('recorded events $name', ({ file, like, exceptions }) => {
  const twin = recordings.find(({ name }) => name === like)!
  const path = join(fixtures, `${file}.jsonl`)
  const registry = { type: 'file', path: join(fixtures, `${file}.schemas.jsonl`) }

  const config = { source: { format: 'debezium-avro', registry }, window: { maxRows: 20 } }

  it.each([1, 3, 8])(
    'end as the database said, from %i partitions read unevenly',
    async partitions => {
      const source = await openRecording({ path }, partitions)
      const run = await MainRun.start({ source, seed: partitions, maxPollBytes: 4000, config })
      await run.finish()
      const actual = await actualTables(run, foldEvents(twin.lines, { settings: twin.settings }))
      expect(actual.size).toBeGreaterThan(8)
      expect(compare(actual, finalTables(twin), exceptions)).toEqual([])
    },
  )

  it('end so with blocks sent again, for 10 seeds', async () => {
    const like = foldEvents(twin.lines, { settings: twin.settings })
    let dropped = 0
    for (let seed = 1; seed <= 10; seed += 1) {
      const random = seededRandom(seed)
      const partitions = [1, 3, 8][seed % 3]!
      const queues = await allRecords(await openRecording({ path }, partitions))
      const topics = new Set([...queues.values()].map(records => records[0]!.topic))
      const source = new MemorySource(
        Object.fromEntries([...topics].map(topic => [topic, partitions])),
      )
      const run = await MainRun.start({ source, seed, config })
      for (const record of interleaved(queues, random)) {
        source.append(record)
        if (random.next() < 0.1) source.resend(record, 1 + Math.floor(random.next() * 5))
        if (random.next() < 0.2) await run.step(Math.floor(random.next() * 2000))
      }
      await run.finish()
      dropped += run.metrics.total('forager_repeats_dropped_total')
      const actual = await actualTables(run, like)
      expect(compare(actual, finalTables(twin), exceptions), `seed ${seed}`).toEqual([])
    }
    expect(dropped).toBeGreaterThan(50)
  })
})

/** In any order that keeps each partition's; a connector writes a schema change before the rows that follow it. */
function* interleaved(
  queues: ReadonlyMap<string, readonly LogRecord[]>,
  random: Random,
): Generator<LogRecord> {
  const [schemas, rows] = [true, false].map(isFirst => {
    return [...queues.values()].filter(([record]) => !record!.topic.includes('.') === isFirst)
  })
  yield* schemas!.flat()
  const left = rows!.map(records => [...records])
  while (left.length > 0) {
    const index = Math.floor(random.next() * left.length)
    yield left[index]!.shift()!
    if (left[index]!.length === 0) left.splice(index, 1)
  }
}
