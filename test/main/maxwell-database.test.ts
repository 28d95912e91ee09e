/**
 * Maxwell's recording against MariaDB's own tables (`test/fixtures/canal/final`: it recorded the same
 * program), with the types of its schema changes. The recording has few of them, because its tables were
 * made before it: here they are made again, as Maxwell writes that.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { MemorySource } from '../../testkit/memory-source.ts'
import type { Json } from '../fold/normal-form.ts'
import { parseExactly } from '../fold/normal-form.ts'
import { lines, recorded } from '../formats/maxwell-samples.ts'
import { recordOf } from '../formats/samples.ts'
import { MainRun } from './main-run.ts'

const finalPath = join(import.meta.dirname, '../fixtures/canal/final')
const ddlTopic = 'maxwell_ddl'

type Row = Readonly<Record<string, Json>>

/** As `canal_0.sql` makes them, with as much of the types as Maxwell tells. */
const made: Readonly<Record<string, string>> = {
  user_order:
    'id bigint unsigned, user_id int unsigned, product_id bigint, order_num int, amount decimal, create_time datetime',
  order_item: 'order_id bigint, line_no smallint, sku varchar, qty int',
  all_types:
    'id int, c_bool tinyint, c_tiny tinyint, c_utiny tinyint unsigned, c_small smallint, c_med mediumint, ' +
    'c_int int, c_uint int unsigned, c_big bigint, c_ubig bigint unsigned, c_dec102 decimal, ' +
    'c_dec3810 decimal, c_float float, c_double double, c_char char, c_varchar varchar, c_text text, ' +
    'c_longtext longtext, c_blob blob, c_bin binary, c_varbin varbinary, c_date date, c_time time, ' +
    'c_time6 time, c_dt0 datetime, c_dt3 datetime, c_dt6 datetime, c_ts timestamp, c_ts6 timestamp, ' +
    'c_year year, c_enum enum, c_set set, c_json longtext, c_bit1 bit, c_bit8 bit, c_bit20 bit, ' +
    'c_def int, c_geo point',
  zero_dates: 'id int, d date, dn date, dt datetime, dtn datetime, ts timestamp, y year',
  wide_gbk: 'id int, v varchar, l varchar',
}

/** Sizes, which Maxwell does not tell. */
const types: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  user_order: { amount: 'decimal(10,2)' },
  product: { price: 'decimal(10,2)' },
  all_types: {
    c_dec102: 'decimal(10,2)',
    c_dec3810: 'decimal(38,10)',
    c_bit1: 'boolean',
    c_bit8: 'bit(8)',
    c_bit20: 'bit(20)',
  },
}

function creation([table, text]: readonly [string, string]): object {
  const columns = text.split(', ').map(column => {
    const [name, type, unsigned] = column.split(' ')
    return { name, type, signed: unsigned === undefined }
  })
  const database = 'canaldemo'
  const def = { database, charset: 'utf8mb4', table, columns, 'primary-key': [] }
  return { type: 'table-create', database, table, def, ts: 0, position: 'mysql-bin.000001:4' }
}

/** What the database had, as far as Maxwell's messages have it. */
function expectedRow(table: string, row: Row): Row {
  const sent = Object.fromEntries(Object.entries(row).map(([name, value]) => [name, asSent(value)]))
  switch (table) {
    case 'user':
      // The default of a new column does not reach rows that are there.
      return { ...sent, phone: row.id === 1n || row.id === 5n ? row.phone! : null }
    case 'zero_dates':
      return { ...sent, y: row.y === 0n ? 1900n : row.y! }
    case 'all_types':
      // Bytes come without the zeros that fill them up, points as text.
      return {
        ...sent,
        c_bin: row.id === 4n ? 'AQI=' : '',
        c_geo: row.c_geo === null ? null : 'POINT (1.5 -2.5)',
      }
    default:
      return sent
  }
}

/** Without fractions of seconds, which Maxwell 1.22 left out on MariaDB; a date with a zero is no date. */
function asSent(value: Json): Json {
  if (typeof value !== 'string' || !/^[\d-]*[ \d]*\d\d:\d\d:\d\d|^\d{4}-\d\d-\d\d$/.test(value)) {
    return value
  }
  return /-00/.test(value) ? null : value.replace(/\.\d+$/, '')
}

function finalTables(): Readonly<Record<string, readonly Row[]>> {
  const tables: Record<string, readonly Row[]> = {}
  for (const file of readdirSync(finalPath)) {
    const [, table] = file.split('.')
    // Times beyond a day, and below zero: Maxwell writes them as times of the day.
    if (table === 'edge_time') continue
    const rows = readFileSync(join(finalPath, file), 'utf8').split('\n').filter(Boolean)
    tables[table!] = rows.map(line => expectedRow(table!, parseExactly(line) as Row))
  }
  // A table's other name is another table; a truncate is not sent.
  tables.later_table = [{ id: 3n, v: 'renamed' }]
  tables.late_table = [
    { id: 1n, v: 'late' },
    { id: 2n, v: 'after trun' },
  ]
  return tables
}

it('Maxwell’s recording ends as the database said', async () => {
  const source = new MemorySource({ [ddlTopic]: 1, maxwell_demo: 1 })
  for (const table of Object.entries(made)) {
    source.append(recordOf('uuid', creation(table), { topic: ddlTopic }))
  }
  for (const line of lines) source.append(recorded(line))
  const tables = Object.entries(types).map(([table, stated]) => ({
    from: `canaldemo.${table}`,
    to: '{database}.{table}',
    columns: { types: stated },
  }))
  const config = {
    source: { format: 'maxwell-json', connector: { ddl_kafka_topic: ddlTopic } },
    tables: [...tables, { from: '*.*', to: '{database}.{table}' }],
  }
  const run = await MainRun.start({ source, seed: 1, config })
  await run.finish()
  const expected = finalTables()
  expect(Object.keys(expected)).toHaveLength(10)
  for (const [table, rows] of Object.entries(expected)) {
    const found = (await run.lines(`canaldemo.${table}`)).map(line => parseExactly(line) as Row)
    const names = Object.keys(rows[0]!)
    const shown = found.map(row => Object.fromEntries(names.map(name => [name, row[name]])))
    // Of rows of one order the line tells.
    const placeOf = (row: Partial<Row>): number => Number(row.id ?? row.line_no)
    expect(
      shown.toSorted((a, b) => placeOf(a) - placeOf(b)),
      table,
    ).toEqual(rows.toSorted((a, b) => placeOf(a) - placeOf(b)))
  }
})
