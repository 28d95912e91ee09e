/** Looking at an application of several instances, beginning it anew, and running it without transactions. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, describe, expect, inject, it } from 'vitest'
import type { ApplicationStatus } from '../../runtime/status.ts'
import { openKafka, produce, untilApplied } from './instances.ts'
import { Running } from './running.ts'
import type { Shop } from './shop.ts'
import { differences, makeShop, makeTopics, shopConfig } from './shop.ts'

const broker = inject('broker')
const log = openKafka(broker)
afterAll(() => log.close())

const root = join(import.meta.dirname, '../..')
const deadlineMs = 120_000

interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function forager(...args: readonly string[]): Promise<Said> {
  return await new Promise(resolve => {
    execFile(
      process.execPath,
      ['cli/forager.js', ...args],
      { cwd: root },
      (error, stdout, stderr) => {
        const { code = 0 } = (error ?? {}) as { code?: number }
        resolve({ code, stdout, stderr })
      },
    )
  })
}

async function statusOf(config: string): Promise<ApplicationStatus> {
  const { stdout } = await forager('status', config, '--json')
  return JSON.parse(stdout) as ApplicationStatus
}

async function inApplication(
  shop: Shop,
  more: object,
  action: (running: Running) => Promise<void>,
): Promise<void> {
  await makeTopics(log, shop)
  const config = { ...shopConfig('', broker, shop), ...more }
  await Running.use({ name: 'operations', log, config }, action)
}

it('an application is looked at and begun anew', async () => {
  const shop = makeShop({ seed: 51, partitions: 2, events: 20_000, maxId: 500 })
  await inApplication(shop, {}, async running => {
    const { applicationId: id, configPath: config } = running
    const before = await statusOf(config)
    expect([before.members, before.tables, before.tasks.length]).toEqual([[], [], 4])
    const both = [running.start(), running.start()]
    await produce(log, shop.records.slice(0, -200))
    await untilApplied(log, id, shop.partitions, { deadlineMs })
    const working = await statusOf(config)
    expect(working.members.map(({ clientId, tasks }) => [clientId, tasks])).toEqual([
      [id, 4],
      [id, 4],
    ])
    expect(working.tasks).toHaveLength(4 + 2 + 2)
    for (const { member, lagRecords, lagSeconds } of working.tasks) {
      expect([working.members.some(one => one.id === member), lagRecords, lagSeconds]).toEqual([
        true,
        0,
        null,
      ])
    }
    const refused = await forager('reset', config, '--execute')
    expect([refused.code, refused.stdout]).toEqual([1, ''])
    expect(refused.stderr).toMatch(/has 2 members \[group-in-use\]/)
    await Promise.all(both.map(instance => instance.stop()))
    await produce(log, shop.records.slice(-200))
    const stopped = await statusOf(config)
    expect(stopped.members).toEqual([])
    expect(stopped.tables.map(({ table, batchesWaiting }) => [table, batchesWaiting])).toEqual([
      ['product', 0],
      ['user', 0],
    ])
    const lag = stopped.tasks.reduce((sum, { lagRecords }) => sum + lagRecords, 0)
    // And the markers of the transaction.
    expect(lag).toBeGreaterThanOrEqual(200)
    await resetAndRun(running, shop)
  })
})

async function resetAndRun(running: Running, shop: Shop): Promise<void> {
  const { applicationId: id, configPath: config } = running
  const dry = await forager('reset', config)
  expect([dry.code, dry.stderr]).toEqual([0, ''])
  expect(dry.stdout).toContain(`  the topic ${id}-owners\n`)
  expect(dry.stdout).toContain('  2 tables with all rows: product, user\n')
  expect((await statusOf(config)).tables).toHaveLength(2)
  const done = await forager('reset', config, '--execute')
  expect([done.code, done.stderr]).toEqual([0, ''])
  const names = (await log.topics()).map(({ name }) => name)
  expect(names.filter(name => name.startsWith(id))).toEqual([])
  const anew = running.start()
  await untilApplied(log, id, shop.partitions, { deadlineMs })
  expect(await differences(running.warehouse, shop)).toEqual([])
  expect((await anew.stop()).code).toBe(0)
  const latest = await forager('reset', config, '--execute', '--to', 'latest')
  expect(latest.stdout).toContain('from its end, 4 partitions.')
  const { tasks } = await statusOf(config)
  expect(tasks.map(({ committed, lagRecords }) => [committed !== null, lagRecords])).toEqual(
    Array.from({ length: 4 }, () => [true, 0]),
  )
  const idle = running.start()
  await untilApplied(log, id, shop.partitions, { deadlineMs })
  expect((await idle.stop()).code).toBe(0)
  expect(idle.lines.filter(({ event }) => event === 'batch.applied')).toEqual([])
}

describe('at_least_once', () => {
  it('ends equal over instances that come and go in good order', async () => {
    const shop = makeShop({ seed: 52, partitions: 2, events: 30_000, maxId: 500 })
    const more = { processingGuarantee: 'at_least_once' }
    await inApplication(shop, more, async running => {
      const first = running.start()
      const half = Math.floor(shop.records.length / 2)
      await produce(log, shop.records.slice(0, half), { atOnce: 2000, pauseMs: 50 })
      const second = running.start()
      await produce(log, shop.records.slice(half), { atOnce: 2000, pauseMs: 50 })
      expect((await first.stop()).code).toBe(0)
      await untilApplied(log, running.applicationId, shop.partitions, { deadlineMs })
      expect((await second.stop()).code).toBe(0)
      expect(await differences(running.warehouse, shop)).toEqual([])
    })
  })
})
