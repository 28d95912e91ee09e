/** Types of SQL Server, Oracle and Db2, as their connectors send them. */
import type { TypeForm, TypeRow } from './type-rows.ts'
import {
  binaryForms,
  dateForms,
  decimal,
  decimalForms,
  logical,
  plain,
  row,
  structuredTimeForm,
  timeForms,
  timestampForms,
  zonedForms,
} from './type-rows.ts'

const millis: TypeForm = {
  schema: logical('int64', 'time.Timestamp'),
  values: [1_709_210_096_789],
}
const micros: TypeForm = {
  schema: logical('int64', 'time.MicroTimestamp'),
  values: [1_709_210_096_789_012],
}
const nanos: TypeForm = {
  schema: logical('int64', 'time.NanoTimestamp'),
  values: [1_709_210_096_789_012_345n],
}
const millisOfDay: TypeForm = { schema: logical('int32', 'time.Time'), values: [45_296_789] }
const microsOfDay: TypeForm = {
  schema: logical('int64', 'time.MicroTime'),
  values: [45_296_789_012],
}
const nanosOfDay: TypeForm = {
  schema: logical('int64', 'time.NanoTime'),
  values: [45_296_789_012_345],
}
const text = (types: readonly string[]): TypeRow => row(types, plain('string'), ['中 😀'])

export const sqlServerTypes: readonly TypeRow[] = [
  row(['bit'], plain('boolean'), [true]),
  row(['tinyint', 'smallint'], plain('int16'), [255]),
  row(['int'], plain('int32'), [-(2 ** 31)]),
  row(['bigint'], plain('int64'), [2n ** 63n - 1n]),
  { types: ['decimal(12,2)', 'numeric(12,2)'], forms: decimalForms() },
  row(['money'], decimal(19, 4), ['AJY=']),
  row(['smallmoney'], decimal(10, 4), ['AJY=']),
  row(['real'], plain('float'), [0.1]),
  row(['float'], plain('double'), [0.1]),
  text(['char', 'varchar', 'text', 'nchar', 'nvarchar', 'ntext', 'uniqueidentifier']),
  row(['xml'], logical('string', 'data.Xml'), ['<a/>']),
  { types: ['binary', 'varbinary', 'rowversion'], forms: binaryForms() },
  { types: ['date'], forms: dateForms([], []) },
  { types: ['time(3)'], forms: [millisOfDay] },
  { types: ['time(6)'], forms: [microsOfDay] },
  { types: ['time(7)'], forms: [nanosOfDay, ...timeForms(structuredTimeForm)] },
  { types: ['datetime', 'smalldatetime', 'datetime2(3)'], forms: [millis] },
  { types: ['datetime2(6)'], forms: [micros] },
  { types: ['datetime2(7)'], forms: [nanos, ...timestampForms()] },
  { types: ['datetimeoffset'], forms: zonedForms(['2024-02-29T12:34:56.789012+08:00']) },
  row(['geometry', 'geography'], logical('struct', 'data.geometry.Geometry'), [
    { wkb: 'AQIAAAA=', srid: 4326 },
  ]),
]

export const oracleTypes: readonly TypeRow[] = [
  row(['NUMBER(2,0)'], plain('int8'), [-99]),
  row(['NUMBER(4,0)'], plain('int16'), [9999]),
  row(['NUMBER(9,0)'], plain('int32'), [999_999_999]),
  row(['NUMBER(18,0)'], plain('int64'), [999_999_999_999_999_999n]),
  { types: ['NUMBER(12,2)'], forms: decimalForms() },
  row(['NUMBER(38,0)'], decimal(38, 0), ['AJY=']),
  row(['NUMBER', 'FLOAT'], logical('struct', 'data.VariableScaleDecimal'), [
    { scale: 3, value: '/w==' },
  ]),
  row(['BINARY_FLOAT'], plain('float'), [0.1]),
  row(['BINARY_DOUBLE'], plain('double'), [0.1, 'NaN']),
  text(['CHAR', 'VARCHAR2', 'NCHAR', 'NVARCHAR2', 'CLOB', 'NCLOB', 'ROWID']),
  row(['XMLTYPE'], logical('string', 'data.Xml'), ['<a/>']),
  { types: ['BLOB', 'RAW'], forms: binaryForms() },
  { types: ['DATE', 'TIMESTAMP(3)'], forms: [millis] },
  { types: ['TIMESTAMP(6)'], forms: [micros, ...timestampForms()] },
  { types: ['TIMESTAMP(9)'], forms: [nanos] },
  {
    types: ['TIMESTAMP WITH TIME ZONE', 'TIMESTAMP WITH LOCAL TIME ZONE'],
    forms: zonedForms(['2024-02-29T12:34:56.789012+08:00']),
  },
  {
    types: ['INTERVAL YEAR TO MONTH', 'INTERVAL DAY TO SECOND'],
    forms: [
      {
        when: 'interval.handling.mode=numeric',
        schema: logical('int64', 'time.MicroDuration'),
        values: [-86_401_000_000],
      },
      {
        when: 'interval.handling.mode=string',
        schema: logical('string', 'time.Interval'),
        values: ['P0Y0M-1DT0H0M-1S'],
      },
    ],
  },
]

export const db2Types: readonly TypeRow[] = [
  row(['BOOLEAN'], plain('boolean'), [true]),
  row(['SMALLINT'], plain('int16'), [-32_768]),
  row(['INTEGER'], plain('int32'), [-(2 ** 31)]),
  row(['BIGINT'], plain('int64'), [2n ** 63n - 1n]),
  { types: ['DECIMAL(12,2)', 'NUMERIC(12,2)'], forms: decimalForms() },
  row(['REAL'], plain('float'), [0.1]),
  row(['DOUBLE'], plain('double'), [0.1]),
  text(['CHAR', 'VARCHAR', 'CLOB', 'GRAPHIC', 'VARGRAPHIC', 'DBCLOB']),
  row(['XML'], logical('string', 'data.Xml'), ['<a/>']),
  { types: ['BINARY', 'VARBINARY', 'BLOB'], forms: binaryForms() },
  { types: ['DATE'], forms: dateForms([], []) },
  { types: ['TIME'], forms: [millisOfDay, ...timeForms(structuredTimeForm)] },
  { types: ['TIMESTAMP(3)'], forms: [millis] },
  { types: ['TIMESTAMP(6)'], forms: [micros, ...timestampForms()] },
  { types: ['TIMESTAMP(12)'], forms: [nanos] },
]
