import { describe, expect, it } from 'vitest'
import type { ProducerRecord } from '../../log/log.ts'
import type { CrashPoint } from '../../model/crash-points.ts'
import type { Random } from '../../runtime/random.ts'
import { seededRandom } from '../../runtime/random.ts'
import type { StreamsEvent } from '../../runtime/streams-events.ts'
import { openTable } from '../../sinks/embedded/table-reader.ts'
import { CrashedError } from '../../testkit/topology-test-driver.ts'
import { change, tombstone } from '../main/messages.ts'
import { applicationId, Cluster, watchMembers } from '../runtime/instances.ts'
import { rowsIn, table, warehouse } from '../runtime/shop.ts'
import { PausingFiles } from '../sinks/embedded/pausing-files.ts'
import { openDriver, rowsAfter } from './driver.ts'

/** Its files are visible in staging, and the offset that passes its events is not committed. */
const between: CrashPoint = 'window.sealed'
const around: readonly CrashPoint[] = [
  'window.files-written',
  'window.committed',
  'merge.before-apply',
  'apply.files-written',
  'apply.committed',
  'merge.applied',
  'merge.committed',
]

/** A few changes of a few rows, and the table as they leave it. */
function someChanges(random: Random): { records: ProducerRecord[]; rows: unknown[] } {
  const model = new Map<number, number>()
  const records = Array.from({ length: 6 }, (_, index) => {
    const options = { pos: 100 * (index + 1) }
    const id = 1 + Math.floor(random.next() * 4)
    const n = model.get(id)
    const before = n === undefined ? null : { id, n }
    if (before !== null && random.next() < 0.3) {
      model.delete(id)
      return [change('d', { before }, options), tombstone(id, options)]
    }
    model.set(id, index)
    return [change(before === null ? 'c' : 'u', { before, after: { id, n: index } }, options)]
  })
  const rows = [...model].sort(([a], [b]) => a - b).map(([id, n]) => ({ id, n }))
  return { records: records.flat(), rows }
}

/** Nothing is staged in two batches that were committed, and no batch is in two statements that were applied. */
function expectOnce(events: readonly StreamsEvent[]): void {
  const windows = events.flatMap(event => (event.type === 'window-closed' ? [event.range] : []))
  for (const [index, { from }] of windows.entries()) {
    expect(from).toBeGreaterThanOrEqual(windows[index - 1]?.to ?? 0)
  }
  const applied = events.flatMap(event =>
    event.type === 'statement' && event.outcome === 'applied'
      ? Array.from({ length: event.through - event.from + 1 }, (_, index) => event.from + index)
      : [],
  )
  expect(new Set(applied).size).toBe(applied.length)
}

describe('row 1, rows that are there twice after a rebalance', () => {
  it('killed between a staged file that is visible and its offset, 1000 seeds: the rows are those of the model, and a batch is applied once', async () => {
    let crashes = 0
    for (let seed = 1; seed <= 1000; seed += 1) {
      const random = seededRandom(seed)
      const driver = await openDriver({ seed, hop: 1 })
      const { records, rows } = someChanges(random)
      const point = seed % 4 === 0 ? around[(seed / 4) % around.length]! : between
      driver.crashAt(point, seed % 5 === 0 ? 2 : 1)
      // Of some the window that is killed is the second one of its table.
      const parts = seed % 5 === 0 ? [records.slice(0, 3), records.slice(3)] : [records]
      for (const part of parts) {
        try {
          await rowsAfter(driver, part)
        } catch (error) {
          expect(error).toBeInstanceOf(CrashedError)
          crashes += 1
        }
      }
      expect(await rowsAfter(driver, []), `seed ${seed}`).toEqual(rows)
      expectOnce(driver.events)
    }
    expect(crashes).toBeGreaterThan(950)
  }, 900_000)
})

/** An instance in the middle of its work, whose files stop at a call until they are let go on. */
async function prepared() {
  const disk = new PausingFiles(seededRandom(2))
  const members: string[] = []
  const cluster = new Cluster({
    files: disk.files,
    partitions: 2,
    viewOf: log => watchMembers(log, members),
  })
  const random = seededRandom(2)
  const first = await cluster.join()
  const change = (): void => {
    for (let index = 0; index < 20; index += 1) cluster.shop.change(random)
  }
  change()
  await cluster.finish(first)
  change()
  for (let round = 0; round < 3; round += 1) await first.step(0)
  cluster.clock.advance(1000)
  const work = async (): Promise<void> => {
    for (let round = 0; round < 4; round += 1) await first.step(0)
  }
  return { disk, cluster, members, first, change, work }
}

/** Staged offset that the table is applied through, by what it says itself. */
async function appliedThrough({ files }: Cluster): Promise<number> {
  return (await openTable(files, warehouse, table)).commit.applied.offset
}

describe('row 2, two owners of a table after one rebalance', () => {
  it('paused longer than its session at each step, then resumed: its apply is fenced, and what a table is applied through never goes back', async () => {
    const whole = await prepared()
    whole.disk.calls = 0
    await whole.work()
    const { calls } = whole.disk
    expect(calls).toBeGreaterThan(30)
    for (let pauseAt = 1; pauseAt <= calls; pauseAt += 1) {
      const { disk, cluster, members, first, change, work } = await prepared()
      const paused = await disk.upTo(pauseAt, work)
      const second = await cluster.join()
      cluster.log.expireMember(applicationId, members[0]!)
      // The next owner goes on with what the paused one had, and at every other call with what came since.
      if (pauseAt % 2 === 0) change()
      await cluster.finish(second)
      const rows = await rowsIn(cluster.files)
      const through = await appliedThrough(cluster)
      expect(rows, `call ${pauseAt}`).toEqual(cluster.shop.expected())
      paused!.goOn()
      await paused!.done
      expect(await rowsIn(cluster.files), `call ${pauseAt}`).toEqual(rows)
      expect(await appliedThrough(cluster), `call ${pauseAt}`).toBe(through)
      change()
      await second.close()
      await cluster.finish(first)
      expect(await rowsIn(cluster.files)).toEqual(cluster.shop.expected())
      expect(await appliedThrough(cluster)).toBeGreaterThan(through)
    }
  }, 900_000)
})
