/** The record in MariaDB or MySQL, through mysql2. */
import mysql from 'mysql2'
import type { HistoryRow, HistoryValue } from './history.ts'
import type { HistoryServer } from './postgres-history.ts'
import type { SqlConnection, SqlDialect } from './sql-history.ts'
import { SqlHistory } from './sql-history.ts'

const dialect: SqlDialect = {
  types: { id: 'varchar(64)', name: 'varchar(300)', text: 'mediumtext', number: 'bigint' },
  tableOptions: ' CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB',
  begin: 'START TRANSACTION',
  // MySQL has no IF NOT EXISTS here.
  createIndex: (name, table, columns) => `CREATE INDEX ${name} ON ${table} (${columns})`,
  indexExists: ['ER_DUP_KEYNAME'],
  orReplace: columns =>
    `ON DUPLICATE KEY UPDATE ${columns.map(name => `${name} = VALUES(${name})`).join(', ')}`,
}

export function mysqlHistory(server: HistoryServer, type: 'mariadb' | 'mysql'): SqlHistory {
  const { host, port = 3306, database, isWriter } = server
  const address = `${type}://${host}:${port}/${database}`
  const open = (signal: AbortSignal) => connect(server, signal)
  return new SqlHistory({ address, dialect, connect: open, isWriter })
}

async function connect(server: HistoryServer, signal: AbortSignal): Promise<SqlConnection> {
  const { host, port = 3306, user, password, database, tls, timeoutMs } = server
  const connection = mysql.createConnection({
    host,
    port,
    user,
    database,
    charset: 'utf8mb4',
    connectTimeout: timeoutMs,
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { ssl: { ...tls, rejectUnauthorized: true } as never }),
  })
  // Whoever asks next is told.
  connection.on('error', () => undefined)
  signal.addEventListener('abort', () => connection.destroy(), { once: true })
  const query = (sql: string, values: readonly HistoryValue[] = []) =>
    new Promise<readonly HistoryRow[]>((resolve, reject) => {
      connection.query({ sql, values: [...values], timeout: timeoutMs }, (error, rows) => {
        if (error === null) resolve(Array.isArray(rows) ? (rows as HistoryRow[]) : [])
        else reject(error)
      })
    })
  try {
    await query("SET time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES'")
  } catch (error) {
    connection.destroy()
    throw error
  }
  return {
    query,
    close: () => {
      connection.destroy()
      return Promise.resolve()
    },
  }
}
