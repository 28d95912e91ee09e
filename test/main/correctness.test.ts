/**
 * What correct means, point by point (each of these has broken a well-known system), through the whole
 * topology: several source partitions, several tasks, small windows.
 */
import { describe, expect, it } from 'vitest'
import type { ProducerRecord } from '../../log/log.ts'
import { parsePartitionBy } from '../../model/partition-by.ts'
import { seededRandom } from '../../runtime/random.ts'
import { CrashedError } from '../../testkit/topology-test-driver.ts'
import { change, changedKey, tombstone } from './messages.ts'
import { openDriver, pipeAndDrain } from './orders-driver.ts'

describe('a changed primary key', () => {
  it('over a thousand rows and eight partitions (`id = id + 1`) ends equal to the source', async () => {
    const partitions = 8
    const driver = await openDriver({ partitions, hop: 8 })
    const count = 1000
    const inserts = Array.from({ length: count }, (_, index) =>
      change('c', { after: { id: index + 1, n: index } }, { pos: index + 1, partitions }),
    )
    // The database changes the highest id first; one statement, so one position and many rows.
    const updates = Array.from({ length: count }, (_, index) => {
      const id = count - index
      const options = { pos: 5000, row: index, partitions }
      return changedKey({ id, n: id - 1 }, { id: id + 1, n: id - 1 }, options)
    }).flat()
    const rows = await pipeAndDrain(driver, [...inserts, ...updates])
    expect(rows).toEqual(Array.from({ length: count }, (_, index) => ({ id: index + 2, n: index })))
  })

  it('swaps two rows through a third key', async () => {
    const driver = await openDriver()
    const rows = await pipeAndDrain(driver, [
      change('c', { after: { id: 1, name: 'a' } }, { pos: 1 }),
      change('c', { after: { id: 2, name: 'b' } }, { pos: 2 }),
      ...changedKey({ id: 1, name: 'a' }, { id: 9, name: 'a' }, { pos: 3 }),
      ...changedKey({ id: 2, name: 'b' }, { id: 1, name: 'b' }, { pos: 4 }),
      ...changedKey({ id: 9, name: 'a' }, { id: 2, name: 'a' }, { pos: 5 }),
    ])
    expect(rows).toEqual([
      { id: 1, name: 'b' },
      { id: 2, name: 'a' },
    ])
  })
})

describe('a row that moves between partitions of its table', () => {
  const rules = [
    { from: 'shop.*', to: '{table}', partitionBy: parsePartitionBy('year_month(created)') },
  ]
  const may = Date.UTC(2026, 4, 1)
  const june = Date.UTC(2026, 5, 1)

  it.each(['mysql', 'postgresql'] as const)('leaves the old one (%s)', async connector => {
    const driver = await openDriver({ rules })
    // PostgreSQL says nothing of the row before.
    const before = connector === 'mysql' ? { id: 1, created: may } : null
    await pipeAndDrain(driver, [
      change('c', { after: { id: 1, created: may } }, { pos: 1, connector }),
    ])
    const rows = await pipeAndDrain(driver, [
      change('u', { before, after: { id: 1, created: june } }, { pos: 2, connector }),
    ])
    expect(rows).toEqual([{ id: 1, created: june * 1000 }])
  })

  it('and is deleted wherever it is, when the delete tells the key alone', async () => {
    const driver = await openDriver({ rules })
    const connector = 'postgresql'
    await pipeAndDrain(driver, [
      change('c', { after: { id: 1, created: may } }, { pos: 1, connector }),
      change('c', { after: { id: 2, created: may } }, { pos: 2, connector }),
    ])
    const rows = await pipeAndDrain(driver, [
      change('u', { after: { id: 1, created: june } }, { pos: 3, connector }),
      change('d', { before: { id: 1, created: 0 } }, { pos: 4, connector }),
      tombstone(1),
    ])
    expect(rows).toEqual([{ id: 2, created: may * 1000 }])
    expect(driver.metrics.total('forager_rows_deleted_total')).toBe(1)
  })
})

describe('a value that was not sent', () => {
  const unsent = '__debezium_unavailable_value'

  it('keeps what the table has, within a window and across windows', async () => {
    const driver = await openDriver()
    const connector = 'postgresql'
    await pipeAndDrain(driver, [
      change('c', { after: { id: 1, n: 1, big: 'large' } }, { pos: 1, connector }),
      change('u', { after: { id: 1, n: 2, big: unsent } }, { pos: 2, connector }),
    ])
    const rows = await pipeAndDrain(driver, [
      change('u', { after: { id: 1, n: 3, big: unsent } }, { pos: 3, connector }),
    ])
    expect(rows).toEqual([{ id: 1, n: 3, big: 'large' }])
  })

  it('is data when an insert holds the same text', async () => {
    const driver = await openDriver()
    const rows = await pipeAndDrain(driver, [
      change('c', { after: { id: 1, big: unsent } }, { pos: 1 }),
    ])
    expect(rows).toEqual([{ id: 1, big: unsent }])
  })
})

