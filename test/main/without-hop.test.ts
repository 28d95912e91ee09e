/** A source that is keyed by primary key: its tasks have their windows themselves. */
import { describe, expect, it } from 'vitest'
import type { ProducerRecord } from '../../log/log.ts'
import { crashPoints } from '../../model/crash-points.ts'
import { readDeadLetters } from '../../runtime/dead-letters.ts'
import type { TopologyTestDriver } from '../../testkit/topology-test-driver.ts'
import { CrashedError } from '../../testkit/topology-test-driver.ts'
import { compare } from '../fold/compare.ts'
import type { ShopSetup } from './driver.ts'
import { openShop, rowsAfter } from './driver.ts'
import { MainRun } from './main-run.ts'
import type { MessageOptions } from './messages.ts'
import { change } from './messages.ts'
import { actualTables, finalTables, openRecording, recordings } from './recordings.ts'

const keyed = { keyedBy: 'primary-key' } as const

const open = (setup: ShopSetup = {}): Promise<TopologyTestDriver> =>
  openShop({ ...setup, ...keyed })

const insert = (id: number, pos: number, options: MessageOptions = {}) =>
  change('c', { after: { id, n: pos } }, { pos, ...options })

const idsOf = (rows: readonly unknown[]): unknown[] => rows.map(row => (row as { id: number }).id)

const at = { topic: 'db.shop.orders', partition: 0 }

async function offsetOf(driver: TopologyTestDriver): Promise<number | undefined> {
  const [committed] = await driver.log.committed('test', [at])
  return committed?.offset
}

/** From the first offset on, without gap and overlap. */
function expectTiled(driver: TopologyTestDriver): void {
  const next = new Map<string, number>()
  for (const event of driver.events) {
    if (event.type !== 'window-closed') continue
    expect(event.range.from, event.task).toBe(next.get(event.task) ?? 0)
    next.set(event.task, event.range.to)
  }
}

describe.each(recordings)('recorded events $name', recording => {
  it.each([1, 3])(
    'end as with the hop and as the database said, from %i partitions',
    async partitions => {
      const tables = []
      for (const keyedBy of ['unknown', 'primary-key']) {
        const source = await openRecording(recording, partitions)
        const config = {
          ...recording.config,
          source: { ...(recording.config.source as object | undefined), keyedBy },
          window: { maxRows: 10 },
          // Truncates through several partitions need the hop; in both they are passed.
          onError: partitions === 1 ? 'fail' : 'skip',
        }
        const run = await MainRun.start({ source, seed: partitions, maxPollBytes: 4000, config })
        await run.finish()
        const fold = recording.fold(recording.lines)
        tables.push(await actualTables(run, fold))
        const passed = run.metrics.total('forager_messages_skipped_total')
        expect(passed > 0).toBe(partitions > 1 && keyedBy === 'primary-key')
      }
      const [hopped, direct] = tables
      if (partitions === 1) {
        expect(direct).toEqual(hopped)
        expect(compare(direct!, finalTables(recording), recording.exceptions)).toEqual([])
      } else {
        expect([...direct!.keys()]).toEqual([...hopped!.keys()])
      }
    },
  )
})

describe('a crash', () => {
  it.each(crashPoints)('at %s loses and doubles nothing', async point => {
    const driver = await open({ onError: 'dead-letter' })
    const bad = { ...insert(7, 0), value: Buffer.from('no') }
    await rowsAfter(driver, [insert(1, 100), insert(2, 200)])
    driver.crashAt(point)
    const update = change(
      'u',
      { before: { id: 1, n: 100 }, after: { id: 1, n: 300 } },
      { pos: 300 },
    )
    const records = [update, bad, change('d', { before: { id: 2, n: 200 } }, { pos: 400 })]
    // Some points are passed when the application is opened.
    if (/before-token|token-taken/.test(point)) await driver.crash()
    driver.crashAt(point)
    await expect(rowsAfter(driver, records)).rejects.toThrow(CrashedError)
    const again = await rowsAfter(driver, [insert(3, 500)])
    expect(again).toEqual([
      { id: 1, n: 300 },
      { id: 3, n: 500 },
    ])
    const letters: number[] = []
    for await (const letter of readDeadLetters(driver.log, 'test')) {
      letters.push(letter.record.offset)
    }
    expect(letters).toEqual([4])
    const { end } = await driver.log.offsets(at)
    expect(await offsetOf(driver)).toBe(end)
  })
})

