import { describe, expect, it } from 'vitest'
import type { LogStorage } from '../../log/log-storage.ts'
import { MemoryStorage } from '../../log/log-storage.ts'
import type { LogRecord } from '../../model/change-event.ts'
import type { SourceError } from '../../model/errors.ts'
import { seededRandom } from '../../runtime/random.ts'
import { MemorySource } from '../../testkit/memory-source.ts'
import type { SimulatedFileSystem } from '../../testkit/simulated-file-system.ts'
import { stagedTopic } from '../../topology/internal-topics.ts'
import type { ClusterOptions } from './instances.ts'
import { applicationId, Cluster } from './instances.ts'
import { copyRecords, rowsIn, topic, warehouse } from './shop.ts'

const hop = `${applicationId}-rows-repartition`

/** An application that has run to the end of 60 changes, and was closed. */
async function ran(options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = new Cluster(options)
  const random = seededRandom(1)
  for (let index = 0; index < 60; index += 1) cluster.shop.change(random)
  const loop = await cluster.join()
  await cluster.finish(loop)
  await loop.close()
  expect(await rowsIn(cluster.files)).toEqual(cluster.shop.expected())
  return cluster
}

/** Runs a new process over what the other one left; parts of it may be others now. */
async function runAgain(before: Cluster, other: ClusterOptions): Promise<Cluster> {
  const { storage, files } = before
  const cluster = new Cluster({ storage, files, source: before.shop.source, ...other })
  const loop = await cluster.join()
  await cluster.finish(loop)
  await loop.close()
  return cluster
}

function withRecords(from: MemorySource, change: (record: LogRecord) => LogRecord | null) {
  const source = new MemorySource({ [topic]: 2 })
  copyRecords(from, source, change)
  return source
}

describe('a source that goes on', () => {
  it('is read from where it was left', async () => {
    const before = await ran()
    const random = seededRandom(2)
    for (let index = 0; index < 20; index += 1) before.shop.change(random)
    const after = await runAgain(before, {})
    expect(await rowsIn(before.files)).toEqual(before.shop.expected())
    const read = after.metrics.total('forager_records_consumed_total')
    expect(read).toBeGreaterThan(0)
    expect(read).toBeLessThan(60)
  })

  it('and has nothing new is not read, and nothing is applied', async () => {
    const before = await ran()
    const after = await runAgain(before, {})
    expect(after.metrics.total('forager_records_consumed_total')).toBe(0)
    expect(after.metrics.total('forager_batches_applied_total')).toBe(0)
    expect(after.windows()).toEqual(new Map())
  })
})

describe('a source whose topic was compacted', () => {
  it('may lack the record before the offset: it is not a replaced one', async () => {
    const source = new MemorySource({ [topic]: 1 })
    const cluster = new Cluster({ partitions: 1, sourcePartitions: 1, source })
    cluster.shop.upsert(1)
    cluster.shop.upsert(2)
    const loop = await cluster.join()
    await cluster.finish(loop)
    await loop.close()
    cluster.shop.upsert(2)
    // The last record of a key stays; the one that was processed last had a successor.
    source.records({ topic, partition: 0 }).splice(1, 1)
    await cluster.finish(await cluster.join())
    expect(await rowsIn(cluster.files)).toEqual(cluster.shop.expected())
  })
})

describe('a source that was replaced', () => {
  it('by other records is noticed by the last one that was processed', async () => {
    const before = await ran()
    const source = withRecords(before.shop.source, record => ({
      ...record,
      value: record.value === null ? null : Buffer.from(`${record.value.toString()} `),
    }))
    const error = (await runAgain(before, { source }).then(
      () => null,
      (reason: unknown) => reason,
    )) as SourceError
    expect(error.code).toBe('source-replaced')
    const { partition = -1, offset } = error.context
    const { end } = source.offsets({ topic, partition })
    expect(error.context).toEqual({
      topic,
      partition,
      offset: end - 1,
      task: `0_${topic}-${partition}`,
    })
    expect(error.message).toBe(`the record at offset ${offset} is not the one that was processed`)
  })

  it('by fewer records is offset-out-of-range, with what there is', async () => {
    const before = await ran()
    const source = withRecords(before.shop.source, record => (record.offset < 5 ? record : null))
    const { end } = before.shop.source.offsets({ topic, partition: 0 })
    await expect(runAgain(before, { source })).rejects.toMatchObject({
      code: 'offset-out-of-range',
      message: `the task is at offset ${end}, the topic has 0 to 5`,
      context: { topic, partition: 0, task: `0_${topic}-0` },
    })
  })

  it('leaves the tables as they are, and the right one goes on', async () => {
    const before = await ran()
    const source = withRecords(before.shop.source, () => null)
    await expect(runAgain(before, { source })).rejects.toMatchObject({
      code: 'offset-out-of-range',
    })
    before.shop.upsert(999)
    await runAgain(before, {})
    expect(await rowsIn(before.files)).toEqual(before.shop.expected())
  })
})

