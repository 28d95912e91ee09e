/** What the client that the configuration names adds to the log over Kafka. Only that one is loaded. */
import type { KafkaLogOptions } from '../log/kafka/kafka-log.ts'
import type { KafkaSourceConfig } from './config-schema.ts'

type ClientParts = Pick<KafkaLogOptions, 'wire' | 'openReader'>

/** ConfigError `kafka-client-missing`. */
export async function loadClient(client: KafkaSourceConfig['client']): Promise<ClientParts> {
  if (client === 'kafkajs') {
    const { kafkaJsWire } = await import('../log/kafkajs/wire.ts')
    return { wire: kafkaJsWire }
  }
  if (client === 'node-rdkafka') {
    const { rdkafkaReaders } = await import('../log/rdkafka/open-reader.ts')
    return { openReader: rdkafkaReaders() }
  }
  return {}
}
