/** One fetch from one broker, and what its answers mean for each partition. */
import { SourceError, StateError } from '../../model/errors.ts'
import type { TopicPartition } from '../log.ts'
import type { KafkaClient, Lane } from './client.ts'
import { PassingError } from './client.ts'
import type { FetchedPartition } from './protocol.ts'
import { requests } from './protocol.ts'

export interface FetchPosition extends TopicPartition {
  readonly offset: number
  /** The id of the topic that it was first fetched by. */
  topicId?: string
}

const readCommitted = 1
/** Of one partition in one fetch. */
const maxPartitionBytes = 1024 * 1024

/** Kafka's numbers of the errors of a partition in a fetch. */
const errors = {
  0: 'none',
  1: 'offset-out-of-range',
  3: 'topic-gone',
  100: 'topic-gone',
} as const

/**
 * What the broker has of the partitions; those without news are left out. StateError
 * `offset-out-of-range`; PassingError when the broker does not lead a partition (any more).
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
    if (found === null) throw gone({ topic, partition: 0, offset: 0 })
    ids.set(topic, found.id)
  }
  for (const position of positions) pin(position, ids.get(position.topic)!)
  // In the order of the positions: the broker fills its answer so. A topic may be named again.
  const topics = positions.map(({ topic, partition, offset }) => ({
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
    requests.fetch,
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
  const names = new Map([...ids].map(([topic, id]) => [id, topic]))
  return response.topics.flatMap(({ topicId, partitions }) =>
    partitions.map(part => {
      const position = positions.find(
        one => one.topic === names.get(topicId) && one.partition === part.partition,
      )!
      check(position, part)
      return { position, part }
    }),
  )
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

function check(position: FetchPosition, { errorCode, logStartOffset }: FetchedPartition): void {
  const meaning = (errors as Record<number, string>)[errorCode]
  if (meaning === 'none') return
  if (meaning === 'offset-out-of-range') {
    const { topic, partition, offset } = position
    throw new StateError(
      'offset-out-of-range',
      `the partition has no offset ${offset} (it begins at ${logStartOffset})`,
      { context: { topic, partition, offset } },
    )
  }
  if (meaning === 'topic-gone') throw gone(position)
  throw new PassingError(`a partition could not be fetched: error ${errorCode}`)
}

/** Passing first: the metadata may be old. Looking the topic up again tells whether it is there. */
function gone({ topic, partition }: FetchPosition): PassingError | SourceError {
  return new PassingError(`the broker does not know ${topic}-${partition}`)
}
