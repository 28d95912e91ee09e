/** A topology in any of the formats, over parts in memory, for tests of what broke elsewhere. */
import { debeziumJson } from '../../formats/debezium/debezium-json.ts'
import type { Format } from '../../formats/decoder.ts'
import type { WindowLimits } from '../../processors/compact.ts'
import type { TableRule } from '../../processors/route-tables.ts'
import { TableRouter } from '../../processors/route-tables.ts'
import { embedded } from '../../sinks/embedded/embedded.ts'
import { inMemory } from '../../state/memory-store.ts'
import type { DriverRecord } from '../../testkit/topology-test-driver.ts'
import { TopologyTestDriver } from '../../testkit/topology-test-driver.ts'
import type { Ordering } from '../../topology/nodes.ts'
import { StreamsBuilder } from '../../topology/streams-builder.ts'
import type { Topology } from '../../topology/topology.ts'

export interface Setup {
  readonly format?: Format
  /** Source topics and their partitions. */
  readonly topics?: Readonly<Record<string, number>>
  /** Partitions of the hop. */
  readonly hop?: number
  readonly flush?: Partial<WindowLimits>
  readonly ordering?: Ordering
  readonly rule?: Partial<TableRule>
  readonly connectorSettings?: Readonly<Record<string, string>>
  readonly seed?: number
}

const oneTopic = { 'db.shop.orders': 1 }

/** Tables keep their names. */
export function topologyOf(setup: Setup): Topology {
  const router = new TableRouter([{ from: '*.*', to: '{table}', ...setup.rule }])
  const builder = new StreamsBuilder()
  builder
    .stream(Object.keys(setup.topics ?? oneTopic), {
      name: 'events',
      format: setup.format ?? debeziumJson(),
      ordering: setup.ordering ?? 'log',
      connectorSettings: setup.connectorSettings ?? {},
    })
    .route(router, { name: 'route' })
    .repartition({ name: 'rows', partitions: setup.hop ?? 2 })
    .compact({ name: 'window', flush: { maxAgeMs: 60_000, ...setup.flush }, store: inMemory() })
    .to(
      embedded({
        path: '/warehouse',
        partitionBy: table => router.partitionByOf(table),
        // A reader of these tests never reads what a commit before the newest had.
        retainMs: 0,
      }),
      { name: 'tables' },
    )
  return builder.build()
}

export async function openDriver(setup: Setup = {}): Promise<TopologyTestDriver> {
  const { topics = oneTopic, seed = 1 } = setup
  return await TopologyTestDriver.open(topologyOf(setup), { topics, seed, isSkewed: true })
}

/** The rows of a table once all is applied. */
export async function rowsAfter(
  driver: TopologyTestDriver,
  records: readonly DriverRecord[],
  table = 'orders',
): Promise<readonly unknown[]> {
  await driver.pipeInput(records)
  await driver.drain()
  return (await driver.rows(table)) ?? []
}
