import { describe, expect, it } from 'vitest'
import type { Decoded } from '../../../formats/decoder.ts'
import { SchemaPending } from '../../../formats/decoder.ts'
import { DecodeError, ForagerError } from '../../../model/errors.ts'
import { seededRandom } from '../../../runtime/random.ts'
import { flatDecoder, only, row, tombstone, types, wrapped } from '../flat-samples.ts'
import {
  changeOf,
  mariadb,
  postgres,
  recorded,
  recordOf,
  schemaChangeOf,
  withSchema,
} from '../samples.ts'

describe('what becomes of a delete', () => {
  const deletes = [
    { ...row, __deleted: 'true' },
    { ...row, __deleted: true },
  ]

  it('tombstone, delete-to-tombstone: a tombstone deletes the row of its key', () => {
    const decoder = flatDecoder()
    only(decoder, recordOf({ id: 1 }, row))
    expect(only(decoder, tombstone({ id: 1 }))).toMatchObject({
      table: 'demo.user',
      op: 'd',
      key: { id: 1 },
      before: null,
      after: null,
      position: null,
      isBeforeWhole: false,
    })
  })

  it('rewrite: a row that says so', () => {
    for (const value of deletes) {
      expect(only(flatDecoder(), recordOf({ id: 1 }, value))).toMatchObject({
        op: 'd',
        key: { id: 1 },
        before: row,
        after: null,
      })
    }
    const kept = only(flatDecoder(), recordOf({ id: 1 }, { ...row, __deleted: 'false' }))
    expect(kept).toMatchObject({ op: 'u', after: row })
    expect(kept.schema.columns.map(({ name }) => name)).toEqual(['id', 'name'])
  })

  it('rewrite-with-tombstone: the tombstone behind its delete says nothing new', () => {
    const decoder = flatDecoder()
    const remove = recordOf({ id: 1 }, deletes[0])
    only(decoder, remove)
    expect(decoder.decode(tombstone({ id: 1 })).kind).toBe('tombstone')
    // A second one does, and one of another key or partition.
    expect(only(decoder, tombstone({ id: 1 })).op).toBe('d')
    only(decoder, remove)
    expect(only(decoder, tombstone({ id: 2 })).key).toEqual({ id: 2 })
    only(decoder, remove)
    expect(only(decoder, tombstone({ id: 1 }, { partition: 1 })).op).toBe('d')
    expect(decoder.decode(tombstone({ id: 1 })).kind).toBe('tombstone')
    only(decoder, remove)
    only(decoder, recordOf({ id: 1 }, row))
    expect(only(decoder, tombstone({ id: 1 })).op).toBe('d')
  })

  it('a changed key: the old row goes, the new one says of which it was', () => {
    const decoder = flatDecoder()
    const headers = { '__debezium.newkey': { id: 2 } }
    expect(only(decoder, tombstone({ id: 1 }, { headers }))).toMatchObject({ op: 'd' })
    const renewed = recordOf(
      { id: 2 },
      { ...row, id: 2 },
      {
        headers: { '__debezium.oldkey': { id: 1 } },
      },
    )
    expect(only(decoder, renewed)).toMatchObject({ key: { id: 2 }, oldKey: { id: 1 } })
  })

  it('a tombstone without a key is nobody’s, however it is wrapped', () => {
    expect(flatDecoder().decode(recordOf(null, null)).kind).toBe('tombstone')
    expect(only(flatDecoder(), recordOf({ id: 1 }, 'null')).op).toBe('d')
    expect(only(flatDecoder(), recordOf({ id: 1 }, { schema: null, payload: null })).op).toBe('d')
  })

  it('under a configured key that the message key lacks it has no row to delete', () => {
    const decoder = flatDecoder({ hints: { types, key: ['name'] } })
    expect(() => decoder.decode(tombstone({ id: 1 }))).toThrow(/the key column name is not/)
    const remove = recordOf({ id: 1 }, { ...row, __deleted: 'true' })
    expect(() => decoder.decode(remove)).toThrow(DecodeError)
    const full = flatDecoder({ hints: { types, key: ['name'], beforeImage: 'full' } })
    expect(only(full, remove).key).toEqual({ name: 'a' })
  })
})

