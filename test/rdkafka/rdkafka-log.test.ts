/** The conformance suite with librdkafka as the reader. `node-rdkafka` must be installed for it. */
import { inject } from 'vitest'
import { KafkaLog } from '../../log/kafka/kafka-log.ts'
import { loadLibrary } from '../../log/rdkafka/library.ts'
import { rdkafkaReaders } from '../../log/rdkafka/open-reader.ts'
import { systemClock } from '../../runtime/clock.ts'
import { systemRandom } from '../../runtime/random.ts'
import { runLogSuite } from '../stack/log-suite.ts'

const openReader = rdkafkaReaders()

runLogSuite('over node-rdkafka', {
  open: () =>
    new KafkaLog({
      brokers: [inject('broker')],
      clientId: 'conformance',
      clock: systemClock,
      random: systemRandom,
      openReader,
    }),
  // librdkafka has it when libzstd's headers are there where it is compiled.
  refuses: loadLibrary().features.includes('zstd') ? [] : ['zstd'],
})
