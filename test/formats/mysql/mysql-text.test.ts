import { describe, expect, it } from 'vitest'
import { databaseConverter } from '../../../formats/mysql/debezium-column-types.ts'
import type { MySqlTextForm } from '../../../formats/mysql/mysql-text.ts'
import { mysqlTextConverter } from '../../../formats/mysql/mysql-text.ts'
import { parseMySqlType } from '../../../formats/mysql/mysql-type.ts'
import { columnTypeText, parseColumnType } from '../../../model/column-type.ts'
import { DecodeError } from '../../../model/errors.ts'
import { plainText } from '../../../model/value-text.ts'

const canal: MySqlTextForm = {
  binary: 'latin1',
  choices: 'number',
  geometry: 'bytes',
  timeZone: 'UTC',
}

function shown(type: string, json: unknown, form: Partial<MySqlTextForm> = {}, stated?: string) {
  const converter = mysqlTextConverter(
    parseMySqlType(type),
    { ...canal, ...form },
    stated === undefined ? null : parseColumnType(stated),
  )
  const value = converter.convert(json)
  return [columnTypeText(converter.type), value === null ? null : plainText(converter.type, value)]
}

const value = (...given: Parameters<typeof shown>) => shown(...given)[1]

function fails(...given: Parameters<typeof shown>): void {
  expect(() => shown(...given), JSON.stringify(given)).toThrow(DecodeError)
}