describe('an internal topic', () => {
  it('whose records went before they were processed is offset-out-of-range', async () => {
    const before = await ran()
    const [at] = [{ topic: hop, partition: 1 }]
    before.shop.upsert(1)
    before.shop.upsert(2)
    before.shop.upsert(3)
    const loop = await before.join()
    for (let round = 0; round < 3; round += 1) await loop.step(0)
    await loop.close()
    const { end } = await before.log.offsets(at)
    const [committed] = await before.log.committed(applicationId, [at])
    expect(committed!.offset).toBeLessThan(end)
    await before.log.deleteRecords(at, end)
    await expect(runAgain(before, {})).rejects.toMatchObject({
      code: 'offset-out-of-range',
      message: `the task is at offset ${committed!.offset}, the topic has ${end} to ${end}`,
      context: { topic: hop, partition: 1, task: '1_1' },
    })
  })

  it('whose committed offset is gone is offset-out-of-range, and not read again', async () => {
    const before = await ran()
    const storage = before.storage
    const forgetful: LogStorage = {
      open: async () => {
        const state = await storage.open()
        return { ...state, offsets: state.offsets.filter(({ topic: of }) => of !== topic) }
      },
      createTopic: spec => storage.createTopic(spec),
      commit: (appends, offsets) => storage.commit(appends, offsets),
      read: (at, offset, maxBytes) => storage.read(at, offset, maxBytes),
      deleteRecords: (at, offset) => storage.deleteRecords(at, offset),
      rewrite: (at, kept) => storage.rewrite(at, kept),
      close: () => storage.close(),
    }
    await expect(runAgain(before, { storage: forgetful })).rejects.toMatchObject({
      code: 'offset-out-of-range',
      message: 'the task committed before, and its offset is gone',
      context: { topic },
    })
  })

  it('with another number of partitions than the topology says is refused', async () => {
    const before = await ran({ partitions: 3 })
    await expect(runAgain(before, { partitions: 4 })).rejects.toMatchObject({
      code: 'topic-mismatch',
      message: 'the topic has 3 partitions, the topology asks for 4',
      context: { topic: hop },
    })
  })
})

async function copyFolder(files: SimulatedFileSystem, from: string, to: string): Promise<void> {
  await files.makeDirectory(to)
  for (const name of await files.list(from)) {
    const [source, target] = [`${from}/${name}`, `${to}/${name}`]
    if ((await files.stat(source))!.isDirectory) await copyFolder(files, source, target)
    else await (await files.open(target, 'write')).write(await files.readFile(source), 0)
  }
}

describe('a warehouse', () => {
  it('that was removed is warehouse-behind, also when there is nothing new', async () => {
    const before = await ran()
    await copyFolder(before.files, warehouse, '/backup')
    await before.files.remove(warehouse)
    const gone = { code: 'warehouse-behind', context: { table: 'demo.user' } }
    await expect(runAgain(before, {})).rejects.toMatchObject(gone)
    await expect(runAgain(before, {})).rejects.toThrow('and it does not exist')
    before.shop.upsert(999)
    await expect(runAgain(before, {})).rejects.toMatchObject(gone)
    expect(await rowsIn(before.files)).toEqual([])
    // It is restored: all is well again.
    await copyFolder(before.files, '/backup', warehouse)
    await runAgain(before, {})
    expect(await rowsIn(before.files)).toEqual(before.shop.expected())
  })

  it('that was restored from an older copy is warehouse-behind', async () => {
    const before = await ran()
    await copyFolder(before.files, warehouse, '/backup')
    before.shop.upsert(999)
    await runAgain(before, {})
    await before.files.remove(warehouse)
    await copyFolder(before.files, '/backup', warehouse)
    await expect(runAgain(before, {})).rejects.toMatchObject({
      code: 'warehouse-behind',
      message: expect.stringMatching(/applied through offset \d+, and it has only \d+$/),
    })
  })

  it('of a state that was removed is warehouse-ahead, and stays as it is', async () => {
    const before = await ran()
    const rows = await rowsIn(before.files)
    const storage = new MemoryStorage()
    await expect(runAgain(before, { storage, seed: 2 })).rejects.toMatchObject({
      code: 'warehouse-ahead',
      context: { table: 'demo.user' },
    })
    expect(await rowsIn(before.files)).toEqual(rows)
    // Both removed: it starts anew, and ends the same.
    await before.files.remove(warehouse)
    await runAgain(before, { storage: new MemoryStorage(), seed: 3 })
    expect(await rowsIn(before.files)).toEqual(rows)
  })
})

describe('a window', () => {
  it('that holds nothing but markers commits, and stages nothing', async () => {
    const cluster = new Cluster({ partitions: 1, sourcePartitions: 1, maxRows: 1 })
    const loop = await cluster.join()
    cluster.shop.upsert(1)
    // A row closes its window at once; the marker of its transaction begins the next one.
    await cluster.finish(loop)
    const ranges = cluster.windows().get('1_0')!
    const at = { topic: hop, partition: 0 }
    const { end } = await cluster.log.offsets(at)
    expect(ranges.map(({ from, to }) => [from, to])).toEqual([
      [0, 1],
      [1, end],
    ])
    const closed = cluster.events.flatMap(event => (event.type === 'window-closed' ? [event] : []))
    expect(closed.map(({ netChanges }) => netChanges)).toEqual([1, 0])
    expect((await cluster.log.committed(applicationId, [at]))[0]?.offset).toBe(end)
    const staged = { topic: stagedTopic(applicationId, 'tables'), partition: 0 }
    expect(cluster.metrics.total('forager_batches_staged_total')).toBe(1)
    // What was processed is deleted from the topics between the tasks.
    expect((await cluster.log.offsets(at)).start).toBe(end)
    const { start, end: last } = await cluster.log.offsets(staged)
    expect(start).toBe(last)
    expect(await cluster.files.list('/state/staging/1_0')).toEqual([])
  })

  it('of rows that came and went is a delete, and commits', async () => {
    const cluster = new Cluster({ partitions: 1 })
    const loop = await cluster.join()
    cluster.shop.upsert(1)
    cluster.shop.delete(1)
    await cluster.finish(loop)
    expect(await rowsIn(cluster.files)).toEqual([])
    const at = { topic: hop, partition: 0 }
    const { end } = await cluster.log.offsets(at)
    expect((await cluster.log.committed(applicationId, [at]))[0]?.offset).toBe(end)
  })
})
