import { expect, it } from 'vitest'
import { searchScenario } from '../../scripts/simulate/search-scenario.ts'
import { seedsFrom } from './seeds.ts'

// The other half is in `simulation.test.ts`.
it('seeds 6001 to 11,000: no reader sees a step back, and every table ends as the source', async () => {
  const summary = await searchScenario({ scenario: 'any', seeds: seedsFrom(6001, 5000) })
  expect(summary.seeds).toBe(5000)
  expect(summary.crashes).toBeGreaterThan(1000)
  expect(summary.faults).toBeGreaterThan(15_000)
})
