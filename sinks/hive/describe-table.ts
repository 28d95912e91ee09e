/** What a table of Hive is like now. */
import { ForagerError } from '../../model/errors.ts'
import type { Session } from './hive-session.ts'
import type { TableName } from './sql-text.ts'
import { quoteTable } from './sql-text.ts'
import type { HiveTable } from './target-table.ts'
import { parseDescribe } from './target-table.ts'

/** Null when there is no such table. */
export async function describe(session: Session, name: TableName): Promise<HiveTable | null> {
  try {
    const { rows } = await session.query(`DESCRIBE ${quoteTable(name)}`)
    return parseDescribe(rows)
  } catch (error) {
    const isMissing = error instanceof ForagerError && error.code === 'statement-failed'
    if (isMissing && /table not found|database does not exist|NoSuchObject/i.test(error.message)) {
      return null
    }
    throw error
  }
}
