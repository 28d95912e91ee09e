import { describe, expect, it } from 'vitest'
import { crashPoints } from '../../model/crash-points.ts'
import type { Random } from '../../runtime/random.ts'
import { seededRandom } from '../../runtime/random.ts'
import type { TopologyTestDriver } from '../../testkit/topology-test-driver.ts'
import { change, tombstone } from '../main/messages.ts'
import type { Setup } from './driver.ts'
import { openDriver, rowsAfter } from './driver.ts'
import type { Change, Row, Sender } from './senders.ts'
import { senders } from './senders.ts'

function open(sender: Sender, partitions: number, setup: Setup = {}): Promise<TopologyTestDriver> {
  return openDriver({ format: sender.format(), topics: { [sender.topic]: partitions }, ...setup })
}

function closedWindows(driver: TopologyTestDriver): number {
  return driver.events.filter(({ type }) => type === 'window-closed').length
}

const created = change('c', { after: { id: 1, n: 1 } }, { pos: 100 })
const deleted = [change('d', { before: { id: 1, n: 1 } }, { pos: 200 }), tombstone(1)]

describe('row 3, a delete that is lost when it falls into one late commit with its insert', () => {
  it('insert and delete back to back, on either side of the edge of a window, leave no row', async () => {
    // Both within; the window closes between them by its rows, by its age, because it was drained.
    const edges: readonly ((driver: TopologyTestDriver) => Promise<unknown>)[] = [
      () => Promise.resolve(),
      driver => driver.pipeInput([change('c', { after: { id: 2, n: 1 } }, { pos: 150 })]),
      driver => driver.advance(60_000),
      driver => driver.drain(),
    ]
    const counts: number[] = []
    for (const edge of edges) {
      const driver = await openDriver({ hop: 1, flush: { maxRows: 2 } })
      await driver.pipeInput([created])
      await edge(driver)
      const rows = await rowsAfter(driver, deleted)
      expect(rows).not.toContainEqual(expect.objectContaining({ id: 1 }))
      counts.push(closedWindows(driver))
    }
    expect(counts).toEqual([1, 2, 2, 2])
  })

  it.each(crashPoints)('a commit that is late because of a crash at %s: no row', async point => {
    for (const isBehind of [true, false]) {
      const driver = await openDriver()
      driver.crashAt(point)
      const first = isBehind ? [created] : [created, ...deleted]
      await expect(rowsAfter(driver, first)).rejects.toThrow()
      expect(await rowsAfter(driver, isBehind ? deleted : [])).toEqual([])
    }
  })
})

/** Inserts, updates and deletes of some rows in any order that a table allows. */
function makeChanges(random: Random, count: number): { changes: Change[]; rows: Row[] } {
  const rows = new Map<number, Row>()
  const changes = Array.from({ length: count }, (_, index) => {
    const id = 1 + Math.floor(random.next() * 3)
    const before = rows.get(id) ?? null
    const after = before !== null && random.next() < 0.4 ? null : { id, n: index }
    if (after === null) rows.delete(id)
    else rows.set(id, after)
    return { before, after, pos: 100 * (index + 1) }
  })
  return { changes, rows: [...rows.values()].sort((a, b) => a.id - b.id) }
}

function shuffled<T>(random: Random, items: readonly T[]): readonly T[] {
  const drawn = items.map(item => ({ item, place: random.next() }))
  return drawn.sort((a, b) => a.place - b.place).map(({ item }) => item)
}

describe('row 4, the first of several changes in one interval wins, or the one whose op ranks higher', () => {
  it.each(senders)(
    'random changes of a row within one window and one instant end as the last, from $name',
    async sender => {
      for (let seed = 1; seed <= 30; seed += 1) {
        const { changes, rows } = makeChanges(seededRandom(seed), 40)
        const driver = await open(sender, 1, { hop: 1 })
        const records = changes.flatMap(one => sender.send(one))
        expect(await rowsAfter(driver, records), `seed ${seed}`).toEqual(rows)
        expect(closedWindows(driver)).toBe(1)
      }
    },
  )

  it.each(senders.filter(({ hasPositions }) => hasPositions))(
    'as the last by the source’s log, in whatever order they come ($name, `ordering: position`)',
    async sender => {
      for (let seed = 1; seed <= 30; seed += 1) {
        const random = seededRandom(seed)
        const { changes, rows } = makeChanges(random, 40)
        const driver = await open(sender, 3, { hop: 1, ordering: 'position' })
        const records = shuffled(random, changes).flatMap(one => {
          return sender.send(one, 1, Math.floor(random.next() * 3))
        })
        expect(await rowsAfter(driver, records), `seed ${seed}`).toEqual(rows)
        expect(closedWindows(driver)).toBe(1)
      }
    },
  )

  it.each(senders)('insert, delete, insert is the last insert, from $name', async sender => {
    const driver = await open(sender, 1)
    const [hello, world] = [
      { id: 1, n: 1 },
      { id: 1, n: 2 },
    ]
    const changes = [
      { before: null, after: hello, pos: 100 },
      { before: hello, after: null, pos: 200 },
      { before: null, after: world, pos: 300 },
    ]
    expect(
      await rowsAfter(
        driver,
        changes.flatMap(one => sender.send(one)),
      ),
    ).toEqual([world])
  })
})

describe('row 6, changes within one millisecond', () => {
  const count = 10_000
  const changes = Array.from({ length: count }, (_, index): Change => {
    const before = index === 0 ? null : { id: 1, n: index }
    return { before, after: { id: 1, n: index + 1 }, pos: 10 * (index + 1) }
  })

  it.each(senders)(
    'ten thousand changes of one row at one instant end as the last of them, from $name',
    async sender => {
      const driver = await open(sender, 1, { flush: { maxRows: 1 } })
      const records = changes.flatMap(one => sender.send(one))
      expect(await rowsAfter(driver, records)).toEqual([{ id: 1, n: count }])
    },
  )

  it('so they do through three partitions, in any order, by their positions', async () => {
    const random = seededRandom(6)
    const [sender] = senders
    const driver = await open(sender!, 3, { ordering: 'position' })
    const records = shuffled(random, changes).flatMap(one => {
      return sender!.send(one, 1, Math.floor(random.next() * 3))
    })
    expect(await rowsAfter(driver, records)).toEqual([{ id: 1, n: count }])
  })
})
