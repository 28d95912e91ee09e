/**
 * A session of one second while windows of many rows are folded, closed and applied: heartbeats go
 * between the slices of the work, so that the group never gives the member up.
 */
import { afterAll, expect, inject, it } from 'vitest'
import { newName, openKafka, partitionsOf } from './instances.ts'
import { expectedOrders, type OrdersOptions, orderRecords, orderTypes } from './orders.ts'
import { Running, writeInParts } from './running.ts'
import { readTable, tableDifferences } from './tables.ts'

const log = openKafka(inject('broker'))
afterAll(() => log.close())

it('a session of a second outlasts windows of 120,000 rows', async () => {
  const topic = newName('orders')
  const orders: OrdersOptions = {
    topicOf: () => topic,
    partitions: 1,
    tables: 1,
    ids: 120_000,
    events: 150_000,
  }
  await log.createTopic({ name: topic, partitions: 1, cleanup: 'delete' })
  await writeInParts(log, orderRecords(orders))
  const config = {
    source: {
      type: 'kafka',
      brokers: [inject('broker')],
      topics: [topic],
      format: 'debezium-json',
      sessionTimeout: '1s',
    },
    tables: [{ from: 'shop.*', to: '{table}', columns: { types: orderTypes } }],
    warehouse: { type: 'embedded', path: 'warehouse' },
    window: { maxAge: '20s', maxRows: 120_000, maxBytes: '1GiB' },
  }
  await Running.use({ name: 'heartbeats', log, config }, async running => {
    running.start()
    await running.untilApplied(partitionsOf(topic, 1))
    await running.stop()
    for (const { lines } of running.instances) {
      const joined = lines.filter(({ event }) => event === 'tasks.assigned')
      expect(joined.length, 'it joined once and was never given up').toBe(1)
      expect(lines.filter(({ event }) => event === 'task.fenced')).toEqual([])
    }
    const rows = await readTable(running.warehouse, 't000')
    const expected = expectedOrders(0, orders)
    expect(expected.size).toBe(120_000)
    expect(tableDifferences(rows, ({ id }) => String(id), expected)).toEqual([])
  })
})
