/** Replays a seed of the simulator and prints its story: `npm run simulate -- SEED [log]`. */

import { shopSimulation } from '../test/simulation/shop.ts'
import { simulate } from '../testkit/simulation/simulator.ts'

const [seed = '1', log] = process.argv.slice(2).filter(argument => argument !== '--seed')
const options = shopSimulation(Number(seed))
const result = await simulate(log === undefined ? options : { ...options, log: log as 'memory' })
console.log(result.story.join('\n'))
console.log(
  `\nseed ${seed}: ${result.calls} calls, ${result.crashes} crashes, ${result.looks} looks, all as it must be`,
)
