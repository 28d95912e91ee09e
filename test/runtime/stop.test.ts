/** An application that is told to stop, and for how long it may take. */
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Log, Transaction } from '../../log/log.ts'
import { seededRandom } from '../../runtime/random.ts'
import { Streams } from '../../runtime/streams.ts'
import { applicationId, Cluster, watchMembers } from './instances.ts'
import { rowsIn, topic } from './shop.ts'

const stopTimeoutMs = 5000

/** A log whose commits stand still while `isStuck`. */
function sticky(log: Log, state: { isStuck: boolean }): Log {
  return {
    ...watchMembers(log, []),
    openProducer: async id => {
      const producer = await log.openProducer(id)
      return {
        close: () => producer.close(),
        commit: (transaction: Transaction) =>
          state.isStuck ? new Promise<never>(() => undefined) : producer.commit(transaction),
      }
    },
  }
}

async function started() {
  const state = { isStuck: false }
  const cluster = new Cluster({ maxAgeMs: 3_600_000 })
  const log = await cluster.openLog()
  const random = seededRandom(1)
  for (let count = 0; count < 40; count += 1) cluster.shop.change(random)
  const streams = new Streams(cluster.topology, {
    applicationId,
    log: sticky(log, state),
    stateDir: '/state',
    fileSystem: cluster.files,
    clock: cluster.clock,
    random: seededRandom(1),
    stopTimeoutMs,
  })
  const staged: string[] = []
  void streams.events.forEach(event => {
    if (event.type === 'window-closed') staged.push(event.task)
  })
  const stop = new AbortController()
  const running = streams.run(stop.signal)
  const settled = running.then(
    outcome => outcome,
    (error: { code?: string }) => error.code,
  )
  /** Lets it do what it can without time passing; then a little time. */
  const pass = async (times = 20): Promise<void> => {
    for (let round = 0; round < times; round += 1) {
      for (let turn = 0; turn < 50; turn += 1) await setImmediate()
      cluster.clock.advance(50)
    }
  }
  return { cluster, log, state, stop, settled, staged, pass }
}

describe('an application that is told to stop', () => {
  it('stages its open windows, and leaves the group', async () => {
    const { cluster, log, stop, settled, staged, pass } = await started()
    await pass(40)
    expect(staged).toEqual([])
    stop.abort()
    expect(await settled).toBe('stopped')
    expect(staged.length).toBeGreaterThan(0)
    const other = await log.openConsumer({ group: applicationId, topics: [topic] })
    const result = await other.poll({ maxWaitMs: 0, maxBytes: 1 })
    expect(result.kind === 'assigned' && result.assignment.partitions).toHaveLength(2)
    await other.close()
    await cluster.finish(await cluster.join())
    expect(await rowsIn(cluster.files)).toEqual(cluster.shop.expected())
  })

  it('and cannot in time says so, leaves the group, and has lost nothing', async () => {
    const { cluster, log, state, stop, settled, pass } = await started()
    await pass(40)
    state.isStuck = true
    stop.abort()
    await pass(10)
    cluster.clock.advance(stopTimeoutMs)
    await pass(60)
    expect(await settled).toBe('stop-timed-out')
    const other = await log.openConsumer({ group: applicationId, topics: [topic] })
    const result = await other.poll({ maxWaitMs: 0, maxBytes: 1 })
    expect(result.kind === 'assigned' && result.assignment.partitions).toHaveLength(2)
    await other.close()
    await cluster.finish(await cluster.join())
    expect(await rowsIn(cluster.files)).toEqual(cluster.shop.expected())
  })

  it('while nothing is stuck takes no notice of the time', async () => {
    const { cluster, stop, settled, pass } = await started()
    await pass(10)
    cluster.clock.advance(10 * stopTimeoutMs)
    await pass(10)
    stop.abort()
    expect(await settled).toBe('stopped')
  })
})
