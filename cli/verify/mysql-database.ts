/** MariaDB and MySQL, through mysql2: the only file that knows it. */
import mysql from 'mysql2'
import type { ConnectorSettings } from '../../formats/connector-settings.ts'
import { SourceError } from '../../model/errors.ts'
import type { DatabaseConfig } from '../database-schema.ts'
import { isMysqlBinary, mysqlColumn, quoteMysql } from './mysql-columns.ts'
import type {
  KeyRange,
  LogFacts,
  RawValue,
  SourceColumn,
  SourceDatabase,
  SourceTable,
} from './source-database.ts'
import { rowsPerPart, whereSql } from './source-database.ts'

type Row = readonly (string | null)[]

/** Whoever reads waits for Hive at times, and the server must not give up meanwhile. */
const session =
  "SET time_zone = '+00:00', sql_mode = '', net_write_timeout = 86400, max_sort_length = 8192"

const systemSchemas = "('mysql', 'information_schema', 'performance_schema', 'sys')"

const tablesSql = `SELECT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) FROM information_schema.TABLES
WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN ${systemSchemas} ORDER BY 1`

const columnsSql = `SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE,
COLUMN_DEFAULT IS NOT NULL AND UPPER(COLUMN_DEFAULT) <> 'NULL' AND COLUMN_DEFAULT NOT LIKE '%(%'
AND UPPER(COLUMN_DEFAULT) NOT LIKE 'CURRENT_%' AND EXTRA NOT LIKE '%DEFAULT_GENERATED%'
FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`

const keySql = `SELECT COLUMN_NAME FROM information_schema.STATISTICS
WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND INDEX_NAME = 'PRIMARY' ORDER BY SEQ_IN_INDEX`

const settingsSql = `SHOW GLOBAL VARIABLES WHERE Variable_name IN (
'log_bin', 'binlog_format', 'binlog_row_image', 'binlog_row_value_options', 'binlog_expire_logs_seconds', 'sql_mode')`

export class MysqlDatabase implements SourceDatabase {
  readonly address: string
  readonly #config: DatabaseConfig
  readonly #settings: ConnectorSettings
  #connection: Promise<mysql.Connection> | null = null

  constructor(config: DatabaseConfig, settings: ConnectorSettings) {
    this.#config = config
    this.#settings = settings
    this.address = `${config.type}://${config.host}:${config.port ?? 3306}`
  }

