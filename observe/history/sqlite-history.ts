/** The record in a file, by SQLite. */
import { extname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { HistoryRow, HistoryValue } from './history.ts'
import type { SqlConnection, SqlDialect } from './sql-history.ts'
import { onConflict, SqlHistory } from './sql-history.ts'
import type { SqliteAnswer, SqliteFile, SqliteRequest } from './sqlite-worker.ts'

const dialect: SqlDialect = {
  types: { id: 'TEXT', name: 'TEXT', text: 'TEXT', number: 'INTEGER' },
  tableOptions: ' WITHOUT ROWID',
  begin: 'BEGIN IMMEDIATE',
  ...onConflict,
}

/** `prepare` makes the folder. */
export function sqliteHistory(
  file: SqliteFile,
  prepare: () => Promise<void> = () => Promise.resolve(),
): SqlHistory {
  return new SqlHistory({
    address: `sqlite:${file.path}`,
    dialect,
    connect: async () => {
      await prepare()
      return new SqliteConnection(file)
    },
    isWriter: file.isWriter,
  })
}

interface Waiting {
  readonly resolve: (rows: readonly HistoryRow[]) => void
  readonly reject: (error: Error) => void
}

class SqliteConnection implements SqlConnection {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #failure: Error | null = null
  #next = 0

  constructor(file: SqliteFile) {
    const entry = join(import.meta.dirname, `sqlite-worker${extname(import.meta.filename)}`)
    // Some versions of Node say of their SQLite that it is new.
    const execArgv = ['--disable-warning=ExperimentalWarning']
    this.#worker = new Worker(entry, { workerData: file, execArgv })
    this.#worker.unref()
    this.#worker.on('message', ({ id, rows, error }: SqliteAnswer) => {
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error === undefined) waiting?.resolve(rows as readonly HistoryRow[])
      else waiting?.reject(new Error(error))
    })
    this.#worker.on('error', error => this.#fail(error as Error))
    this.#worker.on('exit', () => this.#fail(new Error('its thread has ended')))
  }

  query(sql: string, values: readonly HistoryValue[] = []): Promise<readonly HistoryRow[]> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#next += 1
      this.#waiting.set(this.#next, { resolve, reject })
      const request: SqliteRequest = { id: this.#next, sql, values }
      this.#worker.postMessage(request)
    })
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}
