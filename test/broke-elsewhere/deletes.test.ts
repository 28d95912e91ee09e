import { describe, expect, it } from 'vitest'
import { debeziumFlat } from '../../formats/debezium/debezium-flat.ts'
import { parseStatedType } from '../../model/stated-type.ts'
import type { DriverRecord } from '../../testkit/topology-test-driver.ts'
import { recordOf } from '../formats/samples.ts'
import { change, tombstone } from '../main/messages.ts'
import { openDriver, rowsAfter } from './driver.ts'

const inserts = [1, 2].map(id => change('c', { after: { id, n: id } }, { pos: id }))
const d = change('d', { before: { id: 1, n: 1 } }, { pos: 3 })
const left = [{ id: 2, n: 2 }]

const flatRow = (row: object, deleted: boolean): DriverRecord =>
  recordOf({ id: 1 }, { id: 1, ...row, __deleted: String(deleted) }, { topic: 'db.shop.orders' })
const flatTombstone = recordOf({ id: 1 }, null, { topic: 'db.shop.orders' })

/** What Kafka leaves of a topic that is compacted: the last record of each key. */
function compacted<T extends DriverRecord>(records: readonly T[]): readonly T[] {
  return records.filter((record, index) => {
    const key = String(record.key)
    return !records.slice(index + 1).some(later => String(later.key) === key)
  })
}

async function openFlat() {
  const types = { id: parseStatedType('bigint'), n: parseStatedType('int') }
  return await openDriver({
    format: debeziumFlat(),
    rule: { from: '*.*', key: ['id'], columns: { types } },
  })
}

describe('row 23, a delete that depends on tombstones, or counts twice with them', () => {
  it.each([
    ['d without a tombstone', [d]],
    ['d and its tombstone', [d, tombstone(1)]],
    ['d and its tombstone, sent twice', [d, tombstone(1), d, tombstone(1)]],
    ['d twice, then the tombstone', [d, d, tombstone(1)]],
  ])('%s: the row is gone, by one delete', async (_what, deletes) => {
    for (const isOneWindow of [true, false]) {
      const driver = await openDriver()
      await driver.pipeInput(inserts)
      if (!isOneWindow) await driver.drain()
      expect(await rowsAfter(driver, deletes)).toEqual(left)
      expect(driver.metrics.total('forager_rows_deleted_total')).toBe(isOneWindow ? 0 : 1)
    }
  })

  it('a tombstone without d, which only a replay or a compaction leaves: nothing is deleted, and it is counted', async () => {
    const driver = await openDriver()
    await rowsAfter(driver, inserts)
    expect(await rowsAfter(driver, [tombstone(1)])).toHaveLength(2)
    expect(driver.metrics.total('forager_messages_total', { kind: 'tombstone' })).toBe(1)
  })

  it('a topic that was compacted before it was read gives the rows of one that was not', async () => {
    const again = change('c', { after: { id: 1, n: 9 } }, { pos: 4 })
    for (const records of [
      [...inserts, d, tombstone(1)],
      [...inserts, d, tombstone(1), again],
    ]) {
      const whole = await rowsAfter(await openDriver(), records)
      expect(await rowsAfter(await openDriver(), compacted(records))).toEqual(whole)
    }
  })

  it.each([
    ['a row marked as deleted', [flatRow({ n: 1 }, true)]],
    ['a tombstone alone', [flatTombstone]],
    ['both', [flatRow({ n: 1 }, true), flatTombstone]],
    [
      'both, sent twice',
      [flatRow({ n: 1 }, true), flatTombstone, flatRow({ n: 1 }, true), flatTombstone],
    ],
  ])('flattened, %s: the row is gone, by one delete', async (_what, deletes) => {
    const driver = await openFlat()
    expect(await rowsAfter(driver, [flatRow({ n: 1 }, false)])).toEqual([{ id: 1, n: 1 }])
    expect(await rowsAfter(driver, deletes)).toEqual([])
    expect(driver.metrics.total('forager_rows_deleted_total')).toBe(1)
    // Of a compacted topic the tombstone is what is left.
    const late = await openFlat()
    await rowsAfter(late, [flatRow({ n: 1 }, false)])
    expect(await rowsAfter(late, compacted(deletes))).toEqual([])
  })
})
