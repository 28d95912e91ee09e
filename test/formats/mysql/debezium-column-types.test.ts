import { describe, expect, it } from 'vitest'
import type { ConnectorSettings } from '../../../formats/connector-settings.ts'
import { databaseConverter } from '../../../formats/mysql/debezium-column-types.ts'
import { columnTypeText } from '../../../model/column-type.ts'
import { DecodeError } from '../../../model/errors.ts'
import { plainText } from '../../../model/value-text.ts'
import { recorded } from '../samples.ts'

interface Typed {
  readonly typeName: string
  readonly length?: number
  readonly scale?: number
}

function converterOf(type: string | Typed, settings: ConnectorSettings = {}) {
  const column = typeof type === 'string' ? { typeName: type } : type
  return databaseConverter({ name: 'c', ...column }, settings)
}

function shown(type: string | Typed, json: unknown, settings: ConnectorSettings = {}) {
  const converter = converterOf(type, settings)
  return [columnTypeText(converter.type), plainText(converter.type, converter.convert(json))]
}

const decimal = (length: number, scale: number) => ({ typeName: 'DECIMAL', length, scale })

describe('types of columns as schema-change events name them', () => {
  it('integers, unsigned ones as the next wider type', () => {
    for (const [typeName, json, kind, text] of [
      ['TINYINT', -128, 'smallint', '-128'],
      ['TINYINT UNSIGNED', 255, 'smallint', '255'],
      ['TINYINT', true, 'smallint', '1'],
      ['BOOLEAN', false, 'smallint', '0'],
      ['SMALLINT UNSIGNED', 65_535, 'int', '65535'],
      ['MEDIUMINT UNSIGNED ZEROFILL', 16_777_215, 'int', '16777215'],
      ['INT', -(2 ** 31), 'int', '-2147483648'],
      ['int unsigned', 2 ** 32 - 1, 'bigint', '4294967295'],
      ['BIGINT', 2n ** 63n - 1n, 'bigint', '9223372036854775807'],
      ['YEAR', 2155, 'int', '2155'],
    ] as const) {
      expect([typeName, ...shown(typeName, json)]).toEqual([typeName, kind, text])
    }
    expect(() => shown('TINYINT UNSIGNED', 2 ** 16)).toThrow(DecodeError)
    expect(() => shown('INT', 2 ** 31)).toThrow(DecodeError)
  })

  it('an unsigned bigint in each form that a connector sends', () => {
    const type = 'BIGINT UNSIGNED'
    expect(shown(type, 5)).toEqual(['ubigint', '5'])
    // `long`: what lies above 2^63 is negative.
    expect(shown(type, -1)).toEqual(['ubigint', '18446744073709551615'])
    expect(shown(type, -(2n ** 63n))).toEqual(['ubigint', '9223372036854775808'])
    expect(shown(type, 2n ** 63n - 1n)).toEqual(['ubigint', '9223372036854775807'])
    // `precise`: a decimal.
    expect(shown(type, 'AP//////////')).toEqual(['ubigint', '18446744073709551615'])
    expect(shown('SERIAL', 'AQ==')).toEqual(['ubigint', '1'])
    expect(() => shown(type, '/w==')).toThrow(DecodeError)
    // Where the connector is said to be precise there is no such long.
    const precise = { 'bigint.unsigned.handling.mode': 'precise' }
    expect(shown(type, 5, precise)).toEqual(['ubigint', '5'])
    expect(() => shown(type, -1, precise)).toThrow(DecodeError)
    expect(() => shown(type, 'AQAAAAAAAAAA')).toThrow(DecodeError)
  })

  it('decimals: what has a point is text, what has none is base64', () => {
    expect(shown(decimal(10, 2), '2999.00')).toEqual(['decimal(10,2)', '2999.00'])
    expect(shown(decimal(10, 2), '-0.01')).toEqual(['decimal(10,2)', '-0.01'])
    expect(shown(decimal(10, 2), 'AJY=')).toEqual(['decimal(10,2)', '1.50'])
    expect(shown(decimal(10, 2), 12.5)).toEqual(['decimal(10,2)', '12.50'])
    expect(shown('DECIMAL', '12345')).toEqual(['decimal(10,0)', '12345'])
    expect(shown('NUMERIC', '-5')).toEqual(['decimal(10,0)', '-5'])
  })

  it('digits that could be either are refused until the setting says which', () => {
    const type = decimal(10, 0)
    expect(() => shown(type, '1234')).toThrow(/decimal\.handling\.mode/)
    expect(shown(type, '1234', { 'decimal.handling.mode': 'string' })).toEqual([
      'decimal(10,0)',
      '1234',
    ])
    expect(shown(type, '1234', { 'decimal.handling.mode': 'precise' })).toEqual([
      'decimal(10,0)',
      String(Buffer.from('1234', 'base64').readIntBE(0, 3)),
    ])
    expect(shown(type, 1.5, { 'decimal.handling.mode': 'double' })).toEqual(['double', '1.5'])
  })

  it('decimals beyond 38 digits are exact text in either form', () => {
    const type = decimal(65, 2)
    expect(shown(type, '1.50')).toEqual(['string', '1.50'])
    expect(shown(type, 'AJY=')).toEqual(['string', '1.50'])
  })

  it('floating point by its precision', () => {
    expect(shown('FLOAT', 0.1)).toEqual(['float', '0.1'])
    expect(shown({ typeName: 'FLOAT', length: 7, scale: 4 }, 0.1)).toEqual(['float', '0.1'])
    expect(shown({ typeName: 'FLOAT', length: 30, scale: 2 }, 0.1)).toEqual(['float', '0.1'])
    // FLOAT(53) is a double: as a float it would lose digits.
    expect(shown({ typeName: 'FLOAT', length: 53 }, 0.1234567890123)).toEqual([
      'double',
      '0.1234567890123',
    ])
    expect(shown('DOUBLE PRECISION', 1e300)).toEqual(['double', '1e+300'])
    expect(shown('REAL', 2n ** 60n)).toEqual(['double', '1152921504606847000'])
    expect(() => shown('DOUBLE', '1.5')).toThrow(DecodeError)
  })

  it('text, binary in each mode, bits, dates and geometry', () => {
    for (const typeName of ['VARCHAR', 'LONGTEXT', 'ENUM', 'SET', 'JSON', 'UUID', 'INET6']) {
      expect(shown(typeName, 'x')).toEqual(['string', 'x'])
    }
    const binary = (json: string, mode?: string) =>
      shown('VARBINARY', json, mode === undefined ? {} : { 'binary.handling.mode': mode })[1]
    expect(binary('+/8=')).toBe('+/8=')
    expect(binary('+/8=', 'base64')).toBe('+/8=')
    expect(binary('-_8', 'base64-url-safe')).toBe('+/8=')
    expect(binary('fbff', 'hex')).toBe('+/8=')
    expect(shown('BIT', true)).toEqual(['boolean', 'true'])
    expect(shown({ typeName: 'BIT', length: 8 }, 'gQ==')).toEqual(['string', '10000001'])
    expect(shown('DATE', -1)).toEqual(['date', '1969-12-31'])
    expect(shown('POINT', { x: 1, wkb: '' })).toEqual(['string', '{"x":1,"wkb":""}'])
    expect(() => shown('BIT', 'gQ==')).toThrow(DecodeError)
  })

  it('DATETIME and TIME by their digits, or by the mode that is stated', () => {
    const datetime = (length: number) => ({ typeName: 'DATETIME', length })
    const mode = (name: string) => ({ 'time.precision.mode': name })
    expect(shown('DATETIME', 1000)[1]).toBe('1970-01-01 00:00:01')
    expect(shown(datetime(3), 1001)[1]).toBe('1970-01-01 00:00:01.001')
    expect(shown(datetime(4), 1001)[1]).toBe('1970-01-01 00:00:00.001001')
    expect(shown(datetime(6), 1001, mode('connect'))[1]).toBe('1970-01-01 00:00:01.001')
    expect(shown(datetime(0), 1001, mode('microseconds'))[1]).toBe('1970-01-01 00:00:00.001001')
    expect(shown(datetime(6), 1001, mode('nanoseconds'))[1]).toBe('1970-01-01 00:00:00.000001')
    expect(shown('TIME', -1_000_000)[1]).toBe('-00:00:01')
    expect(shown('TIME', 1000, mode('connect'))[1]).toBe('00:00:01')
    expect(shown('TIMESTAMP', '2024-01-01T00:00:00Z')).toEqual([
      'timestamptz',
      '2024-01-01 00:00:00',
    ])
  })

  it('times in any form that tells itself, in every mode', () => {
    const date = { year: 2024, month: 2, day: 29, specialValue: null }
    const clock = { hour: 12, minute: 34, second: 56, picoseconds: 789_012_345_678 }
    const long = { hours: -838, minutes: -59, seconds: -59, picoseconds: 0 }
    for (const mode of ['isostring', 'structured', 'connect', 'nanoseconds']) {
      const settings = { 'time.precision.mode': mode }
      for (const [type, json, text] of [
        ['DATE', '2024-02-29Z', '2024-02-29'],
        ['DATE', date, '2024-02-29'],
        ['DATE', { ...date, day: 0 }, ''],
        ['DATETIME', '2024-02-29T12:34:56.789012Z', '2024-02-29 12:34:56.789012'],
        ['DATETIME', { ...date, ...clock }, '2024-02-29 12:34:56.789012'],
        ['DATETIME', { ...date, ...clock, year: 0, month: 0, day: 0 }, ''],
        ['TIME', '12:34:56.5Z', '12:34:56.5'],
        ['TIME', clock, '12:34:56.789012'],
        ['TIME', long, '-838:59:59'],
        ['TIMESTAMP', { ...date, ...clock, offsetSeconds: 3600 }, '2024-02-29 11:34:56.789012'],
      ] as const) {
        expect([type, shown(type, json, settings)[1]]).toEqual([type, text])
      }
    }
  })

  it('the names that MySQL takes for others', () => {
    for (const [typeName, json, kind] of [
      ['INT1', 5, 'smallint'],
      ['INT2 UNSIGNED', 5, 'int'],
      ['INT3', 5, 'int'],
      ['MIDDLEINT', 5, 'int'],
      ['INT4 UNSIGNED', 5, 'bigint'],
      ['INT8', 5, 'bigint'],
      ['INT8 UNSIGNED', -1, 'ubigint'],
      ['FLOAT4', 5, 'float'],
      ['FLOAT8', 5, 'double'],
      ['CHARACTER VARYING', 'x', 'string'],
      ['NATIONAL VARCHAR', 'x', 'string'],
      ['LONG VARCHAR', 'x', 'string'],
      ['LONG VARBINARY', 'AA==', 'binary'],
      ['VECTOR', [1, 2.5], 'array<float>'],
    ] as const) {
      expect([typeName, shown(typeName, json)[0]]).toEqual([typeName, kind])
    }
  })

  it('a type that is not known is refused by its name', () => {
    expect(() => converterOf('XMLTYPE')).toThrow(/XMLTYPE/)
    expect(() => converterOf('CONSTRUCTOR')).toThrow(DecodeError)
  })

  it('every column of every recorded schema change has a type', () => {
    interface Change {
      readonly tableChanges?: readonly {
        readonly table?: { readonly columns?: readonly (Typed & { readonly name: string })[] }
      }[]
    }
    let columns = 0
    for (const record of recorded('mariadb/m2_json_schema_false_friendly_modes.jsonl')) {
      if (record.topic !== 'm2' || record.value === null) continue
      const { tableChanges = [] } = JSON.parse(record.value.toString()) as Change
      for (const column of tableChanges.flatMap(({ table }) => table?.columns ?? [])) {
        expect(columnTypeText(converterOf(column).type)).not.toBe('')
        columns += 1
      }
    }
    expect(columns).toBeGreaterThan(100)
  })
})
