/** What commits have in common, with and without transactions: offsets, membership, and what failed. */
import { assert, ForagerError, StateError } from '../../model/errors.ts'
import type { GroupMembership, Transaction } from '../log.ts'
import type { KafkaClient } from './client.ts'
import { errorNameOf } from './protocol.ts'

/** Errors that say that the id, or the membership that the offsets are committed under, is not ours. */
const fencing = new Set([
  'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_ID_MAPPING',
  'INVALID_TXN_STATE',
  'TRANSACTIONAL_ID_NOT_FOUND',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'REBALANCE_IN_PROGRESS',
  'FENCED_INSTANCE_ID',
])

const maxMetadataBytes = 4096

type Offsets = Transaction['offsets']

export function checkMetadata(offsets: Offsets): void {
  for (const offset of offsets) {
    const size = Buffer.byteLength(offset.metadata)
    assert(size <= maxMetadataBytes, () => `offset metadata of ${size} bytes`, { ...offset })
  }
}

/** As requests have them. */
export function offsetsByTopic(offsets: Offsets) {
  return [...Map.groupBy(offsets, ({ topic }) => topic)].map(([name, own]) => ({
    name,
    partitions: own.map(({ partition, offset, metadata }) => ({
      partitionIndex: partition,
      committedOffset: BigInt(offset),
      committedLeaderEpoch: -1,
      committedMetadata: metadata,
    })),
  }))
}

/** A topic that was deleted does not come back by asking again. */
export async function checkTopics(
  client: KafkaClient,
  offsets: Offsets,
  error: unknown,
): Promise<never> {
  if (errorNameOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') {
    for (const at of offsets) {
      client.forgetTopic(at.topic)
      await client.leader(at)
    }
  }
  throw error
}

/** A heartbeat, which the group refuses from who is not its member any more. */
export async function confirmMembership(
  client: KafkaClient,
  id: string,
  { group, generation, memberId }: GroupMembership,
): Promise<void> {
  if (memberId === '') return
  await client.retrying(`confirm the membership (${id})`, {}, async () => {
    const ask = client.control.askCoordinator(
      'group',
      group,
      client.requests.heartbeat,
      group,
      generation,
      memberId,
      null,
    )
    await ask.catch((error: unknown) => {
      // It rebalances, and this is still a member of it.
      if (errorNameOf(error) !== 'REBALANCE_IN_PROGRESS') throw error
    })
  })
}

/** What the task is told: that it lost its id, or what else stands in the way. */
export function commitFailure(id: string, error: unknown): Error {
  if (!(error instanceof Error)) return fencedError(id, String(error))
  const name = errorNameOf((error as { cause?: unknown }).cause ?? error)
  if (fencing.has(name)) return fencedError(id, name, error)
  const isUnknown = error instanceof ForagerError && error.code === 'kafka-unreachable'
  return isUnknown ? fencedError(id, `its outcome is not known: ${error.message}`, error) : error
}

export function fencedError(id: string, reason: string, cause?: unknown): StateError {
  return new StateError('task-fenced', `the transaction of ${id} ended: ${reason}`, { cause })
}
