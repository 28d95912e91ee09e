/**
 * Kafka's wire protocol, by way of @platformatic/kafka: the only file that imports it. It gives requests
 * and connections, and to every client the codecs, the names of errors and the bytes of groups; what a
 * broker's answers mean for groups, transactions and committed reads is decided in the files beside this
 * one (ADR 0007 says why). Versions are those of Kafka 3.1.
 */
import type { ConnectionOptions, Reader } from '@platformatic/kafka'
import {
  addOffsetsToTxnV3,
  addPartitionsToTxnV3,
  apiVersionsV3,
  ConnectionPool,
  compressionsAlgorithmsByBitmask,
  crc32c,
  createAPI,
  createTopicsV7,
  decodeConsumerProtocolAssignment,
  decodeConsumerProtocolSubscription,
  deleteGroupsV2,
  deleteRecordsV2,
  deleteTopicsV6,
  describeConfigsV4,
  describeGroupsV5,
  encodeConsumerProtocolAssignment,
  encodeConsumerProtocolSubscription,
  endTxnV3,
  fetchV13,
  findCoordinatorV4,
  findErrorBy,
  heartbeatV4,
  initProducerIdV4,
  joinGroupV7,
  leaveGroupV4,
  listOffsetsV7,
  metadataV12,
  offsetCommitV8,
  offsetFetchV8,
  produceV9,
  protocolErrorsCodesById,
  syncGroupV5,
  txnOffsetCommitV3,
  Writer,
} from '@platformatic/kafka'
import type { BatchToProduce, FetchAnswer, FetchedPartition, Wire } from './wire.ts'
import { RequestError } from './wire.ts'

type PoolSasl = NonNullable<ConnectionOptions['sasl']>

/**
 * A broker answers a token that it does not take with words and waits for the client to give up (RFC
 * 7628, 3.2.3); the library takes any answer for a yes, and the next ones for what it asked.
 */
function withTokenCheck(sasl: PoolSasl): PoolSasl {
  if (sasl.mechanism !== 'OAUTHBEARER') return sasl
  return {
    ...sasl,
    authBytesValidator: (words, callback) => {
      if (words.length === 0) callback(null, words)
      else callback(new Error(`the token was refused: ${words.toString()}`))
    },
  }
}

/** As the library's, but with undecoded batches, and error codes left to the reader. */
const fetch = createAPI(
  fetchV13.api.key,
  fetchV13.api.version,
  fetchV13.createRequest,
  parseFetchResponse,
)

/**
 * As the library's, but with batches made by ourselves: it writes a time that is before the first one's
 * of its batch as one in the future.
 */
const produce = createAPI(produceV9.api.key, produceV9.api.version, writeProduce, (...answer) =>
  produceV9.parseResponse(...answer),
)

export const requests = {
  addOffsetsToTxn: addOffsetsToTxnV3.api,
  addPartitionsToTxn: addPartitionsToTxnV3.api,
  apiVersions: apiVersionsV3.api,
  createTopics: createTopicsV7.api,
  deleteGroups: deleteGroupsV2.api,
  deleteRecords: deleteRecordsV2.api,
  deleteTopics: deleteTopicsV6.api,
  describeConfigs: describeConfigsV4.api,
  describeGroups: describeGroupsV5.api,
  endTxn: endTxnV3.api,
  fetch,
  findCoordinator: findCoordinatorV4.api,
  heartbeat: heartbeatV4.api,
  initProducerId: initProducerIdV4.api,
  joinGroup: joinGroupV7.api,
  leaveGroup: leaveGroupV4.api,
  listOffsets: listOffsetsV7.api,
  metadata: metadataV12.api,
  offsetCommit: offsetCommitV8.api,
  offsetFetch: offsetFetchV8.api,
  produce,
  syncGroup: syncGroupV5.api,
  txnOffsetCommit: txnOffsetCommitV3.api,
} as const

