/**
 * Connections to a cluster: who leads a partition, who coordinates an id, and asking again what may be
 * asked again. A connection answers one request after the other, so what waits long (fetches, joining a
 * group) has a lane of its own.
 */
import { isIP } from 'node:net'
import type { ErrorContext } from '../../model/errors.ts'
import { SourceError } from '../../model/errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Random } from '../../runtime/random.ts'
import type { TopicInfo, TopicPartition } from '../log.ts'
import { errorNameOf, errorTextOf, platformaticWire } from './protocol.ts'
import type {
  Broker,
  ConnectionPool,
  MetadataAnswer,
  Request,
  Requests,
  SaslOptions,
  TlsOptions,
  Wire,
} from './wire.ts'

export interface KafkaClientOptions {
  /** `host:port`, of some brokers of the cluster. */
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly clock: Clock
  readonly random: Random
  /** How long one request may take. */
  readonly requestTimeoutMs: number
  /** How long what fails is asked again before it is an error. */
  readonly retryTimeoutMs: number
  readonly tls?: TlsOptions
  readonly sasl?: SaslOptions
  /** Absent: @platformatic/kafka's. */
  readonly wire?: Wire
}

export interface KafkaTopic extends TopicInfo {
  /** Node of each partition's leader; −1 while there is none. */
  readonly leaders: readonly number[]
}

export type CoordinatorKind = 'group' | 'transaction'

const firstBackoffMs = 20
const maxBackoffMs = 1000

/** What passes by itself: a leader moves, a coordinator loads, a connection breaks. */
const passing = new Set([
  'NETWORK',
  'TIMEOUT',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_OR_FOLLOWER',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'REQUEST_TIMED_OUT',
  'BROKER_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
  'NOT_CONTROLLER',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'CONCURRENT_TRANSACTIONS',
  'KAFKA_STORAGE_ERROR',
  'OFFSET_NOT_AVAILABLE',
  'UNSTABLE_OFFSET_COMMIT',
  'THROTTLING_QUOTA_EXCEEDED',
])

export function isPassing(error: unknown): boolean {
  return error instanceof PassingError || passing.has(errorNameOf(error))
}

/** Connections for one purpose. */
export class Lane {
  readonly #pool: ConnectionPool
  readonly #client: KafkaClient

  constructor(client: KafkaClient, pool: ConnectionPool) {
    this.#client = client
    this.#pool = pool
  }

  async ask<A extends unknown[], R>(node: number, api: Request<A, R>, ...args: A): Promise<R> {
    return await this.#askBy(await this.#pool.get(await this.#client.broker(node)), api, args)
  }

  async askAny<A extends unknown[], R>(api: Request<A, R>, ...args: A): Promise<R> {
    return await this.#askBy(await this.#pool.getFirstAvailable(this.#client.known()), api, args)
  }

  /** Of the coordinator of the id, which is looked up when it is not known or has moved. */
  async askCoordinator<A extends unknown[], R>(
    kind: CoordinatorKind,
    id: string,
    api: Request<A, R>,
    ...args: A
  ): Promise<R> {
    const node = await this.#client.coordinator(kind, id)
    try {
      return await this.ask(node, api, ...args)
    } catch (error) {
      if (isPassing(error)) this.#client.forgetCoordinator(kind, id)
      throw error
    }
  }

  close(): Promise<void> {
    return this.#pool.close()
  }

  async #askBy<A extends unknown[], R>(
    connection: object,
    api: Request<A, R>,
    args: A,
  ): Promise<R> {
    try {
      return await api.async(connection, ...args)
    } catch (error) {
      throw this.#client.wire.causeOf?.(connection, error) ?? error
    }
  }
}

export class KafkaClient {
  readonly options: KafkaClientOptions
  readonly wire: Wire
  /** For requests that are answered soon. */
  readonly control: Lane
  readonly #bootstrap: readonly Broker[]
  /** Whether brokers are called by names, and not by addresses. */
  readonly #isNamed: boolean
  #brokers = new Map<number, Broker>()
  readonly #topics = new Map<string, KafkaTopic>()
  readonly #lookups = new Map<string, Promise<KafkaTopic | null>>()
  readonly #coordinators = new Map<string, number>()
  readonly #closing = new AbortController()
  readonly #lanes = new Set<Lane>()

