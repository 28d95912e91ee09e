/**
 * 01 — Follow a table. The smallest topology: one topic of Debezium's change events becomes one table
 * of ORC files, which then always shows what the database shows.
 *
 *     npx node examples/01-follow-a-table.ts
 *
 * The events are those of `examples/shop`: a table of users is read whole, then rows are inserted,
 * changed and deleted, and columns are added and renamed. No server is needed.
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  debeziumJson,
  EmbeddedLog,
  embedded,
  inMemory,
  MemoryStorage,
  nodeFileSystem,
  openRecordedSource,
  openTable,
  Streams,
  StreamsBuilder,
  systemClock,
  systemRandom,
  type Topology,
} from '../index.ts'

/** Every node has a name that is given here: internal topics and positions are kept by it. */
export function followATable(warehousePath: string): Topology {
  const builder = new StreamsBuilder()
  builder
    // 1. Messages are decoded to change events; what a producer sends again is dropped.
    .stream('m2.demo.user', { name: 'users', format: debeziumJson() })
    // 2. Changes of one row meet in one partition, whichever partition they came through.
    .repartition({ name: 'users-by-key', partitions: 3 })
    // 3. Each window keeps one net change a row.
    .compact({ name: 'users-window', flush: { maxAgeMs: 5000 }, store: inMemory() })
    // 4. Net changes are written as ORC and merged into the table, each exactly once in effect.
    .to(embedded({ path: warehousePath, table: 'ods.user', partitionBy: 'sex' }), {
      name: 'users-table',
    })
  return builder.build()
}

async function main(): Promise<void> {
  const folder = join(tmpdir(), 'forager-example-01')
  await nodeFileSystem.remove(folder)

  const warehouse = join(folder, 'warehouse')
  const topology = followATable(warehouse)
  process.stdout.write(`${topology.describe('example-01').toString()}\n`)

  // A log in memory, and in it the recorded topics; with Kafka only this part is another one.
  const source = await openRecordedSource({
    fileSystem: nodeFileSystem,
    path: join(import.meta.dirname, 'shop/events.jsonl.gz'),
    onBadLine: error => {
      throw error
    },
  })
  const log = await EmbeddedLog.open({
    storage: new MemoryStorage(),
    clock: systemClock,
    random: systemRandom,
    sources: [source],
  })
  const streams = new Streams(topology, {
    applicationId: 'example-01',
    log,
    stateDir: join(folder, 'state'),
  })
  streams.events.subscribe(event => {
    if (event.type === 'batch-applied') process.stdout.write(`applied: ${event.batches} batches\n`)
  })
  await streams.run(undefined, { until: 'end' })
  await log.close()

  const table = await openTable(nodeFileSystem, warehouse, 'ods.user')
  for await (const rows of table.rows()) {
    for (const { values } of rows) process.stdout.write(`${values.join(' | ')}\n`)
  }
  process.stdout.write(`The table is in ${warehouse}\n`)
}

if (import.meta.main) await main()
