/** A table that is applied further than its log goes. */
import { expect, it } from 'vitest'
import { EmbeddedLog } from '../../log/embedded-log.ts'
import { noMembership } from '../../log/log.ts'
import { MemoryStorage } from '../../log/log-storage.ts'
import { followedFrom } from '../../model/schema-change.ts'
import { noProgress } from '../../runtime/applied.ts'
import { seededRandom } from '../../runtime/random.ts'
import { openTable } from '../../runtime/table-progress.ts'
import type { OpenedTable, Warehouse } from '../../sinks/warehouse.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'

const end = 13
const at = { topic: 'staged', partition: 0 }

/** The table is applied through `offset`; the merger was opened when the topic ended at `end`; it has `staged` by now. */
async function opened(offset: number, staged = 0): Promise<OpenedTable | null> {
  const log = await EmbeddedLog.open({
    storage: new MemoryStorage(),
    clock: new ManualClock(),
    random: seededRandom(1),
    sources: [],
  })
  await log.createTopic({ name: at.topic, partitions: 1, cleanup: 'delete' })
  const producer = await log.openProducer('staging')
  const record = { ...at, key: null, value: Buffer.from('staged'), timestampMs: 0 }
  const records = Array.from({ length: staged }, () => record)
  await producer.commit({ records, offsets: [], group: noMembership })
  const found: OpenedTable = {
    through: { topicId: 'id', offset },
    followed: followedFrom({ columns: [], key: [] }),
    others: new Set(),
  }
  const warehouse = { isRemote: false, open: () => Promise.resolve(found) } as unknown as Warehouse
  return await openTable('t', warehouse, noProgress, { log, at, topicId: 'id', end })
}

it('is one of another log', async () => {
  await expect(opened(end)).rejects.toMatchObject({
    code: 'warehouse-ahead',
    message: `the table is applied through offset ${end}, and the log ended at ${end}`,
  })
})

it('may be so by an owner before, which applied what was staged since', async () => {
  expect(await opened(end, end + 1)).not.toBeNull()
  await expect(opened(end + 5, end + 1)).rejects.toMatchObject({ code: 'warehouse-ahead' })
})