describe('values of MySQL as text', () => {
  it.each([
    ['tinyint(1)', '1', 'smallint', '1'],
    ['tinyint(3) unsigned', '255', 'smallint', '255'],
    ['smallint(5) unsigned zerofill', '65535', 'int', '65535'],
    ['mediumint(9)', '-8388608', 'int', '-8388608'],
    ['INT', '-2147483648', 'int', '-2147483648'],
    ['int(10) UNSIGNED', '4294967295', 'bigint', '4294967295'],
    ['bigint(20)', '-9223372036854775808', 'bigint', '-9223372036854775808'],
    ['bigint(20) unsigned', '18446744073709551615', 'ubigint', '18446744073709551615'],
    ['decimal(10,2)', '2999.0', 'decimal(10,2)', '2999.00'],
    ['decimal(38,10)', '1234567890123456789012345678.0123456789', 'decimal(38,10)', null],
    ['decimal(65,30)', '-0.000000000000000000000000000001', 'string', null],
    ['decimal(40)', '12', 'string', '12'],
    ['float', '-3.4E38', 'float', '-3.4e+38'],
    ['float(7,4) unsigned', '1.5', 'float', '1.5'],
    ['double(8,2)', '1.7976931348623157E308', 'double', '1.7976931348623157e+308'],
    ['varchar(255)', 'héllo 你好 😀', 'string', 'héllo 你好 😀'],
    ['date', '1000-01-01', 'date', '1000-01-01'],
    ['datetime', '2024-02-29 12:34:56', 'timestamp', '2024-02-29 12:34:56'],
    ['datetime(3)', '9999-12-31 23:59:59.999', 'timestamp', '9999-12-31 23:59:59.999'],
    ['datetime(6)', '9999-12-31 23:59:59.999999', 'timestamp', '9999-12-31 23:59:59.999999'],
    ['datetime(6)', '0001-01-01 00:00:00.000001', 'timestamp', '0001-01-01 00:00:00.000001'],
    ['timestamp(6)', '2038-01-19 03:14:07.999999', 'timestamptz', '2038-01-19 03:14:07.999999'],
    ['time', '-838:59:59', 'string', '-838:59:59'],
    ['time(6)', '100:00:00.500000', 'string', '100:00:00.5'],
    ['time(6)', '-00:00:00.000001', 'string', '-00:00:00.000001'],
    ['time(2)', '-00:00:00.00', 'string', '00:00:00'],
    ['year(4)', '1901', 'int', '1901'],
    ['year', '0000', 'int', '0'],
    ['bit(1)', '1', 'boolean', 'true'],
    ['bit(20)', '699050', 'string', '10101010101010101010'],
    ['bit(64)', '18446744073709551615', 'string', '1'.repeat(64)],
    ['bit(8)', '1', 'string', '00000001'],
    ['blob', '\0ÿ\u0010þ', 'binary', 'AP8Q/g=='],
    ['binary(8)', '\u0001\u0002', 'binary', 'AQIAAAAAAAA='],
    ['binary', '', 'binary', 'AA=='],
    ['varbinary(32)', 'bin', 'binary', 'Ymlu'],
    ['json', '{"a": 1}', 'string', '{"a": 1}'],
    ['uuid', '123e4567-e89b-12d3-a456-426655440000', 'string', null],
    ['inet6', '2001:db8::1', 'string', '2001:db8::1'],
  ])('%s %s is %s', (type, json, expectedType, expectedText) => {
    expect(shown(type, json)).toEqual([expectedType, expectedText ?? json])
  })

  it('have the types that Debezium gives the same columns', () => {
    const types = ['INT', 'BIGINT', 'TINYINT', 'DECIMAL', 'DATETIME', 'BIT', 'FLOAT', 'POINT']
    for (const typeName of [...types, 'TIMESTAMP', 'ENUM', 'YEAR', 'BLOB', 'TEXT', 'TIME']) {
      const { type } = databaseConverter({ name: 'c', typeName, length: 3, scale: 1 }, {})
      const text = typeName === 'ENUM' ? typeName : `${typeName}(3,1)`
      expect(mysqlTextConverter(parseMySqlType(text), canal).type).toEqual(type)
    }
  })

  it('labels of ENUM and SET by place, with quotes and commas in them', () => {
    const type = String.raw`enum('a,b','it''s','','x\'y','\\')`
    expect(parseMySqlType(type).labels).toEqual(['a,b', "it's", '', "x'y", '\\'])
    expect(['0', '1', '2', '3', '4', '5'].map(place => value(type, place))).toEqual([
      '',
      'a,b',
      "it's",
      '',
      "x'y",
      '\\',
    ])
    expect(value("enum('1','0')", '2')).toBe('0')
    expect(value("enum('small','large')", 'large')).toBe('large')
    expect(value("enum('small','large')", 'large', { choices: 'label' })).toBe('large')
    fails("enum('small','large')", '3')
    fails("enum('small','large')", 'huge')
    fails("enum('small','large')", '-1')
    expect(value("set('a','b','c')", '5')).toBe('a,c')
    expect(value("set('a','b','c')", '')).toBe('')
    expect(value("set('a','b','c')", ['a', 'c'], { choices: 'label' })).toBe('a,c')
    fails("set('a','b','c')", '8')
    const many = Array.from({ length: 64 }, (_, place) => `l${place}`)
    const wide = `set(${many.map(label => `'${label}'`).join(',')})`
    expect(value(wide, '18446744073709551615')).toBe(many.join(','))
    expect(value(wide, '9223372036854775808')).toBe('l63')
  })

  it('a type that was made to be slow is refused at once', () => {
    const type = `enum(${String.raw`'\'`.repeat(200_000)}`
    expect(() => parseMySqlType(`${type})`)).toThrow(DecodeError)
    expect(() => parseMySqlType(`a${'('.repeat(200_000)}`)).toThrow(DecodeError)
    expect(() => parseMySqlType(`a(${')'.repeat(200_000)}x(`)).toThrow(DecodeError)
  })

  it('zero dates as null', () => {
    expect(value('date', '0000-00-00')).toBeNull()
    expect(value('date', '2024-05-00')).toBeNull()
    expect(value('datetime', '2024-00-15 00:00:00')).toBeNull()
    expect(value('datetime(6)', '0000-00-00 00:00:00.000000')).toBeNull()
    expect(value('timestamp', '0000-00-00 00:00:00')).toBeNull()
    expect(value('date', '0000-00-00', {}, 'string')).toBe('0000-00-00')
  })

  it('instants in the time zone that the tool ran in', () => {
    const at = (timeZone: string, text: string) => value('timestamp', text, { timeZone })
    expect(at('Asia/Shanghai', '2024-02-29 08:00:00')).toBe('2024-02-29 00:00:00')
    expect(at('GMT+08:00', '2024-02-29 08:00:00')).toBe('2024-02-29 00:00:00')
    expect(at('America/St_Johns', '2024-02-28 20:30:00.5')).toBe('2024-02-29 00:00:00.5')
    expect(at('Europe/Berlin', '2024-03-31 01:59:59')).toBe('2024-03-31 00:59:59')
    expect(at('Europe/Berlin', '2024-03-31 03:00:00')).toBe('2024-03-31 01:00:00')
    expect(at('Europe/Berlin', '2024-10-27 03:00:00')).toBe('2024-10-27 02:00:00')
    // Shown twice, and not at all.
    expect(() => at('Europe/Berlin', '2024-10-27 02:30:00')).toThrow(/came twice/)
    expect(() => at('Europe/Berlin', '2024-03-31 02:30:00')).toThrow(/left out/)
    expect(() => at('Mars/Base', '2024-03-31 02:30:00')).toThrow(/not known/)
    expect(value('datetime', '2024-02-29 08:00:00', { timeZone: 'Asia/Shanghai' })).toBe(
      '2024-02-29 08:00:00',
    )
  })

  it('points with their coordinates, other shapes as WKB', () => {
    const bytes = '\0\0\0\0\u0001\u0001\0\0\0\0\0\0\0\0\0ø?\0\0\0\0\0\0\u0004À'
    const wkb = 'AQEAAAAAAAAAAAD4PwAAAAAAAATA'
    expect(value('point', bytes)).toBe(`{"x":1.5,"y":-2.5,"wkb":"${wkb}","srid":null}`)
    expect(value('geometry', `æ\u0010${bytes.slice(2)}`)).toBe(`{"wkb":"${wkb}","srid":4326}`)
    expect(value('point', 'POINT(1.5 -2.5)', { geometry: 'text' })).toBe('POINT(1.5 -2.5)')
    fails('point', '')
    fails('point', bytes.slice(1))
  })

  it('in the type that the operator states', () => {
    expect(shown('tinyint(1)', '1', {}, 'boolean')).toEqual(['boolean', 'true'])
    expect(shown('bigint unsigned', '12345678', {}, 'decimal(20,0)')[1]).toBe('12345678')
    expect(shown('decimal(10,2)', '1234', {}, 'decimal(12,3)')[1]).toBe('1234.000')
    expect(shown('varchar(20)', '1234', {}, 'int')[1]).toBe('1234')
    expect(shown('varchar(20)', '2024-01-01', {}, 'date')[1]).toBe('2024-01-01')
    expect(shown('varchar(20)', '2024-01-01 00:00:01', {}, 'timestamp')[1]).toBe(
      '2024-01-01 00:00:01',
    )
    const form = { timeZone: 'Asia/Shanghai' }
    expect(value('timestamp', '2024-01-01 08:00:00', form, 'timestamp')).toBe('2024-01-01 00:00:00')
    expect(value('blob', 'ÿ', {}, 'string')).toBe('/w==')
    expect(value("enum('a','b')", '2', {}, 'string')).toBe('b')
    expect(value("enum('a','b')", '2', {}, 'int')).toBe('2')
    expect(value('bit(8)', '129', {}, 'int')).toBe('129')
    expect(value('vector(3)', 'abc', {}, 'string')).toBe('abc')
    fails('varchar(20)', '1', {}, 'array<int>')
    fails('varchar(20)', '1', {}, 'binary')
    fails('int', '300', {}, 'tinyint')
  })

  it('as JSON’s own values, where a tool writes those', () => {
    expect(value('int', 5)).toBe('5')
    expect(value('bigint unsigned', 2n ** 64n - 1n)).toBe('18446744073709551615')
    expect(value('decimal(10,2)', 12.5)).toBe('12.50')
    expect(value('double', 0.1)).toBe('0.1')
    expect(value('json', { a: [1, 2n ** 60n] })).toBe('{"a":[1,1152921504606846976]}')
    expect(value('blob', '/w==', { binary: 'base64' })).toBe('/w==')
    expect(value('bit(1)', true)).toBe('true')
    // It may have had more digits than a number holds.
    fails('decimal(38,20)', 0.1234567890123456)
  })
})

