import { describe, expect, it } from 'vitest'
import {
  assert,
  ConfigError,
  DecodeError,
  errorCodes,
  ForagerError,
  InvariantError,
  isDataError,
  ProcessingError,
  SourceError,
  StateError,
  TopologyError,
  WarehouseError,
} from '../../model/errors.ts'

const classes = [
  TopologyError,
  ConfigError,
  DecodeError,
  ProcessingError,
  SourceError,
  StateError,
  WarehouseError,
]

describe('an error', () => {
  it('says on one line what, where, its code and what to do', () => {
    const error = new DecodeError('op-unknown', 'the operation "x" is not known', {
      context: { topic: 'shop', partition: 0, offset: 7, table: 'demo.user' },
    })
    expect(error.describe()).toBe(
      'the operation "x" is not known (topic shop, partition 0, offset 7, table demo.user) ' +
        '[op-unknown]. Check what writes the topic, and that `source.format` is its format (`auto` tells).',
    )
  })

  it('without a place has no empty brackets', () => {
    expect(new ConfigError('config-invalid', 'no').describe()).toBe(
      `no [config-invalid]. ${errorCodes['config-invalid'].advice}`,
    )
  })

  it('stays on one line when the message that it shows does not', () => {
    const error = new DecodeError('message-not-json', 'the message is not JSON: {\r\n\t"a":\u2028')
    expect(error.describe()).not.toMatch(/[\r\n\u2028\u2029]/)
    expect(error.describe()).toContain('the message is not JSON: {')
  })

  it('learns more of its place on the way up, and keeps what it knew first', () => {
    const error = new DecodeError('value-invalid', 'bad', { context: { column: 'n', offset: 3 } })
    expect(error.at({ offset: 9, table: 'demo.user' })).toBe(error)
    expect(error.context).toEqual({ column: 'n', offset: 3, table: 'demo.user' })
  })

  it('is of its class, keeps its cause and is not retried unless it says so', () => {
    const cause = new Error('disk full')
    for (const type of classes) {
      const error = new type('storage-failed', 'cannot write', { cause })
      expect(error).toBeInstanceOf(ForagerError)
      expect(error.name).toBe(type.name)
      expect(error.cause).toBe(cause)
      expect(error.retry).toBe('never')
      expect(String(error)).toBe(`${type.name}: cannot write`)
    }
    expect(new StateError('state-locked', 'busy', { retry: 'backoff' }).retry).toBe('backoff')
    expect('cause' in new StateError('state-locked', 'busy')).toBe(false)
  })

  it('is data’s fault only where a message can be the cause', () => {
    for (const type of classes) {
      const isData = type === DecodeError || type === ProcessingError
      expect([type.name, isDataError(new type('storage-failed', ''))]).toEqual([type.name, isData])
    }
    expect(isDataError(new TypeError('x'))).toBe(false)
    expect(isDataError(undefined)).toBe(false)
  })
})

describe('the list of codes', () => {
  it('says of each who must act, what it means and what to do, as sentences', () => {
    for (const [code, { acts, means, advice }] of Object.entries(errorCodes)) {
      expect(code).toMatch(/^[a-z]+(-[a-z]+)+$/)
      expect(['author', 'operator', 'configuration', 'data', 'nobody', 'us']).toContain(acts)
      for (const sentence of [means, advice]) expect(sentence).toMatch(/^[A-Z`].*\.$/)
    }
  })
})

describe('an assertion', () => {
  it('throws what is broken and where, and passes what holds', () => {
    expect(() => assert(true, 'never')).not.toThrow()
    expect(() => assert(false, 'broken', { table: 't' })).toThrow(InvariantError)
    try {
      assert(false, 'broken', { table: 't' })
    } catch (error) {
      expect((error as InvariantError).describe()).toMatch(
        /^broken \(table t\) \[invariant-violated\]/,
      )
    }
  })

  it('makes its message only when it needs it', () => {
    let made = 0
    const message = (): string => {
      made += 1
      return `made ${made}`
    }
    assert(true, message)
    expect(made).toBe(0)
    expect(() => assert(false, message)).toThrow('made 1')
  })
})
