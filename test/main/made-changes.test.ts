/** Connectors that were not recorded, through the whole topology, against the program that made them. */
import { describe, expect, it } from 'vitest'
import { type Random, seededRandom } from '../../runtime/random.ts'
import { MemorySource, type NewRecord } from '../../testkit/memory-source.ts'
import {
  type MadeConnector,
  madeConnectors,
  makeProgram,
  placed,
  type Row,
} from './made-changes.ts'
import { MainRun } from './main-run.ts'

async function rowsOf(run: MainRun, { table }: MadeConnector): Promise<ReadonlyMap<number, Row>> {
  const lines = (await run.tableNames()).includes(table) ? await run.lines(table) : []
  const rows = lines.map(line => {
    const row = JSON.parse(line) as Partial<Row> & { readonly _id?: number }
    const id = row.id ?? row._id!
    return [id, { id, name: row.name ?? null, v: row.v! }] as const
  })
  expect(rows).toHaveLength(new Set(rows.map(([id]) => id)).size)
  return new Map(rows)
}

function configOf({ format = 'debezium-json' }: { readonly format?: string }, ordering: string) {
  return {
    source: { format, ordering },
    window: { maxAge: '2s', maxRows: 8 },
    repartition: { partitions: 3 },
  }
}

/** Appended one by one, with blocks of a partition sent again, while they are read. */
async function feed(
  run: MainRun,
  source: MemorySource,
  records: readonly NewRecord[],
  random: Random,
) {
  for (const record of records) {
    source.append(record)
    if (random.next() < 0.1) {
      const block = source.records(record).slice(-(1 + Math.floor(random.next() * 12)))
      source.resend(record, block.length)
    }
    if (random.next() < 0.3) await run.step(Math.floor(random.next() * 2000))
  }
  await run.finish()
}

describe.each(madeConnectors)('changes of $name', connector => {
  it('end as they were made, through 1, 3 and 8 partitions, with blocks sent again', async () => {
    let dropped = 0
    for (let seed = 1; seed <= 6; seed += 1) {
      const random = seededRandom(seed)
      const partitions = [1, 3, 8][seed % 3]!
      const program = makeProgram(random, 40)
      const records = placed(connector, program, ({ id }) => id % partitions, false)
      const source = new MemorySource({ [records[0]!.topic]: partitions })
      const run = await MainRun.start({ source, seed, config: configOf(connector, 'log') })
      await feed(run, source, records, random)
      expect(await rowsOf(run, connector), `seed ${seed}`).toEqual(program.rows)
      dropped += run.metrics.total('forager_repeats_dropped_total')
    }
    if (connector.hasPositions) expect(dropped).toBeGreaterThan(50)
  })
})

const ordered = madeConnectors.filter(({ name, hasPositions, format }) => {
  return (hasPositions || name.includes('cluster')) && format === undefined
})

describe.each(ordered)('changes of $name through any partition', connector => {
  it('end as they were made, by their positions', async () => {
    let superseded = 0
    for (let seed = 1; seed <= 6; seed += 1) {
      const random = seededRandom(seed)
      const program = makeProgram(random, 40)
      const anywhere = () => Math.floor(random.next() * 4)
      const records = placed(connector, program, anywhere, true)
      const source = new MemorySource({ [records[0]!.topic]: 4 })
      const run = await MainRun.start({ source, seed, config: configOf(connector, 'position') })
      await feed(run, source, records, random)
      expect(await rowsOf(run, connector), `seed ${seed}`).toEqual(program.rows)
      superseded += run.metrics.total('forager_superseded_changes_total')
    }
    expect(superseded).toBeGreaterThan(10)
  })
})

it('a block that begins with the tombstone of a delete ends as it did before', async () => {
  const connector = madeConnectors.find(({ name }) => name === 'flattened with places')!
  const row = { id: 1, name: 'a', v: 1 }
  const common = { id: 1, place: 1, choice: 0 }
  const changes = [
    { ...common, op: 'c', before: null, after: row, transaction: 1 },
    { ...common, op: 'd', before: row, after: null, transaction: 2 },
    { ...common, op: 'c', before: null, after: { ...row, v: 2 }, transaction: 3 },
  ] as const
  const rows = new Map([[1, changes[2].after]])
  const records = placed(connector, { changes, rows }, () => 0, true)
  const source = new MemorySource({ [records[0]!.topic]: 1 })
  const run = await MainRun.start({ source, seed: 1, config: configOf(connector, 'log') })
  for (const record of records) source.append(record)
  await run.step()
  source.resend(records[0]!, 2)
  await run.finish()
  expect(source.records(records[0]!).map(({ value }) => value === null)).toEqual([
    false,
    false,
    true,
    false,
    true,
    false,
  ])
  expect(await rowsOf(run, connector)).toEqual(rows)
})
