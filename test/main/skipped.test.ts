/** `onError: skip`: what is around a skipped event is neither lost, nor doubled, nor taken back. */
import { expect, it } from 'vitest'
import { parsePartitionBy } from '../../model/partition-by.ts'
import { DoubtfulTables } from '../../runtime/doubtful-tables.ts'
import { openShop, rowsAfter } from './driver.ts'
import { change } from './messages.ts'

const unsent = '__debezium_unavailable_value'

/** Fails when it is keyed: it is the second half of a changed key, and a value was not sent. */
const bad = (pos: number) =>
  change('c', { after: { id: 9, big: unsent } }, { pos, headers: { oldkey: { id: 8 } } })

it('what came before an event that fails when it is keyed goes to the hop once', async () => {
  const driver = await openShop({ onError: 'skip' })
  const rows = await rowsAfter(driver, [
    change('c', { after: { id: 1, big: 'a' } }, { pos: 100 }),
    change('u', { before: { id: 1, big: 'a' }, after: { id: 1, big: 'b' } }, { pos: 200 }),
    bad(300),
    change('c', { after: { id: 2, big: 'c' } }, { pos: 400 }),
  ])
  expect(rows).toEqual([
    { id: 1, big: 'b' },
    { id: 2, big: 'c' },
  ])
  const windows = driver.events.flatMap(event => (event.type === 'window-closed' ? [event] : []))
  expect(windows.reduce((sum, { events }) => sum + events, 0)).toBe(3)
  expect(driver.metrics.total('forager_events_total')).toBe(3)
  expect(driver.metrics.total('forager_messages_skipped_total')).toBe(1)
})

it('after a skipped update the row leaves the partition that it was in, also over a restart', async () => {
  const rule = { partitionBy: parsePartitionBy('name') }
  for (const isRestarted of [false, true]) {
    const driver = await openShop({ onError: 'skip', rule })
    const row = (n: unknown, name: string) => ({ id: 1, n, name })
    await rowsAfter(driver, [change('c', { after: row(1, 'a') }, { pos: 100 })])
    const skipped = { before: row(1, 'a'), after: row('no number', 'b') }
    await rowsAfter(driver, [change('u', skipped, { pos: 200 })])
    if (isRestarted) await driver.crash()
    const update = { before: row(2, 'b'), after: row(3, 'c') }
    expect(await rowsAfter(driver, [change('u', update, { pos: 300 })])).toEqual([row(3, 'c')])
  }
})

it.each(['skip', 'dead-letter'] as const)(
  'a changed key whose new row fails keeps its old one (%s)',
  async onError => {
    const rule = { partitionBy: parsePartitionBy('year_month(name)') }
    const driver = await openShop({ onError, rule })
    const row = (id: number, name: string) => ({ id, name })
    const moved = (id: number, to: number, name: string, pos: number) =>
      change('u', { before: row(id, '2024-05-01'), after: row(to, name) }, { pos })
    const rows = await rowsAfter(driver, [
      change('c', { after: row(1, '2024-05-01') }, { pos: 100 }),
      change('c', { after: row(2, '2024-05-01') }, { pos: 200 }),
      change('c', { after: row(3, '2024-05-01') }, { pos: 300 }),
      moved(1, 11, 'no month', 400),
      moved(2, 12, '2024-06-01', 500),
      change('d', { before: row(3, '2024-05-01') }, { pos: 600 }),
      change('c', { after: row(4, 'no month') }, { pos: 700 }),
    ])
    expect(rows).toEqual([row(1, '2024-05-01'), row(12, '2024-06-01')])
    const counter =
      onError === 'skip' ? 'forager_messages_skipped_total' : 'forager_dead_letters_total'
    expect(driver.metrics.total(counter)).toBe(2)
  },
)

it('the tables that were skipped in are kept short, and unknown ones stand for all', () => {
  const tables = new DoubtfulTables()
  expect(tables.has('a')).toBe(false)
  tables.add('a')
  expect([tables.has('a'), tables.has('b')]).toEqual([true, false])
  expect(new DoubtfulTables(tables.save()).has('a')).toBe(true)
  for (let index = 0; index < 1000; index += 1) tables.add(`table number ${index}`)
  expect(tables.has('b')).toBe(true)
  expect(tables.save().join().length).toBeLessThan(300)
  const unknown = new DoubtfulTables()
  unknown.add(undefined)
  expect(unknown.has('a')).toBe(true)
})
