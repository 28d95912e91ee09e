import { describe, expect, it } from 'vitest'
import { DecodeError } from '../../../model/errors.ts'
import { flatDecoder, only, row, tombstone } from '../flat-samples.ts'
import { recordOf } from '../samples.ts'

describe('tables', () => {
  const tableOf = (value: object, at: string, key: object = { id: 1 }) =>
    only(flatDecoder(), recordOf(key, { ...row, ...value }, { topic: at })).table

  it('are those of the topic, or of the fields where a topic was renamed', () => {
    expect(tableOf({}, 'm1.demo.user')).toBe('demo.user')
    expect(tableOf({}, 'eu.m1.demo.user')).toBe('demo.user')
    expect(tableOf({}, 's1.shop.dbo.orders')).toBe('dbo.orders')
    expect(tableOf({ __db: 'demo', __table: 'user' }, 'users')).toBe('demo.user')
    expect(tableOf({ __db: 'x', __schema: 'shop', __table: 'user' }, 'all.of.it')).toBe('shop.user')
    // PostgreSQL's schema is in the topic, the database is not.
    expect(tableOf({ __db: 'postgres', __table: 'user' }, 'p1.shop.user')).toBe('shop.user')
    expect(tableOf({ __db: 'demo', __table: 'user' }, 'cdc.user')).toBe('demo.user')
    const binlog = { __connector: 'mysql', __db: 'demo', __table: 'user' }
    expect(tableOf(binlog, 'eu.cdc.user')).toBe('demo.user')
  })

  it('are those of the key where a router sent several to one topic, for tombstones too', () => {
    const key = { id: 1, __dbz__physicalTableIdentifier: 'm4.demo.user' }
    expect(tableOf({}, 'all', key)).toBe('demo.user')
    expect(only(flatDecoder(), tombstone(key, { topic: 'all' }))).toMatchObject({
      table: 'demo.user',
      key: { id: 1 },
    })
  })

  it('that nothing tells are an error', () => {
    for (const value of [{}, { __table: 'user' }]) {
      expect(() => tableOf(value, 'users')).toThrow(/add.fields/)
    }
    expect(() => flatDecoder().decode(tombstone({ id: 1 }, { topic: 'users' }))).toThrow(
      /delete by rewrite/,
    )
  })

  it('of renamed topics are remembered for tombstones, over a restart too', () => {
    const decoder = flatDecoder()
    const value = { ...row, __db: 'demo', __table: 'user' }
    expect(decoder.memory).toBe('')
    decoder.decode(recordOf({ id: 1 }, value, { topic: 'users' }))
    const restarted = flatDecoder()
    restarted.restore(decoder.memory)
    for (const one of [decoder, restarted]) {
      expect(only(one, tombstone({ id: 1 }, { topic: 'users' })).table).toBe('demo.user')
    }
    expect(restarted.memory).toBe(decoder.memory)
    restarted.decode(recordOf({ id: 1 }, { ...value, __table: 'other' }, { topic: 'users' }))
    expect(() => restarted.decode(tombstone({ id: 1 }, { topic: 'users' }))).toThrow(DecodeError)
  })

  it('that nobody wants are passed over, deletes of them too', () => {
    const decoder = flatDecoder({ hints: null })
    for (const record of [recordOf({ id: 1 }, row), tombstone({ id: 1 })]) {
      expect(decoder.decode(record)).toEqual({ kind: 'unwanted', table: 'demo.user' })
    }
  })
})
