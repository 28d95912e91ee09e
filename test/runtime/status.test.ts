import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../runtime/random.ts'
import type { StatusMember } from '../../runtime/status.ts'
import { statusOf } from '../../runtime/status.ts'
import { applicationId, Cluster } from './instances.ts'
import { table, topic } from './shop.ts'

async function lookAt(cluster: Cluster, members: readonly StatusMember[] = []) {
  const log = await cluster.openLog()
  const { clock, topology } = cluster
  return await statusOf({ log, applicationId, topology, clock, members })
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0)
}

describe('the status of an application', () => {
  it('that never ran has its source, and what waits there', async () => {
    const cluster = new Cluster()
    cluster.shop.upsert(1)
    const { tasks, tables, missingTopics, deadLetters } = await lookAt(cluster)
    expect(tasks.map(({ task, committed }) => [task, committed])).toEqual([
      [`0_${topic}-0`, null],
      [`0_${topic}-1`, null],
    ])
    expect(sum(tasks.map(({ lagRecords }) => lagRecords))).toBe(1)
    expect([tables, missingTopics, deadLetters]).toEqual([[], [], 0])
  })

  it('tells what is in a window, what waits to be applied, and what was applied when', async () => {
    const cluster = new Cluster({ maxAgeMs: 3_600_000 })
    const random = seededRandom(1)
    for (let count = 0; count < 30; count += 1) cluster.shop.change(random)
    const loop = await cluster.join()
    for (let round = 0; round < 4; round += 1) await loop.step(0)
    cluster.clock.advance(7000)
    const open = await lookAt(cluster)
    const windows = open.tasks.filter(({ subTopology }) => subTopology === 1)
    expect(sum(windows.map(({ lagRecords }) => lagRecords))).toBeGreaterThan(0)
    for (const { lagRecords, lagSeconds } of windows) {
      expect(lagSeconds).toBe(lagRecords === 0 ? null : 7)
    }
    await loop.drainForStop()
    const [staged] = (await lookAt(cluster)).tables
    expect(staged).toMatchObject({ table, appliedAtMs: null })
    expect(staged!.batchesWaiting).toBeGreaterThan(0)
    // A net change of each row that there is, and of those that are gone.
    expect(staged!.rowsWaiting).toBeGreaterThanOrEqual(cluster.shop.rows.size)
    await cluster.finish(loop)
    const { tables, tasks } = await lookAt(cluster)
    expect(tables).toEqual([
      {
        table,
        appliedAtMs: cluster.clock.now(),
        batchesWaiting: 0,
        rowsWaiting: 0,
        newRows: null,
        isApplying: false,
        quarantine: null,
        sourceDrop: null,
      },
    ])
    expect(tasks.map(({ lagRecords, lagSeconds }) => [lagRecords, lagSeconds])).toEqual(
      tasks.map(() => [0, null]),
    )
  })

  it('tells which member has a task, and which has none', async () => {
    const cluster = new Cluster()
    const partitions = [{ topic, partition: 1 }]
    const member = { id: 'a', clientId: 'app', host: '10.0.0.1', partitions }
    const { tasks, members } = await lookAt(cluster, [member])
    expect(tasks.map(one => one.member)).toEqual([null, 'a'])
    expect(members).toEqual([{ id: 'a', clientId: 'app', host: '10.0.0.1', tasks: 1 }])
  })
})
