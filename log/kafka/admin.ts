/** What an operator asks of a cluster beside reading and writing: who is in a group, and its end. */
import { StateError } from '../../model/errors.ts'
import type { CommittedOffset, TopicPartition } from '../log.ts'
import type { KafkaClient } from './client.ts'
import { offsetsByTopic } from './commits.ts'
import type { KafkaLogOptions } from './kafka-log.ts'
import { openClient } from './kafka-log.ts'
import { decodeAssignment, errorNameOf, requests } from './protocol.ts'

export interface GroupMemberInfo {
  readonly id: string
  readonly clientId: string
  readonly host: string
  readonly partitions: readonly TopicPartition[]
}

export class KafkaAdmin {
  readonly #client: KafkaClient

  constructor(options: KafkaLogOptions) {
    this.#client = openClient(options)
  }

  /** Empty when there is no such group. */
  async members(group: string): Promise<readonly GroupMemberInfo[]> {
    const { groups } = await this.#client.retrying('describe the group', {}, () =>
      this.#client.control.askCoordinator('group', group, requests.describeGroups, [group], false),
    )
    return groups.flatMap(({ members }) =>
      members.map(({ memberId, clientId, clientHost, memberAssignment }) => ({
        id: memberId,
        clientId,
        host: clientHost.replace(/^\//, ''),
        partitions: decodeAssignment(memberAssignment),
      })),
    )
  }

  /** With its committed offsets. StateError `group-in-use` while it has members. */
  async deleteGroup(group: string): Promise<void> {
    await this.#client.retrying('delete the group', {}, async () => {
      const ask = this.#client.control.askCoordinator('group', group, requests.deleteGroups, [
        group,
      ])
      await ask.catch((error: unknown) => {
        const name = errorNameOf(error)
        if (name === 'NON_EMPTY_GROUP') throw inUse(group)
        if (name !== 'GROUP_ID_NOT_FOUND') throw error
      })
    })
  }

  /** Of a group that has no member. */
  async setOffsets(
    group: string,
    offsets: readonly (TopicPartition & CommittedOffset)[],
  ): Promise<void> {
    if (offsets.length === 0) return
    await this.#client.retrying('write offsets', {}, () =>
      this.#client.control.askCoordinator(
        'group',
        group,
        requests.offsetCommit,
        group,
        -1,
        '',
        null,
        offsetsByTopic(offsets),
      ),
    )
  }

  async deleteTopic(topic: string): Promise<void> {
    const { requestTimeoutMs } = this.#client.options
    await this.#client.retrying('delete a topic', { topic }, async () => {
      const ask = this.#client.control.askAny(
        requests.deleteTopics,
        [{ name: topic, topicId: null }],
        requestTimeoutMs,
      )
      await ask.catch((error: unknown) => {
        if (errorNameOf(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
      })
    })
  }

  close(): Promise<void> {
    return this.#client.close()
  }
}

export function inUse(group: string): StateError {
  return new StateError('group-in-use', `the group ${group} has members`)
}