describe('a delete', () => {
  it.each([
    ['alone', [change('d', { before: { id: 1, n: 1 } }, { pos: 2 })]],
    ['with its tombstone', [change('d', { before: { id: 1, n: 1 } }, { pos: 2 }), tombstone(1)]],
    ['sent twice', [1, 2].map(() => change('d', { before: { id: 1, n: 1 } }, { pos: 2 }))],
  ])('%s removes the row once', async (_title, deletes) => {
    const driver = await openDriver()
    await pipeAndDrain(driver, [change('c', { after: { id: 1, n: 1 } }, { pos: 1 })])
    expect(await pipeAndDrain(driver, deletes)).toEqual([])
    expect(driver.metrics.total('forager_rows_deleted_total')).toBe(1)
  })

  it('right behind the insert, in one window or two, leaves no row', async () => {
    for (const isOneWindow of [true, false]) {
      const driver = await openDriver()
      await driver.pipeInput([change('c', { after: { id: 1, n: 1 } }, { pos: 1 })])
      if (!isOneWindow) await driver.drain()
      const rows = await pipeAndDrain(driver, [
        change('d', { before: { id: 1, n: 1 } }, { pos: 2 }),
      ])
      expect(rows).toEqual([])
    }
  })

  it('a tombstone by itself deletes nothing', async () => {
    const driver = await openDriver()
    const records = [change('c', { after: { id: 1, n: 1 } }, { pos: 1 }), tombstone(1)]
    expect(await pipeAndDrain(driver, records)).toEqual([{ id: 1, n: 1 }])
    expect(driver.metrics.total('forager_messages_total', { kind: 'tombstone' })).toBe(1)
  })
})

it('ten thousand changes of one key within a millisecond end as the last of them', async () => {
  const driver = await openDriver({ maxRows: 3 })
  const records = Array.from({ length: 10_000 }, (_, index) =>
    change(
      'u',
      { before: { id: 1, n: index }, after: { id: 1, n: index + 1 } },
      { pos: index + 1, ms: 0 },
    ),
  )
  expect(await pipeAndDrain(driver, records)).toEqual([{ id: 1, n: 10_000 }])
})

it('random operations on few keys end as a map says, whatever the windows', async () => {
  for (let seed = 1; seed <= 10; seed += 1) {
    const random = seededRandom(seed)
    const driver = await openDriver({ maxRows: 2 + seed, hop: 3 })
    const model = new Map<number, number>()
    const records: ProducerRecord[] = []
    for (let pos = 1; pos <= 300; pos += 1) {
      const id = 1 + Math.floor(random.next() * 6)
      const n = model.get(id)
      const before = n === undefined ? null : { id, n }
      if (before !== null && random.next() < 0.3) {
        model.delete(id)
        records.push(change('d', { before }, { pos }), tombstone(id))
      } else {
        model.set(id, pos)
        records.push(
          change(before === null ? 'c' : 'u', { before, after: { id, n: pos } }, { pos }),
        )
      }
      if (random.next() < 0.1) await driver.pipeInput(records.splice(0))
    }
    const rows = await pipeAndDrain(driver, records)
    const expected = [...model].sort(([a], [b]) => a - b).map(([id, n]) => ({ id, n }))
    expect(rows, `seed ${seed}`).toEqual(expected)
  }
})

describe('a source log that began anew', () => {
  const first = [1, 2, 3].map(id =>
    change('c', { after: { id, n: 1 } }, { pos: id * 100, gtid: `0-1-${id}` }),
  )
  const anew = [4, 5].map(id =>
    change('c', { after: { id, n: 2 } }, { pos: id * 10, gtid: `0-1-${id}` }),
  )
  const beyond = [change('c', { after: { id: 6, n: 2 } }, { pos: 900, gtid: '0-1-9' })]

  it('is never taken for a repeat: nothing is lost, and Forager stops with advice', async () => {
    const driver = await openDriver()
    await driver.pipeInput(first)
    await expect(driver.pipeInput([...anew, ...beyond])).rejects.toMatchObject({
      code: 'source-log-restarted',
      // Offset 3 is the marker of the transaction that the first three came in.
      context: { topic: 'db.shop.orders', offset: 4 },
    })
    const [committed] = await driver.log.committed('test', [
      { topic: 'db.shop.orders', partition: 0 },
    ])
    expect(committed?.offset).toBe(4)
  })

  it('on another server is simply read on', async () => {
    const driver = await openDriver()
    const elsewhere = [4, 5].map(id =>
      change('c', { after: { id, n: 2 } }, { pos: id, serverId: 2 }),
    )
    const rows = await pipeAndDrain(driver, [...first, ...elsewhere])
    expect(rows.map(row => (row as { id: number }).id)).toEqual([1, 2, 3, 4, 5])
  })
})