  async tables(): Promise<readonly string[]> {
    return (await this.#query(tablesSql)).map(row => row[0] ?? '')
  }

  async describe(table: string): Promise<SourceTable> {
    const names = partsOf(table)
    const columns = await this.#query(columnsSql, names)
    const keys = await this.#query(keySql, names)
    return {
      name: table,
      columns: columns.map(([name, declared, nullable, hasDefault]) => {
        const column = { name: name!, declared: declared!, nullable: nullable === 'YES' }
        const known = mysqlColumn(column, this.#settings)
        const defaultSql = `DEFAULT(${quoteMysql(name!)})`
        return hasDefault === '1' ? { ...known, defaultSql } : known
      }),
      primaryKey: keys.map(([name]) => name!),
    }
  }

  async defaultsOf(table: string, columns: readonly SourceColumn[]): Promise<readonly RawValue[]> {
    const inner = columns.map(({ name, defaultSql }) => `${defaultSql} AS ${quoteMysql(name)}`)
    const sql =
      `SELECT ${listOf(columns)}\n` +
      `FROM (SELECT ${inner.join(', ')} FROM ${quoteTable(table)} LIMIT 1) one`
    return (await this.#query(sql))[0] ?? columns.map(() => null)
  }

  async logFacts(): Promise<LogFacts> {
    const rows = await this.#query(settingsSql)
    return { settings: new Map(rows.map(([name, value]) => [name!, value!])), identities: [] }
  }

  /** By one statement: the server sorts once, and sends as fast as it is read. */
  async *rows(
    table: string,
    columns: readonly SourceColumn[],
    key: readonly SourceColumn[],
    range: KeyRange,
  ): AsyncGenerator<readonly (readonly RawValue[])[]> {
    const connection = await this.#connect()
    const isBinary = columns.map(({ declared }) => isMysqlBinary(declared))
    const sql =
      `SELECT ${listOf(columns)}\n` +
      `FROM ${quoteTable(table)}\n` +
      (key.length === 0 ? '' : whereSql(key[0]!.select, range)) +
      (key.length === 0 ? 'LIMIT 1' : `ORDER BY ${key.map(({ order }) => order).join(', ')}`)
    try {
      const options = { sql, rowsAsArray: true, typeCast: bytesOf }
      const stream = connection.query(options).stream({ highWaterMark: rowsPerPart })
      // Not all that ends a connection ends what is read through it.
      connection.once('error', error => stream.destroy(error))
      let part: RawValue[][] = []
      for await (const row of stream as AsyncIterable<readonly (Buffer | null)[]>) {
        part.push(row.map((value, index) => rawOf(value, isBinary[index]!)))
        if (part.length < rowsPerPart) continue
        yield part
        part = []
      }
      if (part.length > 0) yield part
    } catch (error) {
      throw this.#failed(error)
    } finally {
      // What was not read is not wanted.
      connection.destroy()
    }
  }

  async boundOf(
    table: string,
    column: SourceColumn,
    after: string | null,
    rowCount: number,
  ): Promise<string | null> {
    const { select } = column
    const where = whereSql(select, { after, upTo: null })
    const sql = `SELECT ${listOf([column])} FROM ${quoteTable(table)}\n${where}ORDER BY ${select} LIMIT 1 OFFSET ${rowCount - 1}`
    return (await this.#query(sql))[0]?.[0] ?? null
  }

  async close(): Promise<void> {
    const connection = this.#connection
    this.#connection = null
    if (connection === null) return
    const open = await connection.catch(() => null)
    open?.destroy()
  }

  async #query(sql: string, values: readonly string[] = []): Promise<readonly Row[]> {
    this.#connection ??= this.#connect()
    return await this.#ask(await this.#connection, sql, values)
  }

  async #connect(): Promise<mysql.Connection> {
    const { host, port, user, password, database, tls } = this.#config
    const connection = mysql.createConnection({
      host,
      port: port ?? 3306,
      user,
      charset: 'utf8mb4',
      ...(password === undefined ? {} : { password }),
      ...(database === undefined ? {} : { database }),
      ...(tls === undefined ? {} : { ssl: { ...tls, rejectUnauthorized: true } as never }),
    })
    // Whoever asks next is told.
    connection.on('error', () => undefined)
    try {
      await this.#ask(connection, session, [])
    } catch (error) {
      connection.destroy()
      throw error
    }
    return connection
  }

  #ask(connection: mysql.Connection, sql: string, values: readonly string[]) {
    return new Promise<readonly Row[]>((resolve, reject) => {
      const options = { sql, values: [...values], rowsAsArray: true, typeCast: textOf }
      connection.query(options, (error, rows) => {
        if (error === null) resolve(rows as unknown as readonly Row[])
        else reject(this.#failed(error))
      })
    })
  }

  #failed(error: unknown): Error {
    if (!(error instanceof Error)) return new Error(String(error))
    return new SourceError('database-unreachable', `${this.address}: ${error.message}`, {
      cause: error,
    })
  }
}

/** Longer than a column's name may be: what rows are ordered by is never taken for it. */
const alias = 'value'.padEnd(65, '_')

/** mysql2 ends the connection when a field has a name that objects have (`__proto__`): here none has its own. */
function listOf(columns: readonly SourceColumn[]): string {
  return columns.map(({ select }, index) => `${select} AS ${alias}${index}`).join(', ')
}

interface Field {
  readonly buffer: () => Buffer | null
}

function bytesOf(field: Field): Buffer | null {
  return field.buffer()
}

function textOf(field: Field): string | null {
  return field.buffer()?.toString('utf8') ?? null
}

/** A value is a view on what came from the server, and would keep all of it. */
function rawOf(value: Buffer | null, isBinary: boolean): RawValue {
  if (value === null) return null
  return isBinary ? Uint8Array.from(value) : value.toString('utf8')
}

function quoteTable(table: string): string {
  return partsOf(table).map(quoteMysql).join('.')
}

function partsOf(table: string): [string, string] {
  const point = table.indexOf('.')
  return [table.slice(0, point), table.slice(point + 1)]
}
