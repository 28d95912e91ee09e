/**
 * Connections of kafkajs for one purpose. One that failed is not used again: what came of an answer
 * before it broke stays in it, and would be taken for the begin of the next one.
 */
import { assert } from '../../model/errors.ts'
import type { Broker as Address, ConnectionPool, PoolOptions, SaslOptions } from '../kafka/wire.ts'
import { RequestError } from '../kafka/wire.ts'
import { toRequestError } from './errors.ts'
import type { Broker, Connections, Exchange } from './library.ts'
import { exchangeOf, openBroker, openConnections } from './library.ts'

export class KafkaJsConnection {
  readonly #connections: Connections
  readonly #broker: Broker
  readonly #onFailure: () => void
  #isClosed = false

  constructor(address: Address, options: PoolOptions, onFailure: () => void) {
    const { clientId, connectTimeoutMs, requestTimeoutMs, tls, sasl } = options
    this.#connections = openConnections({
      ...address,
      clientId,
      connectionTimeout: connectTimeoutMs,
      requestTimeout: requestTimeoutMs,
      ssl: tls ?? null,
      sasl: sasl === undefined ? null : toSasl(sasl),
    })
    this.#broker = openBroker(this.#connections, connectTimeoutMs)
    this.#onFailure = onFailure
  }

  /** Asks in the newest version that both sides have. */
  async ask(name: string, options: object): Promise<object> {
    return await this.#connected(() =>
      this.#connections.send(exchangeOf(this.#broker, name, options)),
    )
  }

  async send(exchange: Exchange): Promise<object> {
    return await this.#connected(() => this.#connections.send(exchange))
  }

  async connect(): Promise<void> {
    await this.#connected(() => Promise.resolve())
  }

  /** Ends what is under way: kafkajs itself would wait for it. */
  async close(): Promise<void> {
    this.#isClosed = true
    const reason = closed()
    await Promise.all(
      this.#connections.pool.map(async connection => {
        connection.rejectRequests(reason)
        connection.socket?.destroy(reason)
        await connection.disconnect()
      }),
    )
  }

  async #connected<T>(action: () => Promise<T>): Promise<T> {
    try {
      if (this.#isClosed) throw closed()
      await this.#broker.connect()
      // Closed meanwhile: kafkajs would connect again, and nobody would end that.
      if (this.#isClosed) throw closed()
      return await action()
    } catch (cause) {
      const error = toRequestError(cause)
      if (error.errorName === 'NETWORK' || error.errorName === 'TIMEOUT') {
        this.#onFailure()
        void this.close()
      }
      throw error
    }
  }
}

/** Connections are handed around without their type. */
export function connectionOf(connection: object): KafkaJsConnection {
  assert(connection instanceof KafkaJsConnection, 'a connection of another client')
  return connection
}

export class KafkaJsPool implements ConnectionPool {
  readonly #options: PoolOptions
  readonly #connections = new Map<string, KafkaJsConnection>()
  #isClosed = false

  constructor(options: PoolOptions) {
    this.#options = options
  }

  async get({ host, port }: Address): Promise<KafkaJsConnection> {
    if (this.#isClosed) throw closed()
    const name = `${host}:${port}`
    const known = this.#connections.get(name)
    if (known !== undefined) return known
    const opened = new KafkaJsConnection({ host, port }, this.#options, () => {
      if (this.#connections.get(name) === opened) this.#connections.delete(name)
    })
    this.#connections.set(name, opened)
    return opened
  }

  async getFirstAvailable(brokers: readonly Address[]): Promise<KafkaJsConnection> {
    let failure: unknown = new RequestError('NETWORK', 'no broker is known', {})
    for (const broker of brokers) {
      try {
        const connection = await this.get(broker)
        await connection.connect()
        return connection
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#connections.values()].map(connection => connection.close()))
  }
}

function closed(): RequestError {
  return new RequestError('NETWORK', 'the connection was closed', {})
}

function toSasl({ mechanism, username, password, token }: SaslOptions): object {
  const oauthBearerProvider = (): Promise<object> => Promise.resolve({ value: token })
  if (mechanism === 'OAUTHBEARER') return { mechanism, oauthBearerProvider }
  return { mechanism, username, password }
}
