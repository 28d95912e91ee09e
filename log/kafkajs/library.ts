/**
 * The parts of kafkajs that are used, with their types: the only file that imports it. Its index exports
 * none of them; the version is pinned, the last one of 2023, and the conformance suite runs over them.
 */
import { createRequire } from 'node:module'

/** A request with its answer's decoder, as kafkajs's connections send it. */
export interface Exchange {
  readonly request: {
    readonly apiKey: number
    readonly apiVersion: number
    readonly apiName: string
    encode(): Promise<Encoder>
  }
  readonly response: {
    decode(bytes: Buffer): Promise<object>
    parse(decoded: object): Promise<object>
  }
  readonly requestTimeout?: number
  readonly logResponseError?: boolean
}

export interface Encoder {
  writeString(value: string | null): Encoder
  writeInt16(value: number): Encoder
  writeInt32(value: number): Encoder
  writeInt64(value: bigint): Encoder
  writeBoolean(value: boolean): Encoder
  writeBytes(value: Buffer): Encoder
  writeUVarInt(value: number): Encoder
  writeUVarIntString(value: string | null): Encoder
}

export interface Decoder {
  readInt16(): number
  readInt32(): number
  readInt64(): { toString(): string }
  readString(): string
  readBoolean(): boolean
  readBytes(): Buffer | null
  readArray<T>(read: (decoder: Decoder) => T): T[]
  readUVarIntString(): string | null
  readUVarIntArray<T>(read: (decoder: Decoder) => T): T[] | null
  readTaggedFields(): unknown
}

interface Connection {
  readonly socket?: { destroy(error: Error): void }
  readonly requestQueue: {
    readonly pending: readonly unknown[]
    scheduleCheckPendingRequests(): void
  }
  rejectRequests(error: Error): void
  disconnect(): Promise<unknown>
}

export interface Connections {
  /** One for fetches, one for all else. */
  readonly pool: readonly Connection[]
  send(exchange: Exchange): Promise<object>
}

interface Logger {
  namespace(): Logger
  error(): void
  warn(): void
  info(): void
  debug(): void
}

/** Silent: what fails is thrown, and whoever asked decides whether it passes. */
const logger: Logger = {
  namespace: () => logger,
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
}

export interface ConnectionsOptions {
  readonly host: string
  readonly port: number
  readonly clientId: string
  readonly connectionTimeout: number
  readonly requestTimeout: number
  readonly ssl: object | null
  readonly sasl: object | null
}

interface ConnectionsClass {
  new (
    options: ConnectionsOptions & { readonly logger: Logger; readonly socketFactory: unknown },
  ): Connections
}

type RequestOf = (options: object) => Exchange

export interface Broker {
  connect(): Promise<void>
  lookupRequest(apiKey: number, definition: unknown): RequestOf
}

interface BrokerClass {
  new (options: {
    readonly connectionPool: Connections
    readonly logger: Logger
    readonly authenticationTimeout: number
    readonly allowAutoTopicCreation: boolean
  }): Broker
}

const load = createRequire(import.meta.url)
const ConnectionPool = load('kafkajs/src/network/connectionPool') as ConnectionsClass
const openSocketFactory = load('kafkajs/src/network/socketFactory') as () => unknown
const KafkaBroker = load('kafkajs/src/broker') as BrokerClass
const { requests } = load('kafkajs/src/protocol/requests') as {
  readonly requests: Readonly<
    Record<string, { protocol(of: { readonly version: number }): RequestOf }>
  >
}
const apiKeys = load('kafkajs/src/protocol/requests/apiKeys') as Readonly<Record<string, number>>
export const KafkaEncoder = load('kafkajs/src/protocol/encoder') as new () => Encoder
export const KafkaDecoder = load('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => Decoder

export function openConnections(options: ConnectionsOptions): Connections {
  const connections = new ConnectionPool({ ...options, logger, socketFactory: openSocketFactory() })
  for (const { requestQueue } of connections.pool) {
    const schedule = requestQueue.scheduleCheckPendingRequests.bind(requestQueue)
    // It sets a timer after every answer, for a time that is negative when nothing waits: Node 24 warns.
    requestQueue.scheduleCheckPendingRequests = () => {
      if (requestQueue.pending.length > 0) schedule()
    }
  }
  return connections
}

export function openBroker(connectionPool: Connections, authenticationTimeout: number): Broker {
  return new KafkaBroker({
    connectionPool,
    logger,
    authenticationTimeout,
    allowAutoTopicCreation: false,
  })
}

/** In the newest version that kafkajs and the broker have in common. */
export function exchangeOf(broker: Broker, name: string, options: object): Exchange {
  return broker.lookupRequest(apiKeys[name]!, requests[name])(options)
}

/** In that version, whichever the broker likes best. */
export function exchangeOfVersion(name: string, version: number, options: object): Exchange {
  return requests[name]!.protocol({ version })(options)
}
