/** What an instance shows by HTTP while it works over a real broker. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, inject, it } from 'vitest'
import { counters, gauges, histograms } from '../../observe/metrics.ts'
import { openKafka, produce, untilApplied } from './instances.ts'
import { Running } from './running.ts'
import { makeShop, makeTopics, shopConfig } from './shop.ts'

const log = openKafka(inject('broker'))
afterAll(() => log.close())

const port = 29_464

async function get(path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`)
  return { status: response.status, text: await response.text() }
}

/** The sum of a metric over its labels. */
function sumOf(text: string, name: string): number {
  return text
    .split('\n')
    .filter(line => line.startsWith(`${name}{`))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

it('counts what it reads, folds and applies, and is ready when it has its tasks', async () => {
  const shop = makeShop({ seed: 21, partitions: 3, events: 20_000, maxId: 500 })
  await makeTopics(log, shop)
  const config = { ...shopConfig('', inject('broker'), shop), http: { port } }
  await Running.use({ name: 'metrics', log, config }, async running => {
    const { applicationId } = running
    const instance = running.start()
    await produce(log, shop.records)
    await untilApplied(log, applicationId, shop.partitions, { deadlineMs: 120_000 })
    await sleep(500)
    const { text } = await get('/metrics')
    expect(sumOf(text, 'forager_records_consumed_total')).toBe(shop.records.length)
    const bytes = shop.records.reduce(
      (sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0),
      0,
    )
    expect(sumOf(text, 'forager_bytes_consumed_total')).toBe(bytes)
    expect(sumOf(text, 'forager_lag_records')).toBe(0)
    expect(sumOf(text, 'forager_lag_seconds')).toBe(0)
    expect(sumOf(text, 'forager_batches_waiting')).toBe(0)
    expect(sumOf(text, 'forager_tasks')).toBe(6 + 3 + 3)
    expect(sumOf(text, 'forager_rebalances_total')).toBeGreaterThan(0)
    expect(sumOf(text, 'forager_apply_duration_seconds_count')).toBeGreaterThan(0)
    expect(sumOf(text, 'forager_bytes_staged_total')).toBeGreaterThan(0)
    const shown = [counters, gauges, histograms].flatMap(metrics => Object.keys(metrics))
    for (const name of shown) expect(text).toContain(`# TYPE ${name} `)
    const status = JSON.parse((await get('/status')).text) as Record<string, unknown[]>
    expect(status).toMatchObject({ applicationId, state: 'running' })
    expect(status.lag_records!.length).toBeGreaterThanOrEqual(6 + 3)
    expect(status.table_applied_time_seconds).toHaveLength(2)
    expect(await get('/health/ready')).toEqual({ status: 200, text: 'ready\n' })
    expect((await instance.stop()).code).toBe(0)
  })
})
