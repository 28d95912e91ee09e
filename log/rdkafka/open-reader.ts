/** For `KafkaLog`: its consumers read with librdkafka, everything else stays with its wire. */
import type { OpenReader } from '../kafka/partition-reader.ts'
import { loadLibrary } from './library.ts'
import { RdkafkaReader } from './reader.ts'

/** ConfigError `kafka-client-missing`. */
export function rdkafkaReaders(): OpenReader {
  const library = loadLibrary()
  return (client, group, onNews) => new RdkafkaReader(library, client, group, onNews)
}