describe('a table without a primary key', () => {
  const keyless = change('c', { after: { n: 1, name: 'a' } }, { pos: 1 })

  it('is refused when a pattern matched it, counted, and the others go on', async () => {
    const driver = await openDriver()
    const rows = await pipeAndDrain(driver, [
      keyless,
      change('c', { after: { id: 1, name: 'b' } }, { pos: 2, table: 'orders' }),
    ])
    expect(rows).toEqual([{ id: 1, name: 'b' }])
    expect(driver.metrics.total('forager_events_refused_total', { table: 'shop.orders' })).toBe(1)
  })

  it('is an error when it was named', async () => {
    const driver = await openDriver({ rules: [{ from: 'shop.orders', to: 'orders' }] })
    await expect(driver.pipeInput([keyless])).rejects.toMatchObject({ code: 'no-primary-key' })
  })

  it('is taken with the key that was configured, also when that key changes', async () => {
    const driver = await openDriver({ hints: { key: ['name'] } })
    const rows = await pipeAndDrain(driver, [
      keyless,
      change('u', { before: { n: 1, name: 'a' }, after: { n: 2, name: 'b' } }, { pos: 2 }),
    ])
    expect(rows).toEqual([{ n: 2, name: 'b' }])
  })
})

describe('columns', () => {
  it('that are added show their default in old rows, and null where there is none', async () => {
    const driver = await openDriver()
    await pipeAndDrain(driver, [change('c', { after: { id: 1, n: 1 } }, { pos: 1 })])
    const rows = await pipeAndDrain(driver, [
      change('c', { after: { id: 2, n: 2, phone: '1', name: 'x' } }, { pos: 2 }),
    ])
    expect(rows).toEqual([
      { id: 1, n: 1, phone: 'none', name: null },
      { id: 2, n: 2, phone: '1', name: 'x' },
    ])
  })

  it('that are dropped stay in the table, and new rows have nothing there', async () => {
    const driver = await openDriver()
    await pipeAndDrain(driver, [change('c', { after: { id: 1, n: 1, name: 'x' } }, { pos: 1 })])
    const rows = await pipeAndDrain(driver, [change('c', { after: { id: 2, n: 2 } }, { pos: 2 })])
    expect(rows).toEqual([
      { id: 1, n: 1, name: 'x' },
      { id: 2, n: 2, name: null },
    ])
  })
})

it('a bad message is skipped by policy, counted, and what comes before and after it is kept', async () => {
  const driver = await openDriver({ onError: 'skip' })
  const bad = {
    ...change('c', { after: { id: 2, n: 2 } }, { pos: 2 }),
    value: Buffer.from('{"op":'),
  }
  const rows = await pipeAndDrain(driver, [
    change('c', { after: { id: 1, n: 1 } }, { pos: 1 }),
    bad,
    change('x', { after: { id: 4, n: 4 } }, { pos: 3 }),
    change('c', { after: { id: 3, n: 3 } }, { pos: 4 }),
  ])
  expect(rows).toEqual([
    { id: 1, n: 1 },
    { id: 3, n: 3 },
  ])
  const skipped = (reason: string): number =>
    driver.metrics.total('forager_messages_skipped_total', { reason })
  expect([skipped('message-not-json'), skipped('op-unknown')]).toEqual([1, 1])
})

it('a crash at a named point is survived: the driver crashes where it is told', async () => {
  const driver = await openDriver()
  driver.crashAt('window.sealed')
  await driver.pipeInput([change('c', { after: { id: 1, n: 1 } }, { pos: 1 })])
  await expect(driver.drain()).rejects.toThrow(CrashedError)
  expect(await driver.rows('orders')).toBeNull()
  await driver.drain()
  expect(await driver.rows('orders')).toEqual([{ id: 1, n: 1 }])
})

it('a window closes at its age, not before', async () => {
  const driver = await openDriver()
  await driver.pipeInput([change('c', { after: { id: 1, n: 1 } }, { pos: 1 })])
  await driver.advance(59_000)
  expect(await driver.rows('orders')).toBeNull()
  await driver.advance(1000)
  expect(await driver.rows('orders')).toEqual([{ id: 1, n: 1 }])
})
