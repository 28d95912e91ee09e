/** Records of what is applied and of what is parked: they outlive deployments. */
import { beforeEach, describe, expect, it } from 'vitest'
import { EmbeddedLog } from '../../log/embedded-log.ts'
import type { ProducerRecord } from '../../log/log.ts'
import { noMembership } from '../../log/log.ts'
import { MemoryStorage } from '../../log/log-storage.ts'
import { followedFrom } from '../../model/schema-change.ts'
import { resumeMarker } from '../../model/staged-batch.ts'
import type { AppliedRecord } from '../../runtime/applied.ts'
import { appliedRecord, readApplied } from '../../runtime/applied.ts'
import { parkedRecord, readParked } from '../../runtime/parked.ts'
import { seededRandom } from '../../runtime/random.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { appliedTopic } from '../../topology/internal-topics.ts'
import { schemaOf } from '../model/samples.ts'

const applied = { topic: appliedTopic('main'), partition: 0 }
const parked = { topic: 'parked', partition: 0 }
const through = { topicId: 'staged', offset: 7, batch: '0_0/5-8' }

let log: EmbeddedLog

beforeEach(async () => {
  log = await EmbeddedLog.open({
    storage: new MemoryStorage(),
    clock: new ManualClock(),
    random: seededRandom(1),
  })
  for (const { topic: name } of [applied, parked]) {
    await log.createTopic({ name, partitions: 1, cleanup: 'delete' })
  }
})

async function write(...records: readonly ProducerRecord[]): Promise<void> {
  const producer = await log.openProducer('test')
  await producer.commit({ records, offsets: [], group: noMembership })
  await producer.close()
}

async function all<T>(records: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = []
  for await (const one of records) found.push(one)
  return found
}

const byHand = (at: typeof applied, version: number, value: unknown): ProducerRecord => ({
  ...at,
  key: Buffer.from('ods.user'),
  value: Buffer.concat([Buffer.from([version]), Buffer.from(JSON.stringify(value))]),
  timestampMs: 1234,
})

describe('a record of what is applied', () => {
  it('comes back as it was written', async () => {
    const record: AppliedRecord = {
      table: 'ods.größe',
      through,
      appliedAtMs: 99,
      claim: { token: 12, attempt: 3, through: 8 },
      quarantine: { code: 'statement-failed', reason: 'no', sinceMs: 100 },
      followed: followedFrom(schemaOf({ id: 'int' }), 7),
      evolving: null,
    }
    await write(appliedRecord('main', record, 5))
    expect(await all(readApplied(log, 'main'))).toEqual([record])
  })

  it('of the first version says how far the table is, as of its time', async () => {
    await write(byHand(applied, 1, through))
    expect(await all(readApplied(log, 'main'))).toEqual([
      {
        table: 'ods.user',
        through,
        appliedAtMs: 1234,
        claim: null,
        quarantine: null,
        followed: null,
        evolving: null,
      },
    ])
  })

  it('of a version that is not known is refused', async () => {
    await write(byHand(applied, 3, {}))
    await expect(all(readApplied(log, 'main'))).rejects.toThrow('version 3')
  })
})

describe('a parked batch', () => {
  it('keeps its staged offset, beside its place among those that are parked', async () => {
    const batch = resumeMarker('ods.user')
    const offsets = [2 ** 40, 6]
    await write(...offsets.map(offset => parkedRecord(parked, { offset, batch }, 5)))
    expect(await all(readParked(log, parked))).toEqual([
      { parkedOffset: 0, offset: 2 ** 40, batch },
      { parkedOffset: 1, offset: 6, batch },
    ])
  })

  it('of a version that is not known is refused', async () => {
    await write(byHand(parked, 2, {}))
    await expect(all(readParked(log, parked))).rejects.toThrow('version 2')
  })
})
