import { expect, it } from 'vitest'
import { simulate } from '../../testkit/simulation/simulator.ts'
import { shopSimulation } from '../simulation/shop.ts'

it('seeds 501 to 5500: no reader sees a step back, and every table ends as the source', async () => {
  let crashes = 0
  for (let seed = 501; seed <= 5500; seed += 1) {
    crashes += (await simulate(shopSimulation(seed))).crashes
  }
  expect(crashes).toBeGreaterThan(5000)
})

it.each([1, 2, 3, 4, 5, 6, 7, 8])('seed %i survives a crash at every single call', async seed => {
  const options = { ...shopSimulation(seed), statements: 20, crashAtCall: 0 }
  const { calls } = await simulate(options)
  for (let call = 1; call <= calls; call += 1) {
    const { crashes } = await simulate({ ...options, crashAtCall: call })
    expect(crashes, `call ${call}`).toBe(1)
  }
})
