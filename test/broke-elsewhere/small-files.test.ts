import { describe, expect, it } from 'vitest'
import { parsePartitionBy } from '../../model/partition-by.ts'
import { seededRandom } from '../../runtime/random.ts'
import type { TopologyTestDriver } from '../../testkit/topology-test-driver.ts'
import { change } from '../main/messages.ts'
import { openDriver } from './driver.ts'
import { orcFilesBelow } from './orc-files.ts'

const tasks = 2

interface Counted {
  readonly staged: number
  readonly statements: number
  readonly inTable: number
}

async function countFiles(driver: TopologyTestDriver): Promise<Counted> {
  const statements = driver.events.filter(
    event => event.type === 'statement' && event.state === 'completed',
  )
  const staged = driver.events.flatMap(event =>
    event.type === 'batch-staged' ? event.batch.files : [],
  )
  const inTable = (await orcFilesBelow(driver.fileSystem, '/warehouse')).length
  return { staged: staged.length, statements: statements.length, inTable }
}

/** So many new rows a second, given to the driver at so many moments; windows of a minute. */
async function filesOf(perSecond: number, seconds: number, moments: number): Promise<Counted> {
  const driver = await openDriver({ hop: tasks })
  const count = (perSecond * seconds) / moments
  let id = 0
  for (let moment = 0; moment < moments; moment += 1) {
    await driver.pipeInput(
      Array.from({ length: count }, () => {
        id += 1
        return change('c', { after: { id, n: id } }, { pos: id })
      }),
    )
    await driver.advance((seconds * 1000) / moments)
  }
  await driver.drain()
  expect(driver.metrics.total('forager_rows_inserted_total')).toBe(perSecond * seconds)
  return await countFiles(driver)
}

describe('row 18, small files', () => {
  it('an hour at one event a second: a file a task and window, a statement a window, and one file in the table', async () => {
    const { staged, statements, inTable } = await filesOf(1, 3600, 180)
    expect(staged).toBeGreaterThan(50)
    expect(staged).toBeLessThanOrEqual(tasks * 61)
    expect(statements).toBeLessThanOrEqual(tasks * 61)
    // One for each commit that a reader may still read, and the newest.
    expect(inTable).toBeLessThanOrEqual(2)
  }, 900_000)

  it('at ten thousand events a second the files of a window are no more', async () => {
    const { staged, statements, inTable } = await filesOf(10_000, 3, 3)
    expect(staged).toBe(tasks)
    expect(statements).toBeLessThanOrEqual(tasks)
    expect(inTable).toBeLessThanOrEqual(2)
  }, 900_000)
})

describe('row 19, files that no compaction keeps up with', () => {
  it('24 hours of changes all over a table with partitions: the files that a reader opens are no more than in the first hour', async () => {
    const partitions = 4
    const driver = await openDriver({ rule: { partitionBy: parsePartitionBy('name') } })
    const random = seededRandom(19)
    const rows = new Map<number, { id: number; n: number; name: string }>()
    const counts: number[] = []
    for (let minute = 0; minute < 24 * 60; minute += 20) {
      const records = Array.from({ length: 30 }, (_, index) => {
        const id = 1 + Math.floor(random.next() * 300)
        const before = rows.get(id) ?? null
        const pos = 100 * (minute + 1) + index
        const after = { id, n: pos, name: `p${Math.floor(random.next() * partitions)}` }
        rows.set(id, after)
        return change(before === null ? 'c' : 'u', { before, after }, { pos })
      })
      await driver.pipeInput(records)
      await driver.advance(1_200_000)
      counts.push((await orcFilesBelow(driver.fileSystem, '/warehouse')).length)
    }
    expect(await driver.rows('orders')).toHaveLength(rows.size)
    expect(counts.length).toBe(72)
    // A file of each partition, and those that the last commits took out and readers may have open.
    expect(Math.max(...counts)).toBeLessThanOrEqual(3 * partitions)
    // Staged files went with their batches.
    expect(await orcFilesBelow(driver.fileSystem, '/state')).toEqual([])
  }, 900_000)
})
