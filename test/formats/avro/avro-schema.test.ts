import { describe, expect, it } from 'vitest'
import { parseAvroSchema } from '../../../formats/avro/avro-schema.ts'
import { connectSchemaOf } from '../../../formats/debezium/avro-connect.ts'

const record = (name: string, fields: readonly (readonly [string, unknown])[]) => ({
  type: 'record',
  name,
  fields: fields.map(([field, type]) => ({ name: field, type })),
})

describe('an Avro schema', () => {
  it('finds names in the namespace that is around them', () => {
    const schema = {
      ...record('Envelope', [
        ['before', ['null', record('Value', [['id', 'int']])]],
        ['after', ['null', 'Value']],
        ['again', 'shop.orders.Value'],
      ]),
      namespace: 'shop.orders',
    }
    const type = parseAvroSchema(JSON.stringify(schema))
    if (type.kind !== 'record') throw new Error('it is a record')
    const [before, after, again] = type.fields.map(field => field.type)
    if (before?.kind !== 'union' || after?.kind !== 'union') throw new Error('they are unions')
    expect(after.branches[1]).toBe(before.branches[1])
    expect(again).toBe(before.branches[1])
  })

  it('finds names in the schemas that it refers to', () => {
    const address = { ...record('Address', [['city', 'string']]), namespace: 'shop' }
    const user = { ...record('User', [['home', 'Address']]), namespace: 'shop' }
    const type = parseAvroSchema(JSON.stringify(user), [JSON.stringify(address)])
    expect(connectSchemaOf(type).fields?.[0]).toMatchObject({ field: 'home', type: 'struct' })
  })

  it.each([
    ['of JSON that is none', '{', 'is not JSON'],
    ['with a name that nobody declares', '"Nobody"', 'Nobody, which nothing declares'],
    ['with a type declared twice', JSON.stringify(record('R', [['a', record('R', [])]])), 'twice'],
    [
      'that contains itself',
      JSON.stringify(record('R', [['r', ['null', 'R']]])),
      'contains itself',
    ],
    ['with a list of nothing', '{"type":"array","items":"null"}', 'take no bytes'],
    ['with an empty union', '[]', 'no branches'],
    ['of a number', '7', 'neither text nor object'],
    [
      'with a field of no name',
      '{"type":"record","name":"R","fields":[{}]}',
      'field without a name',
    ],
    ['with a size below 0', '{"type":"fixed","name":"F","size":-1}', 'has the size -1'],
  ])('%s is refused', (_, text, message) => {
    expect(() => parseAvroSchema(text)).toThrow(message)
  })

  it('is refused when it lies too deep', () => {
    const deep = Array.from({ length: 100 }).reduce(items => ({ type: 'array', items }), 'int')
    expect(() => parseAvroSchema(JSON.stringify(deep))).toThrow('deeper than 64')
  })

  it('is refused when a few lines unfold to billions of fields', () => {
    const doubled = Array.from({ length: 40 }).reduce<unknown>((inner, _, index) => {
      const name = `R${index}`
      const second = (inner as { name?: string }).name ?? inner
      return record(name, [
        ['a', inner],
        ['b', second],
      ])
    }, 'int')
    expect(() => parseAvroSchema(JSON.stringify(doubled))).toThrow('more than 65536 parts')
  })
})

describe('Connect’s schema', () => {
  it.each([
    ['"int"', { type: 'int32', optional: false }],
    ['{"type":"int","connect.type":"int16"}', { type: 'int16', optional: false }],
    ['["null","long"]', { type: 'int64', optional: true }],
    ['["string","null"]', { type: 'string', optional: true }],
    ['["int","string"]', { type: 'union', optional: false }],
    [
      '{"type":"array","items":["null","int"]}',
      { type: 'array', items: { type: 'int32', optional: true } },
    ],
    ['{"type":"enum","name":"E","symbols":["a"]}', { type: 'string' }],
    [
      '{"type":"long","connect.name":"io.debezium.time.MicroTime"}',
      { type: 'int64', name: 'io.debezium.time.MicroTime' },
    ],
    [
      '{"type":"bytes","logicalType":"decimal","precision":12,"scale":2}',
      {
        type: 'bytes',
        name: 'org.apache.kafka.connect.data.Decimal',
        parameters: { scale: '2', 'connect.decimal.precision': '12' },
      },
    ],
    [
      '{"type":"long","logicalType":"timestamp-micros"}',
      { name: 'io.debezium.time.MicroTimestamp' },
    ],
  ])('of %s is that of JSON', (text, expected) => {
    expect(connectSchemaOf(parseAvroSchema(text))).toMatchObject(expected)
  })

  it('has defaults in the form of values', () => {
    const schema = {
      type: 'record',
      name: 'R',
      fields: [
        { name: 'n', type: 'int', default: 7 },
        { name: 'text', type: ['null', { type: 'string', 'connect.default': 'x' }], default: null },
        { name: 'raw', type: 'bytes', default: '\u0001\u00ff' },
        { name: 'none', type: ['null', 'int'], default: null },
      ],
    }
    const { fields } = connectSchemaOf(parseAvroSchema(JSON.stringify(schema)))
    expect(fields?.map(field => field.default)).toEqual([7, 'x', Buffer.from([1, 255]), undefined])
  })
})
