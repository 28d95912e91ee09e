/**
 * Where a plain fold of the recorded events cannot agree with what the databases had, and why.
 *
 * Data only, as narrow as it can be: a cell with what stands there instead, or a row. Whole tables
 * are only those that have no key, or that a connector was told to leave out. The test removes each
 * exception in turn and wants to see a difference.
 */
import type { FoldException } from './compare.ts'
import type { NormalValue } from './normal-form.ts'

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

/** Of all types; the row 4 was inserted like row 1. */
function allTypesOfMariadb(
  column: string,
  cells: Readonly<Record<string, NormalValue>>,
  why: string,
): readonly FoldException[] {
  return Object.entries(cells).map(([id, instead]) => {
    return { kind: 'cell', table: 'demo.all_types', key: `id=${id}`, column, instead, why }
  })
}

const pointOfMariadb = '{"x":1.5,"y":-2.5,"wkb":"AQEAAAAAAAAAAAD4PwAAAAAAAATA","srid":null}'

const mariadb = [
  defaultForNull,
  withoutKey('demo.op_log'),
  ...zeroDates,
  ...allTypesOfMariadb(
    'c_geo',
    { 1: pointOfMariadb, 4: pointOfMariadb },
    'a point is a struct of coordinates and WKB',
  ),
]

export const m1Exceptions: readonly FoldException[] = [
  ...mariadb,
  unsignedMaximum,
  ...allTypesOfMariadb('c_ubig', { 1: -1n, 4: -1n }, unsignedMaximum.why),
]

const millisecondsOnly = 'time.precision.mode connect has milliseconds only'

export const m2Exceptions: readonly FoldException[] = [
  ...mariadb,
  {
    kind: 'cell',
    table: 'demo.zero_dates',
    key: 'id=2',
    column: 'dtn',
    instead: '2024-01-01 00:00:00',
    why: millisecondsOnly,
  },
  ...allTypesOfMariadb(
    'c_time6',
    { 1: 45_296_123_000n, 4: 45_296_123_000n, 3: 0n, 6: 0n },
    millisecondsOnly,
  ),
  ...allTypesOfMariadb(
    'c_dt6',
    {
      1: '2024-02-29 12:34:56.789',
      4: '2024-02-29 12:34:56.789',
      3: '9999-12-31 23:59:59.999',
    },
    millisecondsOnly,
  ),
  { kind: 'table', table: 'demo.edge_time', why: 'the connector was told to leave it out' },
]

/** The MySQL connector was told to take one table. */
export const m6Exceptions: readonly FoldException[] = [
  'all_types',
  'edge_time',
  'op_log',
  'order_item',
  'product',
  'user_bak',
  'user_order',
  'wide_gbk',
  'zero_dates',
].map(table => ({
  kind: 'table',
  table: `demo.${table}`,
  why: 'the connector was told to take one table',
}))

/** The schema-change events tell that the key is unsigned, so -1 can be read as what it was. */
export const m4Exceptions: readonly FoldException[] = mariadb

type Cells = readonly (readonly [
  column: string,
  keys: readonly string[],
  why: string,
  instead: NormalValue,
])[]

const full = ['id=1', 'id=11']
const extreme = ['id=3', 'id=13']
const point = '{"x":1.5,"y":-2.5,"wkb":"AQEAAAAAAAAAAAD4PwAAAAAAAATA","srid":null}'
const infinite =
  'infinity is the last moment of Hive, or the first; final/ has no infinite timestamps'
const ofElements = 'the elements of an array come in the form of their own type'
const beforeChrist = 'final/ prints a year before Christ without saying so'

const allTypesCells: Cells = [
  ['c_interval', full, 'Debezium counts a month as 30.4375 days', 37091106789000n],
  ['c_2d', full, 'the inner arrays come as null', '[null,null]'],
  ['c_varbit', full, 'the event has the greatest length and not its own', '0000000000000101'],
  ['c_point', full, 'a point is a struct of coordinates and WKB', point],
  ['c_hstore', full, 'an hstore comes as JSON', '{"a":"1","b":null}'],
  ['c_narr', full, ofElements, '["1.50","2.25"]'],
  ['c_tsarr', full, ofElements, '["2024-01-01 00:00:00"]'],
  ['c_tstz', extreme, infinite, '0001-01-01 00:00:00'],
  ['c_ts', extreme, infinite, '9999-12-31 23:59:59.999999'],
  ['c_date', extreme, 'infinity is the last day of Hive', '9999-12-31'],
  [
    'c_ts',
    ['id=4'],
    `${beforeChrist}; and snapshots shift dates before 1583`,
    '-0043-03-13 00:00:00',
  ],
  ['c_ts', ['id=14'], beforeChrist, '-0043-03-15 00:00:00'],
  ['c_date', ['id=4'], 'snapshots shift dates before 1583', '1582-10-20'],
]

const notANumber = (instead: NormalValue): Cells => [
  ['c_numfree', extreme, 'NaN comes in its own way', instead],
]

const inMilliseconds: Cells = [
  ['c_ts', full, millisecondsOnly, '2024-02-29 12:34:56.789'],
  ['c_time', full, millisecondsOnly, 45_296_789_000n],
]

const allTypes = (cells: Cells): readonly FoldException[] => [
  {
    kind: 'column',
    table: 'shop.all_types',
    column: 'c_gen',
    why: 'a generated column is in the snapshot only',
  },
  ...cells.flatMap(([column, keys, why, instead]) =>
    keys.map((key): FoldException => {
      return { kind: 'cell', table: 'shop.all_types', key, column, why, instead }
    }),
  ),
]

/** MariaDB's schema changes say so. */
const renamed = ['id=1', 'id=4'].map(
  (key): FoldException => ({
    kind: 'cell',
    table: 'shop.user',
    key,
    column: 'mail',
    instead: null,
    why: 'email was renamed to mail and the row was not touched after it; no event says so',
  }),
)

const postgres: readonly FoldException[] = [
  ...renamed,
  withoutKey('shop.op_log'),
  withoutKey('shop.op_log_full'),
  {
    kind: 'extra row',
    table: 'shop.ri_index',
    key: 'id=1',
    why: 'the replica identity lacks the key: the deletes carry {"id":0}',
  },
]

export const p1Exceptions: readonly FoldException[] = [
  ...postgres,
  ...allTypes([...allTypesCells, ...notANumber(null)]),
]

/** Without schemas, and PostgreSQL sends no schema changes. */
const withoutDefaults: readonly FoldException[] = ['id=4', 'id=102'].map(key => ({
  kind: 'cell',
  table: 'shop.user',
  key,
  column: 'phone',
  instead: null,
  why: 'no event tells the default of a column that was added',
}))

export const p2Exceptions: readonly FoldException[] = [
  ...postgres,
  ...withoutDefaults,
  {
    kind: 'cell',
    table: 'shop.user',
    key: 'id=1',
    column: 'create_time',
    instead: '2024-01-02 03:04:05.678',
    why: millisecondsOnly,
  },
  ...allTypes([...allTypesCells, ...notANumber('NAN'), ...inMilliseconds]),
]

export const p4Exceptions: readonly FoldException[] = [
  ...postgres,
  ...withoutDefaults,
  ...allTypes([...allTypesCells, ...notANumber(null)]),
]
