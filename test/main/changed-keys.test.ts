/** What the source left out with a changed key, through several source partitions, tasks, windows and applies. */
import { describe, expect, it } from 'vitest'
import { change, changedKey } from './messages.ts'
import { openDriver, pipeAndDrain } from './orders-driver.ts'

describe('a value that was not sent in the insert of a changed key', () => {
  const unsent = '__debezium_unavailable_value'
  const connector = 'postgresql'
  const insert = (id: number, big = 'large') =>
    change('c', { after: { id, n: 1, big } }, { pos: id, connector, partitions: 8 })
  const moved = (from: number, to: number, pos: number, partitions = 8) =>
    changedKey(
      { id: from, big: null },
      { id: to, n: 2, big: unsent },
      { pos, connector, partitions },
    )
  const spread = { partitions: 8, hop: 8 }

  it('is that of the row under the old key, in one window', async () => {
    const driver = await openDriver(spread)
    const rows = await pipeAndDrain(driver, [insert(1), insert(3), ...moved(1, 2, 10)])
    expect(rows).toEqual([
      { id: 2, n: 2, big: 'large' },
      { id: 3, n: 1, big: 'large' },
    ])
  })

  it('is that of the row in the table, and of a change of it that is on its way', async () => {
    const driver = await openDriver({ ...spread, maxRows: 1 })
    await pipeAndDrain(driver, [insert(1), insert(5, 'older')])
    const update = { before: null, after: { id: 5, n: 7, big: 'newer' } }
    const later = change('u', update, { pos: 11, connector, partitions: 8 })
    const records = [later, ...moved(1, 2, 12), ...moved(5, 6, 13)]
    expect(await pipeAndDrain(driver, records)).toEqual([
      { id: 2, n: 2, big: 'large' },
      { id: 6, n: 2, big: 'newer' },
    ])
  })

  it('goes with its row where two rows change their keys with each other', async () => {
    for (const maxRows of [1, 50]) {
      const driver = await openDriver({ ...spread, maxRows })
      await pipeAndDrain(driver, [insert(1, 'first'), insert(2, 'second')])
      const records = [...moved(1, 9, 10), ...moved(2, 1, 11), ...moved(9, 2, 12)]
      expect(await pipeAndDrain(driver, records)).toEqual([
        { id: 1, n: 2, big: 'second' },
        { id: 2, n: 2, big: 'first' },
      ])
    }
  })

  it('is waited for: whichever half comes first, the other one is applied with it', async () => {
    const [deleted, tombs, inserted] = moved(1, 2, 10)
    for (const [first, second] of [
      [[deleted!, tombs!], [inserted!]],
      [[inserted!], [deleted!, tombs!]],
    ] as const) {
      const driver = await openDriver({ ...spread, maxRows: 1 })
      await pipeAndDrain(driver, [insert(1)])
      await driver.pipeInput(first)
      await driver.advance(30_000)
      expect(await driver.rows('orders')).toEqual([{ id: 1, n: 1, big: 'large' }])
      await driver.pipeInput(second)
      await driver.advance(10_000)
      expect(await driver.rows('orders')).toEqual([{ id: 2, n: 2, big: 'large' }])
    }
  })

  it('is missing where there was no such row: the table is not written, and the error says why', async () => {
    const driver = await openDriver(spread)
    await driver.pipeInput([insert(3), ...moved(1, 2, 10)])
    await expect(driver.drain()).rejects.toMatchObject({
      code: 'old-row-missing',
      context: { table: 'orders' },
    })
  })

  it('does not hold the table back for ever where the insert does not come', async () => {
    const driver = await openDriver({ ...spread, maxRows: 1 })
    await pipeAndDrain(driver, [insert(1)])
    await driver.pipeInput([...moved(1, 2, 10).slice(0, 2), insert(7)])
    await driver.advance(30_000)
    expect(await driver.rows('orders')).toContainEqual({ id: 1, n: 1, big: 'large' })
    await driver.advance(60_000)
    expect(await driver.rows('orders')).toEqual([{ id: 7, n: 1, big: 'large' }])
  })

  it('does not keep a table from being written whose keys change all the time', async () => {
    const driver = await openDriver({ ...spread, maxRows: 1000 })
    await pipeAndDrain(driver, [insert(1)])
    const seen = new Set<unknown>()
    for (let second = 1; second <= 600; second += 1) {
      const row = { id: second + 1, n: 2, big: 'whole' }
      const options = { pos: second * 10, connector, partitions: 8 } as const
      await driver.pipeInput(changedKey({ id: second, big: null }, row, options))
      await driver.advance(1000)
      if (second % 20 === 0) seen.add((await driver.rows('orders'))?.[0]?.id)
    }
    expect(seen.size).toBeGreaterThanOrEqual(4)
    await driver.drain()
    expect(await driver.rows('orders')).toEqual([{ id: 601, n: 2, big: 'whole' }])
  })
})
