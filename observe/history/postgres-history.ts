/** The record in PostgreSQL, through pg. */
import type { Socket } from 'node:net'
import pg from 'pg'
import type { HistoryRow, HistoryValue } from './history.ts'
import type { SqlConnection, SqlDialect } from './sql-history.ts'
import { onConflict, SqlHistory } from './sql-history.ts'

export interface HistoryServer {
  readonly host: string
  readonly port?: number
  readonly user: string
  readonly password?: string
  readonly database: string
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string }
  /** How long the server may take to let in, and for a statement. */
  readonly timeoutMs: number
  /** Tables are made only by who writes. */
  readonly isWriter: boolean
}

const dialect: SqlDialect = {
  types: { id: 'text', name: 'text', text: 'text', number: 'bigint' },
  tableOptions: '',
  begin: 'BEGIN',
  ...onConflict,
}

export function postgresHistory(server: HistoryServer): SqlHistory {
  const { host, port = 5432, database, isWriter } = server
  const address = `postgresql://${host}:${port}/${database}`
  const open = (signal: AbortSignal) => connect(server, signal)
  return new SqlHistory({ address, dialect, connect: open, isWriter })
}

const bigintType = 20

async function connect(server: HistoryServer, signal: AbortSignal): Promise<SqlConnection> {
  const { host, port = 5432, user, password, database, tls, timeoutMs } = server
  const client = new pg.Client({
    host,
    port,
    user,
    database,
    application_name: 'forager-history',
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
    types: { getTypeParser: type => (type === bigintType ? Number : String) },
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { ssl: { ...tls, rejectUnauthorized: true } as never }),
  })
  // Whoever asks next is told.
  client.on('error', () => undefined)
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection
  signal.addEventListener('abort', () => stream.destroy(), { once: true })
  try {
    await client.connect()
  } catch (error) {
    await client.end().catch(() => undefined)
    throw error
  }
  return {
    query: async (sql: string, values: readonly HistoryValue[] = []) => {
      const [head, ...parts] = sql.split('?')
      const text = [head, ...parts.map((part, index) => `$${index + 1}${part}`)].join('')
      const { rows } = await client.query<HistoryRow>(text, [...values])
      return rows
    },
    close: async () => {
      // A server that says nothing must not hold the process.
      stream.unref()
      await client.end().catch(() => undefined)
    },
  }
}
