import { describe, expect, it } from 'vitest'
import type { ConnectSchema } from '../../../formats/debezium/connect-schema.ts'
import { connectConverter } from '../../../formats/debezium/connect-schema.ts'
import { columnTypeText } from '../../../model/column-type.ts'
import { DecodeError } from '../../../model/errors.ts'
import type { Value } from '../../../model/value.ts'
import { plainText } from '../../../model/value-text.ts'

function shown(schema: ConnectSchema, json: unknown): readonly [string, string] {
  const { type, convert } = connectConverter(schema)
  return [columnTypeText(type), plainText(type, convert(json))]
}

const named = (type: string, name: string, parameters?: Readonly<Record<string, string>>) => ({
  type,
  name,
  ...(parameters === undefined ? {} : { parameters }),
})

const debezium = (name: string): string => `io.debezium.${name}`
const connect = (name: string): string => `org.apache.kafka.connect.data.${name}`
const decimal = (scale: string, precision?: string) =>
  named('bytes', connect('Decimal'), {
    scale,
    ...(precision === undefined ? {} : { 'connect.decimal.precision': precision }),
  })

describe('types and values of an embedded schema', () => {
  it('of every plain type', () => {
    for (const [type, json, kind, text] of [
      ['int8', -128, 'tinyint', '-128'],
      ['int16', 32_767, 'smallint', '32767'],
      ['int32', -(2 ** 31), 'int', '-2147483648'],
      ['int64', 2n ** 63n - 1n, 'bigint', '9223372036854775807'],
      ['float', 1.5, 'float', '1.5'],
      ['float32', 0.1, 'float', '0.1'],
      ['float64', 'NaN', 'double', '"NaN"'],
      ['double', '-Infinity', 'double', '"-Infinity"'],
      ['double', 2n ** 60n, 'double', '1152921504606847000'],
      ['boolean', true, 'boolean', 'true'],
      ['string', '😀', 'string', '😀'],
      ['bytes', 'AP8=', 'binary', 'AP8='],
    ] as const) {
      expect([type, ...shown({ type }, json)]).toEqual([type, kind, text])
    }
  })

  it('of every logical type', () => {
    for (const [schema, json, kind, text] of [
      [named('int32', debezium('time.Date')), -141_428, 'date', '1582-10-14'],
      [named('int32', connect('Date')), 0, 'date', '1970-01-01'],
      [named('int32', debezium('time.Time')), 45_296_789, 'string', '12:34:56.789'],
      [named('int32', connect('Time')), 1000, 'string', '00:00:01'],
      [named('int64', debezium('time.MicroTime')), -1, 'string', '-00:00:00.000001'],
      [named('int64', debezium('time.NanoTime')), 86_400_000_000_000, 'string', '24:00:00'],
      [named('int64', debezium('time.Timestamp')), -1, 'timestamp', '1969-12-31 23:59:59.999'],
      [named('int64', connect('Timestamp')), 1, 'timestamp', '1970-01-01 00:00:00.001'],
      [
        named('int64', debezium('time.MicroTimestamp')),
        -63_517_824_000_000_000n,
        'timestamp',
        '-0043-03-15 00:00:00',
      ],
      [
        named('int64', debezium('time.NanoTimestamp')),
        1000,
        'timestamp',
        '1970-01-01 00:00:00.000001',
      ],
      [
        named('string', debezium('time.ZonedTimestamp')),
        '2024-02-29T04:34:56.789012Z',
        'timestamptz',
        '2024-02-29 04:34:56.789012',
      ],
      [named('string', debezium('time.ZonedTime')), '04:34:56Z', 'string', '04:34:56'],
      [
        named('string', debezium('time.Interval')),
        'P1Y2M3DT4H5M6.789S',
        'bigint',
        '37091106789000',
      ],
      [named('int64', debezium('time.MicroDuration')), -86_401_000_000, 'bigint', '-86401000000'],
      [named('int64', debezium('time.NanoDuration')), -1001, 'bigint', '-2'],
      [named('int32', debezium('time.Year')), 2000, 'int', '2000'],
      [
        named('bytes', debezium('data.Bits'), { length: '16' }),
        'BQ==',
        'string',
        '0000000000000101',
      ],
      [named('string', debezium('data.Enum')), '高兴', 'string', '高兴'],
      [named('string', debezium('data.EnumSet')), 'a,b', 'string', 'a,b'],
      [named('string', debezium('data.Json')), '{"k": 1.0}', 'string', '{"k": 1.0}'],
      [named('string', debezium('data.Xml')), '<a/>', 'string', '<a/>'],
      [named('string', debezium('data.Uuid')), '123e4567', 'string', '123e4567'],
      [named('string', debezium('data.Ltree')), 'Top.Science', 'string', 'Top.Science'],
      [named('string', debezium('data.Tsvector')), "'cat'", 'string', "'cat'"],
      [
        named('struct', debezium('data.VariableScaleDecimal')),
        { scale: 2, value: '/w==' },
        'string',
        '-0.01',
      ],
      [
        named('struct', debezium('data.geometry.Point')),
        { x: 1.5, y: -2.5, wkb: 'AQ==', srid: null },
        'string',
        '{"x":1.5,"y":-2.5,"wkb":"AQ==","srid":null}',
      ],
    ] as const) {
      expect([schema.name, ...shown(schema, json)]).toEqual([schema.name, kind, text])
    }
  })

  it('times as ISO 8601, as structs, and vectors', () => {
    const date = { year: 2024, month: 2, day: 29, specialValue: null }
    const clock = { hour: 12, minute: 34, second: 56, picoseconds: 789_012_345_678 }
    const amount = {
      years: 1,
      months: 2,
      days: 3,
      hours: 4,
      minutes: 5,
      seconds: 6,
      nanos: 789_000_000,
    }
    const array = (name: string, type: string) => ({
      ...named('array', debezium(name)),
      items: { type },
    })
    const elapsed = { 'io.debezium.time.duration.kind': 'elapsed-time' }
    for (const [schema, json, kind, text] of [
      [named('string', debezium('time.IsoDate')), '2024-02-29Z', 'date', '2024-02-29'],
      [named('string', debezium('time.IsoDate')), '0001-01-01', 'date', '0001-01-01'],
      [named('string', debezium('time.IsoDate')), '+292278994-08-16Z', 'date', '9999-12-31'],
      [named('string', debezium('time.IsoTime')), '12:34:56.789012Z', 'string', '12:34:56.789012'],
      [named('string', debezium('time.IsoTime')), '12:34Z', 'string', '12:34:00'],
      [
        named('string', debezium('time.IsoTimestamp')),
        '2024-02-29T12:34:56.789012Z',
        'timestamp',
        '2024-02-29 12:34:56.789012',
      ],
      [named('string', debezium('time.ZonedTime')), '00:30:00+08:00', 'string', '16:30:00'],
      [named('struct', debezium('time.StructuredDate')), date, 'date', '2024-02-29'],
      [named('struct', debezium('time.StructuredDate')), { ...date, month: 0 }, 'date', ''],
      [
        named('struct', debezium('time.StructuredDate')),
        { ...date, specialValue: 'NEGATIVE_INFINITY' },
        'date',
        '0001-01-01',
      ],
      [
        named('struct', debezium('time.StructuredTimePrecision6')),
        { ...clock, hour: 24, minute: 0, second: 0, picoseconds: null },
        'string',
        '24:00:00',
      ],
      [
        named('struct', debezium('time.StructuredTimestampPrecision6SourceColumn6474')),
        { ...date, ...clock },
        'timestamp',
        '2024-02-29 12:34:56.789012',
      ],
      [
        named('struct', debezium('time.StructuredTimestamp')),
        { ...date, hour: null, specialValue: 'POSITIVE_INFINITY' },
        'timestamp',
        '9999-12-31 23:59:59.999999',
      ],
      [
        named('struct', debezium('time.StructuredZonedTime')),
        { ...clock, offsetSeconds: -3600, zoneId: null },
        'string',
        '13:34:56.789012',
      ],
      [
        named('struct', debezium('time.StructuredZonedTimestamp')),
        { ...date, ...clock, offsetSeconds: 19_800, zoneId: 'Asia/Kolkata' },
        'timestamptz',
        '2024-02-29 07:04:56.789012',
      ],
      [named('struct', debezium('time.StructuredDuration')), amount, 'bigint', '37091106789000'],
      [
        named('struct', debezium('time.StructuredDuration'), elapsed),
        { ...amount, years: 0, months: 0, days: 0, hours: -838 },
        'string',
        '-837:54:53.211',
      ],
      [array('data.DoubleVector', 'double'), [1.5, -2], 'array<double>', '[1.5,-2]'],
      [array('data.FloatVector', 'float'), [0.1], 'array<float>', '[0.1]'],
      [
        named('struct', debezium('data.SparseDoubleVector')),
        { dimensions: 3, vector: [[1, 2.5]] },
        'string',
        '{"dimensions":3,"vector":[[1,2.5]]}',
      ],
      [
        { type: 'map' },
        { b: '1', a: null, big: 2n ** 64n },
        'string',
        '{"b":"1","a":null,"big":18446744073709551616}',
      ],
      [{ type: 'struct', fields: [] }, { a: [1] }, 'string', '{"a":[1]}'],
    ] as const) {
      expect([schema.name, ...shown(schema, json)]).toEqual([schema.name, kind, text])
    }
  })

  it('times that are none are refused', () => {
    for (const [name, json] of [
      ['IsoDate', '2024-02-30Z'],
      ['IsoDate', '2024-02-29T00:00:00Z'],
      ['IsoDate', '-999999999-01-01'],
      ['IsoTime', '12:60:00Z'],
      ['IsoTime', 'noon'],
      ['IsoTimestamp', '2024-02-29'],
      ['Interval', 'P'],
      ['Interval', 'P1Y2'],
      ['Interval', 'P999999999999999999Y'],
      ['Date', -500_000_000_000],
      ['Date', -1_000_000_000],
      ['MicroTime', 2n ** 60n],
      ['Timestamp', 2n ** 80n],
      ['StructuredDate', { year: 2024 }],
      ['StructuredDate', { year: 2024, month: 2, day: 30 }],
      ['StructuredDate', { year: 2024, month: '2', day: 3 }],
      ['StructuredDate', { year: 2024, month: 2, day: 3, specialValue: 'NOW' }],
      ['StructuredTime', { hour: 24, minute: 1 }],
      ['StructuredTimestamp', { year: 2024, month: 2, day: 3, hour: 5, nanos: 1e9 }],
      ['StructuredDuration', { hours: 1.5 }],
      ['StructuredDuration', 5],
    ] as const) {
      const convert = () => shown(named('string', debezium(`time.${name}`)), json)
      expect(convert, name).toThrow(DecodeError)
    }
    const zoned = named('struct', debezium('time.StructuredZonedTimestamp'))
    const moment = { year: 2024, month: 2, day: 3, hour: 5, zoneId: 'Europe/Berlin' }
    expect(() => shown(zoned, moment)).toThrow(/Europe\/Berlin/)
  })

  it('infinity is the first or the last day and moment, in each unit', () => {
    for (const [name, json, text] of [
      ['Date', -622_191_234, '9999-12-31'],
      ['Date', -2_147_472_692, '9999-12-31'],
      ['Date', -625_821_272, '0001-01-01'],
      ['Date', -2_147_472_691, '0001-01-01'],
      ['Timestamp', 9_223_372_036_825_200n, '9999-12-31 23:59:59.999999'],
      ['Timestamp', -9_223_372_036_832_400n, '0001-01-01 00:00:00'],
      // The same number of microseconds is a moment like others.
      ['MicroTimestamp', 9_223_372_036_825_200n, '2262-04-11 23:47:16.8252'],
    ] as const) {
      expect([name, shown(named('int64', debezium(`time.${name}`)), json)[1]]).toEqual([name, text])
    }
  })

  it('decimals by their precision, and beyond 38 digits as exact text', () => {
    expect(shown(decimal('2', '10'), 'AJY=')).toEqual(['decimal(10,2)', '1.50'])
    expect(shown(decimal('2'), '/w==')).toEqual(['decimal(38,2)', '-0.01'])
    expect(shown(decimal('10', '38'), 'tMSzV6V5O4X2dd3AAAAAAQ==')).toEqual([
      'decimal(38,10)',
      '-9999999999999999999999999999.9999999999',
    ])
    expect(shown(decimal('2', '65'), 'AJY=')).toEqual(['string', '1.50'])
    expect(shown(decimal('40'), 'AQ==')).toEqual(['string', `0.${'0'.repeat(39)}1`])
    expect(shown(decimal('-2', '5'), 'AQ==')).toEqual(['string', '100'])
  })

  it('arrays of them, with nulls in them, and arrays in arrays', () => {
    const array = (items: ConnectSchema) => ({ type: 'array', items })
    expect(shown(array({ type: 'int32' }), [1, null, 3])).toEqual(['array<int>', '[1,null,3]'])
    expect(shown(array(decimal('2', '10')), ['AJY=', 'AOE='])).toEqual([
      'array<decimal(10,2)>',
      '["1.50","2.25"]',
    ])
    expect(shown(array(array({ type: 'string' })), [['a'], null])).toEqual([
      'array<array<string>>',
      '[["a"],null]',
    ])
    expect(() => shown(array({ type: 'int32' }), { 0: 1 })).toThrow(DecodeError)
    expect(() => shown(array({ type: 'int32' }), [1.5])).toThrow(DecodeError)
  })

  it('a value of another kind is a data error, whatever it is', () => {
    const wrong: readonly (readonly [string, unknown])[] = [
      ['int8', 128],
      ['int64', 2n ** 63n],
      ['int32', '5'],
      ['boolean', 1],
      ['boolean', 2n ** 64n],
      ['boolean', { a: 2n ** 64n }],
      ['float', '1.5'],
      ['float', [2n ** 64n]],
      ['double', true],
      ['string', { a: [2n ** 64n] }],
      ['bytes', 'not base64!'],
    ]
    for (const [type, json] of wrong) {
      expect(() => shown({ type }, json), type).toThrow(DecodeError)
    }
  })
})