describe('a value that does not fit its type', () => {
  it.each([
    ['tinyint(3) unsigned', '-1'],
    ['tinyint', '128'],
    ['int unsigned', '-1'],
    ['int unsigned', '4294967296'],
    ['bigint(20) unsigned', '-1'],
    ['bigint(20) unsigned', '18446744073709551616'],
    ['bigint', '1.5'],
    ['bigint', '9'.repeat(100_000)],
    ['int', ''],
    ['int', ' 1'],
    ['int', 1.5],
    ['int', null],
    ['int', {}],
    ['decimal(10,2)', '123456789.00'],
    ['decimal(10,2)', '0.001'],
    ['decimal(10,2)', '1'.repeat(100_000)],
    ['decimal(10,2)', '1e999'],
    ['decimal(65,30)', '1e999999'],
    ['double', 'NaN'],
    ['double', '1e999'],
    ['date', '2024-02-30'],
    ['date', '10000-01-01'],
    ['date', '2024-01-01 00:00:00'],
    ['datetime', '2024-01-01 24:00:00'],
    ['datetime', '2024-01-01'],
    ['time', '1:00:00'],
    ['time', '00:60:00'],
    ['year', '2156'],
    ['bit(1)', '2'],
    ['bit(8)', '256'],
    ['blob', '你'],
    ['binary(2)', 'abc'],
    ['varchar(10)', 1],
    ['json', "JSON_SET(doc, '$.a', 1)"],
    ['uuid', '\u0001\u0002'],
  ])('is refused: %s', (type, json) => {
    fails(type, json)
  })

  it('and a type that Hive has no equal for', () => {
    expect(() => shown('vector(3)', 'x')).toThrow(/VECTOR/)
    expect(() => parseMySqlType('')).toThrow(DecodeError)
    expect(() => parseMySqlType('(10)')).toThrow(DecodeError)
    for (const type of [
      'decimal(99999999999,2)',
      'decimal(2,3)',
      'bit(65)',
      'binary(999999999999)',
    ]) {
      expect(() => parseMySqlType(type), type).toThrow(DecodeError)
    }
    for (const type of ["enum('a','b)", 'enum(a)', 'enum()', "enum('a'b')", "set('a',)"]) {
      expect(() => parseMySqlType(type), type).toThrow(DecodeError)
    }
    // A name that every object has.
    expect(() => shown('constructor', 'x')).toThrow(DecodeError)
  })
})
