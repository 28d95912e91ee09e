import { expect, it } from 'vitest'
import { searchScenario } from '../../scripts/simulate/search-scenario.ts'
import { crashEverywhere, shopSimulation } from '../simulation/shop.ts'
import { seedsFrom } from './seeds.ts'

// 10,000 seeds in all, in two files so that two processors share them.
it('seeds 1001 to 6000: no reader sees a step back, and every table ends as the source', async () => {
  const seeds = seedsFrom(1001, 5000)
  const summary = await searchScenario({ scenario: 'any', seeds })
  expect(summary.seeds).toBe(5000)
  expect(summary.crashes).toBeGreaterThan(1000)
  expect(summary.faults).toBeGreaterThan(15_000)
})

it.each([1, 2, 3, 4, 5, 6, 7, 8])('seed %i survives a crash at every single call', async seed => {
  expect(await crashEverywhere({ ...shopSimulation(seed), statements: 20 })).toBeGreaterThan(200)
})
