/** A connector that leaves a large value out where the key changes: only the row under the old key has it. */
import { expect, it } from 'vitest'
import { runSeed } from '../../testkit/simulation/simulator.ts'
import { scenarios } from './scenarios.ts'

it('seeds 1 to 45: a row takes what was not sent along to its new key, and every table ends as the source', async () => {
  let [partial, crashes] = [0, 0]
  for (let seed = 1; seed <= 45; seed += 1) {
    const { story, crashes: ended } = await runSeed(scenarios['changed-keys'](seed))
    crashes += ended
    partial += story.filter(line => / c \w+ \d+, version \d+, without its body$/.test(line)).length
  }
  expect(partial).toBeGreaterThan(25)
  expect(crashes).toBeGreaterThan(10)
})
