/** `format: auto` through the whole topology: what was recognised outlives the process. */
import { describe, expect, it } from 'vitest'
import { auto } from '../../formats/auto.ts'
import type { Format } from '../../formats/decoder.ts'
import type { Logger } from '../../observe/logger.ts'
import { silentLogger } from '../../observe/logger.ts'
import { TableRouter } from '../../processors/route-tables.ts'
import { embedded } from '../../sinks/embedded/embedded.ts'
import { inMemory } from '../../state/memory-store.ts'
import { TopologyTestDriver } from '../../testkit/topology-test-driver.ts'
import { StreamsBuilder } from '../../topology/streams-builder.ts'
import type { Topology } from '../../topology/topology.ts'

const types = { id: { kind: 'int' }, n: { kind: 'int' } } as const

function topologyOf(format: Format): Topology {
  const router = new TableRouter([{ from: 'shop.*', to: '{table}' }])
  const builder = new StreamsBuilder()
  builder
    .stream(['s.shop.orders'], { name: 'events', format, hintsOf: () => ({ types }) })
    .route(router, { name: 'route' })
    .repartition({ name: 'rows', partitions: 2 })
    .compact({ name: 'window', flush: { maxRows: 1000, maxAgeMs: 1000 }, store: inMemory() })
    .to(embedded({ path: '/warehouse' }), { name: 'tables' })
  return builder.build()
}

const send = (driver: TopologyTestDriver, id: number, row: object | null) =>
  driver.pipeInput([
    {
      topic: 's.shop.orders',
      key: JSON.stringify({ id }),
      value: row === null ? null : JSON.stringify({ id, ...row, __deleted: 'false', __op: 'c' }),
    },
  ])

describe('a topic that was recognised', () => {
  it('is said once a run, and is known again after a crash: its tombstones delete', async () => {
    const told: unknown[] = []
    const logger: Logger = {
      ...silentLogger,
      info: (event, fields) => {
        if (event === 'format.recognised') told.push(fields)
      },
    }
    const driver = await TopologyTestDriver.open(topologyOf(auto({ registry: null })), {
      topics: { 's.shop.orders': 1 },
      logger,
    })
    await send(driver, 1, { n: 1 })
    await send(driver, 2, { n: 2 })
    await driver.drain()
    const one = { topic: 's.shop.orders', format: 'debezium-flat' }
    expect(told).toEqual([one])
    await driver.crash()
    await send(driver, 1, null)
    await driver.drain()
    expect(await driver.rows('orders')).toEqual([{ id: 2, n: 2 }])
    expect(told).toEqual([one, one])
    expect(driver.metrics.total('forager_topics_recognised_total', one)).toBe(2)
  })
})
