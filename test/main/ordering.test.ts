/** `ordering: position`: changes of a row through any partition of their topic, in any order. */
import { describe, expect, it } from 'vitest'
import type { LogRecord } from '../../model/change-event.ts'
import type { CrashPoint } from '../../model/crash-points.ts'
import { deletedKeysMs } from '../../runtime/last-positions.ts'
import { readAll } from '../../runtime/read-all.ts'
import { CrashedError, type TopologyTestDriver } from '../../testkit/topology-test-driver.ts'
import type { ShopSetup } from './driver.ts'
import { openShop, rowsAfter } from './driver.ts'
import type { MessageOptions } from './messages.ts'
import { change } from './messages.ts'

const open = (setup: ShopSetup = {}): Promise<TopologyTestDriver> =>
  openShop({ partitions: 3, ordering: 'position', ...setup })

const upsert = (n: number, pos: number, options: MessageOptions = {}) =>
  change('u', { before: { id: 1, n: 0 }, after: { id: 1, n } }, { pos, ...options })

const remove = (pos: number, options: MessageOptions = {}) =>
  change('d', { before: { id: 1, n: 0 } }, { pos, ...options })

const superseded = (driver: TopologyTestDriver): number =>
  driver.metrics.total('forager_superseded_changes_total')

/** What the changelog holds, by key: the last record of each. */
async function changelogOf(driver: TopologyTestDriver): Promise<Map<string, LogRecord>> {
  const latest = new Map<string, LogRecord>()
  for (const partition of [0, 1]) {
    const at = { topic: 'test-window-positions-changelog', partition }
    for await (const record of readAll(driver.log, at)) {
      latest.set(Buffer.from(record.key!).toString('latin1'), record)
    }
  }
  return latest
}

describe('changes of a row through several partitions', () => {
  it('end with the last one, whichever comes last; what was older is counted', async () => {
    const driver = await open()
    const rows = await rowsAfter(driver, [
      upsert(300, 300, { partition: 0 }),
      upsert(100, 100, { partition: 1 }),
      upsert(200, 200, { partition: 2 }),
    ])
    expect(rows).toEqual([{ id: 1, n: 300 }])
    const late = [upsert(250, 250, { partition: 1 }), upsert(400, 400, { partition: 2 })]
    expect(await rowsAfter(driver, late)).toEqual([{ id: 1, n: 400 }])
    const after = [upsert(350, 350, { partition: 0 }), remove(500, { partition: 1 })]
    expect(await rowsAfter(driver, after)).toEqual([])
    expect(await rowsAfter(driver, [upsert(450, 450, { partition: 2 })])).toEqual([])
    expect(superseded(driver)).toBeGreaterThanOrEqual(2)
    expect(driver.metrics.total('forager_repeats_dropped_total')).toBe(0)
  })

  it('are taken under a configured key that is not the message’s', async () => {
    const driver = await open({ rule: { key: ['name'], beforeImage: 'full' } })
    const rows = await rowsAfter(driver, [
      change('c', { after: { id: 2, name: 'a', n: 2 } }, { pos: 200, partition: 0 }),
      change('c', { after: { id: 1, name: 'a', n: 1 } }, { pos: 100, partition: 1 }),
    ])
    expect(rows).toEqual([{ id: 2, name: 'a', n: 2 }])
  })

  it('that are sent again through other partitions do not stop the source', async () => {
    const driver = await open()
    await rowsAfter(driver, [
      upsert(100, 100, { partition: 0 }),
      upsert(200, 200, { partition: 1 }),
    ])
    const again = [upsert(100, 100, { partition: 1 }), upsert(200, 200, { partition: 2 })]
    const next = [upsert(300, 300, { partition: 1 })]
    expect(await rowsAfter(driver, [...again, ...next])).toEqual([{ id: 1, n: 300 }])
  })
})

describe('a window that is read again', () => {
  const points: readonly CrashPoint[] = ['window.closing', 'window.files-written', 'window.sealed']

  it.each(points)(
    'after a crash at %s does not take its own changes for older ones',
    async point => {
      const driver = await open()
      await rowsAfter(driver, [upsert(100, 100, { partition: 0 })])
      driver.crashAt(point)
      const records = [upsert(200, 200, { partition: 0 }), upsert(300, 300, { partition: 0 })]
      await expect(rowsAfter(driver, records)).rejects.toThrow(CrashedError)
      expect(await rowsAfter(driver, [])).toEqual([{ id: 1, n: 300 }])
      expect(superseded(driver)).toBe(0)
    },
  )
})

