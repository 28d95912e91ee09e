/** A producer that keys by primary key, and no hop: each source task has its own window. */
import { expect, it } from 'vitest'
import { runSeed } from '../../testkit/simulation/simulator.ts'
import { deletingTombstones } from '../faults/deleting-tombstones.ts'
import { crashEverywhere, findsViolation, shopSimulation } from './shop.ts'

const keyed = { keyedBy: 'primary-key' } as const

it('seeds 1 to 30: no reader sees a step back, and every table ends as the source', async () => {
  let [crashes, looks] = [0, 0]
  for (let seed = 1; seed <= 30; seed += 1) {
    const result = await runSeed(shopSimulation(seed, keyed))
    crashes += result.crashes
    looks += result.looks
  }
  expect(crashes).toBeGreaterThan(5)
  expect(looks).toBeGreaterThan(150)
})

it.each(['brokers', 'files'] as const)(
  'survives a crash at any call of an injected interface, over the log in %s',
  async log => {
    const options = { ...shopSimulation(3, keyed), log, statements: 8 }
    expect(await crashEverywhere(options, 9)).toBeGreaterThan(100)
  },
)

it('finds it when repeats are not dropped', async () => {
  const isFound = await findsViolation(50, seed =>
    runSeed(shopSimulation(seed, { ...keyed, dropRepeats: false })),
  )
  expect(isFound).toBe(true)
})

it('finds it when a tombstone deletes by itself', async () => {
  const isFound = await findsViolation(50, seed =>
    runSeed(shopSimulation(seed, { ...keyed, format: deletingTombstones() })),
  )
  expect(isFound).toBe(true)
})
