import { describe, it } from 'vitest'
import type { EmbeddedLog } from '../../log/embedded-log.ts'
import { logConformance } from '../../testkit/log-conformance.ts'
import { implementations, openLog } from './logs.ts'

describe.each(implementations)('$name', ({ withStorage }) => {
  it.each(logConformance)('$title', async one => {
    await withStorage(async makeStorage => {
      let seed = 1
      let names = 0
      let log: EmbeddedLog = await openLog(makeStorage(), seed)
      const reopen = async (): Promise<EmbeddedLog> => {
        await log.close()
        seed += 1
        log = await openLog(makeStorage(), seed)
        return log
      }
      await one.run({
        log,
        reopen,
        name: prefix => {
          names += 1
          return `${prefix}-${names}`
        },
      })
      await log.close()
    })
  })
})