describe('after a restart', () => {
  it.each(['window.committed', 'merge.committed'] as const)(
    'from %s the last positions are what they were: an older change is still dropped',
    async point => {
      const driver = await open()
      driver.crashAt(point)
      await expect(rowsAfter(driver, [upsert(300, 300, { partition: 0 })])).rejects.toThrow()
      expect(await rowsAfter(driver, [upsert(200, 200, { partition: 1 })])).toEqual([
        { id: 1, n: 300 },
      ])
      expect(superseded(driver)).toBe(1)
      expect(driver.metrics.total('forager_restored_records_total')).toBe(1)
    },
  )

  it('a deleted row stays deleted, until its key is forgotten', async () => {
    const driver = await open()
    await rowsAfter(driver, [remove(300, { partition: 0 }), change('c', { after: { id: 2 } })])
    await driver.crash()
    expect(await rowsAfter(driver, [upsert(200, 200, { partition: 1 })])).toHaveLength(1)
    driver.clock.advance(deletedKeysMs)
    const key = [...(await changelogOf(driver)).keys()][0]!
    await rowsAfter(driver, [change('c', { after: { id: 2, n: 2 } }, { pos: 400 })])
    // A task forgets when it closes a window: both tasks of the hop close one.
    await rowsAfter(
      driver,
      [1, 2, 3, 4, 5, 6].map(id => insert(id + 10, 500 + id)),
    )
    const log = await changelogOf(driver)
    const forgotten = [...log].filter(([, { value }]) => value === null).map(([name]) => name)
    expect(forgotten).toEqual([key])
    await driver.crash()
    expect(await rowsAfter(driver, [upsert(200, 200, { partition: 1 })])).toHaveLength(8)
  })
})

const insert = (id: number, pos: number) => change('c', { after: { id } }, { pos })

describe('in doubt a change is applied', () => {
  it.each([
    ['of another server', { serverId: 2 }],
    ['made more than a day later, at a lower place', { ms: 90_000_000 }],
  ])('%s', async (_, options) => {
    const driver = await open()
    await rowsAfter(driver, [upsert(300, 300, { partition: 0 })])
    const other = upsert(7, 100, { partition: 1, ...options })
    expect(await rowsAfter(driver, [other])).toEqual([{ id: 1, n: 7 }])
    // It is the last one now.
    const next = upsert(8, 90, { partition: 1, ...options })
    expect(await rowsAfter(driver, [next])).toEqual([{ id: 1, n: 7 }])
  })

  it('without a position', async () => {
    const driver = await open()
    await rowsAfter(driver, [upsert(300, 300, { partition: 0 })])
    const record = upsert(7, 100, { partition: 1 })
    const value = Buffer.from(
      Buffer.from(record.value!).toString().replace('"pos":100', '"pos":null'),
    )
    expect(await rowsAfter(driver, [{ ...record, value }])).toEqual([{ id: 1, n: 7 }])
  })
})

describe('a row of a snapshot', () => {
  const read = (n: number, pos: number) =>
    change('r', { after: { id: 1, n } }, { pos, partition: 1, snapshot: 'incremental' })

  it('is a repeat strictly below the last change of its key, and never the last itself', async () => {
    const driver = await open()
    await rowsAfter(driver, [upsert(300, 300, { partition: 0 })])
    expect(await rowsAfter(driver, [read(1, 299)])).toEqual([{ id: 1, n: 300 }])
    expect(await rowsAfter(driver, [read(2, 300)])).toEqual([{ id: 1, n: 2 }])
    expect(await rowsAfter(driver, [read(3, 900)])).toEqual([{ id: 1, n: 3 }])
    // Written before the snapshot, committed after it.
    expect(await rowsAfter(driver, [upsert(4, 400, { partition: 2 })])).toEqual([{ id: 1, n: 4 }])
  })
})

describe('what has no order', () => {
  it('a row without all of its columns is a bad message', async () => {
    const driver = await open()
    const after = { id: 1, big: '__debezium_unavailable_value' }
    const partial = change('u', { before: null, after }, { pos: 100 })
    await expect(rowsAfter(driver, [partial])).rejects.toMatchObject({
      code: 'partial-row-unordered',
      message: 'the values of big were not sent',
    })
  })

  it('a truncate is known by its position, also through a topic of one partition', async () => {
    const driver = await open({ partitions: 1 })
    const truncate = change('t', {}, { pos: 200 })
    await rowsAfter(driver, [upsert(100, 100), truncate, upsert(300, 300)])
    // Sent again it takes nothing that came after it, and brings nothing back.
    expect(await rowsAfter(driver, [upsert(100, 100), truncate])).toEqual([{ id: 1, n: 300 }])
  })
})
