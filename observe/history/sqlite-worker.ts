/**
 * SQLite, as Node ships it, in a thread of its own: its calls wait for the disk, and for who else has the
 * file locked, and the loop of the application must not. The only file that knows it.
 */
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { HistoryValue } from './history.ts'

export interface SqliteFile {
  readonly path: string
  readonly isWriter: boolean
}

export interface SqliteRequest {
  readonly id: number
  readonly sql: string
  readonly values: readonly HistoryValue[]
}

export interface SqliteAnswer {
  readonly id: number
  readonly rows?: readonly object[]
  readonly error?: string
}

/** How long another process may have the file locked. */
const lockWaitMs = 5000

const { path, isWriter } = workerData as SqliteFile
const port = parentPort!
let database: DatabaseSync | null = null

function open(): DatabaseSync {
  const opened = new DatabaseSync(path, { readOnly: !isWriter, timeout: lockWaitMs })
  // Who reads does not wait for who writes. What a crash of the machine takes back are the last rows.
  if (isWriter) opened.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  return opened
}

port.on('message', ({ id, sql, values }: SqliteRequest) => {
  let answer: SqliteAnswer
  try {
    database ??= open()
    const rows = database.prepare(sql).all(...values)
    answer = { id, rows: rows.map(row => ({ ...row })) }
  } catch (error) {
    answer = { id, error: (error as Error).message }
  }
  port.postMessage(answer)
})

port.once('close', () => database?.close())
