import { afterAll, inject, it } from 'vitest'
import { openKafka } from '../../stack/instances.ts'
import { readBacklog } from '../../stack/memory.ts'

const log = openKafka(inject('broker'))
afterAll(() => log.close())

it('a million events of 60 tables are one window a task under a heap of 128 MB', async () => {
  await readBacklog(log, inject('broker'), {
    events: 1_000_000,
    tables: 60,
    heapMiB: 128,
    windowSeconds: 180,
    maxResidentMiB: 260,
  })
})

it('ten million events of 300 tables are one window a task under a heap of 512 MB', async () => {
  await readBacklog(log, inject('broker'), {
    events: 10_000_000,
    tables: 300,
    heapMiB: 512,
    windowSeconds: 300,
    maxResidentMiB: 900,
  })
})
