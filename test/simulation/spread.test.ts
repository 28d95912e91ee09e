/** A producer that sends the changes of a row through any partition, under `ordering: position`. */
import { expect, it } from 'vitest'
import { simulate } from '../../testkit/simulation/simulator.ts'
import { findsViolation, shopSimulation } from './shop.ts'

const spread = { spreads: true, ordering: 'position' } as const

it('seeds 1 to 100: no reader sees a step back, and every table ends as the source', async () => {
  let crashes = 0
  let looks = 0
  for (let seed = 1; seed <= 100; seed += 1) {
    const result = await simulate(shopSimulation(seed, spread))
    crashes += result.crashes
    looks += result.looks
  }
  expect(crashes).toBeGreaterThan(50)
  expect(looks).toBeGreaterThan(500)
})

it('survives a crash at every single call of an injected interface', async () => {
  // Three partitions of the source, two of the hop.
  const options = { ...shopSimulation(4, spread), statements: 8, crashAtCall: 0 }
  const { calls } = await simulate({ ...options, log: 'memory' })
  expect(calls).toBeGreaterThan(200)
  for (let call = 1; call <= calls; call += 1) {
    const { crashes } = await simulate({ ...options, log: 'memory', crashAtCall: call })
    expect(crashes, `call ${call}`).toBe(1)
  }
})

it('finds it when the order of the log is taken for that of the changes', async () => {
  const byLog = { spreads: true, ordering: 'log', dropRepeats: false } as const
  expect(await findsViolation(50, seed => simulate(shopSimulation(seed, byLog)))).toBe(true)
})
