import { expect, it } from 'vitest'
import { EmbeddedLog } from '../../log/embedded-log.ts'
import { noMembership } from '../../log/log.ts'
import { MemoryStorage } from '../../log/log-storage.ts'
import { dryLog } from '../../runtime/dry-log.ts'

it('what is written to a dry log is thrown away, and fences nobody', async () => {
  const log = await EmbeddedLog.open({ storage: new MemoryStorage() })
  await log.createTopic({ name: 'orders', partitions: 1, cleanup: 'delete' })
  const at = { topic: 'orders', partition: 0 }
  const record = { ...at, key: null, value: Buffer.from('x'), timestampMs: 1 }
  const write = { records: [record], offsets: [], group: noMembership }
  const owner = await log.openProducer('task')
  const dry = dryLog(log)
  const other = await dry.openProducer('task')
  expect(await other.commit(write)).toHaveLength(1)
  await dry.createTopic({ name: 'new', partitions: 1, cleanup: 'delete' })
  expect(await log.offsets(at)).toEqual({ start: 0, end: 0 })
  expect((await dry.topics()).map(({ name }) => name)).toEqual(['orders'])
  await owner.commit(write)
  await dry.deleteRecords(at, 1)
  expect((await dry.read(at, 0, 1000)).records.map(({ offset }) => offset)).toEqual([0])
  await expect(dry.openConsumer({ group: 'g', topics: ['orders'] })).rejects.toMatchObject({
    code: 'invariant-violated',
  })
  await dry.close()
  expect(await log.offsets(at)).toMatchObject({ start: 0 })
})
