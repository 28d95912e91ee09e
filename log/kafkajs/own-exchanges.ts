/**
 * Requests that kafkajs would code or judge otherwise: record batches go and come as bytes, so that
 * committed reads and sequence numbers are those of `../kafka/record-batches.ts`, and what fails in one
 * partition is told of that one.
 */
import type { FetchAnswer, FetchedPartition, Requests } from '../kafka/wire.ts'
import { connectionOf } from './connections.ts'
import type { Decoder } from './library.ts'
import { exchangeOfVersion, KafkaDecoder, KafkaEncoder } from './library.ts'

const fetchVersion = 11
const produceVersion = 7

const asItIs = (decoded: object): Promise<object> => Promise.resolve(decoded)

export const fetch: Requests['fetch'] = {
  async: async (connection, maxWaitTime, minBytes, maxBytes, isolationLevel, ...rest) => {
    const [sessionId, sessionEpoch, topics] = rest
    const exchange = exchangeOfVersion('Fetch', fetchVersion, {
      maxWaitTime,
      minBytes,
      maxBytes,
      isolationLevel,
      sessionId,
      sessionEpoch,
      topics: topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition, fetchOffset, partitionMaxBytes }) => ({
          partition,
          fetchOffset,
          maxBytes: partitionMaxBytes,
        })),
      })),
    })
    const ids = new Map(topics.map(({ topic, topicId }) => [topic, topicId]))
    const decode = (bytes: Buffer): Promise<FetchAnswer> => Promise.resolve(readFetch(bytes, ids))
    const response = { decode, parse: asItIs }
    return (await connectionOf(connection).send({ ...exchange, response })) as FetchAnswer
  },
}

/** Fetch Response, version 11. */
function readFetch(
  bytes: Buffer,
  ids: ReadonlyMap<string, string>,
): FetchAnswer & { readonly clientSideThrottleTime: number } {
  const decoder = new KafkaDecoder(bytes)
  const clientSideThrottleTime = decoder.readInt32()
  const errorCode = decoder.readInt16()
  decoder.readInt32()
  const topics = decoder.readArray(topic => ({
    topicId: ids.get(topic.readString())!,
    partitions: topic.readArray(readPartition),
  }))
  return { clientSideThrottleTime, errorCode, topics }
}

function readPartition(decoder: Decoder): FetchedPartition {
  const partition = decoder.readInt32()
  const errorCode = decoder.readInt16()
  decoder.readInt64()
  const lastStableOffset = readNumber(decoder)
  const logStartOffset = readNumber(decoder)
  const aborted = decoder.readArray(one => ({
    producerId: BigInt(one.readInt64().toString()),
    firstOffset: readNumber(one),
  }))
  decoder.readInt32()
  const batches = decoder.readBytes() ?? Buffer.alloc(0)
  return { partition, errorCode, lastStableOffset, logStartOffset, aborted, batches }
}

function readNumber(decoder: Decoder): number {
  return Number(decoder.readInt64().toString())
}

export const produce: Requests['produce'] = {
  async: async (connection, transactionalId, timeout, { topic, partition, batch }) => {
    const allInSync = -1
    const options = { acks: allInSync, timeout, transactionalId, topicData: [] }
    const exchange = exchangeOfVersion('Produce', produceVersion, options)
    const encoded = new KafkaEncoder()
      .writeString(transactionalId)
      .writeInt16(allInSync)
      .writeInt32(timeout)
      .writeInt32(1)
      .writeString(topic)
      .writeInt32(1)
      .writeInt32(partition)
      .writeBytes(batch)
    const encode = (): Promise<typeof encoded> => Promise.resolve(encoded)
    const request = { ...exchange.request, encode }
    const { topics } = (await connectionOf(connection).send({ ...exchange, request })) as {
      readonly topics: readonly {
        readonly partitions: readonly { readonly baseOffset: string }[]
      }[]
    }
    return {
      responses: topics.map(({ partitions }) => ({
        partitionResponses: partitions.map(one => ({ baseOffset: BigInt(one.baseOffset) })),
      })),
    }
  },
}
