import { expect, it } from 'vitest'
import { simulate } from '../../testkit/simulation/simulator.ts'
import { shopSimulation } from './shop.ts'

// 500 seeds in all, in two files so that two processors share them.
const [from, to] = [251, 500]

it(`seeds ${from} to ${to}: no reader sees a step back, and every table ends as the source`, async () => {
  let crashes = 0
  let looks = 0
  for (let seed = from; seed <= to; seed += 1) {
    const result = await simulate(shopSimulation(seed))
    crashes += result.crashes
    looks += result.looks
  }
  expect(crashes).toBeGreaterThan(250)
  expect(looks).toBeGreaterThan(2500)
})
