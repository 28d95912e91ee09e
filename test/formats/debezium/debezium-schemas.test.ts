import { describe, expect, it } from 'vitest'
import type { ConnectSchema } from '../../../formats/debezium/connect-schema.ts'
import {
  readerOfDatabase,
  readerOfEmbedded,
  readerOfStated,
} from '../../../formats/debezium/debezium-schemas.ts'
import type { DatabaseColumn } from '../../../formats/mysql/debezium-column-types.ts'
import type { RowReader } from '../../../formats/values/row-reader.ts'
import { parseColumnType } from '../../../model/column-type.ts'
import { DecodeError } from '../../../model/errors.ts'

const row = (fields: readonly ConnectSchema[]) => ({ type: 'struct', fields })

describe('the schema of a row', () => {
  it('from an embedded schema: order, null, comment, default and key', () => {
    const { schema } = readerOfEmbedded(
      row([
        { type: 'int32', field: 'b', optional: false },
        { type: 'string', field: 'a', optional: true, doc: 'a comment', default: 'x' },
        {
          type: 'bytes',
          field: 'n',
          name: 'org.apache.kafka.connect.data.Decimal',
          parameters: { scale: '2', 'connect.decimal.precision': '10' },
          default: 'AJY=',
        },
      ]),
      ['b'],
      {},
    )
    expect(schema).toEqual({
      columns: [
        { id: 'b', name: 'b', type: { kind: 'int' }, nullable: false },
        {
          id: 'a',
          name: 'a',
          type: { kind: 'string' },
          nullable: true,
          initialDefault: 'x',
          comment: 'a comment',
        },
        {
          id: 'n',
          name: 'n',
          type: { kind: 'decimal', precision: 10, scale: 2 },
          nullable: false,
          initialDefault: 150,
        },
      ],
      key: ['b'],
    })
  })

  it('a stated type overrules what the message says, and its default', () => {
    const fields = [{ type: 'int64', field: 'n', default: 1_709_210_096_789 }]
    const { schema, convert } = readerOfEmbedded(row(fields), [], {
      types: { n: parseColumnType('timestamp') },
    })
    expect(schema.columns[0]).toMatchObject({
      type: { kind: 'timestamp' },
      initialDefault: 1_709_210_096_789_000,
    })
    expect(convert.get('n')!.convert(0)).toBe(0)
  })

  it('a stated unsigned bigint is what a long below 0 stands for, in a key as well', () => {
    for (const type of ['ubigint', 'decimal(20,0)']) {
      const types = { id: parseColumnType(type) }
      const convert = (reader: RowReader) => reader.convert.get('id')!.convert(-1)
      const embedded = (field: string) =>
        readerOfEmbedded(row([{ type: field, field: 'id' }]), ['id'], { types })
      const database = (typeName: string) =>
        readerOfDatabase(
          [{ name: 'id', typeName }],
          ['id'],
          { types },
          { connector: 'mysql', settings: {} },
        )
      const whole = 2n ** 64n - 1n
      expect(convert(embedded('int64'))).toBe(whole)
      expect(convert(database('BIGINT UNSIGNED'))).toBe(whole)
      expect(convert(readerOfStated(['id'], ['id'], { types }, {}))).toBe(whole)
      // These are signed.
      for (const reader of [embedded('double'), database('BIGINT'), database('DECIMAL')]) {
        if (type === 'ubigint') expect(() => convert(reader)).toThrow(DecodeError)
        else expect(convert(reader)).toBe(-1)
      }
    }
  })

  it('bytes that were sent as text are stated to be bytes, and the setting says which text', () => {
    const field = row([{ type: 'string', field: 'b' }])
    const hints = { types: { b: parseColumnType('binary') } }
    for (const [mode, text] of [
      ['hex', 'fbff'],
      ['base64', '+/8='],
      ['base64-url-safe', '-_8='],
    ] as const) {
      const reader = readerOfEmbedded(field, [], hints, {
        settings: { 'binary.handling.mode': mode },
      })
      expect(reader.convert.get('b')!.convert(text)).toEqual(Buffer.from('fbff', 'hex'))
    }
  })

  it('a column without a known type is an error that names it; so is a key that is not in the row', () => {
    expect(() => readerOfStated(['a', 'b'], [], { types: { a: { kind: 'int' } } }, {})).toThrow(
      /column b/,
    )
    const unknown = row([{ type: 'decimal128', field: 'm' }])
    expect(() => readerOfEmbedded(unknown, [], {})).toThrow(DecodeError)
    try {
      readerOfEmbedded(unknown, [], {})
    } catch (error) {
      expect((error as DecodeError).context).toMatchObject({ column: 'm' })
    }
    expect(() => readerOfEmbedded(row([{ type: 'int32', field: 'a' }]), ['id'], {})).toThrow(
      /key column id is not in the row \(a\)/,
    )
  })

  it('columns that are called like methods of objects are columns', () => {
    const names = ['constructor', 'toString', 'hasOwnProperty']
    const fields = names.map(field => ({ type: 'int32', field }))
    const { schema } = readerOfEmbedded(row(fields), ['constructor'], { types: {} })
    expect(schema.columns.map(column => [column.name, column.type.kind])).toEqual(
      names.map(name => [name, 'int']),
    )
  })

  it('two readings of one schema are one object', () => {
    const make = () => readerOfEmbedded(row([{ type: 'int32', field: 'a' }]), ['a'], {}).schema
    expect(make()).toBe(make())
  })
})

