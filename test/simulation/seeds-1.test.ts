import { expect, it } from 'vitest'
import { runSeed } from '../../testkit/simulation/simulator.ts'
import { anyShop } from './shop.ts'

// 160 seeds in all, in two files so that two processors share them.
const [from, to] = [1, 80]

it(`seeds ${from} to ${to}: no reader sees a step back, and every table ends as the source`, async () => {
  let [crashes, faults, looks] = [0, 0, 0]
  for (let seed = from; seed <= to; seed += 1) {
    const result = await runSeed(anyShop(seed))
    crashes += result.crashes
    faults += result.faults
    looks += result.looks
  }
  expect(crashes).toBeGreaterThan(15)
  expect(faults).toBeGreaterThan(150)
  expect(looks).toBeGreaterThan(300)
})
