/**
 * Where a plain fold of the recorded events cannot agree with what the databases had, and why.
 *
 * Data only, as narrow as it can be: a cell with what stands there instead, or a row. Whole tables
 * are only those that have no key, or that a connector was told to leave out. The test removes each
 * exception in turn and wants to see a difference.
 */
import type { FoldException } from './compare.ts'
import type { NormalValue } from './normal-form.ts'

const renamed = {
  kind: 'cell',
  table: 'demo.user',
  key: 'id=1',
  column: 'mail',
  instead: null,
  why: 'email was renamed to mail and the row was not touched after it; no row event says so',
} as const

const defaultForNull: FoldException = {
  kind: 'cell',
  table: 'demo.product',
  key: 'id=3',
  column: 'on_sale',
  instead: 1n,
  why: 'the JSON converter wrote the default of the column in place of null',
}

const withoutKey = (table: string): FoldException => ({
  kind: 'table',
  table,
  why: 'the table has no primary key, so its events have no message key',
})

/** For a reader of `m4` that leaves the -1 as it came, too. */
export const unsignedMaximum: FoldException = {
  kind: 'other key',
  table: 'demo.user_order',
  key: 'id=18446744073709551615',
  instead: 'id=-1',
  why: 'bigint.unsigned.handling.mode is long, and the embedded schema says int64 without a sign',
}

const zeroDateNull = 'a zero or incomplete date is null in an event'
const zeroDateEpoch = 'a zero or incomplete date in a column that is not null is the epoch'

const zeroDateCells: readonly (readonly [
  key: string,
  column: string,
  instead: NormalValue,
  why: string,
])[] = [
  ['id=1', 'd', null, zeroDateNull],
  ['id=1', 'dn', '1970-01-01', zeroDateEpoch],
  ['id=1', 'dt', null, zeroDateNull],
  ['id=1', 'dtn', '1970-01-01 00:00:00', zeroDateEpoch],
  ['id=1', 'ts', null, zeroDateNull],
  ['id=1', 'y', 2000n, 'the snapshot reads the year 0 as 2000'],
  ['id=3', 'd', null, zeroDateNull],
  ['id=3', 'dn', '1970-01-01', zeroDateEpoch],
  ['id=3', 'dt', null, zeroDateNull],
  ['id=3', 'dtn', '1970-01-01 00:00:00', zeroDateEpoch],
  ['id=3', 'ts', '1970-01-01 00:00:00', 'the log reader takes a zero TIMESTAMP for the epoch'],
  ['id=3', 'y', 1900n, 'the log reader reads the year 0 as 1900'],
  ['id=4', 'd', null, zeroDateNull],
  ['id=4', 'dn', '1970-01-01', zeroDateEpoch],
  ['id=4', 'dt', null, zeroDateNull],
]

const zeroDates: readonly FoldException[] = zeroDateCells.map(([key, column, instead, why]) => ({
  kind: 'cell',
  table: 'demo.zero_dates',
  key,
  column,
  instead,
  why,
}))

const mariadb = [renamed, defaultForNull, withoutKey('demo.op_log'), ...zeroDates]

export const m1Exceptions: readonly FoldException[] = [...mariadb, unsignedMaximum]

export const m2Exceptions: readonly FoldException[] = [
  ...mariadb,
  {
    kind: 'cell',
    table: 'demo.zero_dates',
    key: 'id=2',
    column: 'dtn',
    instead: '2024-01-01 00:00:00',
    why: 'time.precision.mode connect has milliseconds only',
  },
  { kind: 'table', table: 'demo.edge_time', why: 'the connector was told to leave it out' },
]

/** The schema-change events tell that the key is unsigned, so -1 can be read as what it was. */
export const m4Exceptions: readonly FoldException[] = mariadb

const allTypesCells: readonly (readonly [
  column: string,
  keys: readonly string[],
  why: string,
  instead?: NormalValue,
])[] = [
  ['c_interval', ['id=1', 'id=11'], 'Debezium counts a month as 30.4375 days', 37091106789000n],
  ['c_narr', ['id=1', 'id=11'], 'the elements of an array come in the form of their own type'],
  ['c_tsarr', ['id=1', 'id=11'], 'the elements of an array come in the form of their own type'],
  ['c_2d', ['id=1', 'id=11'], 'the inner arrays come as null', '[null,null]'],
  ['c_varbit', ['id=1', 'id=11'], 'the schema has the greatest length, the event has no length'],
  ['c_point', ['id=1', 'id=11'], 'a point is a struct of coordinates and WKB'],
  ['c_hstore', ['id=1', 'id=11'], 'hstore.handling.mode is json', '{"a":"1","b":null}'],
  ['c_numfree', ['id=3', 'id=13'], 'NaN comes as null', null],
  ['c_tstz', ['id=3', 'id=13'], 'final/ has no infinite timestamps', '-infinity'],
  ['c_ts', ['id=3', 'id=13'], 'final/ has no infinite timestamps'],
  ['c_date', ['id=3', 'id=13'], 'an infinite date comes as a number of days'],
  ['c_ts', ['id=4', 'id=14'], 'final/ prints a year before Christ without saying so'],
  ['c_date', ['id=4'], 'snapshots shift dates before 1583', '1582-10-20'],
]

const allTypes: readonly FoldException[] = [
  {
    kind: 'column',
    table: 'shop.all_types',
    column: 'c_gen',
    why: 'a generated column is in the snapshot only',
  },
  ...allTypesCells.flatMap(([column, keys, why, instead]) =>
    keys.map((key): FoldException => {
      const cell = { kind: 'cell', table: 'shop.all_types', key, column, why } as const
      return instead === undefined ? cell : { ...cell, instead }
    }),
  ),
]

export const p1Exceptions: readonly FoldException[] = [
  { ...renamed, table: 'shop.user' },
  { ...renamed, table: 'shop.user', key: 'id=4' },
  withoutKey('shop.op_log'),
  withoutKey('shop.op_log_full'),
  {
    kind: 'extra row',
    table: 'shop.ri_index',
    key: 'id=1',
    why: 'the replica identity lacks the key: the deletes carry {"id":0}',
  },
  ...allTypes,
]
