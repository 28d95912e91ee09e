/** Seeds that nobody has run: the first one is the clock's, and printed. One that fails is made small, and told. */
import { expect, it } from 'vitest'
import { freshSeed } from '../../scripts/simulate/fresh-seed.ts'
import { searchScenario, seedsUntil } from '../../scripts/simulate/search-scenario.ts'

const seconds = Number(process.env.FRESH_SECONDS ?? 40)

it('new seeds: no reader sees a step back, and every table ends as the source', async () => {
  const startedMs = Date.now()
  const first = freshSeed(startedMs)
  process.stdout.write(`npm run simulate -- --from ${first}\n`)
  const seeds = seedsUntil(first, startedMs + seconds * 1000)
  const summary = await searchScenario({ scenario: 'any', seeds })
  expect(summary.looks).toBeGreaterThanOrEqual(summary.seeds)
})