export const platformaticWire: Wire = {
  requests,
  openPool: ({ clientId, requestTimeoutMs, connectTimeoutMs, tls, areBrokersNamed, sasl }) => {
    const pool = new ConnectionPool(clientId, {
      requestTimeout: requestTimeoutMs,
      connectTimeout: connectTimeoutMs,
      ...(tls === undefined ? {} : { tls, tlsServerName: areBrokersNamed ?? true }),
      ...(sasl === undefined ? {} : { sasl: withTokenCheck(sasl) }),
    })
    pool.on('connecting', ({ connection }) => {
      connection?.on('error', (error: Error) => {
        if (!endings.has(connection)) endings.set(connection, error)
      })
    })
    return pool
  },
  // TLS 1.3 lets a client begin whose certificate the broker refuses a moment later.
  causeOf: (connection, error) =>
    errorNameOf(error) === 'NETWORK' ? (endings.get(connection) ?? null) : null,
}

/** What connections ended with: their requests only hear that they are closed. */
const endings = new WeakMap<object, Error>()

function writeProduce(
  transactionalId: string | null,
  timeoutMs: number,
  { topic, partition, batch }: BatchToProduce,
): Writer {
  const allInSync = -1
  return Writer.create()
    .appendString(transactionalId)
    .appendInt16(allInSync)
    .appendInt32(timeoutMs)
    .appendArray([batch], topics => {
      topics.appendString(topic).appendArray([batch], partitions => {
        partitions
          .appendInt32(partition)
          .appendUnsignedVarInt(batch.length + 1)
          .append(batch)
      })
    })
    .appendTaggedFields()
}

function parseFetchResponse(
  _correlationId: number,
  _apiKey: number,
  _apiVersion: number,
  reader: Reader,
): FetchAnswer {
  reader.readInt32()
  const errorCode = reader.readInt16()
  reader.readInt32()
  const topics = reader.readArray(topic => ({
    topicId: topic.readUUID(),
    partitions: topic.readArray(readPartition, true, true),
  }))
  return { errorCode, topics }
}

function readPartition(reader: Reader): FetchedPartition {
  const partition = reader.readInt32()
  const errorCode = reader.readInt16()
  reader.readInt64()
  const lastStableOffset = Number(reader.readInt64())
  const logStartOffset = Number(reader.readInt64())
  const aborted = reader.readNullableArray(one => ({
    producerId: one.readInt64(),
    firstOffset: Number(one.readInt64()),
  }))
  reader.readInt32()
  // COMPACT_RECORDS: one more than the length, and 0 for null.
  const length = Math.max(0, reader.readUnsignedVarInt() - 1)
  const batches = reader.buffer.slice(reader.position, reader.position + length)
  reader.skip(length)
  return { partition, errorCode, lastStableOffset, logStartOffset, aborted: aborted ?? [], batches }
}

/**
 * What went wrong, by Kafka's name; `NETWORK` and `TIMEOUT` for what never got an answer, `UNTRUSTED` where
 * TLS ended it.
 */
export function errorNameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN'
  if (error instanceof RequestError) return error.errorName
  const [answered] = answersIn(error)
  if (answered !== undefined) return answered.name
  if (errorIn(error, isAuthentication) !== null) return 'AUTHENTICATION'
  if (errorIn(error, isTls) !== null) return 'UNTRUSTED'
  if (findErrorBy(error, 'code', 'PLT_KFK_TIMEOUT') !== null) return 'TIMEOUT'
  if (findErrorBy(error, 'code', 'PLT_KFK_NETWORK') !== null) return 'NETWORK'
  return 'UNKNOWN'
}

/** Kafka's name of an error's number. */
export function errorNameOfCode(code: number): string {
  return protocolErrorsCodesById[code] ?? 'UNKNOWN'
}

/** The same with what the broker says of it. */
export function errorTextOf(error: unknown): string {
  const name = errorNameOf(error)
  if (!(error instanceof Error)) return name
  if (error instanceof RequestError) return `${name} (${error.message})`
  if (name === 'UNTRUSTED') return errorIn(error, isTls)!.message
  const said = answersIn(error).flatMap(({ text }) => (text === null ? [] : [text]))
  const refusal = errorIn(error, isAuthentication)?.cause
  const system = name === 'NETWORK' ? errorIn(error, isSystem) : null
  if (said.length === 0 && system !== null) said.push(system.message)
  if (said.length === 0 && refusal instanceof Error) said.push(refusal.message)
  return said.length === 0 ? name : `${name} (${said[0]})`
}

/** OpenSSL's and Node's codes of what is wrong with a certificate, and of the other side's refusal. */
const tlsCodes =
  /^(ERR_SSL_|ERR_TLS_|ERR_OSSL_|CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|HOSTNAME_MISMATCH)/

