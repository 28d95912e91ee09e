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

const stagedFiles = '/state/staging/1_0'

it('staged files of applied batches go when the merger is opened after a crash at merge.committed', async () => {
  const { driver, put } = await opened()
  await put(1)
  await crash(driver, 'merge.committed')
  await driver.settle()
  expect(await driver.fileSystem.list(stagedFiles)).toEqual([])
  const { start, end } = await driver.log.offsets({ topic: 'test-tables-staged', partition: 0 })
  expect(start).toBe(end)
})

it('staged files that were removed, and came back with a crash, go before the next window is staged', async () => {
  const { driver, put } = await opened()
  await put(1)
  await crash(driver, 'merge.files-removed')
  await driver.settle()
  const { start, end } = await driver.log.offsets({ topic: 'test-tables-staged', partition: 0 })
  expect(start).toBe(end)
  expect(await driver.fileSystem.list(stagedFiles)).toHaveLength(1)
  await put(2)
  driver.crashAt('window.sealed')
  await expect(driver.drain()).rejects.toThrow('as it was told to')
  // What the crash left is of the window that was sealed.
  const left = await driver.fileSystem.list(stagedFiles)
  expect(left.every(name => name.startsWith('2-'))).toBe(true)
  await driver.drain()
  expect(await driver.fileSystem.list(stagedFiles)).toEqual([])
})

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
