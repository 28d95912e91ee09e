import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { ConnectorSettings } from '../../../formats/connector-settings.ts'
import { statedConverter } from '../../../formats/values/stated-types.ts'
import { columnTypeText } from '../../../model/column-type.ts'
import { ConfigError, DecodeError } from '../../../model/errors.ts'
import { columnTypeOf, parseStatedType, statedTypeText } from '../../../model/stated-type.ts'
import { plainText } from '../../../model/value-text.ts'

function shown(type: string, json: unknown, settings: ConnectorSettings = {}): string {
  const options = { isUnsignedLong: true, settings }
  const { type: parsed, convert } = statedConverter(parseStatedType(type), options)
  return plainText(parsed, convert(json))
}

describe('values of a stated type', () => {
  it('in every form that cannot be mistaken', () => {
    for (const [type, json, text] of [
      ['boolean', true, 'true'],
      ['boolean', 0, 'false'],
      ['boolean', '1', 'true'],
      ['int', 5, '5'],
      ['int', true, '1'],
      ['int', '-5', '-5'],
      ['bigint', '9223372036854775807', '9223372036854775807'],
      ['ubigint', '18446744073709551615', '18446744073709551615'],
      ['ubigint', 2n ** 64n - 1n, '18446744073709551615'],
      ['ubigint', 'AP//////////', '18446744073709551615'],
      // `bigint.unsigned.handling.mode=long`, and the column of Hive for it.
      ['ubigint', -1, '18446744073709551615'],
      ['ubigint', -(2n ** 63n), '9223372036854775808'],
      ['decimal(20,0)', -1, '18446744073709551615'],
      ['decimal(20,0)', 5, '5'],
      ['decimal(19,0)', -1, '-1'],
      ['bigint', -1, '-1'],
      ['decimal(10,2)', '12.30', '12.30'],
      ['decimal(10,2)', '-0.01', '-0.01'],
      ['decimal(10,2)', 'AJY=', '1.50'],
      ['decimal(10,2)', 12, '12.00'],
      ['decimal(38,0)', 2n ** 100n, '1267650600228229401496703205376'],
      ['decimal(10,2)', { scale: 1, value: 'Dw==' }, '1.50'],
      ['decimal(10,0)', '123', '123'],
      ['decimal(10,0)', 'AeJA', '123456'],
      ['decimal(10,2)', Buffer.from([0, 150]), '1.50'],
      ['decimal(10,2)', { scale: 1, value: Buffer.from([15]) }, '1.50'],
      ['ubigint', Buffer.from('00ffffffffffffffff', 'hex'), '18446744073709551615'],
      ['binary', Buffer.from([0, 255]), 'AP8='],
      ['string', Buffer.from([0, 255]), 'AP8='],
      ['double', '1.5', '1.5'],
      ['double', 'NaN', '"NaN"'],
      ['double', 2n ** 60n, '1152921504606847000'],
      ['float', 0.1, '0.1'],
      ['string', '😀', '😀'],
      ['string', 5, '5'],
      ['string', 2n ** 64n, '18446744073709551616'],
      ['string', false, 'false'],
      ['string', { a: [1] }, '{"a":[1]}'],
      ['varchar(3)', 'abc', 'abc'],
      ['binary', 'AP8=', 'AP8='],
      ['date', -1, '1969-12-31'],
      ['date', '2024-02-29', '2024-02-29'],
      ['date', '0001-01-01', '0001-01-01'],
      ['timestamp', '2024-02-29 12:34:56.789', '2024-02-29 12:34:56.789'],
      ['timestamp', '2024-02-29T12:34:56', '2024-02-29 12:34:56'],
      ['timestamptz', '2024-02-29T12:34:56+08:00', '2024-02-29 04:34:56'],
      ['timestamptz', '2024-02-29 12:34:56-08', '2024-02-29 20:34:56'],
      ['timestamptz', 'infinity', '9999-12-31 23:59:59.999999'],
      ['timestamptz', '-infinity', '0001-01-01 00:00:00'],
      ['timestamp', 9_223_372_036_825_200_000n, '9999-12-31 23:59:59.999999'],
      ['timestamp', -9_223_372_036_832_400_000n, '0001-01-01 00:00:00'],
      ['timestamp', 0, '1970-01-01 00:00:00'],
      ['timestamp', 1_709_210_096_789, '2024-02-29 12:34:56.789'],
      ['timestamp', 1_709_210_096_789_012, '2024-02-29 12:34:56.789012'],
      ['timestamp', 1_709_210_096_789_012_345n, '2024-02-29 12:34:56.789012'],
      ['timestamp', 253_402_300_799_999_999n, '9999-12-31 23:59:59.999999'],
      ['array<decimal(3,1)>', ['1.5', null], '["1.5",null]'],
    ] as const) {
      expect([type, json, shown(type, json)]).toEqual([type, json, text])
    }
  })

  it('what can be read in two ways is refused, and the error says what to state', () => {
    expect(() => shown('decimal(10,0)', '1234')).toThrow(/may be a number or base64/)
    for (const json of [1, 86_400_000, 99_999_999_999, 10_000_000_000_000, -5]) {
      expect(() => shown('timestamp', json)).toThrow(/milliseconds or microseconds/)
    }
  })

  it('what does not fit names the stated type, by whatever form it was read', () => {
    for (const [type, json] of [
      ['int', '李四'],
      ['bigint', 'a-b'],
      ['ubigint', '李四'],
      ['decimal(10,2)', '李四'],
      ['decimal(10,0)', 'x y'],
      ['decimal(10,2)', true],
      ['decimal(10,2)', { scale: 'x' }],
      ['date', 1.5],
      ['timestamp', 'now'],
      ['timestamp', 1.5e12 + 0.5],
      ['timestamptz', 'now'],
    ] as const) {
      expect(() => shown(type, json)).toThrow(`is not a ${type}`)
    }
  })

  it('what does not fit is a data error', () => {
    for (const [type, json] of [
      ['boolean', 2],
      ['boolean', 'yes'],
      ['boolean', 2n ** 64n],
      ['tinyint', 128],
      ['int', 1.5],
      ['int', '2147483648'],
      ['ubigint', '-1'],
      ['ubigint', -(2n ** 64n)],
      ['decimal(4,2)', '100.00'],
      ['decimal(4,2)', '1.234'],
      ['decimal(4,2)', [1]],
      ['double', ''],
      ['double', 'abc'],
      ['double', { a: 2n ** 64n }],
      ['binary', 'a-b'],
      ['date', '0000-00-00'],
      ['date', '2024-02-30'],
      ['date', '2024-2-1'],
      ['date', 1.5],
      ['timestamp', '0000-00-00 00:00:00'],
      ['timestamp', '2024-02-30 00:00:00'],
      ['timestamp', '2024-01-01'],
      ['timestamp', 'now'],
      ['timestamp', 1.5e12 + 0.5],
      ['timestamp', { a: 2n ** 64n }],
      ['array<int>', 5],
      ['array<int>', [1, 'x']],
    ] as const) {
      expect(() => shown(type, json), `${type} ${inspect(json)}`).toThrow(DecodeError)
    }
  })

  it('numbers of times are read in the unit of the mode, or of the mode and the digits', () => {
    const mode = (name: string) => ({ 'time.precision.mode': name })
    for (const [type, json, name, text] of [
      ['timestamp', 1, 'connect', '1970-01-01 00:00:00.001'],
      ['timestamp', 1, 'microseconds', '1970-01-01 00:00:00.000001'],
      ['timestamp', -1, 'nanoseconds', '1969-12-31 23:59:59.999999'],
      ['timestamp', 9_223_372_036_825_200n, 'connect', '9999-12-31 23:59:59.999999'],
      ['timestamp(3)', 1, 'adaptive', '1970-01-01 00:00:00.001'],
      ['timestamp(6)', 1, 'adaptive', '1970-01-01 00:00:00.000001'],
      ['timestamp(7)', 1000, 'adaptive', '1970-01-01 00:00:00.000001'],
      ['timestamp(6)', 1, 'connect', '1970-01-01 00:00:00.001'],
      ['time', 1, 'connect', '00:00:00.001'],
      ['time', 1, 'microseconds', '00:00:00.000001'],
      ['time(3)', 45_296_789, 'adaptive', '12:34:56.789'],
      ['time(6)', 45_296_789_012, 'adaptive', '12:34:56.789012'],
    ] as const) {
      expect([type, name, shown(type, json, mode(name))]).toEqual([type, name, text])
    }
    expect(shown('time', 45_296_789_012)).toBe('12:34:56.789012')
    expect(shown('time', -1)).toBe('-00:00:00.000001')
    for (const settings of [{}, mode('adaptive')]) {
      expect(() => shown('time', 45_296_789, settings)).toThrow(/time\(3\) or time\(6\)/)
      expect(() => shown('timestamp', 1, settings)).toThrow(/timestamp\(3\) or timestamp\(6\)/)
    }
    expect(() => shown('timestamp(3)', 1)).toThrow(/time\.precision\.mode/)
  })

  it('times of day, intervals and bits have words of their own', () => {
    for (const [type, json, text] of [
      ['time', '12:34:56.5Z', '12:34:56.5'],
      ['time', { hour: 1, minute: 2, second: 3 }, '01:02:03'],
      ['interval', 37_091_106_789_000, '37091106789000'],
      ['interval', 'P1Y2M3DT4H5M6.789S', '37091106789000'],
      ['interval', 'P0Y0M-1DT0H0M-1S', '-86401000000'],
      ['interval', { hours: 1 }, '3600000000'],
      ['bit(8)', 'gQ==', '10000001'],
      ['bit(20)', 'qqoK', '10101010101010101010'],
    ] as const) {
      expect([type, shown(type, json)]).toEqual([type, text])
    }
    const columns = ['time(3)', 'timestamp(3)', 'interval', 'bit(8)', 'fail', 'decimal(5,2)']
    expect(columns.map(one => columnTypeText(columnTypeOf(parseStatedType(one))))).toEqual([
      'string',
      'timestamp',
      'bigint',
      'string',
      'string',
      'decimal(5,2)',
    ])
    for (const one of columns) expect(statedTypeText(parseStatedType(one))).toBe(one)
    for (const word of ['time(10)', 'bit(0)', 'never', 'interval(3)']) {
      expect(() => parseStatedType(word)).toThrow(ConfigError)
    }
  })

  it('a column that is stated to fail takes no value', () => {
    expect(() => shown('fail', 'x')).toThrow(/stated to have no values/)
  })

  it('bytes and decimals by the settings, where those are stated', () => {
    expect(shown('binary', 'fbff', { 'binary.handling.mode': 'hex' })).toBe('+/8=')
    expect(shown('binary', '-_8=', { 'binary.handling.mode': 'base64-url-safe' })).toBe('+/8=')
    expect(() => shown('binary', 'xyz', { 'binary.handling.mode': 'hex' })).toThrow(DecodeError)
    expect(shown('decimal(10,0)', '1234', { 'decimal.handling.mode': 'string' })).toBe('1234')
    expect(shown('decimal(10,0)', 'AeJA', { 'decimal.handling.mode': 'precise' })).toBe('123456')
    expect(shown('decimal(3,2)', '0E-10')).toBe('0.00')
  })

  it('a decimal that is no number is an error, and a double', () => {
    for (const [json, text] of [
      ['NAN', '"NaN"'],
      ['POSITIVE_INFINITY', '"Infinity"'],
      ['NEGATIVE_INFINITY', '"-Infinity"'],
      ['NaN', '"NaN"'],
    ] as const) {
      expect(() => shown('decimal(10,2)', json)).toThrow(/state double or string/)
      expect(shown('double', json)).toBe(text)
      expect(shown('string', json)).toBe(json)
    }
  })
})
