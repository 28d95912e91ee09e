/** Members that hear late of a rebalance: for a while two of them work at one partition. */
import { expect, it } from 'vitest'
import { faultKinds, runSeed } from '../../testkit/simulation/simulator.ts'
import { shopSimulation } from './shop.ts'

const noFaults = Object.fromEntries(Object.keys(faultKinds).map(kind => [kind, false]))

/** Transactions that members gave up while they had not heard of a rebalance: they are fenced. */
function fencedWhileDeaf(story: readonly string[]): number {
  const deaf = new Set<string>()
  let fenced = 0
  for (const line of story) {
    const told = /fault late-assignment-\d+: (process [\d.]+) is not told$/.exec(line)
    if (told !== null) deaf.add(told[1]!)
    // It has heard of it.
    const opened = /\d (process [\d.]+) opened task /.exec(line)
    if (opened !== null) deaf.delete(opened[1]!)
    const aborts = /· (process [\d.]+): abort /.exec(line)
    if (aborts !== null && deaf.has(aborts[1]!)) fenced += 1
  }
  return fenced
}

it('seeds 1 to 20: who goes on with what it had is fenced, and every table ends as the source', async () => {
  let [fenced, fencedAtOnce] = [0, 0]
  for (let seed = 1; seed <= 20; seed += 1) {
    const options = { ...shopSimulation(seed), log: 'brokers', instances: 3 } as const
    const rebalance = 0.3
    const late = { ...noFaults, rebalance, 'late-assignment': 80 }
    fenced += fencedWhileDeaf((await runSeed({ ...options, faults: late })).story)
    const atOnce = { ...noFaults, rebalance }
    fencedAtOnce += fencedWhileDeaf((await runSeed({ ...options, faults: atOnce })).story)
  }
  expect(fenced).toBeGreaterThan(100)
  expect(fencedAtOnce).toBe(0)
})
