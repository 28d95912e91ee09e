/**
 * Waiting until no other statement on a table is running, waiting or about to: Hive takes a statement's
 * snapshot before its lock and does not look again for inserts, so two statements that insert could
 * both do so (`docs/exactly-once.md`).
 *
 * What is waited for are the transactions that were open when the folders of older attempts had been
 * removed: one that begins later reads a folder that is not there. Of those, the ones that hold or want a
 * lock on the table, and the ones that have no lock at all yet: a statement that is being compiled
 * has a transaction and a snapshot, and nobody can see for which table.
 */
import { WarehouseError } from '../../model/errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { TableName } from './sql-text.ts'
import { quoteTable } from './sql-text.ts'

/** What is asked of a session. */
export interface Asks {
  query(sql: string): Promise<{
    readonly columns: readonly { readonly name: string }[]
    readonly rows: readonly (readonly unknown[])[]
  }>
}

const firstWaitMs = 100
const maxWaitMs = 2000

export interface DrainOptions {
  readonly clock: Clock
  /** How long statements of others may go on. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** WarehouseError `table-busy` when somebody else’s statement does not end. Resolves to how many were waited for. */
export async function drain(
  session: Asks,
  name: TableName,
  { clock, timeoutMs, signal }: DrainOptions,
): Promise<number> {
  const before = await openTransactions(session)
  const deadline = clock.monotonic() + timeoutMs
  let waitedFor = 0
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, maxWaitMs)) {
    // Locks first: a transaction that gets its lock in between is seen as one without, and waited for.
    const locks = await locksOf(session)
    const open = await openTransactions(session)
    const left = [...before].filter(([id]) => open.has(id) && mayWrite(id, locks, name))
    if (left.length === 0) return waitedFor
    waitedFor = Math.max(waitedFor, left.length)
    if (clock.monotonic() >= deadline) {
      const [id, who] = left[0]!
      throw busy(name, `has not ended within ${timeoutMs} ms: transaction ${id} of ${who}`)
    }
    await clock.sleep(waitMs, signal)
    // Nobody sleeps any more then, and the transaction may go on for long.
    if (signal.aborted) throw busy(name, 'is not waited for any longer')
  }
}

function busy(name: TableName, what: string): WarehouseError {
  const message = `a statement of another attempt on ${quoteTable(name)} ${what}`
  return new WarehouseError('table-busy', message, { retry: 'backoff' })
}

interface Lock {
  readonly transaction: string
  readonly database: string
  readonly table: string
}

function mayWrite(id: string, locks: readonly Lock[], name: TableName): boolean {
  const own = locks.filter(({ transaction }) => transaction === id)
  if (own.length === 0) return true
  return own.some(({ database, table }) => database === name.database && table === name.table)
}

/** Ids, with who has them. */
async function openTransactions(session: Asks): Promise<ReadonlyMap<string, string>> {
  const { columns, rows } = await session.query('SHOW TRANSACTIONS')
  const at = placesOf(columns)
  const open = rows.filter(row => /^open$/i.test(text(row[at('state')])))
  return new Map(
    open.map(row => [
      text(row[at('transaction id', 'txnid', 'txn id')]),
      `${text(row[at('user')])} at ${text(row[at('host')])}`,
    ]),
  )
}

/** All of them: a transaction that has none is one that is being compiled. */
async function locksOf(session: Asks): Promise<readonly Lock[]> {
  const { columns, rows } = await session.query('SHOW LOCKS')
  const at = placesOf(columns)
  return rows.map(row => ({
    transaction: text(row[at('transaction', 'txn')]),
    database: text(row[at('database')]).toLowerCase(),
    table: text(row[at('table')]).toLowerCase(),
  }))
}

function text(value: unknown): string {
  return value === null || value === undefined ? '' : `${value as string | number}`.trim()
}

/** Hive's versions call the columns by other names. */
function placesOf(columns: readonly { readonly name: string }[]): (...parts: string[]) => number {
  const names = columns.map(({ name }) => name.toLowerCase().replaceAll('_', ' '))
  return (...parts) => names.findIndex(name => parts.some(part => name.includes(part)))
}
