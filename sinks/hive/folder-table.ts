/** A file of an attempt as a table of one session: what a statement reads that comes to nothing without it. */
import { StateError } from '../../model/errors.ts'
import type { AttemptFiles, WrittenFile } from './attempt-files.ts'
import type { Session } from './hive-session.ts'
import { quoteName, quoteText } from './sql-text.ts'
import type { HiveColumn } from './target-table.ts'

export interface FolderTable {
  readonly attempts: AttemptFiles
  readonly written: WrittenFile
  readonly columns: readonly HiveColumn[]
  readonly signal: AbortSignal
}

/**
 * A table over the folder, in this session alone and for as long as the action runs: no attempt can meet
 * another one's. What is left of it ends with the session.
 */
export async function overFolder(
  session: Session,
  { attempts, written, columns, signal }: FolderTable,
  action: (source: string) => Promise<void>,
): Promise<void> {
  const { folder, rowCount } = written
  // No other table has the name: a temporary one hides others of its name, until it ends.
  const own = folder.slice(folder.lastIndexOf('/') + 1).replaceAll('-', '_')
  const table = quoteName(`forager_changes_${own}`)
  const all = columns.map(({ name, type }) => `${quoteName(name)} ${type}`)
  await session.execute(
    `CREATE TEMPORARY EXTERNAL TABLE ${table} (${all.join(', ')})\n` +
      `STORED AS ORC LOCATION ${quoteText(attempts.locationOf(written))}`,
    { signal },
  )
  // Hive takes it for empty otherwise, and plans the joins with it so.
  const rows = `ALTER TABLE ${table} UPDATE STATISTICS SET ('numRows'='${rowCount}')`
  await session.execute(rows, { signal, incarnation: session.incarnation })
  await action(table)
  const { incarnation } = session
  // The statement is answered: what is left of its table cannot change that.
  await session
    .execute(`DROP TABLE IF EXISTS ${table}`, { incarnation, signal })
    .catch(() => undefined)
}

export function takenOver(table: string, folder: string): StateError {
  return new StateError('task-fenced', `the folder ${folder} was taken away by a later owner`, {
    context: { table },
  })
}
