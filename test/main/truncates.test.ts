/** Truncates of source tables that share a target, and by what they are ordered. */
import { describe, expect, it } from 'vitest'
import type { GivenPolicy } from '../../model/schema-change.ts'
import { compare } from '../fold/compare.ts'
import { MainRun, mainTopology } from './main-run.ts'
import { change } from './messages.ts'
import { actualTables, finalTables, openRecording, recordings } from './recordings.ts'
import type { RoutedSetup } from './routed-driver.ts'
import { openRouted } from './routed-driver.ts'
import { serverLike } from './server-like.ts'

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

describe('the mode of truncates', () => {
  const from = (schemaChanges: GivenPolicy, setup: Partial<RoutedSetup> = {}) =>
    openRouted({ rules: [{ from: 'shop.orders', to: 'orders', schemaChanges }], ...setup })
  const records = (partition: number) => [
    change('c', { after: row(1) }, { pos: 100, partition: 0 }),
    change('t', {}, { pos: 200, partition }),
    change('c', { after: row(2) }, { pos: 300, partition: 0 }),
  ]

  it.each(['lenient', 'ignore'] as const)(
    '%s leaves the rows, also of its own window',
    async mode => {
      for (const partitions of [1, 2]) {
        const driver = await from({ truncate: mode }, { topics: { 'db.shop.orders': partitions } })
        await driver.pipeInput(records(partitions - 1))
        await driver.drain()
        expect(await driver.rows('orders')).toEqual([row(1), row(2)])
        expect(driver.metrics.total('forager_truncates_ignored_total', { table: 'orders' })).toBe(1)
      }
    },
  )

  it.each([1, 2])('exception holds the table back, through %i partitions', async partitions => {
    const topics = { 'db.shop.orders': partitions }
    const driver = await from({ truncate: 'exception' }, { topics })
    const [first, ...others] = records(partitions - 1)
    await driver.pipeInput([first!])
    await driver.drain()
    await driver.pipeInput(others)
    await expect(driver.drain()).rejects.toMatchObject({
      code: 'schema-change-refused',
      context: { table: 'orders' },
    })
    expect(await driver.rows('orders')).toEqual([row(1)])
  })
})

describe.each(recordings)(
  'recorded events $name, into tables whose rows keep no positions',
  recording => {
    it.each([3, 8])(
      'end as the database said, from %i partitions read unevenly',
      async partitions => {
        const topology = mainTopology(recording.config)
        for (const { warehouse } of topology.pipelines) {
          const keeps = { maxAgeMs: 3_600_000, maxBytes: 100_000_000 }
          Object.assign(warehouse, { sink: serverLike(warehouse.sink, { keeps }) })
        }
        const source = await openRecording(recording, partitions)
        const run = await MainRun.start({ source, seed: partitions, maxPollBytes: 4000, topology })
        await run.finish()
        const fold = recording.fold(recording.lines)
        const actual = await actualTables(run, fold)
        expect(compare(actual, finalTables(recording), recording.exceptions)).toEqual([])
        expect(actual.size).toBeGreaterThan(8)
      },
    )
  },
)
