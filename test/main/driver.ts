/** The tables of `shop` through the whole topology, for tests of what a source may send. */
import { debeziumJson } from '../../formats/debezium/debezium-json.ts'
import type { ProducerRecord } from '../../log/log.ts'
import type { TableRule } from '../../processors/route-tables.ts'
import { TableRouter } from '../../processors/route-tables.ts'
import { embedded } from '../../sinks/embedded/embedded.ts'
import { inMemory } from '../../state/memory-store.ts'
import type { StateStoreSupplier } from '../../state/state-store.ts'
import { TopologyTestDriver } from '../../testkit/topology-test-driver.ts'
import type { ErrorPolicy, KeyedBy, Ordering } from '../../topology/nodes.ts'
import { StreamsBuilder } from '../../topology/streams-builder.ts'

export interface ShopSetup {
  /** Source tables, each in its topic. */
  readonly tables?: readonly string[]
  /** Of every source topic. */
  readonly partitions?: number
  readonly rule?: Partial<TableRule>
  readonly onError?: ErrorPolicy
  readonly commitIntervalMs?: number
  readonly ordering?: Ordering
  readonly keyedBy?: KeyedBy
  readonly store?: StateStoreSupplier
}

export async function openShop(setup: ShopSetup = {}): Promise<TopologyTestDriver> {
  const { tables = ['orders'], partitions = 1, rule = {}, commitIntervalMs = 0 } = setup
  const router = new TableRouter([{ from: 'shop.*', to: '{table}', ...rule }])
  const { key, beforeImage } = rule
  const hints = {
    ...(key === undefined ? {} : { key }),
    ...(beforeImage === undefined ? {} : { beforeImage }),
  }
  const builder = new StreamsBuilder()
  builder
    .stream(/^db\./, {
      name: 'events',
      format: debeziumJson(),
      hintsOf: () => hints,
      onError: setup.onError ?? 'fail',
      ordering: setup.ordering ?? 'log',
      keyedBy: setup.keyedBy ?? 'unknown',
    })
    .route(router, { name: 'route' })
    .repartition({ name: 'rows', partitions: 2 })
    .compact({
      name: 'window',
      flush: { maxRows: 1000, maxAgeMs: 1000 },
      store: setup.store ?? inMemory(),
    })
    .to(embedded({ path: '/warehouse', partitionBy: table => router.partitionByOf(table) }), {
      name: 'tables',
    })
  const topics = Object.fromEntries(tables.map(table => [`db.shop.${table}`, partitions]))
  return await TopologyTestDriver.open(builder.build(), { topics, commitIntervalMs })
}

/** The rows of the table once all is applied. */
export async function rowsAfter(
  driver: TopologyTestDriver,
  records: readonly ProducerRecord[],
  table = 'orders',
): Promise<readonly unknown[]> {
  await driver.pipeInput(records)
  await driver.drain()
  return (await driver.rows(table)) ?? []
}
