import { inject, it } from 'vitest'
import { KafkaLog } from '../../log/kafka/kafka-log.ts'
import { systemClock } from '../../runtime/clock.ts'
import { systemRandom } from '../../runtime/random.ts'
import { logConformance } from '../../testkit/log-conformance.ts'

/** Names of topics and groups are new in every run: the broker keeps its data. */
const run = systemRandom.id().slice(0, 8)
let names = 0

function open(): KafkaLog {
  return new KafkaLog({
    brokers: [inject('broker')],
    clientId: 'conformance',
    clock: systemClock,
    random: systemRandom,
  })
}

it.each(logConformance)('$title', async one => {
  let log = open()
  await one.run({
    log,
    reopen: async () => {
      await log.close()
      log = open()
      return log
    },
    name: prefix => {
      names += 1
      return `${prefix}-${run}-${names}`
    },
  })
  await log.close()
})
