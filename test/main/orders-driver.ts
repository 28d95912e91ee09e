/** The topology of the tests of what correct means: orders by their key, over the in-memory log. */
import { debeziumJson } from '../../formats/debezium/debezium-json.ts'
import type { TableHints } from '../../formats/decoder.ts'
import type { ProducerRecord } from '../../log/log.ts'
import { TableRouter, type TableRule } from '../../processors/route-tables.ts'
import { embedded } from '../../sinks/embedded/embedded.ts'
import { inMemory } from '../../state/memory-store.ts'
import { TopologyTestDriver } from '../../testkit/topology-test-driver.ts'
import { StreamsBuilder } from '../../topology/streams-builder.ts'

interface Setup {
  readonly partitions?: number
  readonly hop?: number
  readonly rules?: readonly TableRule[]
  readonly hints?: TableHints
  readonly onError?: 'fail' | 'skip'
  readonly maxRows?: number
  readonly incarnation?: string
}

export async function openDriver(setup: Setup = {}): Promise<TopologyTestDriver> {
  const router = new TableRouter(setup.rules ?? [{ from: 'shop.*', to: '{table}' }])
  const builder = new StreamsBuilder()
  builder
    .stream(/^db\./, {
      name: 'events',
      format: debeziumJson(),
      hintsOf: () => setup.hints ?? {},
      onError: setup.onError ?? 'fail',
      incarnation: setup.incarnation ?? '',
    })
    .route(router, { name: 'route' })
    .repartition({ name: 'rows', partitions: setup.hop ?? 4 })
    .compact({ name: 'window', flush: { maxRows: setup.maxRows ?? 50 }, store: inMemory() })
    .to(embedded({ path: '/warehouse', partitionBy: table => router.partitionByOf(table) }), {
      name: 'tables',
    })
  const topics = { 'db.shop.orders': setup.partitions ?? 1 }
  return await TopologyTestDriver.open(builder.build(), { topics, isSkewed: true })
}

export async function pipeAndDrain(
  driver: TopologyTestDriver,
  records: readonly ProducerRecord[],
): Promise<readonly unknown[]> {
  await driver.pipeInput(records)
  await driver.drain()
  return (await driver.rows('orders')) ?? []
}
