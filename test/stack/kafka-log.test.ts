/** The conformance suite over each client that needs no more than `npm ci`. */
import { inject } from 'vitest'
import { KafkaLog } from '../../log/kafka/kafka-log.ts'
import { kafkaJsWire } from '../../log/kafkajs/wire.ts'
import { systemClock } from '../../runtime/clock.ts'
import { systemRandom } from '../../runtime/random.ts'
import { runLogSuite } from './log-suite.ts'

const options = {
  brokers: [inject('broker')],
  clientId: 'conformance',
  clock: systemClock,
  random: systemRandom,
}

runLogSuite('over @platformatic/kafka', { open: () => new KafkaLog(options) })
runLogSuite('over kafkajs', { open: () => new KafkaLog({ ...options, wire: kafkaJsWire }) })