  constructor(options: KafkaClientOptions) {
    this.options = options
    this.wire = options.wire ?? platformaticWire
    this.#bootstrap = options.brokers.map(parseBroker)
    this.#isNamed = this.#bootstrap.some(({ host }) => isIP(host) === 0)
    this.control = this.openLane(options.requestTimeoutMs)
  }

  get requests(): Requests {
    return this.wire.requests
  }

  openLane(requestTimeoutMs: number): Lane {
    const { clientId, tls, sasl } = this.options
    const pool = this.wire.openPool({
      clientId,
      requestTimeoutMs,
      connectTimeoutMs: Math.min(requestTimeoutMs, 10_000),
      // The name that is asked for must not be an address.
      ...(tls === undefined ? {} : { tls, areBrokersNamed: this.#isNamed }),
      ...(sasl === undefined ? {} : { sasl }),
    })
    const lane = new Lane(this, pool)
    this.#lanes.add(lane)
    return lane
  }

  async closeLane(lane: Lane): Promise<void> {
    this.#lanes.delete(lane)
    await lane.close()
  }

  /** Every topic of the cluster but the brokers' own, as it is now. */
  async allTopics(): Promise<readonly KafkaTopic[]> {
    return await this.retrying('list the topics', {}, () => this.#loadMetadata(null))
  }

  /** Null when there is none. */
  async findTopic(name: string, isFresh = false): Promise<KafkaTopic | null> {
    const known = this.#topics.get(name)
    if (known !== undefined && !isFresh) return known
    // Many ask at once when a leader moves: one question answers them all.
    const asked = this.#lookups.get(name)
    if (asked !== undefined) return await asked
    const lookup = this.retrying('look up a topic', {}, () => this.#lookUp(name)).finally(() =>
      this.#lookups.delete(name),
    )
    this.#lookups.set(name, lookup)
    return await lookup
  }

  async #lookUp(name: string): Promise<KafkaTopic | null> {
    try {
      const [found] = await this.#loadMetadata([name])
      return found ?? null
    } catch (error) {
      if (errorNameOf(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
      this.#topics.delete(name)
      return null
    }
  }

  /** Throws when there is no such partition; what fails passing is for the caller to ask again. */
  async leader({ topic, partition }: TopicPartition): Promise<number> {
    let found = await this.findTopic(topic)
    // It may have got the partition since it was looked up.
    if (found?.leaders[partition] === undefined) found = await this.findTopic(topic, true)
    const leader = found?.leaders[partition]
    if (leader === undefined) {
      const what = found === null ? 'topic' : 'partition'
      throw new SourceError('topic-missing', `the cluster has no such ${what}`, {
        context: { topic, partition },
      })
    }
    if (leader >= 0) return leader
    this.#topics.delete(topic)
    throw new PassingError('the partition has no leader')
  }

  /** The next question about it goes to the cluster. */
  forgetTopic(topic: string): void {
    this.#topics.delete(topic)
  }

  forgetCoordinator(kind: CoordinatorKind, id: string): void {
    this.#coordinators.delete(`${kind} ${id}`)
  }

  async coordinator(kind: CoordinatorKind, id: string): Promise<number> {
    const known = this.#coordinators.get(`${kind} ${id}`)
    if (known !== undefined) return known
    const { coordinators } = await this.control.askAny(
      this.requests.findCoordinator,
      kind === 'group' ? 0 : 1,
      [id],
    )
    const found = coordinators[0]!
    this.#brokers.set(found.nodeId, { host: found.host, port: found.port })
    this.#coordinators.set(`${kind} ${id}`, found.nodeId)
    return found.nodeId
  }

  async broker(node: number): Promise<Broker> {
    if (!this.#brokers.has(node)) await this.#loadMetadata([])
    const broker = this.#brokers.get(node)
    if (broker === undefined) throw new PassingError(`broker ${node} is not in the cluster`)
    return broker
  }

  /** Brokers to ask when any will do. */
  known(): Broker[] {
    return [...this.#brokers.values(), ...this.#bootstrap]
  }

  /**
   * Asks again, with growing pauses, what fails for a reason that passes. SourceError
   * `kafka-unreachable` when it does not pass in time, `kafka-refused` for what will not pass.
   */
  async retrying<T>(
    what: string,
    context: ErrorContext,
    action: () => Promise<T>,
    timeoutMs = this.options.retryTimeoutMs,
  ): Promise<T> {
    const { clock } = this.options
    const deadline = clock.monotonic() + timeoutMs
    for (let tries = 0; ; tries += 1) {
      try {
        return await action()
      } catch (error) {
        const isOver = clock.monotonic() > deadline || this.#closing.signal.aborted
        if (!isPassing(error)) throw refused(what, context, error)
        if (isOver) throw unreachable(what, context, error, timeoutMs, this.options.brokers)
        if (context.topic !== undefined) this.forgetTopic(context.topic)
        await this.backoff(tries)
      }
    }
  }

  /** Ends early when the client is closed. */
  async backoff(tries: number): Promise<void> {
    const { clock, random } = this.options
    const full = Math.min(maxBackoffMs, firstBackoffMs * 2 ** tries)
    await clock.sleep(full * (0.5 + random.next() / 2), this.#closing.signal)
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all([...this.#lanes].map(lane => lane.close()))
  }

  async #loadMetadata(names: readonly string[] | null): Promise<readonly KafkaTopic[]> {
    const { brokers, topics } = await this.control
      .askAny(this.requests.metadata, names === null ? null : [...names], false, false)
      .catch(answerOf)
    this.#brokers = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]))
    const found = topics
      .filter(({ isInternal, name }) => !isInternal && typeof name === 'string')
      .map((topic): KafkaTopic => {
        const leaders: number[] = []
        for (const { partitionIndex, leaderId } of topic.partitions) {
          leaders[partitionIndex] = leaderId
        }
        const { name, topicId: id } = topic
        return { name: name!, id, partitions: leaders.length, isFinite: false, leaders }
      })
    for (const topic of found) this.#topics.set(topic.name, topic)
    return found
  }
}

/** The library throws when one partition has no leader; what it was answered is in the error. */
function answerOf(error: unknown): MetadataAnswer {
  const { response } = error as { readonly response?: MetadataAnswer }
  if (response === undefined || response.topics.some(({ errorCode }) => errorCode !== 0)) {
    throw error
  }
  return response
}

/** A state of the cluster that passes, found by ourselves. */
export class PassingError extends Error {}

/** What does not pass, in our words. */
export function refused(what: string, context: ErrorContext, error: unknown): Error {
  if (!(error instanceof Error) || error instanceof SourceError) return error as Error
  const name = errorNameOf(error)
  if (name === 'UNKNOWN') return error
  if (name === 'UNTRUSTED') {
    const message = `no secure connection: ${errorTextOf(error)}`
    return new SourceError('kafka-untrusted', message, { context, cause: error })
  }
  return new SourceError('kafka-refused', `could not ${what}: ${errorTextOf(error)}`, {
    context,
    cause: error,
  })
}

function unreachable(
  what: string,
  context: ErrorContext,
  cause: unknown,
  timeoutMs: number,
  brokers: readonly string[],
): SourceError {
  const reason = cause instanceof PassingError ? cause.message : errorTextOf(cause)
  return new SourceError(
    'kafka-unreachable',
    `could not ${what} for ${Math.round(timeoutMs / 1000)} s: ${reason} (brokers ${brokers.join(', ')})`,
    { context, cause, retry: 'backoff' },
  )
}

function parseBroker(text: string): Broker {
  const match = /^\[?([^\]]+?)\]?:(\d+)$/.exec(text)
  return { host: match?.[1] ?? text, port: Number(match?.[2] ?? 9092) }
}
