/** Types of MySQL and MariaDB, as their connectors send them. */
import type { TypeForm, TypeRow } from './type-rows.ts'
import {
  binaryForms,
  dateForms,
  decimal,
  decimalForms,
  logical,
  named,
  noDay,
  noMoment,
  plain,
  pointForm,
  timeForms,
  timestampForms,
  zonedForms,
} from './type-rows.ts'

/** `INT UNSIGNED`, `DECIMAL(12,2)` as a schema-change event describes it. */
export function columnOf(type: string): NonNullable<TypeRow['column']> {
  const [, name = '', length, scale, rest = ''] =
    /^([A-Z0-9 ]+?)(?:\((\d+)(?:,(\d+))?\))?( UNSIGNED)?$/.exec(type) ?? []
  return {
    typeName: `${name}${rest}`,
    length: length === undefined ? null : Number(length),
    scale: scale === undefined ? null : Number(scale),
  }
}

function types(names: readonly string[], forms: readonly TypeForm[]): TypeRow {
  return { types: names, forms, column: columnOf(names[0]!) }
}

function whole(names: readonly string[], type: string, values: readonly unknown[]): TypeRow {
  return types(names, [{ schema: plain(type), values }])
}

const unsigned = 'bigint.unsigned.handling.mode'
const elapsed: TypeForm = {
  schema: logical('struct', 'time.StructuredDuration', {
    'io.debezium.time.duration.kind': 'elapsed-time',
  }),
  values: [{ hours: -838, minutes: -59, seconds: -59, picoseconds: 0 }],
}
const zeroDate = named('zero date of a column that may be null', null)
const zeroEpoch = named('zero date of a column that is NOT NULL', 0)

export const mysqlTypes: readonly TypeRow[] = [
  whole(['TINYINT', 'SMALLINT', 'BOOLEAN', 'TINYINT UNSIGNED'], 'int16', [-128, 255]),
  types(
    ['TINYINT(1)'],
    [
      { schema: plain('int16'), values: [1] },
      { when: 'TinyIntOneToBooleanConverter', schema: plain('boolean'), values: [true] },
    ],
  ),
  whole(['SMALLINT UNSIGNED', 'MEDIUMINT', 'INT'], 'int32', [65_535, -(2 ** 31)]),
  whole(['INT UNSIGNED'], 'int64', [2 ** 32 - 1]),
  whole(['BIGINT'], 'int64', [2n ** 63n - 1n, -(2n ** 63n)]),
  types(
    ['BIGINT UNSIGNED', 'SERIAL'],
    [
      {
        when: `${unsigned}=long`,
        schema: plain('int64'),
        values: [5, named('18446744073709551615', -1)],
      },
      { when: `${unsigned}=precise`, schema: decimal(20, 0), values: ['AP//////////'] },
    ],
  ),
  types(['DECIMAL(12,2)', 'NUMERIC(12,2)', 'FIXED(12,2)'], decimalForms()),
  types(
    ['DECIMAL(65,2)'],
    [
      { when: 'decimal.handling.mode=precise', schema: decimal(65, 2), values: ['AJY='] },
      { when: 'decimal.handling.mode=string', schema: plain('string'), values: ['1.50'] },
      { when: 'decimal.handling.mode=double', schema: plain('double'), values: [1.5] },
    ],
  ),
  whole(['FLOAT'], 'float', [0.1, -3.4e38]),
  whole(['DOUBLE', 'REAL'], 'double', [1.7976931348623157e308]),
  whole(['FLOAT(53)'], 'double', [0.1]),
  whole(
    [
      'CHAR(3)',
      'VARCHAR(40)',
      'TINYTEXT',
      'TEXT',
      'MEDIUMTEXT',
      'LONGTEXT',
      'UUID',
      'INET4',
      'INET6',
    ],
    'string',
    ['中 😀'],
  ),
  types(['ENUM'], [{ schema: logical('string', 'data.Enum'), values: ['中'] }]),
  types(['SET'], [{ schema: logical('string', 'data.EnumSet'), values: ['a,c'] }]),
  types(['JSON'], [{ schema: logical('string', 'data.Json'), values: ['{"n": 1.0}'] }]),
  types(['BINARY(4)', 'VARBINARY(4)', 'TINYBLOB', 'BLOB', 'MEDIUMBLOB', 'LONGBLOB'], binaryForms()),
  whole(['BIT(1)'], 'boolean', [true]),
  types(['BIT(8)'], [{ schema: logical('bytes', 'data.Bits', { length: '8' }), values: ['gQ=='] }]),
  types(['DATE'], dateForms([zeroDate, zeroEpoch], [noDay])),
  types(
    ['TIME(6)'],
    [
      {
        schema: logical('int64', 'time.MicroTime'),
        values: [45_296_789_012, named('-838:59:59', -3_020_399_000_000)],
      },
      ...timeForms(elapsed),
    ],
  ),
  types(
    ['DATETIME(3)', 'DATETIME'],
    [
      {
        schema: logical('int64', 'time.Timestamp'),
        values: [1_709_210_096_789, zeroDate, zeroEpoch],
      },
    ],
  ),
  types(
    ['DATETIME(6)'],
    [
      {
        schema: logical('int64', 'time.MicroTimestamp'),
        values: [1_709_210_096_789_012, 253_402_300_799_999_999n],
      },
      ...timestampForms([noMoment]),
    ],
  ),
  types(['TIMESTAMP(6)', 'TIMESTAMP'], zonedForms(['2024-02-29T12:34:56.789012Z', zeroDate])),
  types(['YEAR'], [{ schema: logical('int32', 'time.Year'), values: [2155] }]),
  types(['POINT'], [pointForm]),
  types(
    [
      'GEOMETRY',
      'LINESTRING',
      'POLYGON',
      'MULTIPOINT',
      'MULTILINESTRING',
      'MULTIPOLYGON',
      'GEOMETRYCOLLECTION',
      'GEOMCOLLECTION',
    ],
    [
      {
        schema: logical('struct', 'data.geometry.Geometry'),
        values: [{ wkb: 'AQIAAAA=', srid: 4326 }],
      },
    ],
  ),
  types(
    ['VECTOR'],
    [
      {
        schema: { ...logical('array', 'data.FloatVector'), items: plain('float') },
        values: [[1.5, -2]],
      },
    ],
  ),
]
