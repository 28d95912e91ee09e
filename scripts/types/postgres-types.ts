/** Types of PostgreSQL, as its connector sends them. */
import type { ConnectSchema } from '../../formats/debezium/connect-schema.ts'
import type { TypeRow } from './type-rows.ts'
import {
  binaryForms,
  dateForms,
  decimal,
  decimalForms,
  endlessDay,
  endlessMoment,
  logical,
  named,
  plain,
  pointForm,
  row,
  structuredTimeForm,
  timeForms,
  timestampForms,
  zonedForms,
} from './type-rows.ts'

const array = (items: ConnectSchema): ConnectSchema => ({ type: 'array', items })
const number = 'decimal.handling.mode'

export const postgresTypes: readonly TypeRow[] = [
  row(['boolean', 'bit(1)'], plain('boolean'), [true]),
  row(['smallint'], plain('int16'), [-32_768]),
  row(['integer'], plain('int32'), [-(2 ** 31)]),
  row(['bigint', 'oid'], plain('int64'), [2n ** 63n - 1n]),
  row(['real'], plain('float'), [1.5, 'NaN', '-Infinity']),
  row(['double precision'], plain('double'), [1.5, 'NaN', 'Infinity']),
  { types: ['numeric(12,2)'], forms: decimalForms([named('NaN', 'NAN')]) },
  {
    types: ['numeric'],
    forms: [
      {
        when: `${number}=precise`,
        schema: logical('struct', 'data.VariableScaleDecimal'),
        values: [{ scale: 3, value: '/w==' }, named('NaN', null)],
      },
      {
        when: `${number}=string`,
        schema: plain('string'),
        values: ['-0.001', named('NaN', 'NAN'), named('infinity', 'POSITIVE_INFINITY')],
      },
      { when: `${number}=double`, schema: plain('double'), values: [-0.001, named('NaN', 'NaN')] },
    ],
  },
  row(['numeric(50,2)'], decimal(50, 2), ['AJY=']),
  row(['money'], decimal(19, 2), ['AeJA']),
  row(
    [
      'text',
      'varchar(40)',
      'char(8)',
      'citext',
      'inet',
      'cidr',
      'macaddr',
      'int4range',
      'tstzrange',
    ],
    plain('string'),
    ['中 😀'],
  ),
  row(['uuid'], logical('string', 'data.Uuid'), ['123e4567-e89b-12d3-a456-426614174000']),
  row(['json', 'jsonb'], logical('string', 'data.Json'), ['{"n": 1.0}']),
  row(['xml'], logical('string', 'data.Xml'), ['<a/>']),
  row(['ltree'], logical('string', 'data.Ltree'), ['Top.Science']),
  row(['tsvector'], logical('string', 'data.Tsvector'), ["'cat' 'fat'"]),
  row(['enumerations'], logical('string', 'data.Enum'), ['sad']),
  { types: ['bytea'], forms: binaryForms() },
  row(['bit(8)', 'bit varying(8)'], logical('bytes', 'data.Bits', { length: '8' }), ['gQ==']),
  {
    types: ['date'],
    forms: dateForms(
      [
        named('infinity', -2_147_472_692),
        named('infinity, in a snapshot', -622_191_234),
        named('-infinity', -2_147_472_691),
        named('10000-01-01', 2_932_897),
        named('what no database has', -2_000_000_000),
      ],
      [endlessDay],
    ),
  },
  {
    types: ['time(6)', 'time'],
    forms: [
      {
        schema: logical('int64', 'time.MicroTime'),
        values: [45_296_789_012, named('24:00:00', 86_400_000_000)],
      },
      ...timeForms(structuredTimeForm),
    ],
  },
  row(['time(3)'], logical('int32', 'time.Time'), [45_296_789]),
  {
    types: ['timetz'],
    forms: [
      { schema: logical('string', 'time.ZonedTime'), values: ['04:34:56.789012Z'] },
      {
        when: 'time.precision.mode=structured',
        schema: logical('struct', 'time.StructuredZonedTime'),
        values: [{ hour: 12, minute: 34, second: 56, picoseconds: 0, offsetSeconds: 28_800 }],
      },
    ],
  },
  row(['timestamp(3)', 'timestamp(0)'], logical('int64', 'time.Timestamp'), [
    1_709_210_096_789,
    named('infinity', 9_223_372_036_825_200n),
  ]),
  {
    types: ['timestamp(6)', 'timestamp'],
    forms: [
      {
        schema: logical('int64', 'time.MicroTimestamp'),
        values: [
          1_709_210_096_789_012,
          named('infinity', 9_223_372_036_825_200_000n),
          named('-infinity', -9_223_372_036_832_400_000n),
          named('the year 44 BC', -63_517_824_000_000_000n),
        ],
      },
      ...timestampForms([endlessMoment]),
    ],
  },
  {
    types: ['timestamptz'],
    forms: zonedForms(['2024-02-29T04:34:56.789012Z', 'infinity', '-infinity'], [endlessMoment]),
  },
  {
    types: ['interval'],
    forms: [
      {
        when: 'interval.handling.mode=numeric',
        schema: logical('int64', 'time.MicroDuration'),
        values: [37_091_106_789_000],
      },
      {
        when: 'interval.handling.mode=string',
        schema: logical('string', 'time.Interval'),
        values: ['P1Y2M3DT4H5M6.789S', 'P0Y0M-1DT0H0M-1S'],
      },
      {
        when: 'time.precision.mode=structured',
        schema: logical('struct', 'time.StructuredDuration'),
        values: [{ years: 1, months: 2, days: 3, hours: 4, minutes: 5, seconds: 6 }],
      },
    ],
  },
  row(['integer[]'], array(plain('int32')), [[1, null, 3]]),
  row(['text[]'], array(plain('string')), [['a', null]]),
  row(['numeric(10,2)[]'], array(decimal(10, 2)), [['AJY=']]),
  row(['timestamp[]'], array(logical('int64', 'time.MicroTimestamp')), [[1_704_067_200_000_000]]),
  row(['integer[][]'], array(plain('int32')), [named('what arrives of it', [null, null])]),
  {
    types: ['hstore'],
    forms: [
      {
        when: 'hstore.handling.mode=json',
        schema: logical('string', 'data.Json'),
        values: ['{"a":"1","b":null}'],
      },
      {
        when: 'hstore.handling.mode=map',
        schema: plain('map'),
        values: [{ a: '1', b: null }],
      },
    ],
  },
  { types: ['point'], forms: [pointForm] },
  row(['geometry', 'geography (PostGIS)'], logical('struct', 'data.geometry.Geometry'), [
    { wkb: 'AQIAAAA=', srid: 4326 },
  ]),
  row(['vector (pgvector)'], { ...logical('array', 'data.DoubleVector'), items: plain('double') }, [
    [1.5, -2],
  ]),
  row(['halfvec'], { ...logical('array', 'data.FloatVector'), items: plain('float') }, [[0.5]]),
  row(['sparsevec'], logical('struct', 'data.SparseDoubleVector'), [
    { dimensions: 5, vector: [[1, 2.5]] },
  ]),
]
