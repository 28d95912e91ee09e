/**
 * The recordings in Avro through the program's own topology: they were made by the same program of SQL as
 * those in JSON with schemas, so that the same tables come out, as the databases had them.
 */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compare, type FoldException } from '../fold/compare.ts'
import { m1Exceptions, p1Exceptions } from '../fold/exceptions.ts'
import { foldEvents } from '../fold/naive-fold.ts'
import { MainRun } from './main-run.ts'
import { actualTables, finalTables, openRecording, recordings } from './recordings.ts'

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

  it.each([1, 3, 8])(
    'end as the database said, from %i partitions read unevenly',
    async partitions => {
      const source = await openRecording({ path }, partitions)
      const config = { source: { format: 'debezium-avro', registry } }
      const run = await MainRun.start({ source, seed: partitions, maxPollBytes: 4000, config })
      await run.finish()
      const actual = await actualTables(run, foldEvents(twin.lines, { settings: twin.settings }))
      expect(actual.size).toBeGreaterThan(8)
      expect(compare(actual, finalTables(twin), exceptions)).toEqual([])
    },
  )
})
