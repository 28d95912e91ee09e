/**
 * The record in an SQL database. What SQLite, PostgreSQL, MariaDB and MySQL do alike is here; where they
 * differ is data (`SqlDialect`). Names are of our own list, values are parameters.
 */
import { StateError } from '../../model/errors.ts'
import type {
  History,
  HistoryEntry,
  HistoryKind,
  HistoryLimits,
  HistoryQuery,
  HistoryRow,
  HistoryValue,
} from './history.ts'
import { historyKinds } from './history.ts'
import type { ColumnType } from './tables.ts'
import { historyColumns, historyIndexes, historyTable, keptColumns, maxChars } from './tables.ts'

export interface SqlDialect {
  readonly types: Readonly<Record<ColumnType, string>>
  /** Behind the columns of a table. */
  readonly tableOptions: string
  readonly begin: string
  /** What makes an index that may be there. */
  readonly createIndex: (name: string, table: string, columns: string) => string
  /** Codes of the error that says that it is there; the others have no error. */
  readonly indexExists: readonly string[]
  /** What follows the values of a row that may be there: these columns get the new ones. */
  readonly orReplace: (columns: readonly string[]) => string
}

/** What SQLite and PostgreSQL do alike. */
export const onConflict: Pick<SqlDialect, 'createIndex' | 'indexExists' | 'orReplace'> = {
  createIndex: (name, table, columns) =>
    `CREATE INDEX IF NOT EXISTS ${name} ON ${table} (${columns})`,
  indexExists: [],
  orReplace: columns =>
    `ON CONFLICT (run_id, seq) DO UPDATE SET ${columns.map(name => `${name} = excluded.${name}`).join(', ')}`,
}

/** One connection. `?` stands for a parameter. */
export interface SqlConnection {
  query(sql: string, values?: readonly HistoryValue[]): Promise<readonly HistoryRow[]>
  close(): Promise<void>
}

export interface SqlHistoryOptions {
  readonly address: string
  readonly dialect: SqlDialect
  /** Aborted when nobody waits for it any more. */
  readonly connect: (signal: AbortSignal) => Promise<SqlConnection>
  /** Tables are made only by who writes. */
  readonly isWriter: boolean
}

/** Of the tables; another one was made by another version. */
const layout = 1
const layoutTable = 'forager_history'
const layoutSql = `SELECT layout FROM ${layoutTable}`
const maxRowsPerInsert = 100

