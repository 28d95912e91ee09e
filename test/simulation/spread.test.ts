/** A producer that sends the changes of a row through any partition, under `ordering: position`. */
import { expect, it } from 'vitest'
import { runSeed } from '../../testkit/simulation/simulator.ts'
import { crashEverywhere, findsViolation, shopSimulation } from './shop.ts'

const spread = { spreads: true, ordering: 'position' } as const

it('seeds 1 to 30: no reader sees a step back, and every table ends as the source', async () => {
  let [crashes, looks] = [0, 0]
  for (let seed = 1; seed <= 30; seed += 1) {
    const result = await runSeed(shopSimulation(seed, spread))
    crashes += result.crashes
    looks += result.looks
  }
  expect(crashes).toBeGreaterThan(5)
  expect(looks).toBeGreaterThan(150)
})

it('survives a crash at any call of an injected interface', async () => {
  // Three partitions of the source, two of the hop.
  const options = { ...shopSimulation(4, spread), statements: 8, log: 'brokers' } as const
  expect(await crashEverywhere(options, 9)).toBeGreaterThan(200)
})

it('finds it when the order of the log is taken for that of the changes', async () => {
  const byLog = { spreads: true, ordering: 'log', dropRepeats: false } as const
  expect(await findsViolation(50, seed => runSeed(shopSimulation(seed, byLog)))).toBe(true)
})
