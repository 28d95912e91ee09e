/** Truncates by their place in the log, into tables whose rows keep no positions. */
import { expect, it } from 'vitest'
import { runSeed } from '../../testkit/simulation/simulator.ts'
import type { ShopFaults } from './shop.ts'
import { crashEverywhere, findsViolation, shopSimulation } from './shop.ts'

const enough = { maxAgeMs: 3_600_000, maxBytes: 1_000_000 }

/** So many truncates that several are under way at once. */
const often = (seed: number, faults: ShopFaults) => ({
  ...shopSimulation(seed, faults),
  truncateShare: 0.06,
})

it('seeds 1 to 40: no reader sees a step back, and every table ends as the source', async () => {
  let crashes = 0
  let looks = 0
  for (let seed = 1; seed <= 40; seed += 1) {
    const result = await runSeed(often(seed, { server: { keeps: enough } }))
    crashes += result.crashes
    looks += result.looks
  }
  expect(crashes).toBeGreaterThan(20)
  expect(looks).toBeGreaterThan(250)
})

it('a truncate that comes later than files are kept is refused, and never applied wrongly', async () => {
  let refused = 0
  for (let seed = 1; seed <= 40; seed += 1) {
    const keeps = { maxAgeMs: (seed % 4) * 1000, maxBytes: 1_000_000 }
    // The judge looked after every step until then.
    const stopsWith = 'truncate-too-late'
    const { hasStopped } = await runSeed({ ...often(seed, { server: { keeps } }), stopsWith })
    if (hasStopped) refused += 1
  }
  expect(refused).toBeGreaterThan(1)
  expect(refused).toBeLessThan(40)
})

it('survives a crash at any call of an injected interface', async () => {
  // Three partitions of the source, two of the hop.
  const options = {
    ...often(4, { server: { keeps: enough } }),
    statements: 12,
    log: 'brokers',
  } as const
  expect(await crashEverywhere(options, 9)).toBeGreaterThan(200)
})

it('finds it when a truncate takes rows that are newer', async () => {
  const server = { keeps: enough, losesNewer: true }
  expect(await findsViolation(50, seed => runSeed(often(seed, { server })))).toBe(true)
})
