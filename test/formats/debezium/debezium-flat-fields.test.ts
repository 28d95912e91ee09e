import { describe, expect, it } from 'vitest'
import { debeziumJson } from '../../../formats/debezium/debezium-json.ts'
import { comparePositions } from '../../../model/position.ts'
import { oracle, sqlserver } from '../connectors.ts'
import { flatDecoder, only, row, types } from '../flat-samples.ts'
import { changeOf, eventsOf, mariadb, postgres, recordOf, withSchema } from '../samples.ts'

describe('fields that were added', () => {
  const added = { __op: 'c', __source_ts_ms: 1_700_000_001_000, __db: 'demo', __table: 'user' }

  it('tell operation, time and table, and are no columns', () => {
    const event = only(flatDecoder(), recordOf({ id: 1 }, { ...row, ...added }))
    expect(event).toMatchObject({
      table: 'demo.user',
      op: 'c',
      snapshot: 'no',
      sourceMs: 1_700_000_001_000,
      after: row,
    })
    expect(event.schema.columns.map(({ name }) => name)).toEqual(['id', 'name'])
    expect(only(flatDecoder(), recordOf({ id: 1 }, { ...row, __op: 'r' })).snapshot).toBe('yes')
  })

  it('without any of them a row is as it is now, at the time of its record', () => {
    expect(only(flatDecoder(), recordOf({ id: 1 }, row))).toMatchObject({
      table: 'demo.user',
      op: 'u',
      position: null,
      transaction: null,
      sourceMs: 1_700_000_000_000,
      isBeforeWhole: false,
      isInDoubt: true,
      after: row,
    })
  })

  it('by other prefixes and names, as the transform was told', () => {
    const stated = {
      'add.fields': 'op:what, source.ts_ms ,db,table,transaction.id:tx,total_order',
      'add.fields.prefix': '$',
    }
    const value = { ...row, $what: 'd', $source_ts_ms: 5, $db: 'demo', $table: 'user' }
    const more = { $tx: '7', $total_order: 2, __op: 'x', $source: 'y' }
    const decoder = flatDecoder({
      connectorSettings: stated,
      hints: { types: { ...types, __op: types.name!, $source: types.name! } },
    })
    expect(only(decoder, recordOf({ id: 1 }, { ...value, ...more }))).toMatchObject({
      op: 'd',
      sourceMs: 5,
      transaction: { id: '7', order: 2 },
      before: { ...row, __op: 'x', $source: 'y' },
    })
  })

  it('in headers too, as text or as JSON; the row’s count first', () => {
    const headers = { __op: 'd', __source_ts_ms: '77', __db: '"demo"', __table: 'user' }
    const event = only(flatDecoder(), recordOf({ id: 1 }, { ...row, __op: 'c' }, { headers }))
    expect(event).toMatchObject({ op: 'c', sourceMs: 77 })
    const payload = { __op: { schema: { type: 'string' }, payload: 'c' } }
    expect(only(flatDecoder(), recordOf({ id: 1 }, row, { headers: payload })).op).toBe('c')
  })

  it('an operation that is none is an error', () => {
    for (const op of ['x', 't', '', 5, {}]) {
      const record = recordOf({ id: 1 }, { ...row, __op: op })
      expect(() => flatDecoder().decode(record)).toThrow(/the operation .* is not known/)
    }
  })
})

describe('positions', () => {
  const fieldsOf = (source: object, struct = '') =>
    Object.fromEntries(Object.entries(source).map(([name, one]) => [`__${struct}${name}`, one]))

  it('are those of the source block, as far as it was added', () => {
    const given = { incarnation: '', connectorSettings: {} }
    for (const source of [mariadb, postgres, oracle, sqlserver]) {
      for (const struct of ['', 'source_']) {
        const { ts_ms: ms, ...rest } = source
        const value = { ...row, ...fieldsOf(rest, struct), __source_ts_ms: ms, __op: 'c' }
        const { position } = only(
          flatDecoder(given),
          recordOf({ id: 1 }, value, { topic: `x.${source.db}.${source.table}` }),
        )
        const { position: expected } = eventsOf(
          debeziumJson().createDecoder({ ...given, hintsOf: () => ({}) }),
          recordOf({ id: 1 }, withSchema(changeOf({ op: 'c', after: row, source }))),
        )[0]!
        expect(position).toEqual(expected)
      }
    }
  })

  it('of a connector that was not added are known by what only some have', () => {
    const at = (value: object) =>
      only(flatDecoder(), recordOf({ id: 1 }, { ...row, ...value })).position
    expect(at({ __op: 'c', __file: 'b.000001', __pos: 7, __row: 1 })).toMatchObject({
      connector: 'mysql',
      name: 'm1',
      order: [1, 7, 1],
    })
    const lsn = { __op: 'c', __lsn: 9, __sequence: '["5","9"]' }
    expect(at(lsn)).toMatchObject({ connector: 'postgresql', order: [5n, 9n] })
    expect(at({ __op: 'c', __scn: '7' })).toBeNull()
  })

  it('are none where a row of a snapshot cannot be told from others', () => {
    const place = { __file: 'b.000001', __pos: 7 }
    const at = (value: object) =>
      only(flatDecoder(), recordOf({ id: 1 }, { ...row, ...place, ...value })).position
    expect(at({})).toBeNull()
    expect(at({ __op: 'r' })).toBeNull()
    expect(at({ __op: 'r', __snapshot: 'incremental' })).toMatchObject({ isSnapshot: true })
    expect(at({ __deleted: 'true' })).toMatchObject({ isSnapshot: false })
    const [low, high] = [at({ __op: 'u' }), at({ __op: 'u', __pos: 8 })]
    expect(comparePositions(low!, high!)).toBe(-1)
  })
})
