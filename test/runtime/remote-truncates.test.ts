/** Truncates by position of tables on a server: what is kept for them, what is refused, and how it goes on. */
import { expect, it } from 'vitest'
import { change } from '../main/messages.ts'
import { RemoteSite } from './remote-site.ts'

const table = 'orders'

const insert = (id: number, pos: number, partition = 0) =>
  change('c', { after: { id, name: 'a' } }, { table, pos, partition })
const truncate = (pos: number) => change('t', {}, { table, pos, partition: 1 })

async function opened(partitions = 3): Promise<RemoteSite> {
  const site = new RemoteSite([table], partitions)
  await site.start()
  return site
}

async function applied(site: RemoteSite, ...records: readonly ReturnType<typeof insert>[]) {
  for (const record of records) {
    await site.append(record)
    await site.answerAll()
  }
}

it('files of a topic of several partitions stay for as long as they are kept, those of one partition go', async () => {
  const site = await opened()
  await applied(site, insert(1, 100), insert(2, 200))
  expect(await site.stagedFiles()).toHaveLength(2)
  expect(await site.unpassed()).toEqual([])
  site.clock.advance(site.server.keeps.maxAgeMs)
  await site.rounds()
  expect(await site.stagedFiles()).toHaveLength(0)
  const single = await opened(1)
  await applied(single, insert(1, 100))
  expect(await single.stagedFiles()).toHaveLength(0)
})

it('a truncate that comes late takes what was before it, in one statement', async () => {
  const site = await opened()
  await applied(site, insert(1, 100), insert(2, 300))
  await site.append(truncate(200))
  const [statement] = site.server.open
  expect(statement!.request.truncate).toBe('all')
  expect(statement!.ids).toEqual([2])
  await site.answerAll()
  expect(site.server.idsOf(table)).toEqual([2])
  // What lags behind, and the same truncate again.
  await applied(site, insert(3, 150, 2), truncate(200), insert(4, 400))
  expect(site.server.idsOf(table)).toEqual([2, 4])
})

it('under `ordering: position` files are kept of a topic of one partition as well: only its place tells a truncate', async () => {
  const site = new RemoteSite([table], 1)
  site.ordering = 'position'
  await site.start()
  await applied(site, insert(1, 100), { ...truncate(200), partition: 0 }, insert(2, 300))
  expect(await site.progressOf(table)).toMatchObject({ quarantine: null })
  expect(site.server.idsOf(table)).toEqual([2])
})

const other = { table: 'other', pos: 120, partition: 0 }

it('one that was applied is passed also by an owner that finds only a half of its markers', async () => {
  const site = new RemoteSite([table, other.table], 1, 2)
  await site.start()
  await applied(site, insert(1, 100), insert(2, 110))
  // The other table's batch is staged between the markers of the two tasks, and waits.
  for (let id = 3; id <= 8; id += 1) site.write(change('c', { after: { id, name: 'a' } }, other))
  await site.append({ ...truncate(200), partition: 0 })
  site.server.openOf(table)!.succeed()
  await site.rounds()
  expect(site.server.idsOf(table)).toEqual([])
  expect(site.server.openOf(other.table)).toBeDefined()
  site.crash()
  await site.start()
  await site.answerAll()
  await applied(site, insert(3, 300))
  expect(site.server.idsOf(table)).toEqual([3])
})

it('the next owner finds what is kept, also when the statement is in doubt', async () => {
  const site = await opened()
  await applied(site, insert(1, 100), insert(2, 300))
  await site.append(truncate(200))
  expect(site.server.open).toHaveLength(1)
  site.crash()
  // For longer than files are kept.
  site.clock.advance(2 * site.server.keeps.maxAgeMs)
  await site.start()
  await site.answerAll()
  expect(site.server.idsOf(table)).toEqual([2])
})

it('one that comes later than files are kept holds the table back, and nothing is lost', async () => {
  const site = await opened()
  await applied(site, insert(1, 100), insert(2, 300))
  site.clock.advance(site.server.keeps.maxAgeMs)
  await site.rounds()
  await applied(site, truncate(200), insert(3, 400))
  expect((await site.progressOf(table))?.quarantine).toMatchObject({ code: 'truncate-too-late' })
  expect(site.server.idsOf(table)).toEqual([1, 2])
  // The operator knows that row 2 has to come again.
  await site.resume(table)
  await site.rounds()
  await site.answerAll()
  expect(site.server.idsOf(table)).toEqual([3])
  await applied(
    site,
    change('r', { after: { id: 2, name: 'a' } }, { table, pos: 500, partition: 0 }),
  )
  expect(site.server.idsOf(table)).toEqual([2, 3])
  expect((await site.progressOf(table))?.quarantine).toBe(null)
})
