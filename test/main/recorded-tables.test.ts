/** Tables that a real MariaDB made, renamed and dropped, as its connector told it. */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { SchemaChangeMode } from '../../model/schema-change.ts'
import { MemorySource } from '../../testkit/memory-source.ts'
import { compare } from '../fold/compare.ts'
import { MainRun, mainTopology } from './main-run.ts'
import {
  actualTables,
  allRecords,
  finalTables,
  openRecording,
  type Recording,
  recordings,
} from './recordings.ts'
import { serverLike } from './server-like.ts'

const ofMariadb = recordings.filter(({ path }) => path.includes('mariadb'))
const tablesOf = (mode: SchemaChangeMode) => ({
  tables: [{ from: '*.*', to: '{database}.{table}', schemaChanges: { 'drop-table': mode } }],
})

/** Of the topic of schema changes, up to the first that has the text. */
async function schemaChanges(recording: Recording, text: string): Promise<MemorySource> {
  const records = (await allRecords(await openRecording(recording, 1))).get(`${recording.name}-0`)!
  const end = records.findIndex(({ value }) => String(value).includes(text))
  expect(end).toBeGreaterThan(0)
  const source = new MemorySource({ [recording.name]: 1 })
  for (const { offset: _, ...record } of records.slice(0, end)) source.append(record)
  return source
}

describe.each(ofMariadb)('tables in the recording $name', recording => {
  it('are made before they have a row', async () => {
    const source = await schemaChanges(recording, 'rename table late_table to later_table')
    const run = await MainRun.start({ source, seed: 1 })
    await run.finish()
    expect(await run.rows('demo.late_table')).toEqual([])
    expect((await run.columns('demo.late_table')).map(({ name }) => name)).toEqual(['id', 'v'])
    expect((await run.tableNames()).length).toBeGreaterThan(4)
  })

  it.each([
    [1, 'keep'],
    [8, 'keep'],
    [1, 'lack'],
    [8, 'lack'],
  ] as const)(
    'that were dropped are emptied, and no others (%i partitions, rows %s positions)',
    async (partitions, kind) => {
      const topology = mainTopology(tablesOf('evolve'))
      if (kind === 'lack') {
        const keeps = { maxAgeMs: 3_600_000, maxBytes: 100_000_000 }
        for (const { warehouse } of topology.pipelines) {
          Object.assign(warehouse, { sink: serverLike(warehouse.sink, { keeps }) })
        }
      }
      const source = await openRecording(recording, partitions)
      const run = await MainRun.start({ source, seed: partitions, maxPollBytes: 4000, topology })
      await run.finish()
      const gone = ['demo.late_table', 'demo.later_table']
      for (const table of gone) expect(await run.rows(table)).toEqual([])
      const fold = recording.fold(recording.lines)
      const actual = await actualTables(run, fold)
      expect(gone.filter(table => (fold.get(table)?.rows.size ?? 0) > 0)).toEqual(gone)
      for (const table of gone) expect(actual.get(table)?.rows.size).toBe(0)
      const [others, expected] = [actual, finalTables(recording)].map(
        tables => new Map([...tables].filter(([name]) => !gone.includes(name))),
      )
      expect(compare(others!, expected!, recording.exceptions)).toEqual([])
    },
  )

  it('that were dropped keep their rows by default', async () => {
    const source = await openRecording(recording, 1)
    const run = await MainRun.start({ source, seed: 1 })
    await run.finish()
    for (const table of ['demo.late_table', 'demo.later_table']) {
      expect(await run.rows(table)).toHaveLength(1)
      const dropped = run.metrics.total('forager_table_drops_ignored_total', { table })
      expect(dropped).toBe(1)
    }
  })
})

it('tables in the recording m3, in Avro, are made and emptied alike', async () => {
  const fixtures = join(import.meta.dirname, '../fixtures/mariadb')
  const registry = { type: 'file', path: join(fixtures, 'm3_avro_confluent.schemas.jsonl') }
  const config = { ...tablesOf('evolve'), source: { format: 'debezium-avro', registry } }
  const source = await openRecording({ path: join(fixtures, 'm3_avro_confluent.jsonl') }, 1)
  const run = await MainRun.start({ source, seed: 1, config })
  await run.finish()
  for (const table of ['demo.late_table', 'demo.later_table']) {
    expect(await run.rows(table)).toEqual([])
    const labels = { table, kind: 'drop-table' }
    expect(run.metrics.total('forager_schema_changes_total', labels)).toBe(1)
  }
  expect((await run.rows('demo.user')).length).toBeGreaterThan(0)
})
