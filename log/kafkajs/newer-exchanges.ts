/**
 * Requests in versions that kafkajs does not have, over its connections: what is exactly once rests on
 * them. Offsets in a transaction name the membership, which fences a member that was replaced (KIP-447,
 * `TxnOffsetCommit` 3), and committed offsets wait for a transaction that is being decided
 * (`OffsetFetch` 7). Topics have ids, by which one that was made anew is known (`Metadata` 12).
 */
import { errorNameOfCode } from '../kafka/protocol.ts'
import type { MetadataAnswer, Requests } from '../kafka/wire.ts'
import { RequestError } from '../kafka/wire.ts'
import { connectionOf } from './connections.ts'
import type { Decoder, Encoder, Exchange } from './library.ts'
import { KafkaDecoder, KafkaEncoder } from './library.ts'

const none = 0
/** Fields that have tags: none is written, and they end the header and each structure. */
const noTags = 0

export const txnOffsetCommit: Requests['txnOffsetCommit'] = {
  async: async (connection, ...args) => {
    const [id, group, producer, epoch, generation, memberId, instanceId, topics] = args
    const body = begin()
      .writeUVarIntString(id)
      .writeUVarIntString(group)
      .writeInt64(producer)
      .writeInt16(epoch)
      .writeInt32(generation)
      .writeUVarIntString(memberId)
      .writeUVarIntString(instanceId)
    writeAll(body, topics, ({ name, partitions }) => {
      body.writeUVarIntString(name)
      writeAll(body, partitions, one => {
        body
          .writeInt32(one.partitionIndex)
          .writeInt64(one.committedOffset)
          .writeInt32(one.committedLeaderEpoch)
          .writeUVarIntString(one.committedMetadata)
      })
    })
    const exchange = exchangeOf(
      { apiKey: 28, apiVersion: 3, apiName: 'TxnOffsetCommit' },
      body,
      found => {
        readAll(found, topic => {
          topic.readUVarIntString()
          readAll(topic, partition => {
            partition.readInt32()
            check(partition.readInt16())
          })
        })
        return null
      },
    )
    return await connectionOf(connection).send(exchange)
  },
}

export const offsetFetch: Requests['offsetFetch'] = {
  async: async (connection, [asked], isStable) => {
    const body = begin().writeUVarIntString(asked!.groupId)
    writeAll(body, asked!.topics, ({ name, partitionIndexes }) => {
      body.writeUVarIntString(name).writeUVarInt(partitionIndexes.length + 1)
      for (const partition of partitionIndexes) body.writeInt32(partition)
    })
    body.writeBoolean(isStable)
    const exchange = exchangeOf(
      { apiKey: 9, apiVersion: 7, apiName: 'OffsetFetch' },
      body,
      found => {
        const topics = readAll(found, topic => ({
          name: topic.readUVarIntString() ?? '',
          partitions: readAll(topic, readOffset),
        }))
        check(found.readInt16())
        return { groups: [{ topics }] }
      },
    )
    return (await connectionOf(connection).send(exchange)) as OffsetsAnswer
  },
}

const allTopics = 0
const anyId = 0n

export const metadata: Requests['metadata'] = {
  async: async (connection, names) => {
    const body = begin()
    if (names === null) body.writeUVarInt(allTopics)
    else {
      writeAll(body, names, name => {
        body.writeInt64(anyId).writeInt64(anyId).writeUVarIntString(name)
      })
    }
    body.writeBoolean(false).writeBoolean(false)
    const exchange = exchangeOf({ apiKey: 3, apiVersion: 12, apiName: 'Metadata' }, body, found => {
      const brokers = readAll(found, readBroker)
      found.readUVarIntString()
      found.readInt32()
      return { brokers, topics: readAll(found, readTopic) }
    })
    const answer = (await connectionOf(connection).send(exchange)) as MetadataAnswer
    const failed = answer.topics.find(({ errorCode }) => errorCode !== none)
    if (failed === undefined) return answer
    throw new RequestError(errorNameOfCode(failed.errorCode), `the topic ${failed.name}`, {})
  },
}

function readBroker(decoder: Decoder) {
  const nodeId = decoder.readInt32()
  const host = decoder.readUVarIntString() ?? ''
  const port = decoder.readInt32()
  decoder.readUVarIntString()
  return { nodeId, host, port }
}

function readTopic(decoder: Decoder) {
  const errorCode = decoder.readInt16()
  const name = decoder.readUVarIntString()
  const topicId = readUuid(decoder)
  const isInternal = decoder.readBoolean()
  const partitions = readAll(decoder, readLeader)
  decoder.readInt32()
  return { errorCode, name, topicId, isInternal, partitions }
}

function readLeader(decoder: Decoder) {
  decoder.readInt16()
  const partitionIndex = decoder.readInt32()
  const leaderId = decoder.readInt32()
  decoder.readInt32()
  // Replicas, those in sync, those offline.
  for (let lists = 0; lists < 3; lists += 1) decoder.readUVarIntArray(one => one.readInt32())
  return { partitionIndex, leaderId }
}

function readUuid(decoder: Decoder): string {
  const half = (): string => {
    const bits = BigInt.asUintN(64, BigInt(decoder.readInt64().toString()))
    return bits.toString(16).padStart(16, '0')
  }
  const hex = half() + half()
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

type OffsetsAnswer = Awaited<ReturnType<Requests['offsetFetch']['async']>>

function readOffset(decoder: Decoder) {
  const partitionIndex = decoder.readInt32()
  const committedOffset = BigInt(decoder.readInt64().toString())
  decoder.readInt32()
  const metadata = decoder.readUVarIntString()
  check(decoder.readInt16())
  return { partitionIndex, committedOffset, metadata }
}

function check(errorCode: number): void {
  if (errorCode === none) return
  throw new RequestError(errorNameOfCode(errorCode), 'offsets were refused', {})
}

/** The header's tags come before the body. */
function begin(): Encoder {
  return new KafkaEncoder().writeUVarInt(noTags)
}

function exchangeOf<T>(
  api: { readonly apiKey: number; readonly apiVersion: number; readonly apiName: string },
  body: Encoder,
  answer: (decoder: Decoder) => T,
): Exchange {
  body.writeUVarInt(noTags)
  return {
    request: { ...api, encode: () => Promise.resolve(body) },
    response: {
      decode: bytes => {
        const decoder = new KafkaDecoder(bytes)
        decoder.readTaggedFields()
        return Promise.resolve({ clientSideThrottleTime: decoder.readInt32(), decoder })
      },
      parse: decoded =>
        Promise.resolve(answer((decoded as { decoder: Decoder }).decoder) as object),
    },
  }
}

function writeAll<T>(encoder: Encoder, items: readonly T[], write: (item: T) => void): void {
  encoder.writeUVarInt(items.length + 1)
  for (const item of items) {
    write(item)
    encoder.writeUVarInt(noTags)
  }
}

function readAll<T>(decoder: Decoder, read: (decoder: Decoder) => T): T[] {
  const items = decoder.readUVarIntArray(one => {
    const item = read(one)
    one.readTaggedFields()
    return item
  })
  return items ?? []
}
