/** Settings of Forager in librdkafka's names. */
import type { KafkaClientOptions } from '../kafka/client.ts'

/** How long a broker keeps a fetch that finds nothing. */
const fetchWaitMs = 500
const maxFetchBytes = 4 * 1024 * 1024
const maxPartitionBytes = 1024 * 1024
/** What librdkafka fetches ahead. */
const maxQueuedKbytes = 16 * 1024

type Options = Readonly<Record<string, unknown>>

/** Of a consumer that commits nothing and never joins the group whose name it has. */
export function consumerOptions(client: KafkaClientOptions, group: string): Options {
  return {
    'bootstrap.servers': client.brokers.join(','),
    'client.id': client.clientId,
    'group.id': group,
    'enable.auto.commit': false,
    'enable.auto.offset.store': false,
    'isolation.level': 'read_committed',
    'enable.partition.eof': true,
    'allow.auto.create.topics': false,
    'check.crcs': true,
    'fetch.wait.max.ms': fetchWaitMs,
    'fetch.max.bytes': maxFetchBytes,
    'fetch.message.max.bytes': maxPartitionBytes,
    'queued.max.messages.kbytes': maxQueuedKbytes,
    'socket.timeout.ms': Math.max(client.requestTimeoutMs, 2 * fetchWaitMs),
    ...securityOptions(client),
  }
}

/** An offset that is not there is an error, never another offset. */
export const topicOptions: Options = { 'auto.offset.reset': 'error' }

export function securityOptions({ tls, sasl }: Pick<KafkaClientOptions, 'tls' | 'sasl'>): Options {
  const transport = tls === undefined ? 'plaintext' : 'ssl'
  const given: Options = {
    'security.protocol': sasl === undefined ? transport : saslProtocols[transport],
    'ssl.ca.pem': tls?.ca,
    'ssl.certificate.pem': tls?.cert,
    'ssl.key.pem': tls?.key,
    'ssl.key.password': tls?.passphrase,
    'sasl.mechanism': sasl?.mechanism,
    'sasl.username': sasl?.username,
    'sasl.password': sasl?.password,
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

const saslProtocols = { plaintext: 'sasl_plaintext', ssl: 'sasl_ssl' } as const
