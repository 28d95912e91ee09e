/** One fetch from one broker, and what its answers mean for each partition. */
import { SourceError, StateError } from '../../model/errors.ts'
import type { TopicPartition } from '../log.ts'
import { partitionName } from '../log.ts'
import type { KafkaClient, Lane } from './client.ts'
import { PassingError } from './client.ts'
import type { FetchedPartition } from './wire.ts'

export interface FetchPosition extends TopicPartition {
  readonly offset: number
  /** The id of the topic that it was first fetched by. */
  topicId?: string
}

const readCommitted = 1
/** Of one partition in one fetch. */
const maxPartitionBytes = 1024 * 1024

/** Kafka's numbers of what a fetch says of a partition; every other one passes. */
const none = 0
const offsetOutOfRange = 1
const topicAuthorizationFailed = 29

/**
 * What the broker has of the partitions; those without news are left out. StateError
 * `offset-out-of-range`; SourceError `kafka-refused`; PassingError when the broker does not lead a
 * partition (any more), unless there are records of others.
 */
export async function fetchPartitions<P extends FetchPosition>(
  client: KafkaClient,
  lane: Lane,
  leader: number,
  positions: readonly P[],
  { maxWaitMs, maxBytes }: { readonly maxWaitMs: number; readonly maxBytes: number },
): Promise<readonly { readonly position: P; readonly part: FetchedPartition }[]> {
  const ids = new Map<string, string>()
  for (const { topic } of positions) {
    if (ids.has(topic)) continue
    const found = await client.findTopic(topic)
    if (found === null) throw new PassingError(`the cluster does not know the topic ${topic}`)
    ids.set(topic, found.id)
  }
  for (const position of positions) pin(position, ids.get(position.topic)!)
  // In the order of the positions: the broker fills its answer so. A topic may be named again.
  const topics = positions.map(({ topic, partition, offset }) => ({
    topic,
    topicId: ids.get(topic)!,
    partitions: [
      {
        partition,
        currentLeaderEpoch: -1,
        fetchOffset: BigInt(offset),
        lastFetchedEpoch: -1,
        partitionMaxBytes: maxPartitionBytes,
      },
    ],
  }))
  const response = await lane.ask(
    leader,
    client.requests.fetch,
    maxWaitMs,
    1,
    maxBytes,
    readCommitted,
    0,
    -1,
    topics,
    [],
    '',
  )
  if (response.errorCode !== 0)
    throw new PassingError(`a fetch failed: error ${response.errorCode}`)
  const asked = new Map(positions.map(one => [`${ids.get(one.topic)} ${one.partition}`, one]))
  const answered = response.topics.flatMap(({ topicId, partitions }) =>
    partitions.map(part => ({ position: asked.get(`${topicId} ${part.partition}`)!, part })),
  )
  const failures = answered.map(({ position, part }) => failureOf(position, part))
  const lasting = failures.find(failure => failure !== null && !(failure instanceof PassingError))
  if (lasting !== undefined) throw lasting
  const passing = failures.find(failure => failure !== null)
  if (passing === undefined) return answered
  const good = answered.filter((_, index) => failures[index] === null)
  // What fails for long must not hold back the others of its broker.
  if (good.every(({ part }) => part.batches.length === 0)) throw passing
  for (const [index, { position }] of answered.entries()) {
    if (failures[index] !== null) client.forgetTopic(position.topic)
  }
  return good
}

/** Which partition's offset was out of range, and which that was; null for any other failure. */
export function failedOffset(
  failure: unknown,
): { readonly name: string; readonly offset: number } | null {
  if (!(failure instanceof StateError) || failure.code !== 'offset-out-of-range') return null
  const { topic, partition, offset } = failure.context
  return { name: partitionName({ topic: topic!, partition: partition! }), offset: offset! }
}

/** An offset means nothing in a topic that was removed and made anew. */
function pin(position: FetchPosition, topicId: string): void {
  position.topicId ??= topicId
  if (position.topicId === topicId) return
  const { topic, partition, offset } = position
  throw new SourceError('source-replaced', 'the topic was made anew while it was read', {
    context: { topic, partition, offset },
  })
}

function failureOf(
  position: FetchPosition,
  { errorCode, logStartOffset }: FetchedPartition,
): Error | null {
  if (errorCode === none) return null
  const { topic, partition, offset } = position
  const context = { topic, partition, offset }
  if (errorCode === offsetOutOfRange) {
    const message = `the partition has no offset ${offset} (it begins at ${logStartOffset})`
    return new StateError('offset-out-of-range', message, { context })
  }
  if (errorCode === topicAuthorizationFailed) {
    return new SourceError('kafka-refused', 'the topic may not be read', { context })
  }
  // Also of a topic that it does not know: the metadata may be old, and looking it up again tells.
  return new PassingError(`${topic}-${partition} could not be fetched: error ${errorCode}`)
}
