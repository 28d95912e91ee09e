/** PostgreSQL, through pg: the only file that knows it. */
import pg from 'pg'
import type { ConnectorSettings } from '../../formats/connector-settings.ts'
import { SourceError } from '../../model/errors.ts'
import type { DatabaseConfig } from '../database-schema.ts'
import { postgresColumn, quotePostgres } from './postgres-columns.ts'
import type {
  KeyRange,
  LogFacts,
  RawValue,
  ReplicaIdentity,
  SourceColumn,
  SourceDatabase,
  SourceTable,
} from './source-database.ts'
import { rowsPerPart, whereSql } from './source-database.ts'

type Row = readonly (string | null)[]

/** In which text values come. Nothing that a statement calls can write, whoever made it. */
const session =
  "SET default_transaction_read_only = on; SET TimeZone = 'UTC'; SET DateStyle = 'ISO, MDY'; SET IntervalStyle = 'iso_8601'; " +
  "SET bytea_output = 'hex'; SET extra_float_digits = 1; SET client_encoding = 'UTF8'; " +
  'SET standard_conforming_strings = on'

const tablesSql = `SELECT n.nspname || '.' || c.relname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
ORDER BY 1`

/** A domain is what it is based on. */
const columnsSql = `SELECT a.attname,
  CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod)
    ELSE format_type(a.atttypid, a.atttypmod) END,
  coalesce(b.typname, t.typname), coalesce(b.typtype, t.typtype),
  a.attnotnull, a.attgenerated <> '', pg_get_expr(d.adbin, d.adrelid)
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum`

const keySql = `SELECT a.attname FROM pg_index i
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
WHERE i.indrelid = $1::regclass AND i.indisprimary
ORDER BY array_position(i.indkey::int2[], a.attnum)`

const settingsSql = `SELECT name, setting FROM pg_settings
WHERE name IN ('wal_level', 'max_slot_wal_keep_size')`

/** Rows are logged as the partition says in which they are; the table of partitions has none. */
const identitiesSql = `SELECT DISTINCT n.nspname || '.' || t.relname, c.relreplident, array_to_json(ARRAY(
  SELECT a.attname FROM pg_index i
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
  WHERE i.indrelid = c.oid
    AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END
  ORDER BY array_position(i.indkey::int2[], a.attnum)))::text
FROM pg_class c
JOIN pg_class t ON t.oid = coalesce(pg_partition_root(c.oid), c.oid)
JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence = 'p'
  AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
ORDER BY 1, 2, 3`

const identityKinds: Readonly<Record<string, ReplicaIdentity['kind']>> = {
  d: 'default',
  n: 'nothing',
  f: 'full',
  i: 'index',
}

/** A number, a truth value or a text, and types that it is cast to. A backslash is one, but for texts with an `E`. */
const constant =
  /^(?:\(?-?\d+(?:\.\d+)?\)?|true|false|E'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*')(?:::[\w ]+(?:\[\])?|::[\w.]+"[^"()]*")*$/s

/**
 * Whether the default of a column is safe to ask for: whoever makes tables says what it is, and we would execute it.
 * A function may be one of a sequence, which must not go on for this, or anybody's; so may an operator.
 */
export function isConstant(expression: string): boolean {
  return constant.test(expression)
}

export class PostgresDatabase implements SourceDatabase {
  readonly address: string
  readonly #config: DatabaseConfig
  readonly #settings: ConnectorSettings
  #client: Promise<pg.Client> | null = null

  constructor(config: DatabaseConfig, settings: ConnectorSettings) {
    this.#config = config
    this.#settings = settings
    this.address = `postgres://${config.host}:${config.port ?? 5432}/${databaseOf(config)}`
  }

