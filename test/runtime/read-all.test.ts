import { expect, it } from 'vitest'
import { EmbeddedLog } from '../../log/embedded-log.ts'
import type { Log } from '../../log/log.ts'
import { noMembership } from '../../log/log.ts'
import { MemoryStorage } from '../../log/log-storage.ts'
import { StateError } from '../../model/errors.ts'
import { readAll } from '../../runtime/read-all.ts'
import { hiding } from './instances.ts'

const at = { topic: 'staged', partition: 0 }

/** A log of four records that is read as brokers are: what is below its start is an error. */
async function opened(): Promise<EmbeddedLog> {
  const log = await EmbeddedLog.open({ storage: new MemoryStorage() })
  await log.createTopic({ name: at.topic, partitions: 1, cleanup: 'delete' })
  const producer = await log.openProducer('a')
  for (let value = 0; value < 4; value += 1) {
    const record = { ...at, key: null, value: Buffer.from([value]), timestampMs: 0 }
    await producer.commit({ records: [record], offsets: [], group: noMembership })
  }
  return log
}

function asBrokers(log: EmbeddedLog, beforeRead: () => Promise<void>): Log {
  return {
    ...hiding(log, new Set()),
    read: async (of, offset, maxBytes) => {
      await beforeRead()
      const { start } = await log.offsets(of)
      if (offset < start) throw new StateError('offset-out-of-range', `below ${start}`)
      return await log.read(of, offset, maxBytes)
    },
  }
}

async function valuesOf(log: Log): Promise<number[]> {
  const values: number[] = []
  for await (const { value } of readAll(log, at)) values.push(value![0]!)
  return values
}

it('a partition whose owner deletes records while it is read is read from where it begins by then', async () => {
  const log = await opened()
  expect(await valuesOf(asBrokers(log, () => Promise.resolve()))).toEqual([0, 1, 2, 3])
  // Each record is followed by a marker.
  expect(await valuesOf(asBrokers(log, () => log.deleteRecords(at, 4)))).toEqual([2, 3])
})

it('an offset that is there, and cannot be read all the same, is an error', async () => {
  const log = await opened()
  const refused = asBrokers(log, () => Promise.reject(new StateError('offset-out-of-range', 'no')))
  await expect(valuesOf(refused)).rejects.toMatchObject({ code: 'offset-out-of-range' })
})