describe('the offset of the source', () => {
  it('stands at the beginning of the open window, and moves when it closes', async () => {
    const driver = await open()
    await driver.pipeInput([insert(1, 100)])
    expect(await offsetOf(driver)).toBe(0)
    await driver.advance(999)
    await driver.pipeInput([insert(2, 200)])
    expect(await offsetOf(driver)).toBe(0)
    await driver.advance(1)
    const { end } = await driver.log.offsets(at)
    expect(await offsetOf(driver)).toBe(end)
    expect(idsOf((await driver.rows('orders'))!)).toEqual([1, 2])
  })

  it('moves also over what gives no change', async () => {
    const driver = await open({ onError: 'skip' })
    await driver.pipeInput([{ ...insert(1, 100), value: Buffer.from('no') }])
    await driver.advance(1000)
    const { end } = await driver.log.offsets(at)
    expect(await offsetOf(driver)).toBe(end)
    expect(driver.events.some(({ type }) => type === 'batch-staged')).toBe(false)
  })
})

describe('a run of repeats', () => {
  it('that is no run is read again from its beginning, and what came before is staged once', async () => {
    const driver = await open()
    await rowsAfter(driver, [insert(1, 100), insert(2, 200)])
    await driver.pipeInput([insert(5, 500)])
    // A snapshot's row is applied meanwhile; the last one is of another server: the others were no repeats.
    const snapshot = change('r', { after: { id: 9, n: 1 } }, { pos: 600, snapshot: 'incremental' })
    const elsewhere = insert(3, 50, { serverId: 2 })
    await driver.pipeInput([insert(2, 200), insert(6, 300), snapshot, elsewhere])
    await driver.drain()
    expect(idsOf((await driver.rows('orders'))!)).toEqual([1, 2, 3, 5, 6, 9])
    expectTiled(driver)
    const staged = driver.events.flatMap(event =>
      event.type === 'batch-staged' ? [event.batch.eventCount] : [],
    )
    expect(staged).toEqual([2, 1, 4])
  })

  it('that is not proven when the source ends is staged where it stands, and swept by nobody', async () => {
    const driver = await open()
    await rowsAfter(driver, [insert(1, 100), insert(2, 200)])
    const snapshot = change('r', { after: { id: 9, n: 1 } }, { pos: 400, snapshot: 'incremental' })
    await driver.pipeInput([insert(1, 100), snapshot])
    const before = await offsetOf(driver)
    driver.crashAt('window.committed')
    await expect(driver.drain()).rejects.toThrow(CrashedError)
    // The batch is staged, the offset stands: the next owner must not take its files for left over.
    expect(await offsetOf(driver)).toBe(before)
    expect(idsOf(await rowsAfter(driver, [insert(2, 200), insert(3, 500)]))).toEqual([1, 2, 3, 9])
    expectTiled(driver)
  })
})

describe('a truncate', () => {
  it('through a topic of one partition has its place in the order', async () => {
    const driver = await open()
    await rowsAfter(driver, [insert(1, 100)])
    const rows = [insert(2, 200), change('t', {}, { pos: 300 }), insert(3, 400)]
    expect(idsOf(await rowsAfter(driver, rows))).toEqual([3])
  })

  it.each(['fail', 'skip'] as const)(
    'through several is a bad message, by policy: %s',
    async onError => {
      const driver = await open({ partitions: 2, onError })
      const truncate = { ...change('t', {}, { pos: 300 }), partition: 1 }
      const records = [insert(1, 100, { partition: 0 }), truncate]
      if (onError === 'skip') {
        expect(idsOf(await rowsAfter(driver, records))).toEqual([1])
        const reason = { reason: 'truncate-unordered' }
        expect(driver.metrics.total('forager_messages_skipped_total', reason)).toBe(1)
      } else {
        await expect(rowsAfter(driver, records)).rejects.toMatchObject({
          code: 'truncate-unordered',
          message: expect.stringContaining('without the hop'),
        })
      }
    },
  )
})

it('a target that gets two topics is refused before anything of the second is staged', async () => {
  const driver = await open({ tables: ['orders', 'notes'] })
  await rowsAfter(driver, [insert(1, 100)])
  const stray: ProducerRecord = { ...insert(2, 200), topic: 'db.shop.notes' }
  await expect(driver.pipeInput([stray])).rejects.toMatchObject({ code: 'target-shared' })
  expect(idsOf((await driver.rows('orders'))!)).toEqual([1])
})

it('a table whose key changes within a window has what came before, and the merger says the rest', async () => {
  const driver = await open()
  const other = { ...change('c', { after: { n: 7 } }, { pos: 200 }), key: Buffer.from('{"n":7}') }
  await driver.pipeInput([insert(1, 100), other])
  await expect(driver.drain()).rejects.toMatchObject({ code: 'schema-incompatible' })
  expect(idsOf((await driver.rows('orders'))!)).toEqual([1])
})
