/** What one partition's answer means for the others of a fetch: by answers of a broker that are made here. */
import { describe, expect, it } from 'vitest'
import type { KafkaClient } from '../../../log/kafka/client.ts'
import { FetchReader } from '../../../log/kafka/fetch-reader.ts'
import { encodeBatch } from '../../../log/kafka/record-batches.ts'

interface Answered {
  readonly errorCode?: number
  readonly batches?: Buffer
}

/** A client whose broker answers each fetch so, by partition. */
function clientOf(answers: readonly Answered[]): KafkaClient {
  const lane = {
    ask: (...args: readonly unknown[]) => {
      const asked = args[8] as readonly { readonly partitions: readonly { partition: number }[] }[]
      const parts = asked.map(({ partitions: [at] }) => {
        const { errorCode = 0, batches = Buffer.alloc(0) } = answers[at!.partition]!
        const facts = { errorCode, batches, aborted: [], lastStableOffset: 1, logStartOffset: 0 }
        return { partition: at!.partition, ...facts }
      })
      return Promise.resolve({ errorCode: 0, topics: [{ topicId: 'id', partitions: parts }] })
    },
  }
  const client = {
    options: { requestTimeoutMs: 1000 },
    requests: {},
    isClosed: false,
    openLane: () => lane,
    leader: () => Promise.resolve(1),
    findTopic: () => Promise.resolve({ id: 'id' }),
    forgetTopic: () => undefined,
    backoff: () => Promise.resolve(),
  }
  return client as unknown as KafkaClient
}

function batchOf(value: string): Buffer {
  const record = { topic: 't', partition: 0, key: null, value: Buffer.from(value), timestampMs: 0 }
  return encodeBatch([record], { producerId: 1n, producerEpoch: 0, sequence: 0 })
}

async function fetched(answers: readonly Answered[]): Promise<FetchReader> {
  let onNews = (): void => undefined
  const news = new Promise<void>(resolve => {
    onNews = resolve
  })
  const reader = new FetchReader(clientOf(answers), () => onNews())
  for (const partition of answers.keys()) reader.seek({ topic: 't', partition }, 0)
  await reader.start(1000)
  await news
  return reader
}

describe('a fetch of several partitions', () => {
  it('hands out the others of one that cannot be fetched now', async () => {
    const storageError = 56
    const reader = await fetched([{ errorCode: storageError }, { batches: batchOf('a') }])
    expect(reader.take(1000)).toMatchObject([{ partition: 1, nextOffset: 1 }])
  })

  it('says that a topic may not be read', async () => {
    const topicAuthorizationFailed = 29
    const reader = await fetched([{ errorCode: topicAuthorizationFailed }])
    expect(reader.takeFailure()).toMatchObject({ code: 'kafka-refused' })
  })

  it('loses nothing of a partition before one that cannot be decoded', async () => {
    const broken = batchOf('b')
    broken[broken.length - 1]! ^= 1
    const reader = await fetched([{ batches: batchOf('a') }, { batches: broken }])
    expect(reader.take(1000)).toMatchObject([{ partition: 0, nextOffset: 1 }])
    expect(() => reader.take(1000)).toThrow('wrong checksum')
  })
})
