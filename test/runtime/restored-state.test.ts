/** A warehouse beside an older copy of the log that it was written through. */
import { describe, expect, it } from 'vitest'
import { MemoryStorage } from '../../log/log-storage.ts'
import { StateError } from '../../model/errors.ts'
import { CommitLog } from '../../sinks/embedded/commit-log.ts'
import { Cluster, watchMembers } from './instances.ts'
import type { Shop } from './shop.ts'
import { rowsIn } from './shop.ts'

/** The log as it is now: what a backup of the state folder holds. */
async function copyOf(storage: MemoryStorage): Promise<MemoryStorage> {
  const copy = new MemoryStorage()
  const { topics, partitions, offsets } = await storage.open()
  for (const one of topics) await copy.createTopic(one)
  for (const { topic, partition, start, end } of partitions) {
    const records = await storage.read({ topic, partition }, 0, 1e9)
    await copy.commit([{ topic, partition, records, nextOffset: end }], [])
    if (start > 0) await copy.deleteRecords({ topic, partition }, start)
  }
  await copy.commit([], offsets)
  return copy
}

/** A backup after the first change; the table goes on for some more. */
async function restored(changes: number) {
  const storage = new MemoryStorage()
  const before = new Cluster({ storage, partitions: 1, sourcePartitions: 1 })
  const loop = await before.join()
  before.shop.upsert(1)
  await before.finish(loop)
  const backup = await copyOf(storage)
  for (let id = 2; id < 2 + changes; id += 1) {
    before.shop.upsert(id)
    await before.finish(loop)
  }
  await loop.close()
  const { files, shop } = before
  const { source } = shop
  const after = new Cluster({ storage: backup, files, source, partitions: 1, sourcePartitions: 1 })
  return { before, after }
}

const folder = '/warehouse/demo/user'

describe('a state folder that is older than its warehouse', () => {
  it('is refused when the table has more than the log', async () => {
    const { before, after } = await restored(2)
    before.shop.upsert(9)
    await expect(after.join().then(loop => after.finish(loop))).rejects.toMatchObject({
      code: 'warehouse-ahead',
      context: { table: 'demo.user' },
    })
  })

  it('is refused when the log has grown since, by the batch that the table names', async () => {
    const { before, after } = await restored(2)
    const rows = await rowsIn(before.files)
    await stageOnly(after, before.shop, 3)
    await expect(after.join().then(loop => after.finish(loop))).rejects.toMatchObject({
      code: 'warehouse-ahead',
      message: expect.stringMatching(/has batch 1_0\/.*and the log has 1_0\//),
    })
    expect(await rowsIn(before.files)).toEqual(rows)
  })

  it('is known by a table of a version that named no batch only while the log is shorter', async () => {
    const { before, after } = await restored(0)
    const log = new CommitLog(after.files, folder)
    const commit = (await log.latest())!
    expect(commit.applied.batch).toMatch(/^1_0\//)
    const { batch: _, ...applied } = commit.applied
    await log.append({ ...commit, number: commit.number + 1, applied }, 'old')
    before.shop.upsert(5)
    await after.finish(await after.join())
    expect(await rowsIn(after.files)).toHaveLength(2)
  })
})

/** A process whose merger does not come to work: windows are staged, and none is applied. */
async function stageOnly({ storage, files, events }: Cluster, shop: Shop, windows: number) {
  const cluster = new Cluster({
    storage,
    files,
    source: shop.source,
    partitions: 1,
    sourcePartitions: 1,
    seed: 2,
    viewOf: log => ({
      ...watchMembers(log, []),
      openProducer: id => {
        if (id.endsWith('-2_0')) throw new StateError('task-fenced', 'somebody else has it')
        return log.openProducer(id)
      },
    }),
  })
  for (let window = 1; window <= windows; window += 1) {
    shop.upsert(100 + window)
    // A task that is fenced again and again ends its process.
    const loop = await cluster.join()
    while (cluster.events.filter(({ type }) => type === 'batch-staged').length < window) {
      await loop.step(0)
      cluster.clock.advance(1000)
    }
    await loop.close()
  }
  expect(events).toEqual([])
}
