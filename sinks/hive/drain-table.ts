/** Waiting, with a session of the warehouse, for what an attempt before may have under way on a table. */
import type { Logger } from '../../observe/logger.ts'
import type { Clock } from '../../runtime/clock.ts'
import { drain } from './drain.ts'
import type { Session } from './hive-session.ts'
import type { TableName } from './sql-text.ts'

export interface DrainTableOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly drainTimeoutMs: number
}

/** Throws as `drain` does. */
export async function drainTable(
  session: Session,
  name: TableName,
  { clock, logger, drainTimeoutMs }: DrainTableOptions,
  { table, signal }: { readonly table: string; readonly signal: AbortSignal },
): Promise<void> {
  const asks = { query: (sql: string) => session.query(sql, { signal }) }
  const transactions = await drain(asks, name, { clock, timeoutMs: drainTimeoutMs, signal })
  logger.info('table.drained', { table, transactions })
}