describe('types', () => {
  it('are those of the embedded schema, of the key alone for a tombstone', () => {
    const decoder = flatDecoder({ hints: {} })
    const value = { ...row, __deleted: 'false', __op: 'c' }
    const event = only(decoder, recordOf(wrapped({ id: 1 }), wrapped(value)))
    expect(event.after).toEqual(row)
    expect(event.schema.columns).toEqual([
      { id: 'id', name: 'id', type: { kind: 'int' }, nullable: false },
      { id: 'name', name: 'name', type: { kind: 'string' }, nullable: true },
    ])
    const columnsOf = (given: ReturnType<typeof only>) =>
      given.schema.columns.map(({ name }) => name)
    const gone = only(decoder, tombstone(wrapped({ id: 1 })))
    expect(gone).toMatchObject({ op: 'd', key: { id: 1 } })
    expect(columnsOf(gone)).toEqual(['id', 'name'])
    const first = only(flatDecoder({ hints: {} }), tombstone(wrapped({ id: 1 })))
    expect(columnsOf(first)).toEqual(['id'])
  })

  const columns = (...names: readonly (readonly [string, string, number?])[]) =>
    names.map(([name, typeName, scale]) => ({
      name,
      typeName,
      ...(scale === undefined ? {} : { length: 10, scale }),
    }))

  const learned = (...versions: readonly (readonly [number, ReturnType<typeof columns>])[]) => {
    const decoder = flatDecoder({ hints: {} })
    for (const [ms, own] of versions) {
      decoder.learn(recordOf({}, schemaChangeOf(own, { ...mariadb, pos: ms, ts_ms: ms })))
    }
    return decoder
  }

  it('are those of the schema changes, by the columns that the row has and by time', () => {
    const decoder = learned(
      [10_000, columns(['id', 'INT'], ['name', 'VARCHAR'])],
      [20_000, columns(['id', 'INT'], ['title', 'VARCHAR'])],
      [30_000, columns(['id', 'INT'], ['price', 'DECIMAL', 2])],
      [40_000, columns(['id', 'INT'], ['price', 'DECIMAL', 3])],
    )
    const at = (value: object, ms: number) =>
      only(decoder, recordOf({ id: 1 }, { id: 1, ...value, __source_ts_ms: ms })).after
    expect(at({ name: 'a' }, 90_000)).toEqual({ id: 1, name: 'a' })
    expect(at({ title: 'a' }, 5)).toEqual({ id: 1, title: 'a' })
    expect(only(decoder, tombstone({ id: 1 })).key).toEqual({ id: 1 })
    const price = (ms: number) =>
      only(decoder, recordOf({ id: 1 }, { id: 1, price: 'BNI=', __source_ts_ms: ms })).schema
        .columns[1]!.type
    expect(price(35_000)).toMatchObject({ scale: 2 })
    expect(price(45_000)).toMatchObject({ scale: 3 })
    for (const ms of [39_000, 40_000, 41_000]) {
      expect(() => price(ms)).toThrow(/about when the row was/)
    }
    const untimed = recordOf({ id: 1 }, { id: 1, price: 'BNI=' })
    expect(() => decoder.decode(untimed)).toThrow(DecodeError)
  })

  it('are awaited where the topic of schema changes has not told yet', () => {
    const decoder = flatDecoder({ hints: {} })
    const record = recordOf({ id: 1 }, row)
    expect(() => decoder.decode(record)).toThrow(SchemaPending)
    expect([...decoder.schemaTopics]).toEqual(['m1'])
    decoder.learn(recordOf({}, schemaChangeOf(columns(['id', 'INT'], ['name', 'TEXT']))))
    expect(only(decoder, record).after).toEqual(row)
    expect(() => flatDecoder({ hints: {} }).decode(tombstone({ id: 1 }))).toThrow(SchemaPending)
  })

  it('of the connector are known from its topic of schema changes', () => {
    const decoder = learned([1, columns(['id', 'INT'], ['name', 'TEXT'])])
    const value = { ...row, __op: 'c', __file: 'mysql-bin.000001', __pos: 12_155 }
    expect(only(decoder, recordOf({ id: 1 }, value)).position).toMatchObject({
      connector: 'mariadb',
      name: 'm1',
    })
  })

  it('are inferred where no schema changes are sent', () => {
    const decoder = flatDecoder({
      hints: { types: { name: types.name! } },
      connectorSettings: { 'include.schema.changes': 'false' },
    })
    const value = { id: 1, name: 'a', v: 1.5, on: true, big: 2n ** 60n, none: null }
    const text = JSON.stringify({ ...value, big: 7 }).replace('7', String(2n ** 60n))
    const event = only(decoder, recordOf({ id: 1 }, text))
    expect(event.after).toEqual({ ...value, v: 15 })
    expect(event.schema.columns.map(({ type }) => type.kind)).toEqual([
      'bigint',
      'string',
      'decimal',
      'boolean',
      'bigint',
      'string',
    ])
    const unsent = recordOf({ id: 1 }, { ...value, big: 5, v: '__debezium_unavailable_value' })
    expect(only(decoder, unsent).after).toEqual({ id: 1, name: 'a', on: true, big: 5, none: null })
    expect(only(decoder, tombstone({ id: 1 })).key).toEqual({ id: 1 })
    expect(decoder.schemaTopics.size).toBe(0)
  })

  it('a value that was not sent is left out of an update', () => {
    const value = { id: 1, name: '__debezium_unavailable_value' }
    expect(only(flatDecoder(), recordOf({ id: 1 }, value)).after).toEqual({ id: 1 })
    expect(only(flatDecoder(), recordOf({ id: 1 }, { ...value, __op: 'c' })).after).toEqual(value)
  })
})

