import { describe, expect, it } from 'vitest'
import type { ProducerRecord } from '../../log/log.ts'
import type { Loop } from '../../runtime/loop.ts'
import { openTable } from '../../sinks/embedded/table-reader.ts'
import { MemorySource } from '../../testkit/memory-source.ts'
import { change, topicOf } from '../main/messages.ts'
import { applicationId, Cluster, watchMembers } from '../runtime/instances.ts'
import { openDriver, rowsAfter, topologyOf } from './driver.ts'

describe('row 13, a change of the source’s columns that is missed because it was made while stopped', () => {
  it.each(['crashed', 'stopped'])(
    '%s, ALTER, started: the column is there, with its default in old rows',
    async how => {
      const driver = await openDriver()
      const old = change('c', { after: { id: 1, n: 1 } }, { pos: 1 })
      // One row of before is applied, one is read, one is not even that.
      await rowsAfter(driver, [old])
      await driver.pipeInput([change('c', { after: { id: 2, n: 2 } }, { pos: 2 })])
      if (how === 'stopped') await driver.drain()
      await driver.crash()
      const rows = await rowsAfter(driver, [
        change('c', { after: { id: 3, n: 3 } }, { pos: 3 }),
        change(
          'u',
          { before: { id: 1, n: 1, phone: 'none' }, after: { id: 1, n: 9, phone: '1' } },
          { pos: 4 },
        ),
      ])
      expect(rows).toEqual([
        { id: 1, n: 9, phone: '1' },
        { id: 2, n: 2, phone: 'none' },
        { id: 3, n: 3, phone: 'none' },
      ])
    },
  )
})

const tasks = 8
const options = { partitions: tasks }
const insert = (id: number, pos: number) =>
  change('c', { after: { id, n: id } }, { pos, ...options })
const widened = (id: number, pos: number) =>
  change(
    'u',
    { before: { id, n: id, phone: 'none' }, after: { id, n: pos, phone: `${id}` } },
    { pos, ...options },
  )

/** Two instances of eight tasks each way, all in the middle of windows. */
async function underLoad() {
  const topics = { [topicOf({})]: tasks }
  const members: string[] = []
  const cluster = new Cluster({
    source: new MemorySource(topics),
    topology: topologyOf({ topics, hop: tasks, flush: { maxAgeMs: 5000, maxRows: 40 } }),
    viewOf: log => watchMembers(log, members),
  })
  const send = (records: readonly ProducerRecord[]): void => {
    for (const record of records) cluster.shop.source.append({ headers: [], ...record })
  }
  const loops = [await cluster.join(), await cluster.join()] as const
  send(ids.map(id => insert(id, id)))
  for (let round = 0; round < 6; round += 1) for (const loop of loops) await loop.step(0)
  return { cluster, members, send, loops }
}

const ids = Array.from({ length: 200 }, (_, index) => index + 1)

async function phones({ files }: Cluster): Promise<readonly unknown[]> {
  const found = await openTable(files, '/warehouse', 'orders')
  const at = found.schema.columns.findIndex(({ name }) => name === 'phone')
  const values: unknown[] = []
  for await (const part of found.rows())
    values.push(...part.map(row => (at < 0 ? undefined : row.values[at])))
  return values
}

/** Seconds until all rows have the column, at a step a second. */
async function secondsUntilFollowed(cluster: Cluster, loop: Loop): Promise<number> {
  for (let second = 1; second <= 120; second += 1) {
    cluster.clock.advance(1000)
    await loop.step(0)
    const found = await phones(cluster).catch(() => [])
    if (found.length === ids.length && found.every((phone, at) => phone === String(ids[at])))
      return second
  }
  throw new Error('the column is not there after two minutes')
}

describe('row 14, a change of columns that hangs the pipeline', () => {
  it('under load with eight tasks and a dead worker the column is there in bounded time, and no row is lost', async () => {
    const { cluster, members, send, loops } = await underLoad()
    // The second one dies with open windows, and says nothing; the change comes in the midst of events.
    send(ids.slice(0, 100).map(id => widened(id, 1000 + id)))
    await loops[0].step(0)
    await loops[1].step(0)
    send(ids.slice(100).map(id => widened(id, 1000 + id)))
    for (let second = 0; second < 10; second += 1) {
      cluster.clock.advance(1000)
      await loops[0].step(0)
    }
    // What the dead one had is waited for no longer than its session.
    cluster.log.expireMember(applicationId, members[1]!)
    // Its windows are read again, closed by their age and applied: a few of their age, and a session of nothing.
    expect(await secondsUntilFollowed(cluster, loops[0])).toBeLessThan(30)
  })

  it('that no warehouse can make holds that table back with its reason, and the other tables go on', async () => {
    const topics = Object.fromEntries(['orders', 'users'].map(table => [topicOf({ table }), 1]))
    const cluster = new Cluster({
      source: new MemorySource(topics),
      topology: topologyOf({ topics, flush: { maxAgeMs: 1000 } }),
      streams: { quarantines: true },
    })
    const loop = await cluster.join()
    const send = async (
      id: number,
      orders = change('c', { after: { id, n: id } }, { pos: id }),
    ) => {
      const users = change('c', { after: { id, n: id } }, { pos: id, table: 'users' })
      for (const record of [orders, users]) cluster.shop.source.append({ headers: [], ...record })
      for (let second = 0; second < 5; second += 1) {
        cluster.clock.advance(1000)
        await loop.step(0)
      }
    }
    await send(1)
    const types = {
      id: { type: 'int64', optional: false },
      n: { type: 'array', items: { type: 'string' } },
    }
    await send(2, change('c', { after: { id: 2, n: ['x'] } }, { pos: 2, types }))
    await send(3)
    expect(await rowCount(cluster, 'users')).toBe(3)
    expect(await rowCount(cluster, 'orders')).toBe(1)
    const held = cluster.events.flatMap(event => (event.type === 'table-held' ? [event] : []))
    expect(held).toMatchObject([{ table: 'orders', reason: { code: 'schema-incompatible' } }])
    expect(held[0]!.reason!.message).toMatch(/column n/)
  })
})

async function rowCount({ files }: Cluster, table: string): Promise<number> {
  let count = 0
  for await (const part of (await openTable(files, '/warehouse', table)).rows())
    count += part.length
  return count
}
