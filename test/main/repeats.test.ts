/** What a producer sends again, and what only looks like it, through the whole topology. */
import { describe, expect, it } from 'vitest'
import type { ProducerRecord } from '../../log/log.ts'
import { openShop, rowsAfter } from './driver.ts'
import type { MessageOptions } from './messages.ts'
import { change } from './messages.ts'

const insert = (id: number, pos: number, options: MessageOptions = {}) =>
  change('c', { after: { id, n: pos } }, { pos, ...options })

const incremental = (id: number, pos: number, options: MessageOptions = {}) =>
  change('r', { after: { id, n: pos } }, { pos, snapshot: 'incremental', ...options })

const idsOf = (rows: readonly unknown[]): unknown[] => rows.map(row => (row as { id: number }).id)

describe('a truncate', () => {
  it('that is sent again through another partition is no sign of a new log', async () => {
    const driver = await openShop({ partitions: 2 })
    const before = insert(1, 400, { partitions: 2 })
    const truncate = (partition: number): ProducerRecord => {
      return { ...change('t', {}, { pos: 500 }), partition }
    }
    const own = before.partition
    await rowsAfter(driver, [before, truncate(own)])
    expect(await rowsAfter(driver, [before, truncate(1 - own)])).toEqual([])
    const [after] = [insert(2, 600, { partitions: 2 }), insert(3, 600, { partitions: 2 })].filter(
      ({ partition }) => partition === own,
    )
    expect(await rowsAfter(driver, [after!])).toHaveLength(1)
  })
})

describe.each(['unknown', 'primary-key'] as const)('from a source keyed by %s,', keyedBy => {
  describe('many rows at one place', () => {
    it('of PostgreSQL’s log are all taken in, also over a restart and when they are sent again', async () => {
      const driver = await openShop({ keyedBy })
      const page = Array.from({ length: 291 }, (_, index) =>
        insert(index + 1, 5000, { connector: 'postgresql', commit: 4000 }),
      )
      expect(await rowsAfter(driver, page)).toHaveLength(291)
      await driver.crash()
      const end = insert(999, 6000, { connector: 'postgresql', commit: 5500 })
      expect(await rowsAfter(driver, [...page, end])).toHaveLength(292)
    })
  })

  describe('what follows a commit in the middle of a batch', () => {
    it('is committed at its interval, and not when the next record comes', async () => {
      const driver = await openShop({ keyedBy, commitIntervalMs: 1000 })
      const records = [insert(1, 100), insert(2, 200)]
      await rowsAfter(driver, records)
      // What came before the repeats is committed when they begin.
      await driver.pipeInput([...records, insert(3, 300)])
      for (let round = 0; round < 5; round += 1) await driver.advance(1000)
      expect(idsOf((await driver.rows('orders'))!)).toEqual([1, 2, 3])
    })
  })

  describe('what is applied within a run of repeats that is not proven', () => {
    it('is held back without keeping the loop busy, and goes out with the end of the run', async () => {
      const driver = await openShop({ keyedBy, commitIntervalMs: 1000 })
      await rowsAfter(driver, [insert(1, 100), insert(2, 200)])
      await driver.pipeInput([insert(1, 100)])
      await driver.pipeInput([incremental(9, 400)])
      // This comes to an end.
      for (let round = 0; round < 5; round += 1) await driver.advance(1000)
      expect(idsOf((await driver.rows('orders'))!)).toEqual([1, 2])
      await driver.pipeInput([insert(2, 200)])
      for (let round = 0; round < 5; round += 1) await driver.advance(1000)
      expect(idsOf((await driver.rows('orders'))!)).toEqual([1, 2, 9])
    })

    it('is in its table at the end of the source, and the run is read again at the next start', async () => {
      const driver = await openShop({ keyedBy, commitIntervalMs: 1000 })
      await rowsAfter(driver, [insert(1, 100), insert(2, 200)])
      expect(idsOf(await rowsAfter(driver, [insert(1, 100), incremental(9, 400)]))).toEqual([
        1, 2, 9,
      ])
      const at = { topic: 'db.shop.orders', partition: 0 }
      const [committed] = await driver.log.committed('test', [at])
      const { records } = await driver.log.read(at, committed!.offset, 1e6)
      expect(records).toHaveLength(2)
      await driver.crash()
      expect(idsOf(await rowsAfter(driver, [insert(2, 200), insert(3, 300)]))).toEqual([1, 2, 3, 9])
    })
  })

  describe('a snapshot', () => {
    it('that is taken anew after the log was reset begins anew in every partition', async () => {
      const tables = ['orders', 'users', 'notes']
      const driver = await openShop({ keyedBy, tables })
      await rowsAfter(
        driver,
        tables.map((table, index) => insert(1, 9000 + index, { table })),
      )
      // Older versions say `true` of the tables that are not the first.
      const marks = ['first', 'first_in_data_collection', 'true']
      const rows = tables.map((table, index) =>
        change('r', { after: { id: 1, n: 2 } }, { pos: 10_000, table, snapshot: marks[index]! }),
      )
      const low = rows.map(row => atPlace(row, 50))
      const updates = tables.map((table, index) =>
        atPlace(change('u', { after: { id: 1, n: 3 } }, { pos: 20_000, table }), 200 + index),
      )
      await rowsAfter(driver, [...low, ...updates])
      for (const table of tables) expect(await driver.rows(table)).toEqual([{ id: 1, n: 3 }])
    })

    it('of PostgreSQL, incremental: a row below the highest place does not stop the source', async () => {
      const driver = await openShop({ keyedBy })
      const connector = 'postgresql'
      const rows = await rowsAfter(driver, [
        insert(1, 990, { connector, commit: 900 }),
        // The mark that closes its window was written before 990 and committed after.
        incremental(2, 980, { connector, commit: 1000 }),
        insert(3, 1100, { connector, commit: 1010 }),
      ])
      expect(idsOf(rows)).toEqual([1, 2, 3])
    })

    it('incremental and sent again: the change behind it, which was seen, brings its row up to date', async () => {
      const driver = await openShop({ keyedBy })
      const update = change(
        'u',
        { before: { id: 1, n: 150 }, after: { id: 1, n: 200 } },
        { pos: 200 },
      )
      const block = [incremental(1, 150), update]
      await rowsAfter(driver, [insert(2, 100), ...block])
      expect(await rowsAfter(driver, block)).toEqual([
        { id: 1, n: 200 },
        { id: 2, n: 100 },
      ])
    })
  })
})

/** The same message from another place of the log, at the same time by the clock. */
function atPlace(record: ProducerRecord, pos: number): ProducerRecord {
  const value = Buffer.from(record.value!)
    .toString()
    .replace(/"pos":\d+/, `"pos":${pos}`)
  return { ...record, value: Buffer.from(value) }
}