describe('every other record of the connector', () => {
  const kindOf = (value: unknown): Decoded['kind'] =>
    flatDecoder().decode(recordOf({ id: 1 }, value)).kind

  it('is recognised, and a row of much the same columns is a row', () => {
    const transaction = {
      status: 'BEGIN',
      id: '7',
      event_count: null,
      data_collections: null,
      ts_ms: 1,
    }
    expect(kindOf({ ts_ms: 1 })).toBe('heartbeat')
    expect(kindOf(transaction)).toBe('transaction')
    expect(kindOf(schemaChangeOf(null))).toBe('schema-change')
    expect(kindOf({ op: 'm', source: postgres, message: { prefix: 'p' } })).toBe('message')
    const decoder = flatDecoder({
      hints: {
        types: {
          ...types,
          status: types.name!,
          ts_ms: types.id!,
          op: types.name!,
          source: types.name!,
        },
      },
    })
    for (const value of [
      { id: 1, status: 'BEGIN', ts_ms: 5 },
      { id: 1, op: 'c', source: 'web' },
    ]) {
      expect(only(decoder, recordOf({ id: 1 }, value)).after).toEqual(value)
    }
  })

  it('a change that was not flattened is an error that names its format', () => {
    const record = recordOf({ id: 1 }, withSchema(changeOf({ op: 'c', after: row })))
    expect(() => flatDecoder().decode(record)).toThrow(/its format is debezium-json/)
  })

  it('what is no row is an error', () => {
    for (const value of ['[]', '5', '"x"', '{', '']) {
      expect(() => flatDecoder().decode(recordOf({ id: 1 }, value))).toThrow(DecodeError)
    }
  })
})

it('a record whose bytes were changed is decoded or refused, never a crash', () => {
  const random = seededRandom(7)
  const records = [
    ...recorded('mariadb/m5_unwrapped_flat.jsonl').filter(({ topic: name }) =>
      name.includes('.demo.'),
    ),
    recordOf(wrapped({ id: 1 }), wrapped({ ...row, __deleted: 'true', __op: 'd' })),
    tombstone(wrapped({ id: 1 })),
  ]
  const decoder = flatDecoder({ hints: { types } })
  for (const record of recorded('mariadb/m5_unwrapped_flat.jsonl')) {
    if (record.topic === 'm5') decoder.learn(record)
  }
  const spoil = (bytes: Uint8Array | null): Uint8Array | null => {
    if (bytes === null || bytes.length === 0) return bytes
    const copy = Buffer.from(bytes)
    const at = Math.floor(random.next() * copy.length)
    const choice = random.next()
    if (choice < 0.3) copy[at] = Math.floor(random.next() * 256)
    else if (choice < 0.6) copy[at] = Buffer.from('{}[]",:0-nt')[Math.floor(random.next() * 11)]!
    else
      return Buffer.concat([
        copy.subarray(0, at),
        copy.subarray(at + 1 + Math.floor(random.next() * 9)),
      ])
    return copy
  }
  let [decoded, refused] = [0, 0]
  for (let round = 0; round < 4000; round += 1) {
    const record = records[Math.floor(random.next() * records.length)]!
    const isKey = random.next() < 0.3
    const spoiled = {
      ...record,
      key: isKey ? spoil(record.key) : record.key,
      value: isKey ? record.value : spoil(record.value),
    }
    try {
      decoder.decode(spoiled)
      decoded += 1
    } catch (error) {
      if (!(error instanceof ForagerError || error instanceof SchemaPending)) throw error
      refused += 1
    }
  }
  expect(decoded).toBeGreaterThan(500)
  expect(refused).toBeGreaterThan(500)
})