describe('a type that Hive has no equal for', () => {
  it('is refused by its name, however it is called', () => {
    for (const schema of [
      { type: 'array' },
      { type: 'bson' },
      { type: 'constructor' },
      { type: 'toString' },
    ]) {
      expect(() => connectConverter(schema), schema.type).toThrow(DecodeError)
      expect(() => connectConverter(schema)).toThrow(new RegExp(schema.type))
    }
    expect(() => connectConverter(named('enum', 'io.acme.Colour'))).toThrow(/io\.acme\.Colour/)
    for (const parameters of [{ scale: 'x' }, { scale: '99999' }, { scale: '1.5' }]) {
      const broken = named('bytes', connect('Decimal'), parameters)
      expect(() => connectConverter(broken)).toThrow(JSON.stringify(parameters))
    }
    for (const length of ['x', '0', '-5']) {
      const broken = named('bytes', debezium('data.Bits'), { length })
      expect(() => connectConverter(broken)).toThrow(DecodeError)
    }
    let endless: ConnectSchema = { type: 'int32' }
    for (let depth = 0; depth < 100_000; depth += 1) endless = { type: 'array', items: endless }
    expect(() => connectConverter(endless)).toThrow(DecodeError)
  })

  it('a name that is not known does not hide a plain type, not even a strange one', () => {
    for (const name of ['io.acme.Text', 'constructor', '__proto__', 'hasOwnProperty']) {
      expect(shown(named('string', name), 'x')).toEqual(['string', 'x'])
    }
    const value: Value = connectConverter(named('int32', 'valueOf')).convert(5)
    expect(value).toBe(5)
  })
})
