import { expect, it } from 'vitest'
import { crash, up } from '../../../scripts/stack/stack.ts'
import { until } from '../instances.ts'
import { BrokerProxy } from '../proxy.ts'
import { HiveShop } from './hive-shop.ts'

const quiet = (): void => undefined

it('HiveServer2, the metastore and the DataNode die in the middle of applying: the tables end equal', async () => {
  await HiveShop.use({ name: 'servers', seed: 24, events: 4000 }, async shop => {
    const instance = shop.start()
    const servers = ['hiveserver2', 'metastore', 'datanode']
    for (const [index, server] of servers.entries()) {
      const applied = instance.lines.filter(({ event }) => event === 'batch.applied').length
      await shop.send((index + 1) / (servers.length + 1))
      await until(`a statement runs before ${server} dies`, () => shop.isApplying())
      await crash(server, shop.stack)
      await up([server], shop.stack, quiet)
      await until(
        `tables are applied to after ${server} died`,
        () => instance.lines.filter(({ event }) => event === 'batch.applied').length > applied,
        300_000,
      )
    }
    await shop.send(null)
    await shop.untilApplied()
    expect(await shop.differences()).toEqual([])
    expect(await shop.duplicates()).toEqual([])
    expect((await instance.stop()).code).toBe(0)
    expect(await shop.stagedFiles()).toEqual([])
  })
})

it('an answer that is swallowed while its statement goes on: the next attempt waits for it, and doubles nothing', async () => {
  const proxyPort = 29_000
  const options = {
    name: 'swallowed',
    seed: 25,
    events: 2000,
    warehouse: { port: proxyPort, statementTimeout: '10s', sessions: 1 },
  }
  await HiveShop.use(options, async shop => {
    const proxy = await BrokerProxy.open({ proxy: proxyPort, target: shop.hivePort })
    try {
      const instance = shop.start()
      await shop.send(0.5)
      await until('a statement runs', () => shop.isApplying())
      proxy.silence()
      // It goes on in HiveServer2, whatever is known of it here.
      await until('the statement has ended there', async () => !(await shop.isApplying()))
      await until('nobody answered', () => instance.lines.some(isUnknown), 300_000)
      proxy.restore()
      await shop.send(null)
      await shop.untilApplied()
      expect(instance.lines.some(({ event }) => event === 'table.drained')).toBe(true)
      expect(await shop.differences()).toEqual([])
      expect(await shop.duplicates()).toEqual([])
      expect((await instance.stop()).code).toBe(0)
    } finally {
      await proxy.close()
    }
  })
})

function isUnknown({
  event,
  reason,
}: {
  readonly event: string
  readonly reason?: unknown
}): boolean {
  return event === 'table.retrying' && String(reason).includes('[statement-unknown]')
}
