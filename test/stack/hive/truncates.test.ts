/** Truncates in the middle of a load, through topics of three partitions that are not in step. */
import { expect, it } from 'vitest'
import { HiveShop } from './hive-shop.ts'

const options = {
  name: 'truncates',
  seed: 7,
  events: 5000,
  truncateShare: 0.002,
  lag: 1000,
  warehouse: { keepStaged: { maxAge: '15m' } },
}

it('take what was changed before them and nothing that was changed later, over a kill', async () => {
  await HiveShop.use(options, async shop => {
    // Some are late against rows that are newer, of some the older rows come late.
    const isTruncate = ({ value }: { value: Buffer | Uint8Array | null }): boolean =>
      value !== null && Buffer.from(value).includes('"op":"t"')
    const truncates = shop.records.filter(isTruncate).map(({ partition }) => partition)
    expect(truncates).toContain(0)
    expect(truncates.some(partition => partition > 0)).toBe(true)
    const killed = shop.start({ FORAGER_CRASH_AT: 'apply.answered:2' })
    for (const part of [0.2, 0.4, 0.6]) await shop.send(part)
    expect(await killed.ended).toEqual({ code: null, signal: 'SIGKILL' })
    const next = shop.start()
    await shop.send(0.8)
    await shop.send(null)
    await shop.untilApplied()
    expect(await shop.differences()).toEqual([])
    expect(await shop.duplicates()).toEqual([])
    expect((await next.stop()).code).toBe(0)
  })
})
