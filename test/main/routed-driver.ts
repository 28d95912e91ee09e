/** The driver over a topology with a router: what most tests of routing and partitions need. */
import { debeziumJson } from '../../formats/debezium/debezium-json.ts'
import type { TableRule } from '../../processors/route-tables.ts'
import { TableRouter } from '../../processors/route-tables.ts'
import { embedded } from '../../sinks/embedded/embedded.ts'
import { inMemory } from '../../state/memory-store.ts'
import { TopologyTestDriver } from '../../testkit/topology-test-driver.ts'
import type { KeyedBy } from '../../topology/nodes.ts'
import type { ChangeStream } from '../../topology/streams-builder.ts'
import { StreamsBuilder } from '../../topology/streams-builder.ts'

export interface RoutedSetup {
  readonly rules: readonly TableRule[]
  /** Source topics and their partitions. */
  readonly topics?: Readonly<Record<string, number>>
  readonly hop?: number
  readonly maxRows?: number
  readonly onError?: 'fail' | 'skip'
  readonly incarnation?: string
  readonly keyedBy?: KeyedBy
  /** Before the routing. */
  readonly transform?: (stream: ChangeStream) => ChangeStream
}

export async function openRouted(setup: RoutedSetup): Promise<TopologyTestDriver> {
  const { rules, topics = { 'db.shop.orders': 1 }, hop = 1, maxRows = 1000 } = setup
  const router = new TableRouter(rules)
  const stream = new StreamsBuilder()
  const source = stream.stream(/^db\./, {
    name: 'events',
    format: debeziumJson(),
    onError: setup.onError ?? 'fail',
    incarnation: setup.incarnation ?? '',
    keyedBy: setup.keyedBy ?? 'unknown',
  })
  const transformed = setup.transform?.(source) ?? source
  transformed
    .route(router, { name: 'route' })
    .repartition({ name: 'rows', partitions: hop })
    .compact({ name: 'window', flush: { maxRows }, store: inMemory() })
    .to(embedded({ path: '/warehouse', partitionBy: table => router.partitionByOf(table) }), {
      name: 'tables',
    })
  return await TopologyTestDriver.open(stream.build(), { topics })
}
