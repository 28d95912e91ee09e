/** A producer that keys by primary key, and no hop: each source task has its own window. */
import { expect, it } from 'vitest'
import { simulate } from '../../testkit/simulation/simulator.ts'
import { deletingTombstones } from '../faults/deleting-tombstones.ts'
import { findsViolation, shopSimulation } from './shop.ts'

const keyed = { keyedBy: 'primary-key' } as const

it('seeds 1 to 100: no reader sees a step back, and every table ends as the source', async () => {
  let crashes = 0
  let looks = 0
  for (let seed = 1; seed <= 100; seed += 1) {
    const result = await simulate(shopSimulation(seed, keyed))
    crashes += result.crashes
    looks += result.looks
  }
  expect(crashes).toBeGreaterThan(50)
  expect(looks).toBeGreaterThan(500)
})

it.each(['memory', 'files'] as const)(
  'survives a crash at every single call of an injected interface, over the log in %s',
  async log => {
    const options = { ...shopSimulation(3, keyed), log, statements: 8, crashAtCall: 0 }
    const { calls } = await simulate(options)
    expect(calls).toBeGreaterThan(100)
    for (let call = 1; call <= calls; call += 1) {
      const { crashes } = await simulate({ ...options, crashAtCall: call })
      expect(crashes, `call ${call}`).toBe(1)
    }
  },
)

it('finds it when repeats are not dropped', async () => {
  const isFound = await findsViolation(50, seed =>
    simulate(shopSimulation(seed, { ...keyed, dropRepeats: false })),
  )
  expect(isFound).toBe(true)
})

it('finds it when a tombstone deletes by itself', async () => {
  const isFound = await findsViolation(50, seed =>
    simulate(shopSimulation(seed, { ...keyed, format: deletingTombstones() })),
  )
  expect(isFound).toBe(true)
})
