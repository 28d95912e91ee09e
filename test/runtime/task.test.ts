import { expect, it } from 'vitest'
import { EmbeddedLog } from '../../log/embedded-log.ts'
import type { GroupMembership } from '../../log/log.ts'
import { noMembership } from '../../log/log.ts'
import { MemoryStorage } from '../../log/log-storage.ts'
import { assert, StateError } from '../../model/errors.ts'
import { silentLogger } from '../../observe/logger.ts'
import { noMetrics } from '../../observe/metrics.ts'
import { systemClock } from '../../runtime/clock.ts'
import { readOwners } from '../../runtime/owners.ts'
import { readAll } from '../../runtime/read-all.ts'
import type { TaskContext } from '../../runtime/task.ts'
import { TaskCommitter } from '../../runtime/task.ts'
import { ownersTopic } from '../../topology/internal-topics.ts'
import { over } from '../faults/over.ts'

const at = { topic: 'staged', partition: 0 }
const applicationId = 'app'

async function membershipOf(log: EmbeddedLog): Promise<GroupMembership> {
  const consumer = await log.openConsumer({ group: applicationId, topics: [at.topic] })
  const polled = await consumer.poll({ maxWaitMs: 0, maxBytes: 1 })
  assert(polled.kind === 'assigned', 'the only member is told of its partition')
  return polled.assignment.membership
}

async function contextOf(log: EmbeddedLog, membership: GroupMembership): Promise<TaskContext> {
  return {
    applicationId,
    log,
    clock: systemClock,
    logger: silentLogger,
    metrics: noMetrics,
    reach: () => undefined,
    emit: () => undefined,
    membership: () => membership,
    rest: () => Promise.resolve(),
    quarantines: true,
    owners: await readOwners(log, applicationId),
  }
}

it('a task is opened although the owner before deletes what it has applied just then', async () => {
  const log = await EmbeddedLog.open({ storage: new MemoryStorage() })
  await log.createTopic({ name: at.topic, partitions: 1, cleanup: 'delete' })
  await log.createTopic({ name: ownersTopic(applicationId), partitions: 1, cleanup: 'compact' })
  const producer = await log.openProducer('a')
  const record = { ...at, key: null, value: Buffer.from('batch'), timestampMs: 0 }
  await producer.commit({ records: [record], offsets: [], group: noMembership })
  const membership = await membershipOf(log)
  const before = new TaskCommitter(await contextOf(log, membership), 'task', at)
  await before.open()
  for await (const one of readAll(log, at)) before.noteRecord(one)
  const { end } = await log.offsets(at)
  await before.commit([], end, 'state')

  const context = await contextOf(log, membership)
  let isDeleted = false
  const read: EmbeddedLog['read'] = async (of, offset, maxBytes) => {
    await log.deleteRecords(at, end)
    isDeleted = true
    const { start } = await log.offsets(of)
    if (offset < start) throw new StateError('offset-out-of-range', `below ${start}`)
    return await log.read(of, offset, maxBytes)
  }
  const task = new TaskCommitter({ ...context, log: over(log, { read }) }, 'task', at)
  expect(await task.open()).toEqual({ offset: end, state: 'state', isNew: false })
  expect(isDeleted).toBe(true)
})
