/** A table whose topic is made while the application runs: its pattern selects it. */
import { expect, it } from 'vitest'
import { runSeed } from '../../testkit/simulation/simulator.ts'
import { scenarios } from './scenarios.ts'

it('seeds 1 to 30: a table that is there later is read from its beginning, and every table ends as the source', async () => {
  let [crashes, openedLater] = [0, 0]
  for (let seed = 1; seed <= 30; seed += 1) {
    const { story, crashes: ended } = await runSeed(scenarios['late-table'](seed))
    crashes += ended
    const appeared = story.findIndex(line => line.endsWith(' sim.shop.product is there'))
    const opened = story.findIndex(line => line.includes(' opened task 0_sim.shop.product-'))
    expect(opened, `seed ${seed}`).toBeGreaterThan(appeared)
    openedLater += story.filter(line =>
      / opened task 0_sim.shop.product-\d at 0$/.test(line),
    ).length
  }
  expect(crashes).toBeGreaterThan(5)
  expect(openedLater).toBeGreaterThanOrEqual(30)
})
