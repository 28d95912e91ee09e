import { afterAll, inject, it } from 'vitest'
import { openKafka } from './instances.ts'
import { scalingRound } from './scaling.ts'

const log = openKafka(inject('broker'))
afterAll(() => log.close())

it.each([1, 2, 3, 4])('seed %i: a kill, a pause, one more instance', async seed => {
  await scalingRound(log, inject('broker'), seed)
})
