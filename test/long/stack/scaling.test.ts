import { afterAll, inject, it } from 'vitest'
import { openKafka } from '../../stack/instances.ts'
import { scalingRound } from '../../stack/scaling.ts'

const log = openKafka(inject('broker'))
afterAll(() => log.close())

/** The first four are CI's too. What came of them is in `docs/reliability.md`. */
const seeds = Array.from({ length: 20 }, (_, index) => index + 1)

it.each(seeds)('seed %i: a kill, a pause, one more instance', async seed => {
  await scalingRound(log, inject('broker'), seed)
})