  async tables(): Promise<readonly string[]> {
    return (await this.#query(tablesSql)).map(row => row[0] ?? '')
  }

  async describe(table: string): Promise<SourceTable> {
    const columns = await this.#query(columnsSql, [quoteTable(table)])
    const keys = await this.#query(keySql, [quoteTable(table)])
    return {
      name: table,
      columns: columns.map(row => {
        const [name, declared, typeName, typeType, isNotNull, isGenerated, byDefault] = row
        const column = {
          name: name!,
          declared: declared!,
          typeName: typeName!,
          typeType: typeType!,
          nullable: isNotNull !== 't',
          isGenerated: isGenerated === 't',
        }
        const known = postgresColumn(column, this.#settings)
        return byDefault != null && !column.isGenerated && isConstant(byDefault)
          ? { ...known, defaultSql: byDefault }
          : known
      }),
      primaryKey: keys.map(([name]) => name!),
    }
  }

  async defaultsOf(_table: string, columns: readonly SourceColumn[]): Promise<readonly RawValue[]> {
    const inner = columns.map(({ name, declared, defaultSql }) => {
      return `CAST(${defaultSql} AS ${declared}) AS ${quotePostgres(name)}`
    })
    const selects = columns.map(({ select }) => select).join(', ')
    const rows = await this.#query(`SELECT ${selects}\nFROM (SELECT ${inner.join(', ')}) one`)
    return rows[0]!
  }

  async logFacts(): Promise<LogFacts> {
    const settings = await this.#query(settingsSql)
    const identities = await this.#query(identitiesSql)
    return {
      settings: new Map(settings.map(([name, value]) => [name!, value!])),
      identities: identities.map(([table, kind, columns]) => {
        return {
          table: table!,
          kind: identityKinds[kind!]!,
          columns: JSON.parse(columns!) as readonly string[],
        }
      }),
    }
  }

  /** By a cursor of a transaction of its own: one moment, and one sort. */
  async *rows(
    table: string,
    columns: readonly SourceColumn[],
    key: readonly SourceColumn[],
    range: KeyRange,
  ): AsyncGenerator<readonly (readonly RawValue[])[]> {
    const client = await this.#connect()
    const sql =
      `SELECT ${columns.map(({ select }) => select).join(', ')}\n` +
      `FROM ${quoteTable(table)}\n` +
      (key.length === 0 ? '' : whereSql(key[0]!.select, range)) +
      (key.length === 0
        ? 'LIMIT 1'
        : `ORDER BY ${key.map(({ order }) => `${order} NULLS FIRST`).join(', ')}`)
    try {
      await this.#ask(client, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
      // All of it is wanted, not the first rows soon.
      await this.#ask(client, 'SET LOCAL cursor_tuple_fraction = 1')
      await this.#ask(client, `DECLARE forager NO SCROLL CURSOR FOR ${sql}`)
      for (;;) {
        const part = await this.#ask(client, `FETCH ${rowsPerPart} FROM forager`)
        if (part.length === 0) return
        yield part
      }
    } finally {
      // With the connection the transaction ends too.
      await client.end().catch(() => undefined)
    }
  }

  async boundOf(
    table: string,
    { select }: SourceColumn,
    after: string | null,
    rowCount: number,
  ): Promise<string | null> {
    const where = whereSql(select, { after, upTo: null })
    const sql = `SELECT ${select} FROM ${quoteTable(table)}\n${where}ORDER BY ${select} NULLS FIRST LIMIT 1 OFFSET ${rowCount - 1}`
    return (await this.#query(sql))[0]?.[0] ?? null
  }

  async close(): Promise<void> {
    const client = this.#client
    this.#client = null
    if (client === null) return
    const open = await client.catch(() => null)
    await open?.end().catch(() => undefined)
  }

  async #query(sql: string, values: readonly string[] = []): Promise<readonly Row[]> {
    this.#client ??= this.#connect()
    return await this.#ask(await this.#client, sql, values)
  }

  async #connect(): Promise<pg.Client> {
    const { host, port, user, password, tls } = this.#config
    const client = new pg.Client({
      host,
      port: port ?? 5432,
      user,
      database: databaseOf(this.#config),
      application_name: 'forager',
      // Everything as text.
      types: { getTypeParser: () => (text: unknown) => text },
      ...(password === undefined ? {} : { password }),
      ...(tls === undefined ? {} : { ssl: { ...tls, rejectUnauthorized: true } as never }),
    })
    // Whoever asks next is told.
    client.on('error', () => undefined)
    try {
      await client.connect()
      await client.query(session)
    } catch (error) {
      await client.end().catch(() => undefined)
      throw this.#failed(error)
    }
    return client
  }

  async #ask(client: pg.Client, sql: string, values: readonly string[] = []) {
    try {
      const { rows } = await client.query<string[]>({
        text: sql,
        values: [...values],
        rowMode: 'array',
      })
      return rows as readonly Row[]
    } catch (error) {
      throw this.#failed(error)
    }
  }

  #failed(error: unknown): Error {
    if (!(error instanceof Error)) return new Error(String(error))
    return new SourceError('database-unreachable', `${this.address}: ${error.message}`, {
      cause: error,
    })
  }
}

function databaseOf({ database, user }: DatabaseConfig): string {
  return database ?? user
}

function quoteTable(table: string): string {
  const point = table.indexOf('.')
  return [table.slice(0, point), table.slice(point + 1)].map(quotePostgres).join('.')
}
