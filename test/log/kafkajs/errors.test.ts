import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { isPassing } from '../../../log/kafka/client.ts'
import { errorNameOf, errorTextOf, givenMemberId } from '../../../log/kafka/protocol.ts'
import { toRequestError } from '../../../log/kafkajs/errors.ts'

type ErrorClass = new (what: unknown, options?: object) => Error
const load = createRequire(import.meta.url)
const errors = load('kafkajs/src/errors') as Readonly<Record<string, ErrorClass>>
const { createErrorFromCode } = load('kafkajs/src/protocol/error') as {
  readonly createErrorFromCode: (code: number) => Error
}

describe('what kafkajs throws', () => {
  it('has Kafka’s own name, also where kafkajs has another', () => {
    const error = toRequestError(createErrorFromCode(6))
    expect(errorNameOf(error)).toBe('NOT_LEADER_OR_FOLLOWER')
    expect(isPassing(error)).toBe(true)
    expect(errorTextOf(error)).toContain('not the leader')
    expect(errorNameOf(toRequestError(createErrorFromCode(22)))).toBe('ILLEGAL_GENERATION')
  })

  it('has its name when kafkajs does not know the number', () => {
    expect(errorNameOf(toRequestError(createErrorFromCode(90)))).toBe('PRODUCER_FENCED')
    expect(errorNameOf(toRequestError(createErrorFromCode(30_000)))).toBe('UNKNOWN')
  })

  it.each([
    ['KafkaJSConnectionError', 'NETWORK', true],
    ['KafkaJSConnectionClosedError', 'NETWORK', true],
    ['KafkaJSRequestTimeoutError', 'TIMEOUT', true],
    ['KafkaJSSASLAuthenticationError', 'AUTHENTICATION', false],
    ['KafkaJSInvariantViolation', 'UNKNOWN', false],
  ])('%s is %s', (name, expected, passes) => {
    const error = toRequestError(new errors[name]!('text', {}))
    expect(errorNameOf(error)).toBe(expected)
    expect(isPassing(error)).toBe(passes)
  })

  it('is the first of several', () => {
    const inner = createErrorFromCode(36)
    const created = new errors.KafkaJSAggregateError!('several', [inner])
    expect(errorNameOf(toRequestError(created))).toBe('TOPIC_ALREADY_EXISTS')
    const partitions = [{ partition: 0, offset: 1, error: createErrorFromCode(1) }]
    const deleted = new errors.KafkaJSDeleteTopicRecordsError!({ topic: 'x', partitions })
    expect(errorNameOf(toRequestError(deleted))).toBe('OFFSET_OUT_OF_RANGE')
  })

  it('keeps the member id that a coordinator gives', () => {
    const memberId = 'member-1'
    const asked = new errors.KafkaJSMemberIdRequired!(createErrorFromCode(79), { memberId })
    const error = toRequestError(asked)
    expect([errorNameOf(error), givenMemberId(error)]).toEqual(['MEMBER_ID_REQUIRED', memberId])
  })
})
