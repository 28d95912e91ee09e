/** What a crash leaves lying about, and when it goes. */
import { expect, it } from 'vitest'
import type { CrashPoint } from '../../model/crash-points.ts'
import { MemorySource } from '../../testkit/memory-source.ts'
import { TopologyTestDriver } from '../../testkit/topology-test-driver.ts'
import { Shop, shopTopology, topic, warehouse } from './shop.ts'

async function opened() {
  const driver = await TopologyTestDriver.open(shopTopology({ partitions: 1 }), {
    topics: { [topic]: 1 },
  })
  const source = new MemorySource({ [topic]: 1 })
  const shop = new Shop(source, 1)
  let sent = 0
  const put = async (id: number): Promise<void> => {
    shop.upsert(id)
    const records = source.records({ topic, partition: 0 })
    await driver.pipeInput(records.slice(sent))
    sent = records.length
  }
  return { driver, put }
}

async function crash(driver: TopologyTestDriver, point: CrashPoint): Promise<void> {
  driver.crashAt(point)
  await expect(driver.drain()).rejects.toThrow('as it was told to')
}

it.each(['merge.committed', 'merge.files-removed'] as const)(
  'staged files of applied batches go when the merger is opened after a crash at %s',
  async point => {
    const { driver, put } = await opened()
    await put(1)
    await crash(driver, point)
    await driver.settle()
    expect(await driver.fileSystem.list('/state/staging/1_0')).toEqual([])
    const { start, end } = await driver.log.offsets({ topic: 'test-tables-staged', partition: 0 })
    expect(start).toBe(end)
  },
)

it('data files without a commit stay while their owner may only be slow, and go with the next commit', async () => {
  const { driver, put } = await opened()
  const numbers = async () => {
    const files = await driver.fileSystem.list(`${warehouse}/demo/user/data`)
    return files.map(name => Number(name.split('-')[0])).sort((a, b) => a - b)
  }
  await put(1)
  await driver.drain()
  await put(1)
  await crash(driver, 'apply.files-written')
  await driver.settle()
  expect(await numbers()).toEqual([1, 2])
  await driver.drain()
  // The one that left the table stays for readers that began before.
  expect(await numbers()).toEqual([1, 2])
})