export class SqlHistory implements History {
  readonly address: string
  readonly #options: SqlHistoryOptions
  #connection: SqlConnection | null = null
  #connecting = new AbortController()
  /** One after the other: a reader must not see half of what is written. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: SqlHistoryOptions) {
    this.address = options.address
    this.#options = options
  }

  open(): Promise<void> {
    return this.#inTurn(async () => {
      const connecting = new AbortController()
      this.#connecting = connecting
      const connection = await this.#options.connect(connecting.signal)
      if (connecting.signal.aborted) await connection.close()
      connecting.signal.throwIfAborted()
      this.#connection = connection
      const isThere = await connection.query(layoutSql).then(
        rows => rows.length > 0,
        () => false,
      )
      // The layout is written last: tables that were made in part are made to their end.
      if (!isThere && this.#options.isWriter) await this.#makeTables(connection)
      const [found] = await connection.query(layoutSql)
      if (found?.layout === layout) return
      throw new Error(`its tables have layout ${found?.layout}, and this version knows ${layout}`)
    })
  }

  write(entries: readonly HistoryEntry[]): Promise<void> {
    return this.#asked(async connection => {
      await connection.query(this.#options.dialect.begin)
      try {
        for (const kind of historyKinds) {
          const rows = entries.flatMap(entry => (entry.kind === kind ? [entry.row] : []))
          for (let start = 0; start < rows.length; start += maxRowsPerInsert) {
            await this.#insert(connection, kind, rows.slice(start, start + maxRowsPerInsert))
          }
        }
        await connection.query('COMMIT')
      } catch (error) {
        await connection.query('ROLLBACK').catch(() => undefined)
        throw error
      }
    })
  }

  find({ kind, ...query }: HistoryQuery): Promise<readonly HistoryRow[]> {
    const { columns, isDistinct = false, where = {}, bounds = [], order = [] } = query
    const names = columns ?? Object.keys(historyColumns[kind])
    const given = Object.entries(where)
    const conditions = [
      ...given.map(([name, value]) => (value === null ? `${name} IS NULL` : `${name} = ?`)),
      ...bounds.map(({ column, is }) => `${column} ${is} ?`),
    ]
    const values = [
      ...given.flatMap(([, value]) => (value === null ? [] : [value])),
      ...bounds.map(({ value }) => value),
    ]
    const direction = query.isDescending === true ? ' DESC' : ''
    const sql = [
      `SELECT ${isDistinct ? 'DISTINCT ' : ''}${names.join(', ')} FROM ${historyTable(kind)}`,
      ...(conditions.length === 0 ? [] : [`WHERE ${conditions.join(' AND ')}`]),
      ...(order.length === 0 ? [] : [`ORDER BY ${order.map(name => name + direction).join(', ')}`]),
      ...(query.limit === undefined ? [] : [`LIMIT ${Math.trunc(query.limit)}`]),
    ].join(' ')
    return this.#asked(connection => connection.query(sql, values))
  }

  prune({ application, beforeMs, maxRows }: HistoryLimits): Promise<void> {
    return this.#asked(async connection => {
      let cutMs = beforeMs
      for (const kind of historyKinds) {
        const sql =
          `SELECT recorded_ms FROM ${historyTable(kind)} WHERE application = ? ` +
          `ORDER BY recorded_ms DESC LIMIT 1 OFFSET ${Math.trunc(maxRows)}`
        const [found] = await connection.query(sql, [application])
        cutMs = Math.max(cutMs, Number(found?.recorded_ms ?? cutMs))
      }
      const where = 'WHERE application = ? AND'
      const values = [application, cutMs]
      // First: who counts the rows of a run meanwhile must not miss any.
      const marked = `UPDATE ${historyTable('runs')} SET is_pruned = 1 ${where} recorded_ms <= ?`
      await connection.query(marked, values)
      for (const kind of historyKinds) {
        const column = kind === 'runs' ? 'seen_ms' : 'recorded_ms'
        await connection.query(`DELETE FROM ${historyTable(kind)} ${where} ${column} <= ?`, values)
      }
    })
  }

  close(): Promise<void> {
    const connection = this.#connection
    this.#connection = null
    this.#connecting.abort()
    // What is under way there may never end.
    this.#turn = Promise.resolve()
    return connection?.close() ?? Promise.resolve()
  }

  async #makeTables(connection: SqlConnection): Promise<void> {
    const { dialect } = this.#options
    const { types, tableOptions } = dialect
    for (const kind of historyKinds) {
      const table = historyTable(kind)
      const columns = Object.entries(historyColumns[kind]).map(([name, type]) => {
        return `${name} ${types[type]}${name === 'run_id' || name === 'seq' ? ' NOT NULL' : ''}`
      })
      const all = [...columns, 'PRIMARY KEY (run_id, seq)'].join(', ')
      await connection.query(`CREATE TABLE IF NOT EXISTS ${table} (${all})${tableOptions}`)
      for (const [index, indexed] of historyIndexes[kind].entries()) {
        const sql = dialect.createIndex(`${table}_${index + 1}`, table, indexed.join(', '))
        await connection.query(sql).catch((error: unknown) => {
          const { code } = error as { code?: unknown }
          if (!dialect.indexExists.includes(String(code))) throw error
        })
      }
    }
    const layoutColumn = `layout ${types.number} NOT NULL PRIMARY KEY`
    await connection.query(
      `CREATE TABLE IF NOT EXISTS ${layoutTable} (${layoutColumn})${tableOptions}`,
    )
    const sql = `INSERT INTO ${layoutTable} (layout) SELECT ${layout} WHERE NOT EXISTS (SELECT 1 FROM ${layoutTable})`
    await connection.query(sql)
  }

  async #insert(
    connection: SqlConnection,
    kind: HistoryKind,
    rows: readonly HistoryRow[],
  ): Promise<void> {
    const names = Object.keys(historyColumns[kind])
    const places = rows.map(() => `(${names.map(() => '?').join(', ')})`).join(', ')
    const replaced = names.filter(name => !['run_id', 'seq', ...keptColumns].includes(name))
    const sql =
      `INSERT INTO ${historyTable(kind)} (${names.join(', ')}) VALUES ${places} ` +
      this.#options.dialect.orReplace(replaced)
    const types = historyColumns[kind]
    const values = rows.flatMap(row => names.map(name => fitting(row[name] ?? null, types[name]!)))
    await connection.query(sql, values)
  }

  #asked<T>(action: (connection: SqlConnection) => Promise<T>): Promise<T> {
    return this.#inTurn(() => {
      const connection = this.#connection
      return connection === null ? Promise.reject(new Error('it is not open')) : action(connection)
    })
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(action).catch((error: unknown) => {
      throw unavailable(this.address, error)
    })
    this.#turn = turn.catch(() => undefined)
    return turn
  }
}

/** One value that does not fit would keep all others from being written. */
function fitting(value: HistoryValue, type: ColumnType): HistoryValue {
  if (type === 'number') return Number.isSafeInteger(value) ? value : null
  if (typeof value !== 'string') return value
  // PostgreSQL has no such character.
  return value.slice(0, maxChars[type]).replaceAll('\0', '\ufffd')
}

export function unavailable(address: string, error: unknown): StateError {
  if (error instanceof StateError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new StateError('history-unavailable', `${address}: ${message}`, { cause: error })
}