describe('defaults that a schema-change event writes as text', () => {
  function defaultOf(column: Omit<DatabaseColumn, 'name'>): unknown {
    const { schema } = readerOfDatabase(
      [{ name: 'c', ...column }],
      [],
      {},
      { connector: 'mysql', settings: {} },
    )
    return schema.columns[0]!.initialDefault
  }

  it('are read by the type of their column, however they look', () => {
    for (const [typeName, defaultValueExpression, expected] of [
      ['INT', '7', 7],
      ['INT', '-7', -7],
      ['BIGINT UNSIGNED', '18446744073709551615', 2n ** 64n - 1n],
      ['TINYINT', '1', 1],
      ['VARCHAR', '13800000000', '13800000000'],
      ['ENUM', 'U', 'U'],
      ['VARCHAR', '', ''],
      ['DOUBLE', '1.5', 1.5],
      ['DATE', '2024-02-29', 19_782],
      ['DATETIME', '1970-01-01 00:00:01', 1_000_000],
      ['TIMESTAMP', '1970-01-01 00:00:01', 1_000_000],
      // Text of bytes is those bytes, and no base64 of others.
      ['VARBINARY', 'abcd', Buffer.from('abcd')],
    ] as const) {
      expect([typeName, defaultOf({ typeName, defaultValueExpression })]).toEqual([
        typeName,
        expected,
      ])
    }
  })

  it('decimals without a point are numbers and not base64', () => {
    const decimal = (defaultValueExpression: string) =>
      defaultOf({ typeName: 'DECIMAL', length: 10, scale: 2, defaultValueExpression })
    expect(decimal('1000')).toBe(100_000)
    expect(decimal('0')).toBe(0)
    expect(decimal('5')).toBe(500)
    expect(decimal('-1.50')).toBe(-150)
    const whole = { typeName: 'DECIMAL', length: 10, scale: 0 }
    expect(defaultOf({ ...whole, defaultValueExpression: '1234' })).toBe(1234)
  })

  it('an expression is no value: old rows have null', () => {
    for (const [typeName, defaultValueExpression] of [
      ['TIMESTAMP', 'CURRENT_TIMESTAMP'],
      ['DATETIME', 'now()'],
      ['INT', 'abcd'],
      ['INT', 'TRUE'],
      ['BIGINT', ''],
      ['DOUBLE', 'rand()'],
      ['DATE', '0000-00-00'],
    ] as const) {
      expect([typeName, defaultOf({ typeName, defaultValueExpression })]).toEqual([
        typeName,
        undefined,
      ])
    }
    expect(defaultOf({ typeName: 'INT', defaultValueExpression: null })).toBeUndefined()
  })
})
