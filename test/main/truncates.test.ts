/** Truncates of source tables that share a target, and by what they are ordered. */
import { describe, expect, it } from 'vitest'
import { change } from './messages.ts'
import { openRouted } from './routed-driver.ts'

const row = (id: number) => ({ id, n: 1 })

describe('a truncate of one of several source tables that go to one target', () => {
  const rules = [{ from: 'shop*.orders', to: 'dw.orders', merge: true }]
  const records = [
    change('c', { after: row(1) }, { database: 'shop1', pos: 100 }),
    change('c', { after: row(2) }, { database: 'shop2', pos: 110 }),
  ]
  const truncate = change('t', {}, { database: 'shop1', pos: 200 })

  it.each([1, 2])('is a bad message, through topics of %i partitions', async partitions => {
    const topics = { 'db.shop1.orders': partitions, 'db.shop2.orders': partitions }
    const driver = await openRouted({ rules, topics })
    await driver.pipeInput(records)
    await driver.drain()
    await expect(driver.pipeInput([truncate])).rejects.toMatchObject({
      code: 'truncate-shared-target',
      context: { topic: 'db.shop1.orders', offset: expect.any(Number), table: 'shop1.orders' },
    })
    expect(await driver.rows('dw.orders')).toEqual([row(1), row(2)])
  })

  it('is passed by policy, and no row of any goes', async () => {
    const topics = { 'db.shop1.orders': 1, 'db.shop2.orders': 1 }
    const driver = await openRouted({ rules, topics, onError: 'skip' })
    await driver.pipeInput([...records, truncate])
    await driver.drain()
    expect(await driver.rows('dw.orders')).toEqual([row(1), row(2)])
    expect(driver.metrics.series('forager_messages_skipped_total')).toMatchObject([
      { labels: { reason: 'truncate-shared-target' }, value: 1 },
    ])
  })
})

describe('a truncate through several partitions', () => {
  it('that waited for a lock takes rows that are stamped later and written before', async () => {
    const rules = [{ from: 'shop.orders', to: 'orders' }]
    const driver = await openRouted({ rules, topics: { 'db.shop.orders': 2 } })
    await driver.pipeInput([
      change('c', { after: row(1) }, { pos: 100, ms: 5000, partition: 0 }),
      change('t', {}, { pos: 200, ms: 1000, partition: 1 }),
      change('c', { after: row(2) }, { pos: 300, ms: 1000, partition: 0 }),
    ])
    await driver.drain()
    expect(await driver.rows('orders')).toEqual([row(2)])
  })
})
