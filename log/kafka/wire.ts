/**
 * What the files beside this one ask of a client library: connections, and the requests of Kafka's
 * protocol. Arguments and answers have the names and the order of Kafka's own message definitions, less
 * what nobody here reads. `protocol.ts` is @platformatic/kafka's, `../kafkajs/wire.ts` kafkajs's.
 */

export interface Broker {
  readonly host: string
  readonly port: number
}

/** PEM texts; what is absent is the system's. */
export interface TlsOptions {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly passphrase?: string
}

export interface SaslOptions {
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER'
  readonly username?: string
  readonly password?: string
  readonly token?: string
}

export interface PoolOptions {
  readonly clientId: string
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly tls?: TlsOptions
  /** With TLS: whether brokers are called by names, and not by addresses. */
  readonly areBrokersNamed?: boolean
  readonly sasl?: SaslOptions
}

/** Connections for one purpose, at most one a broker. */
export interface ConnectionPool {
  get(broker: Broker): Promise<object>
  getFirstAvailable(brokers: Broker[]): Promise<object>
  /** Ends what is under way. */
  close(): Promise<void>
}

export interface Wire {
  readonly requests: Requests
  openPool(options: PoolOptions): ConnectionPool
  /** What a connection ended with, of a request that only heard that it is closed. */
  readonly causeOf?: (connection: object, error: unknown) => Error | null
}

/** What a request failed with. `errorNameOf` in `protocol.ts` says what that is. */
export interface Request<Args extends unknown[], Answer> {
  async(connection: object, ...args: Args): Promise<Answer>
}

export interface PartitionsOf<P> {
  readonly name: string
  readonly partitions: P[]
}

export interface MetadataAnswer {
  readonly brokers: readonly (Broker & { readonly nodeId: number })[]
  readonly topics: readonly {
    readonly errorCode: number
    readonly isInternal: boolean
    readonly name?: string | null | undefined
    readonly topicId: string
    readonly partitions: readonly { readonly partitionIndex: number; readonly leaderId: number }[]
  }[]
}

/** One partition's part of a fetch, with its record batches as they came. */
export interface FetchedPartition {
  readonly partition: number
  readonly errorCode: number
  /** Offset up to which every transaction is decided. */
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly aborted: readonly AbortedTransaction[]
  readonly batches: Buffer
}

export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: number
}

export interface FetchAnswer {
  readonly errorCode: number
  readonly topics: readonly {
    readonly topicId: string
    readonly partitions: readonly FetchedPartition[]
  }[]
}

export interface TopicToFetch {
  /** The same topic, for a protocol that fetches by names. */
  readonly topic: string
  readonly topicId: string
  readonly partitions: {
    readonly partition: number
    readonly currentLeaderEpoch: number
    readonly fetchOffset: bigint
    readonly lastFetchedEpoch: number
    readonly partitionMaxBytes: number
  }[]
}

/** A batch of one partition, as `record-batches.ts` makes it. */
export interface BatchToProduce {
  readonly topic: string
  readonly partition: number
  readonly batch: Buffer
}

export interface TopicToCreate {
  readonly name: string
  readonly numPartitions: number
  readonly replicationFactor: number
  readonly assignments: []
  readonly configs: { readonly name: string; readonly value: string }[]
}

interface ListOffsetsPartition {
  readonly partitionIndex: number
  readonly currentLeaderEpoch: number
  readonly timestamp: bigint
}

interface OffsetCommitPartition {
  readonly partitionIndex: number
  readonly committedOffset: bigint
  readonly committedLeaderEpoch: number
  readonly committedMetadata: string
}

interface PartitionsToAdd {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly verifyOnly: boolean
  readonly topics: PartitionsOf<number>[]
}

export interface JoinAnswer {
  readonly memberId: string
  readonly generationId: number
  readonly leader: string
  readonly protocolName?: string | null | undefined
  readonly members: readonly { readonly memberId: string; readonly metadata: Buffer }[]
}

interface OffsetsAnswer {
  readonly groups: readonly {
    readonly topics: readonly PartitionsOf<{
      readonly partitionIndex: number
      readonly committedOffset: bigint
      readonly metadata?: string | null | undefined
    }>[]
  }[]
}

type InstanceId = string | null

