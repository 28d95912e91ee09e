/** Clients that hand out a range again, or later than the poll for which they fetched it. */
import { expect, it } from 'vitest'
import type { FaultKind } from '../../testkit/simulation/simulator.ts'
import { faultKinds, runSeed } from '../../testkit/simulation/simulator.ts'
import { shopSimulation } from './shop.ts'

const noFaults = Object.fromEntries(Object.keys(faultKinds).map(kind => [kind, false]))

function countOf(story: readonly string[], kind: FaultKind): number {
  return story.filter(line => line.includes(` fault ${kind}-`)).length
}

it('seeds 1 to 20: what comes again is not taken again, and every table ends as the source', async () => {
  let [again, late] = [0, 0]
  for (let seed = 1; seed <= 20; seed += 1) {
    const faults = { ...noFaults, rebalance: 0.2, 'fetched-again': 20, 'fetched-late': 10 }
    const { story } = await runSeed({ ...shopSimulation(seed), log: 'brokers', faults })
    again += countOf(story, 'fetched-again')
    late += countOf(story, 'fetched-late')
  }
  expect(again).toBeGreaterThan(200)
  expect(late).toBeGreaterThan(100)
})
