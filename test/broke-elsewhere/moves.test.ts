import { describe, expect, it } from 'vitest'
import type { ProducerRecord } from '../../log/log.ts'
import type { CrashPoint } from '../../model/crash-points.ts'
import { crashPoints } from '../../model/crash-points.ts'
import { parsePartitionBy } from '../../model/partition-by.ts'
import { seededRandom } from '../../runtime/random.ts'
import type { TopologyTestDriver } from '../../testkit/topology-test-driver.ts'
import { change } from '../main/messages.ts'
import { openDriver, rowsAfter } from './driver.ts'

const rule = { partitionBy: parsePartitionBy('name') }
const parts = ['a', 'b', 'c', 'd']

interface Row {
  readonly id: number
  readonly n: number
  readonly name: string
}

/** PostgreSQL says nothing of the row before: where it was is looked for. */
type Connector = 'mysql' | 'postgresql'

function update(before: Row, after: Row, connector: Connector): ProducerRecord {
  const known = connector === 'mysql' ? { ...before } : null
  return change('u', { before: known, after: { ...after } }, { pos: after.n, connector })
}

/** Each key once, and never as it was before what was seen. */
async function look(driver: TopologyTestDriver, seen: Map<number, number>): Promise<void> {
  const rows = (await driver.rows('orders')) ?? []
  const ids = rows.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  for (const { id, n } of rows as readonly { id: number; n: number }[]) {
    expect(n).toBeGreaterThanOrEqual(seen.get(id) ?? 0)
    seen.set(id, n)
  }
  // None is gone from both.
  expect(ids).toHaveLength(seen.size)
}

describe('row 9, a row that moves between partitions and is there twice', () => {
  it.each(
    crashPoints.flatMap(
      point =>
        [
          [point, 'mysql'],
          [point, 'postgresql'],
        ] as [CrashPoint, Connector][],
    ),
  )(
    'whenever a reader looks, over a crash at %s (%s), each row is in one partition, and the old one has lost it',
    async (point, connector) => {
      const random = seededRandom(9)
      const driver = await openDriver({ rule })
      const rows = new Map<number, Row>([1, 2, 3].map(id => [id, { id, n: id, name: 'a' }]))
      const inserts = [...rows.values()].map(row =>
        change('c', { after: { ...row } }, { pos: row.n, connector }),
      )
      await rowsAfter(driver, inserts)
      const seen = new Map<number, number>()
      await look(driver, seen)
      for (let n = 10; n < 12; n += 1) {
        const records = [...rows.values()].map((row, index) => {
          const after = {
            id: row.id,
            n: 10 * n + index,
            name: parts[Math.floor(random.next() * 4)]!,
          }
          rows.set(row.id, after)
          return update(row, after, connector)
        })
        driver.crashAt(point)
        await rowsAfter(driver, records).catch(() => undefined)
        await look(driver, seen)
        await rowsAfter(driver, [])
        await look(driver, seen)
      }
      expect(await driver.rows('orders')).toEqual([...rows.values()])
    },
  )
})

describe('the further asks: one apply over many partitions', () => {
  it('rows that all move, from 120 partitions to 120 others, are where they belong, once', async () => {
    const driver = await openDriver({ rule, hop: 1 })
    const rows = Array.from({ length: 120 }, (_, index) => ({
      id: index + 1,
      n: index + 1,
      name: `p${index}`,
    }))
    const moved = rows.map(row => ({ ...row, n: row.n + 1000, name: `q${row.name}` }))
    await rowsAfter(
      driver,
      rows.map(row => change('c', { after: row }, { pos: row.n })),
    )
    const before = driver.events.filter(({ type }) => type === 'batch-applied').length
    expect(
      await rowsAfter(
        driver,
        rows.map((row, at) => update(row, moved[at]!, 'postgresql')),
      ),
    ).toEqual(moved)
    expect(driver.events.filter(({ type }) => type === 'batch-applied')).toHaveLength(before + 1)
  })
})
