import { afterAll, inject, it } from 'vitest'
import { openKafka } from './instances.ts'
import { readBacklog } from './memory.ts'

const log = openKafka(inject('broker'))
afterAll(() => log.close())

// A million of 60 tables under 128 MB, and ten millions of 300 under 512, are in `test/long/stack`.
it('a backlog of 200,000 events of 60 tables is one window a task under a heap of 64 MB', async () => {
  await readBacklog(log, inject('broker'), {
    events: 200_000,
    tables: 60,
    heapMiB: 64,
    windowSeconds: 30,
    maxResidentMiB: 220,
  })
})
