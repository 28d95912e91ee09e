/** Where the source says a row was, and where the table has it, are not always the same. */
import { describe, expect, it } from 'vitest'
import type { ProducerRecord } from '../../log/log.ts'
import type { TopologyTestDriver } from '../../testkit/topology-test-driver.ts'
import { change } from './messages.ts'
import type { RoutedSetup } from './routed-driver.ts'
import { openRouted } from './routed-driver.ts'

const row = (n: unknown, name: string) => ({ id: 1, n, name })

function openBy(column: string, setup: Partial<RoutedSetup> = {}): Promise<TopologyTestDriver> {
  const partitionBy = { column, unit: 'value' as const }
  return openRouted({ rules: [{ from: 'shop.orders', to: 'orders', partitionBy }], ...setup })
}

/** Each in a window of its own. */
async function applied(
  driver: TopologyTestDriver,
  ...records: readonly ProducerRecord[]
): Promise<readonly unknown[] | null> {
  for (const record of records) {
    await driver.pipeInput([record])
    await driver.drain()
  }
  return await driver.rows('orders')
}

function searches(driver: TopologyTestDriver): number {
  return driver.metrics
    .series('forager_partition_searches_total')
    .reduce((sum, { value }) => sum + value, 0)
}

describe('a row that is not in the partition that its change says', () => {
  it('because the update before was skipped is found by its key', async () => {
    const driver = await openBy('name', { onError: 'skip' })
    const rows = await applied(
      driver,
      change('c', { after: row(1, 'A') }, { pos: 100 }),
      change('u', { before: row(1, 'A'), after: row('bad', 'B') }, { pos: 200 }),
      change('u', { before: row(2, 'B'), after: row(3, 'C') }, { pos: 300 }),
    )
    expect(rows).toEqual([row(3, 'C')])
    // What was skipped makes the partition unknown: nobody was told a wrong one.
    expect(searches(driver)).toBe(0)
  })

  it('because the update before was filtered out is found by its key', async () => {
    const driver = await openBy('name', {
      transform: stream => stream.filter(event => event.after?.name !== 'B', { name: 'no-b' }),
    })
    const rows = await applied(
      driver,
      change('c', { after: row(1, 'A') }, { pos: 100 }),
      change('u', { before: row(1, 'A'), after: row(2, 'B') }, { pos: 200 }),
      change('u', { before: row(2, 'B'), after: row(3, 'C') }, { pos: 300 }),
    )
    expect(rows).toEqual([row(3, 'C')])
  })

  it.each([
    ['updated', change('u', { before: row(1, 'a'), after: row(2, 'b') }, { pos: 200 }), ['B']],
    ['deleted', change('d', { before: row(1, 'a') }, { pos: 200 }), []],
  ])('because a map changed the column is %s all the same', async (_what, record, names) => {
    const driver = await openBy('name', {
      transform: stream =>
        stream.map(
          event => {
            if (event.after === null) return event
            const name = String(event.after.name).toUpperCase()
            return { ...event, after: { ...event.after, name } }
          },
          { name: 'upper' },
        ),
    })
    const rows = await applied(driver, change('c', { after: row(1, 'a') }, { pos: 100 }), record)
    expect(rows?.map(one => (one as { name: string }).name)).toEqual(names)
  })

  it('because the column was not sent in the row before is found by its key', async () => {
    const before = row(1, '__debezium_unavailable_value')
    const rows = await applied(
      await openBy('name'),
      change('c', { after: row(1, 'A') }, { pos: 100 }),
      change('u', { before, after: row(2, 'B') }, { pos: 200 }),
    )
    expect(rows).toEqual([row(2, 'B')])
  })

  it('is not looked for where its change is right', async () => {
    const driver = await openBy('name')
    const rows = await applied(
      driver,
      change('c', { after: row(1, 'A') }, { pos: 100 }),
      change('u', { before: row(1, 'A'), after: row(2, 'B') }, { pos: 200 }),
      change('u', { before: row(2, 'B'), after: row(3, 'B') }, { pos: 300 }),
      change('d', { before: row(3, 'B') }, { pos: 400 }),
    )
    expect(rows).toEqual([])
    expect(searches(driver)).toBe(0)
  })
})

describe('a column that a table is divided by and that was altered, without events for its rows', () => {
  const types = (scale: number | null) => ({
    id: { type: 'int64', optional: false },
    price:
      scale === null
        ? { type: 'int32', optional: false }
        : {
            type: 'bytes',
            optional: false,
            name: 'org.apache.kafka.connect.data.Decimal',
            parameters: { scale: String(scale), 'connect.decimal.precision': '10' },
          },
  })
  const price = (unscaled: number) => {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(unscaled)
    return { id: 1, price: bytes.toString('base64') }
  }
  const first = change('c', { after: price(150) }, { pos: 100, types: types(2) })

  it('to another scale: an update leaves one row', async () => {
    const rows = await applied(
      await openBy('price'),
      first,
      change('u', { before: price(1500), after: price(2500) }, { pos: 200, types: types(3) }),
    )
    expect(rows).toEqual([{ id: 1, price: 2500 }])
  })

  it('to another scale: a delete leaves none', async () => {
    const record = change('d', { before: price(1500) }, { pos: 200, types: types(3) })
    expect(await applied(await openBy('price'), first, record)).toEqual([])
  })

  it('from int to decimal: an update leaves one row', async () => {
    const rows = await applied(
      await openBy('price'),
      change('c', { after: { id: 1, price: 5 } }, { pos: 100, types: types(null) }),
      change('u', { before: price(500), after: price(600) }, { pos: 200, types: types(2) }),
    )
    expect(rows).toEqual([{ id: 1, price: 600 }])
  })
})
