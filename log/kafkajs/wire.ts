/**
 * Kafka's wire protocol by way of kafkajs, for who names it as the client. It speaks the protocol of 2020;
 * what it lacks and is needed is in `newer-exchanges.ts`. ADR 0009 says why its own consumer and producer
 * are not used.
 */
import type { PartitionsOf, Request, Requests, Wire } from '../kafka/wire.ts'
import { connectionOf, KafkaJsPool } from './connections.ts'
import { metadata, offsetFetch, txnOffsetCommit } from './newer-exchanges.ts'
import { fetch, produce } from './own-exchanges.ts'

/** By kafkajs's name of a request, with its names of arguments; what it answers goes through `answer`. */
function request<Args extends unknown[], Found, Answer>(
  name: string,
  options: (...args: Args) => object,
  answer: (found: Found) => Answer,
): Request<Args, Answer> {
  return {
    async: async (connection, ...args) =>
      answer((await connectionOf(connection).ask(name, options(...args))) as Found),
  }
}

interface Partitions<P> {
  readonly responses: readonly { readonly topic: string; readonly partitions: readonly P[] }[]
}

const done = (): null => null

const groupRequests: Pick<
  Requests,
  'findCoordinator' | 'heartbeat' | 'joinGroup' | 'leaveGroup' | 'offsetCommit' | 'syncGroup'
> = {
  findCoordinator: request(
    'GroupCoordinator',
    (coordinatorType, [groupId]) => ({ coordinatorType, groupId }),
    ({ coordinator }: { coordinator: { nodeId: number; host: string; port: number } }) => ({
      coordinators: [coordinator],
    }),
  ),
  heartbeat: request(
    'Heartbeat',
    (groupId, groupGenerationId, memberId, groupInstanceId) => ({
      groupId,
      groupGenerationId,
      memberId,
      groupInstanceId,
    }),
    done,
  ),
  joinGroup: request(
    'JoinGroup',
    (
      groupId,
      sessionTimeout,
      rebalanceTimeout,
      memberId,
      groupInstanceId,
      protocolType,
      protocols,
    ) => ({
      groupId,
      sessionTimeout,
      rebalanceTimeout,
      memberId,
      groupInstanceId,
      protocolType,
      groupProtocols: protocols,
    }),
    (found: JoinFound) => ({
      memberId: found.memberId,
      generationId: found.generationId,
      leader: found.leaderId,
      protocolName: found.groupProtocol,
      members: found.members.map(({ memberId, memberMetadata }) => ({
        memberId,
        metadata: memberMetadata,
      })),
    }),
  ),
  leaveGroup: request('LeaveGroup', (groupId, [member]) => ({ groupId, ...member }), done),
  offsetCommit: request(
    'OffsetCommit',
    (groupId, groupGenerationId, memberId, groupInstanceId, topics) => ({
      groupId,
      groupGenerationId,
      memberId,
      groupInstanceId,
      topics: topics.map(({ name, partitions }) => ({
        topic: name,
        partitions: partitions.map(({ partitionIndex, committedOffset, committedMetadata }) => ({
          partition: partitionIndex,
          offset: committedOffset,
          metadata: committedMetadata,
        })),
      })),
    }),
    done,
  ),
  syncGroup: request(
    'SyncGroup',
    (groupId, generationId, memberId, groupInstanceId, _type, _protocol, assignments) => ({
      groupId,
      generationId,
      memberId,
      groupInstanceId,
      groupAssignment: assignments.map(({ memberId: id, assignment }) => ({
        memberId: id,
        memberAssignment: assignment,
      })),
    }),
    ({ memberAssignment }: { memberAssignment: Buffer }) => ({ assignment: memberAssignment }),
  ),
}

interface JoinFound {
  readonly memberId: string
  readonly generationId: number
  readonly leaderId: string
  readonly groupProtocol: string
  readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[]
}

const transactionRequests: Pick<
  Requests,
  'addOffsetsToTxn' | 'addPartitionsToTxn' | 'endTxn' | 'initProducerId'
> = {
  addOffsetsToTxn: request(
    'AddOffsetsToTxn',
    (transactionalId, producerId, producerEpoch, groupId) => ({
      transactionalId,
      producerId,
      producerEpoch,
      groupId,
    }),
    done,
  ),
  addPartitionsToTxn: request(
    'AddPartitionsToTxn',
    ([transaction]) => ({ ...transaction, topics: transaction!.topics.map(named) }),
    done,
  ),
  endTxn: request(
    'EndTxn',
    (transactionalId, producerId, producerEpoch, transactionResult) => ({
      transactionalId,
      producerId,
      producerEpoch,
      transactionResult,
    }),
    done,
  ),
  initProducerId: request(
    'InitProducerId',
    (transactionalId, transactionTimeout) => ({ transactionalId, transactionTimeout }),
    ({ producerId, producerEpoch }: { producerId: string; producerEpoch: number }) => ({
      producerId: BigInt(producerId),
      producerEpoch,
    }),
  ),
}

const topicRequests: Pick<
  Requests,
  'createTopics' | 'deleteRecords' | 'describeConfigs' | 'listOffsets'
> = {
  createTopics: request(
    'CreateTopics',
    (topics, timeout, validateOnly) => ({
      topics: topics.map(({ name, configs, numPartitions, replicationFactor }) => ({
        topic: name,
        numPartitions,
        replicationFactor,
        configEntries: configs,
      })),
      timeout,
      validateOnly,
    }),
    done,
  ),
  deleteRecords: request(
    'DeleteRecords',
    (topics, timeout) => ({
      topics: topics.map(({ name, partitions }) => ({
        topic: name,
        partitions: partitions.map(({ partitionIndex, offset }) => ({
          partition: partitionIndex,
          offset,
        })),
      })),
      timeout,
    }),
    done,
  ),
  describeConfigs: request(
    'DescribeConfigs',
    resources => ({
      resources: resources.map(({ resourceType, resourceName, configurationKeys }) => ({
        type: resourceType,
        name: resourceName,
        configNames: configurationKeys,
      })),
    }),
    ({ resources }: { resources: readonly { configEntries: readonly ConfigFound[] }[] }) => ({
      results: resources.map(({ configEntries }) => ({
        configs: configEntries.map(({ configName, configValue }) => ({
          name: configName,
          value: configValue,
        })),
      })),
    }),
  ),
  listOffsets: request(
    'ListOffsets',
    (replicaId, isolationLevel, topics) => ({
      replicaId,
      isolationLevel,
      topics: topics.map(({ name, partitions }) => ({
        topic: name,
        partitions: partitions.map(({ partitionIndex, timestamp }) => ({
          partition: partitionIndex,
          timestamp,
        })),
      })),
    }),
    ({ responses }: Partitions<{ offset: string }>) => ({
      topics: responses.map(({ topic, partitions }) => ({
        name: topic,
        partitions: partitions.map(({ offset }) => ({ offset: BigInt(offset) })),
      })),
    }),
  ),
}

interface ConfigFound {
  readonly configName: string
  readonly configValue: string | null
}

function named({ name, partitions }: PartitionsOf<number>): object {
  return { topic: name, partitions }
}

export const kafkaJsWire: Wire = {
  requests: {
    ...groupRequests,
    ...transactionRequests,
    ...topicRequests,
    fetch,
    metadata,
    offsetFetch,
    produce,
    txnOffsetCommit,
  },
  openPool: options => new KafkaJsPool(options),
}
