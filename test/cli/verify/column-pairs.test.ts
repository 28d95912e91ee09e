import { describe, expect, it } from 'vitest'
import type { Cell } from '../../../cli/verify/column-pairs.ts'
import { areCellsEqual, pairOf } from '../../../cli/verify/column-pairs.ts'
import { readHiveValue } from '../../../cli/verify/hive-target.ts'
import { mysqlColumn } from '../../../cli/verify/mysql-columns.ts'
import { postgresColumn } from '../../../cli/verify/postgres-columns.ts'
import type { SourceColumn } from '../../../cli/verify/source-database.ts'
import { parseColumnType } from '../../../model/column-type.ts'
import type { HiveValue } from '../../../sinks/hive/hive-rows.ts'

const mysql = (declared: string, settings = {}): SourceColumn =>
  mysqlColumn({ name: 'c', declared, nullable: true }, settings)

const postgres = (declared: string, typeName: string, typeType = 'b'): SourceColumn =>
  postgresColumn(
    { name: 'c', declared, typeName, typeType, nullable: true, isGenerated: false },
    {},
  )

function isEqual(
  source: SourceColumn,
  raw: string | Uint8Array,
  hive: string,
  value: HiveValue,
): boolean {
  const type = parseColumnType(hive)
  const pair = pairOf(source, { name: 'c', type })
  if (typeof pair === 'string') throw new Error(pair)
  return areCellsEqual(pair, source.read(raw), readHiveValue(type, value))
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

describe('values of MariaDB and of Hive', () => {
  it.each([
    ['int(11)', '-5', 'int', -5],
    ['int(10) unsigned', '4294967295', 'bigint', 4_294_967_295n],
    ['bigint(20) unsigned', '18446744073709551615', 'decimal(20,0)', '18446744073709551615'],
    ['tinyint(1)', '1', 'smallint', 1],
    ['tinyint(1)', '1', 'boolean', true],
    ['decimal(10,2)', '1.50', 'decimal(10,2)', '1.5'],
    ['decimal(10,2)', '1.50', 'decimal(12,4)', '1.5'],
    ['decimal(10,2)', '1.50', 'string', '1.50'],
    ['decimal(10,2)', '1.50', 'double', 1.5],
    ['float', '0.10000000149011612', 'float', 0.1],
    ['float', '16777216', 'float', 16_777_200],
    ['double', '1e+300', 'double', 1e300],
    ['char(5)', 'ab', 'char(5)', 'ab   '],
    ['varchar(5)', '', 'string', ''],
    ['datetime', '2024-02-29 12:00:00', 'timestamp', '2024-02-29 12:00:00'],
    ['datetime(6)', '1500-01-01 00:00:00.000001', 'timestamp', '1500-01-01 00:00:00.000001'],
    ['timestamp(6)', '2024-01-01 00:00:00.100000', 'timestamp', '2024-01-01 00:00:00.1'],
    ['date', '2024-02-29', 'date', '2024-02-29'],
    ['time(6)', '-838:59:59.500000', 'string', '-838:59:59.5'],
    ['year(4)', '2024', 'int', 2024],
    ['bit(1)', bytes(1), 'boolean', true],
    ['bit(12)', bytes(0, 5), 'string', '000000000101'],
    ['blob', bytes(0, 255), 'binary', bytes(0, 255)],
    ['blob', bytes(0, 255), 'string', 'AP8='],
    ['json', '{"b": 1, "a": [1.50]}', 'string', '{"a":[1.50],"b":1}'],
    ["enum('a','b c')", 'b c', 'string', 'b c'],
    ['varchar(10)', '2024-02-29', 'date', '2024-02-29'],
  ] as const)('%s %s equals %s %s', (declared, raw, hive, value) => {
    expect(isEqual(mysql(declared), raw, hive, value)).toBe(true)
  })

  it.each([
    ['int(11)', '-5', 'int', 5],
    ['bigint(20) unsigned', '18446744073709551615', 'decimal(20,0)', '18446744073709551614'],
    ['decimal(10,2)', '1.50', 'decimal(10,2)', '1.51'],
    ['float', '0.10000000149011612', 'float', 0.100001],
    ['double', '0.1', 'double', 0.100_000_000_000_000_02],
    ['varchar(5)', 'ab', 'string', 'ab '],
    ['varchar(5)', 'é', 'string', 'e\u0301'],
    ['datetime(6)', '2024-01-01 00:00:00.000001', 'timestamp', '2024-01-01 00:00:00'],
    ['blob', bytes(0), 'binary', bytes()],
    ['json', '{"a": 1.50}', 'string', '{"a":1.5}'],
    ['json', '{"a": 1}', 'string', 'none'],
    ['varchar(10)', '2024-02-30', 'date', '2024-02-29'],
  ] as const)('%s %s is not %s %s', (declared, raw, hive, value) => {
    expect(isEqual(mysql(declared), raw, hive, value)).toBe(false)
  })

  it('a day that there is not is null, and where null cannot be the epoch', () => {
    const declared = { name: 'c', declared: 'date' }
    for (const day of ['0000-00-00', '2024-00-10', '2024-10-00']) {
      expect(mysqlColumn({ ...declared, nullable: true }, {}).read(day)).toBeNull()
      expect(mysqlColumn({ ...declared, nullable: false }, {}).read(day)).toBe(0)
    }
    expect(mysqlColumn({ ...declared, nullable: true }, {}).read('2024-10-10')).toBe(20_006)
  })

  it('a connector with time.precision.mode connect has milliseconds', () => {
    const settings = { 'time.precision.mode': 'connect' }
    expect(mysql('datetime(6)', settings).read('1970-01-01 00:00:00.123456')).toBe(123_000)
    expect(mysql('datetime(6)', settings).read('1969-12-31 23:59:59.999999')).toBe(-1000)
    expect(mysql('time(6)', settings).read('12:00:00.123456')).toBe('12:00:00.123')
  })
})

describe('values of PostgreSQL and of Hive', () => {
  it.each([
    ['boolean', 'bool', 't', 'boolean', true],
    ['numeric', 'numeric', '1.500', 'string', '1.5'],
    ['numeric', 'numeric', '100', 'string', '100'],
    ['numeric(10,2)', 'numeric', '1.50', 'decimal(10,2)', '1.5'],
    ['bytea', 'bytea', '\\x00ff', 'binary', bytes(0, 255)],
    ['real', 'float4', '1.1', 'float', Math.fround(1.1)],
    ['double precision', 'float8', 'NaN', 'double', Number.NaN],
    [
      'timestamp without time zone',
      'timestamp',
      'infinity',
      'timestamp',
      '9999-12-31 23:59:59.999999',
    ],
    [
      'timestamp with time zone',
      'timestamptz',
      '2024-01-01 02:00:00+02',
      'timestamp',
      '2024-01-01 00:00:00',
    ],
    ['time with time zone', 'timetz', '10:30:00.500', 'string', '10:30:00.5'],
    ['interval', 'interval', 'P1DT1.5S', 'bigint', 86_401_500_000n],
    ['bit varying', 'varbit', '101', 'string', '00000101'],
    ['text[]', '_text', '["a",null]', 'array<string>', '["a",null]'],
    ['bigint[]', '_int8', '["9007199254740993"]', 'array<bigint>', '[9007199254740993]'],
    ['numeric(10,2)[]', '_numeric', '["1.50"]', 'array<decimal(10,2)>', '[1.5]'],
  ] as const)('%s (%s) %s equals %s %s', (declared, name, raw, hive, value) => {
    expect(isEqual(postgres(declared, name), raw, hive, value)).toBe(true)
  })

  it.each([
    ['text[]', '_text', '["a"]', 'array<string>', '["a","b"]'],
    ['text[]', '_text', '[null]', 'array<string>', '[""]'],
    ['numeric', 'numeric', '10', 'string', '1'],
  ] as const)('%s (%s) %s is not %s %s', (declared, name, raw, hive, value) => {
    expect(isEqual(postgres(declared, name), raw, hive, value)).toBe(false)
  })

  it('what cannot be compared has its reason', () => {
    const type = parseColumnType('string')
    expect(pairOf(postgres('hstore', 'hstore'), { name: 'c', type })).toBe(
      'values of the type hstore are not compared',
    )
    expect(pairOf(postgres('date', 'date'), { name: 'c', type })).toBe(
      'it is date in the source and string in the target',
    )
    expect(pairOf(mysql('point'), { name: 'c', type })).toBe('geometries are not compared')
  })
})

it('null equals null alone', () => {
  const pair = pairOf(mysql('varchar(5)'), { name: 'c', type: { kind: 'string' } })
  if (typeof pair === 'string') throw new Error(pair)
  const cells: readonly Cell[] = [null, '']
  expect(cells.map(a => cells.map(b => areCellsEqual(pair, a, b)))).toEqual([
    [true, false],
    [false, true],
  ])
})
