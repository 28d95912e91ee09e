/** Tables that the source drops and makes again, told through a topic of its own, under each policy. */
import { expect, it } from 'vitest'
import type { SchemaChangeMode } from '../../model/schema-change.ts'
import type { SimulationOptions } from '../../testkit/simulation/simulator.ts'
import { runSeed } from '../../testkit/simulation/simulator.ts'
import { findsViolation, shopSimulation } from './shop.ts'

const server = { keeps: { maxAgeMs: 24 * 3_600_000, maxBytes: 64 * 1024 * 1024 } }

/** Every second seed over Hive. */
const dropping = (seed: number, drops: SchemaChangeMode): SimulationOptions =>
  shopSimulation(seed, { drops, ...(seed % 2 === 0 ? {} : { server }) })

const countOf = (story: readonly string[], text: string): number =>
  story.filter(line => line.includes(text)).length

it.each(['evolve', 'try_evolve', 'lenient', 'ignore'] as const)(
  'seeds 1 to 12, drop-table: %s: rows go or stay as it says, and every table ends so',
  async mode => {
    let [dropped, made] = [0, 0]
    for (let seed = 1; seed <= 12; seed += 1) {
      const { story } = await runSeed(dropping(seed, mode))
      dropped += countOf(story, ': drops the table ')
      made += countOf(story, ': creates the table ')
    }
    expect(dropped).toBeGreaterThan(25)
    expect(made).toBeGreaterThan(20)
  },
)

it('seeds 1 to 12, drop-table: exception: the table is held back, and its rows are as they were', async () => {
  let held = 0
  for (let seed = 1; seed <= 12; seed += 1) {
    const options = { ...dropping(seed, 'exception'), stopsWith: 'schema-change-refused' }
    const { hasStopped, story } = await runSeed(options)
    if (hasStopped) held += 1
    else expect(countOf(story, ': drops the table '), `seed ${seed}`).toBe(0)
  }
  expect(held).toBeGreaterThan(8)
})

it.each([
  ['evolve', 'kept'],
  ['lenient', 'followed'],
] as const)('finds it when the policy %s does the other thing', async (mode, drops) => {
  expect(await findsViolation(5, seed => runSeed({ ...dropping(seed, mode), drops }))).toBe(true)
})
