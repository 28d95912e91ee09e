/** A source topic of a pattern that is deleted while it is read, for good or until another one has its name. */
import { expect, it } from 'vitest'
import type { SimulationOptions } from '../../testkit/simulation/simulator.ts'
import { runSeed } from '../../testkit/simulation/simulator.ts'
import { shopSimulation } from './shop.ts'

const server = { keeps: { maxAgeMs: 24 * 3_600_000, maxBytes: 64 * 1024 * 1024 } }

const deleting = (seed: number, anew: boolean): SimulationOptions => ({
  ...shopSimulation(seed, seed % 2 === 0 ? {} : { server }),
  deleting: { tables: ['product'], anew },
})

it('seeds 1 to 20, for good: its rows stay as they were, and the other table ends as the source', async () => {
  let [read, crashes] = [0, 0]
  for (let seed = 1; seed <= 20; seed += 1) {
    const { story, crashes: ended } = await runSeed(deleting(seed, false))
    const at = story.findIndex(line => line.endsWith(' sim.shop.product is deleted'))
    expect(at, `seed ${seed}`).toBeGreaterThan(0)
    crashes += ended
    if (isCommitted(story.slice(0, at))) read += 1
  }
  expect(read).toBeGreaterThan(10)
  expect(crashes).toBeGreaterThan(0)
})

it('seeds 1 to 30, and made anew: who had read it stops with the reason, and no row is wrong until then', async () => {
  let stopped = 0
  for (let seed = 1; seed <= 30; seed += 1) {
    const options = { ...deleting(seed, true), stopsWith: 'source-replaced' }
    const { story, hasStopped } = await runSeed(options)
    const deleted = story.findIndex(line => line.endsWith(' sim.shop.product is deleted'))
    const anew = story.findIndex(line => line.endsWith(' sim.shop.product is made anew'))
    expect(anew, `seed ${seed}`).toBeGreaterThan(deleted)
    // Nobody had read the one before, or nobody reads the other.
    if (hasStopped) stopped += 1
    else if (isCommitted(story.slice(0, deleted))) {
      const isRead = story
        .slice(anew)
        .some(line => line.includes(' opened task 0_sim.shop.product-'))
      expect(isRead, `seed ${seed}`).toBe(false)
    }
  }
  expect(stopped).toBeGreaterThan(20)
})

function isCommitted(story: readonly string[]): boolean {
  return story.some(line => / process [\d.]+ committed 0_sim.shop.product-/.test(line))
}