export interface Requests {
  readonly addOffsetsToTxn: Request<
    [id: string, producer: bigint, epoch: number, group: string],
    unknown
  >
  readonly addPartitionsToTxn: Request<[transactions: PartitionsToAdd[]], unknown>
  readonly createTopics: Request<
    [topics: TopicToCreate[], timeoutMs: number, validateOnly: boolean],
    unknown
  >
  readonly deleteRecords: Request<
    [
      topics: PartitionsOf<{ readonly partitionIndex: number; readonly offset: bigint }>[],
      timeoutMs: number,
    ],
    unknown
  >
  readonly describeConfigs: Request<
    [
      resources: {
        readonly resourceType: 2
        readonly resourceName: string
        readonly configurationKeys: string[]
      }[],
    ],
    {
      readonly results: readonly {
        readonly configs: readonly {
          readonly name: string
          readonly value?: string | null | undefined
        }[]
      }[]
    }
  >
  readonly endTxn: Request<
    [id: string, producer: bigint, epoch: number, isCommit: boolean],
    unknown
  >
  readonly fetch: Request<
    [
      maxWaitMs: number,
      minBytes: number,
      maxBytes: number,
      isolation: number,
      sessionId: number,
      sessionEpoch: number,
      topics: TopicToFetch[],
      forgotten: [],
      rack: string,
    ],
    FetchAnswer
  >
  readonly findCoordinator: Request<
    [kind: number, ids: string[]],
    { readonly coordinators: readonly (Broker & { readonly nodeId: number })[] }
  >
  readonly heartbeat: Request<
    [group: string, generation: number, memberId: string, instanceId: InstanceId],
    unknown
  >
  readonly initProducerId: Request<
    [id: string | null, timeoutMs: number, producer: bigint, epoch: number],
    { readonly producerId: bigint; readonly producerEpoch: number }
  >
  readonly joinGroup: Request<
    [
      group: string,
      sessionTimeoutMs: number,
      rebalanceTimeoutMs: number,
      memberId: string,
      instanceId: InstanceId,
      protocolType: string,
      protocols: { readonly name: string; readonly metadata: Buffer }[],
    ],
    JoinAnswer
  >
  readonly leaveGroup: Request<
    [
      group: string,
      members: {
        readonly memberId: string
        readonly groupInstanceId: InstanceId
        readonly reason: null
      }[],
    ],
    unknown
  >
  readonly listOffsets: Request<
    [replica: number, isolation: number, topics: PartitionsOf<ListOffsetsPartition>[]],
    { readonly topics: PartitionsOf<{ readonly offset: bigint }>[] }
  >
  /** Null asks for every topic. */
  readonly metadata: Request<
    [names: string[] | null, mayCreate: boolean, withOperations: boolean],
    MetadataAnswer
  >
  readonly offsetCommit: Request<
    [
      group: string,
      generation: number,
      memberId: string,
      instanceId: InstanceId,
      topics: PartitionsOf<OffsetCommitPartition>[],
    ],
    unknown
  >
  readonly offsetFetch: Request<
    [
      groups: {
        readonly groupId: string
        readonly memberEpoch: number
        readonly topics: {
          readonly name: string
          readonly partitionIndexes: number[]
        }[]
      }[],
      isStable: boolean,
    ],
    OffsetsAnswer
  >
  readonly produce: Request<
    [id: string | null, timeoutMs: number, batch: BatchToProduce],
    {
      readonly responses: readonly {
        readonly partitionResponses: readonly { readonly baseOffset: bigint }[]
      }[]
    }
  >
  readonly syncGroup: Request<
    [
      group: string,
      generation: number,
      memberId: string,
      instanceId: InstanceId,
      protocolType: string,
      protocolName: string,
      assignments: { readonly memberId: string; readonly assignment: Buffer }[],
    ],
    { readonly assignment: Buffer }
  >
  readonly txnOffsetCommit: Request<
    [
      id: string,
      group: string,
      producer: bigint,
      epoch: number,
      generation: number,
      memberId: string,
      instanceId: InstanceId,
      topics: PartitionsOf<OffsetCommitPartition>[],
    ],
    unknown
  >
}

/** A request that failed, where a library's own errors do not say it in Kafka's words. */
export class RequestError extends Error {
  /** Kafka's name of the error; `NETWORK`, `TIMEOUT` or `AUTHENTICATION` for what got no answer. */
  readonly errorName: string
  readonly response: unknown

  constructor(errorName: string, message: string, options: ErrorOptions & { response?: unknown }) {
    super(message, options)
    this.errorName = errorName
    this.response = options.response
  }
}
