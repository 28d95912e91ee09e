import { describe, expect, it } from 'vitest'
import { simulate } from '../../testkit/simulation/simulator.ts'
import { deletingTombstones } from '../faults/deleting-tombstones.ts'
import { findsViolation, shopSimulation } from './shop.ts'

describe('the simulator', () => {
  it('tells the same story for the same seed', async () => {
    let crashes = 0
    for (const seed of [5, 6, 7, 8]) {
      const first = await simulate(shopSimulation(seed))
      expect(await simulate(shopSimulation(seed))).toEqual(first)
      crashes += first.crashes
    }
    expect(crashes).toBeGreaterThan(0)
  })

  it.each(['memory', 'files'] as const)(
    'survives a crash at every single call of an injected interface, over the log in %s',
    async log => {
      const options = { ...shopSimulation(3), log, statements: 8, crashAtCall: 0 }
      const { calls } = await simulate(options)
      expect(calls).toBeGreaterThan(200)
      for (let call = 1; call <= calls; call += 1) {
        const { crashes } = await simulate({ ...options, crashAtCall: call })
        expect(crashes, `call ${call}`).toBe(1)
      }
    },
  )

  it('finds it when repeats are not dropped', async () => {
    const isFound = await findsViolation(50, seed =>
      simulate(shopSimulation(seed, { dropRepeats: false })),
    )
    expect(isFound).toBe(true)
  })

  it('finds it when a tombstone deletes by itself, also behind a delete that was dropped', async () => {
    const isFound = await findsViolation(50, seed =>
      simulate(shopSimulation(seed, { format: deletingTombstones() })),
    )
    expect(isFound).toBe(true)
  })
})
