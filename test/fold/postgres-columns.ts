/**
 * The columns of the recorded PostgreSQL tables (`pg_0_schema.sql`, `pg_2_ddl.sql`), for the recordings
 * whose events have no schema. Types by PostgreSQL's long names.
 */
import type { DeclaredColumn } from './column-types.ts'

const types: Readonly<Record<string, string>> = {
  all_types:
    'id integer, c_small smallint, c_int integer, c_big bigint, c_num numeric(38,10), c_num0 numeric(5,0), ' +
    'c_numfree numeric, c_real real, c_dbl double precision, c_money numeric(19,2), c_char text, c_varchar text, ' +
    'c_text text, c_citext text, c_bool boolean, c_json text, c_jsonb text, c_uuid text, c_xml text, ' +
    'c_tstz timestamp with time zone, c_ts timestamp without time zone, c_ts3 timestamp without time zone(3), ' +
    'c_ts0 timestamp without time zone(0), c_date date, c_time time without time zone, c_timetz time with time zone, ' +
    'c_interval interval, c_iarr integer[], c_tarr text[], c_narr numeric[](10,2), ' +
    'c_tsarr timestamp without time zone[], c_2d integer[], c_bytea bytea, c_mood text, c_moodarr text[], ' +
    'c_dom integer, c_inet text, c_cidr text, c_mac text, c_bit1 boolean, c_bit8 bit(8), c_varbit bit varying(16), ' +
    'c_point point, c_range text, c_tsr text, c_hstore hstore, c_ltree text, c_tsv text, c_oid bigint, ' +
    'c_gen integer, c_def text, MiXed Case text',
  user:
    'id integer, name text, sex text, age integer, email text, mail text, create_time timestamp without time zone, ' +
    'update_time timestamp with time zone, phone text, vip boolean',
  product:
    'id bigint, name text, price numeric(10,2), stock integer, descr text, attrs text, on_sale boolean',
  user_order:
    'id bigint, user_id integer, product_id bigint, order_num integer, amount numeric(12,2), ' +
    'create_time timestamp without time zone(3)',
  order_item: 'order_id bigint, line_no smallint, sku text, qty integer',
  op_log: 'ts timestamp without time zone, who text, what text',
  op_log_full: 'ts timestamp without time zone, who text, what text',
  toast_default: 'id integer, n integer, big text, bigj text',
  toast_full: 'id integer, n integer, big text, bigj text',
  ri_full: 'id integer, a text, b integer',
  ri_index: 'id integer, code text, b integer',
  ri_nothing: 'id integer, a text',
  part: 'id integer, d date, v text',
  part_2024: 'id integer, d date, v text',
  part_2025: 'id integer, d date, v text',
}

/** By `shop.table`. */
export const postgresColumns: Readonly<Record<string, readonly DeclaredColumn[]>> =
  Object.fromEntries(
    Object.entries(types).map(([table, columns]) => [`shop.${table}`, columnsOf(columns)]),
  )

function columnsOf(text: string): readonly DeclaredColumn[] {
  return text.split(', ').map(column => {
    const isMixed = column.startsWith('MiXed Case ')
    const space = isMixed ? 'MiXed Case'.length : column.indexOf(' ')
    const [, typeName = '', length, scale] =
      /^([^(]+)(?:\((\d+)(?:,(\d+))?\))?$/.exec(column.slice(space + 1)) ?? []
    return {
      name: column.slice(0, space),
      typeName,
      ...(length === undefined ? {} : { length: Number(length) }),
      ...(scale === undefined ? {} : { scale: Number(scale) }),
    }
  })
}
