import { describe, expect, it } from 'vitest'
import type { SourceBlock } from '../../../formats/debezium/debezium-position.ts'
import { schemaChangesOf } from '../../../formats/debezium/debezium-schema-changes.ts'
import { SchemaPending } from '../../../formats/decoder.ts'
import { DecodeError } from '../../../model/errors.ts'
import { db2, oracle, sqlserver } from '../connectors.ts'
import { changeOf, decoderOf, eventsOf, mariadb, recordOf, schemaChangeOf } from '../samples.ts'

const columns = [{ name: 'id', typeName: 'INT' }]

describe('a schema change', () => {
  it('tells the columns of its tables, or that they were dropped', () => {
    expect(schemaChangesOf(schemaChangeOf(columns))).toEqual({
      source: mariadb,
      tables: [{ table: 'demo.user', isCreated: false, columns, key: ['id'] }],
      text: { statement: null, database: 'demo' },
    })
    expect(schemaChangesOf(schemaChangeOf(null))?.tables).toEqual([
      { table: 'demo.user', isCreated: false, columns: null, key: [] },
    ])
  })

  it('names a table by its schema, where it has one', () => {
    for (const [id, table] of [
      ['"shop"."dbo"."orders"', 'dbo.orders'],
      ['"DB2INST1"."ORDERS"', 'DB2INST1.ORDERS'],
      ['"a"."b""c"', 'a.b"c'],
    ] as const) {
      const found = schemaChangesOf(schemaChangeOf(columns, mariadb, id))
      expect(found?.tables[0]?.table).toBe(table)
    }
  })

  it('that is none is an error of data', () => {
    const read = (tableChanges: unknown) => () =>
      schemaChangesOf({ source: mariadb, ddl: '…', tableChanges })
    for (const change of [
      null,
      5,
      {},
      { type: 'ALTER', id: 5 },
      { type: 'ALTER', id: '"a"."b"', table: { columns: 5 } },
      { type: 'ALTER', id: '"a"."b"', table: { columns: [null] } },
      { type: 'ALTER', id: '"a"."b"', table: { columns: [{ name: 'x' }] } },
    ]) {
      expect(read([change])).toThrow(DecodeError)
    }
    for (const none of [undefined, null, 5, {}]) expect(read(none)()).toBeNull()
  })
})

describe('schema changes of other connectors', () => {
  const history = (source: SourceBlock, id: string) => {
    const decoder = decoderOf({ hints: { key: ['id'] } })
    const learn = (columnNames: readonly string[], at: SourceBlock) => {
      const own = columnNames.map(name => ({ name, typeName: 'INT' }))
      decoder.learn(recordOf({}, schemaChangeOf(own, at, id)))
    }
    learn(['id'], { ...source, snapshot: 'true' })
    return { decoder, learn }
  }

  it('hold for the rows behind the place at which they were announced', () => {
    for (const [source, id, later, announced] of [
      [sqlserver, '"shop"."dbo"."orders"', { ...sqlserver, event_serial_no: 3 }],
      [oracle, '"ORCLPDB1"."SHOP"."ORDERS"', { ...oracle, commit_scn: '8493022' }],
      [db2, '"DB2INST1"."ORDERS"', { ...db2, commit_lsn: '00000000:00000000:0000000000abcdf9' }],
      [
        oracle,
        '"ORCLPDB1"."SHOP"."ORDERS"',
        { ...oracle, commit_scn: '8493022' },
        { ...oracle, commit_scn: null, txSeq: null, txId: null, scn: '8493021' },
      ],
    ] as const) {
      const { decoder, learn } = history(source, id)
      learn(['id', 'added'], announced ?? source)
      const read = (at: SourceBlock, after: object) => () =>
        eventsOf(decoder, recordOf({ id: 1 }, changeOf({ op: 'c', after, source: at })))
      // Before it the column is awaited; behind it the column is there, and its values are not known.
      expect(read(source, { id: 1, added: 2 })).toThrow(SchemaPending)
      expect(read(later, { id: 1, added: 2 })).toThrow('writes INT is not known')
    }
  })
})
