/** What a process must end with, rather than go on: the documented error, and never a row that is missing. */
import { expect, it } from 'vitest'
import { runSeed } from '../../testkit/simulation/simulator.ts'
import { shopSimulation } from './shop.ts'

it('source topics that lost records before they were read are an error, or every table ends as the source', async () => {
  let stopped = 0
  for (let seed = 1; seed <= 30; seed += 1) {
    const options = { ...shopSimulation(seed), expires: true, stopsWith: 'offset-out-of-range' }
    const { hasStopped } = await runSeed({ ...options, log: 'brokers', statements: 30 })
    if (hasStopped) stopped += 1
  }
  expect(stopped).toBeGreaterThan(5)
  expect(stopped).toBeLessThan(30)
})

it('a hop that is to have another number of partitions over a restart is refused', async () => {
  const hopPartitions = (start: number): number => (start === 1 ? 2 : 3)
  const options = { ...shopSimulation(1, { hopPartitions }), crashAtCall: 150, instances: 1 }
  const { hasStopped } = await runSeed({ ...options, log: 'brokers', stopsWith: 'topic-mismatch' })
  expect(hasStopped).toBe(true)
})