interface CodedError extends Error {
  readonly code?: unknown
  readonly errors?: unknown
}

function isTls({ code, message }: CodedError): boolean {
  // The library's own word for a broker that answers by TLS, unasked.
  if (code === 'PLT_KFK_USER') return message.includes('TLS')
  return typeof code === 'string' && tlsCodes.test(code)
}

/** Of the operating system: a port that is closed, a host that is not known. */
function isSystem({ code, message }: CodedError): boolean {
  return typeof code === 'string' && /^E[A-Z]+$/.test(code) && message !== ''
}

function isAuthentication({ code }: CodedError): boolean {
  return code === 'PLT_KFK_AUTHENTICATION'
}

/** The first of such errors, however deep it lies: the library looks among errors, not their causes. */
function errorIn(error: CodedError, isWanted: (one: CodedError) => boolean): Error | null {
  if (isWanted(error)) return error
  const inner = Array.isArray(error.errors) ? (error.errors as unknown[]) : []
  for (const one of [...inner, error.cause]) {
    const found = one instanceof Error ? errorIn(one, isWanted) : null
    if (found !== null) return found
  }
  return null
}

interface BrokerAnswer {
  readonly name: string
  readonly text: string | null
}

interface AnsweredError extends Error {
  readonly apiId?: unknown
  readonly serverErrorMessage?: string | null
  readonly errors?: unknown
}

/** The errors that a broker answered with, however deep they lie; those that say least come last. */
function answersIn(error: AnsweredError): readonly BrokerAnswer[] {
  if (typeof error.apiId === 'string') {
    return [{ name: error.apiId, text: error.serverErrorMessage ?? null }]
  }
  const inner = Array.isArray(error.errors) ? (error.errors as unknown[]) : []
  const answers = [...inner, error.cause].flatMap(one => {
    return one instanceof Error ? answersIn(one) : []
  })
  const isVague = ({ name }: BrokerAnswer): number => (name === 'UNKNOWN_SERVER_ERROR' ? 1 : 0)
  return answers.toSorted((a, b) => isVague(a) - isVague(b))
}

/** The member id that a broker gives to who joins without one. */
export function givenMemberId(error: unknown): string {
  const { response } = error as { readonly response?: { readonly memberId?: string } }
  return response?.memberId ?? ''
}

export function decompress(codec: number, bytes: Buffer): Buffer {
  const algorithm = compressionsAlgorithmsByBitmask[codec]
  if (algorithm === undefined) throw new Error(`compression codec ${codec} is not known`)
  return algorithm.decompressSync(bytes)
}

export function checksum(bytes: Buffer): number {
  return crc32c(bytes)
}

/** What a member says when it joins: its topics, and the partitions that it has. */
export interface Subscription {
  readonly topics: readonly string[]
  readonly owned: readonly { readonly topic: string; readonly partition: number }[]
}

export function encodeSubscription({ topics, owned }: Subscription): Buffer {
  return encodeConsumerProtocolSubscription({
    version: 1,
    topics: [...topics],
    ownedPartitions: byTopic(owned),
    generationId: -1,
    rackId: null,
  } as Parameters<typeof encodeConsumerProtocolSubscription>[0])
}

export function decodeSubscription(bytes: Buffer): Subscription {
  const { topics, ownedPartitions } = decodeConsumerProtocolSubscription(bytes)
  return { topics, owned: flat(ownedPartitions) }
}

export function encodeAssignment(partitions: Subscription['owned']): Buffer {
  return encodeConsumerProtocolAssignment({
    version: 0,
    assignedPartitions: byTopic(partitions),
    userData: null,
  } as Parameters<typeof encodeConsumerProtocolAssignment>[0])
}

export function decodeAssignment(bytes: Buffer): Subscription['owned'] {
  if (bytes.length === 0) return []
  return flat(decodeConsumerProtocolAssignment(bytes).assignedPartitions)
}

function byTopic(partitions: Subscription['owned']): { topic: string; partitions: number[] }[] {
  return [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, own]) => ({
    topic,
    partitions: own.map(({ partition }) => partition),
  }))
}

function flat(
  assignments: readonly { topic: string; partitions: readonly number[] }[],
): Subscription['owned'] {
  return assignments.flatMap(({ topic, partitions }) =>
    partitions.map(partition => ({ topic, partition })),
  )
}
