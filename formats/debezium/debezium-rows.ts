/**
 * From the rows of a Debezium value to change events: typed values, what was not sent, and a changed
 * key as the delete and the insert that it is.
 */

import type { ChangeEvent, ChangeOp, LogHeader, LogRecord } from '../../model/change-event.ts'
import { hasLargeColumns } from '../../model/changed-key.ts'
import { DecodeError } from '../../model/errors.ts'
import type { TableHints } from '../decoder.ts'
import type { RowReader } from '../values/row-reader.ts'
import { isSameKey, keyOf, readHeaderKey, readKey, readRow } from '../values/row-reader.ts'
import { isUnsent } from '../values/unsent-value.ts'
import type { ChangePayload } from './debezium-changes.ts'
import type { SourceBlock } from './debezium-position.ts'

type JsonRow = Readonly<Record<string, unknown>>

interface BuildOptions {
  /** What every event of the message has in common. */
  readonly base: Omit<
    ChangeEvent,
    'op' | 'key' | 'before' | 'after' | 'schema' | 'oldKey' | 'isBeforeWhole'
  >
  readonly op: Exclude<ChangeOp, 't'>
  readonly change: ChangePayload
  readonly reader: RowReader
  readonly hints: TableHints
  readonly messageKey: JsonRow | null
  /** Of either half of a changed key. */
  readonly otherKey: OtherKey | null
  readonly unsent: string
}

/** What the header of a half of a changed key says: the key of the other half. */
export interface OtherKey {
  /** The half is the insert: it says the old one. */
  readonly isOld: boolean
  readonly row: JsonRow
}

const oldKeyName = '__debezium.oldkey'
const newKeyName = '__debezium.newkey'

/** Whether the message is read as the half of a changed key that it is. */
export function needsOtherKey(record: LogRecord, source: SourceBlock, hints: TableHints): boolean {
  const header = otherKeyHeader(record)
  if (header === undefined) return false
  return header.key === oldKeyName || !hasWholeBefore(source, hints)
}

/** The header that either half of a changed key has. */
function otherKeyHeader({ headers }: LogRecord): LogHeader | undefined {
  if (headers.length === 0) return undefined
  return headers.find(({ key, value }) => {
    return (key === oldKeyName || key === newKeyName) && value.length > 0
  })
}

/** `read` reads the header's value. */
export function otherKeyOf(
  record: LogRecord,
  read: (bytes: Uint8Array) => unknown,
): OtherKey | null {
  const header = otherKeyHeader(record)
  if (header === undefined) return null
  return { isOld: header.key === oldKeyName, row: read(header.value) as JsonRow }
}

/** Fields that ByLogicalTableRouter adds to the key; they are no columns. */
export const routerField = /^__dbz__/

/**
 * Connectors whose `before` is the whole row: MySQL's and MariaDB's need full row images to work at all,
 * the tables of changes of SQL Server and Db2 have the row before and after, MongoDB's is a copy of the
 * document. Oracle's is what supplemental logging put there, PostgreSQL's the replica identity.
 */
const wholeBefore: readonly unknown[] = ['mysql', 'mariadb', 'sqlserver', 'db2', 'mongodb']

export function buildEvents(options: BuildOptions): ChangeEvent[] {
  const { base, op, change, reader, hints, messageKey, otherKey } = options
  const isSplitKey = otherKey?.isOld === true
  const before = readRow(change.before ?? null, reader, loggedBefore(change.source, op))
  const isBeforeWhole = before !== null && hasWholeBefore(change.source, hints)
  if (op === 'u' || op === 'd') checkOldKey(options, isBeforeWhole)
  // Only an update can leave a value out; in an insert the same text is data.
  const canBePartial = op === 'u' || isSplitKey
  const known = isBeforeWhole ? change.before! : {}
  const isSent = canBePartial ? sentBy(known, options.unsent) : () => true
  const after = readRow(change.after ?? null, reader, isSent)
  const row = op === 'd' ? before : after
  // A delete without its row may still have the columns of the configured key in its own key.
  const isFromRow = hints.key !== undefined && row !== null
  const key = keyOf(isFromRow ? row : readKey(messageKey, reader), reader)
  const schema = reader.schema
  // Where the row before is whole nothing is left out of the second half.
  const mayLack = !hasWholeBefore(change.source, hints) && hasLargeColumns(schema)
  const isRead = otherKey !== null && (isSplitKey || mayLack)
  const other = isRead ? readHeaderKey(otherKey.row, reader) : null
  const oldKey = isSplitKey ? other : null
  const own = { op, key, before, after, schema, oldKey, isBeforeWhole }
  const event = { ...base, ...own, ...(other !== null && mayLack ? { otherKey: other } : {}) }
  if (op !== 'u' || key === null || before === null || !isBeforeWhole) {
    return [event]
  }
  const previous = keyOf(before, reader)
  if (previous === null || isSameKey(previous, key)) return [event]
  return [
    { ...event, op: 'd', key: previous, after: null },
    { ...event, op: 'c', before: null, oldKey: previous, isBeforeWhole: false },
  ]
}

/** Of one row; a truncate is of a table. */
export type RowOp = Exclude<ChangeOp, 't'>

/** By its letter in ASCII; null for others. */
export function rowOpOf(letter: number): RowOp | null {
  switch (letter) {
    case 0x63:
      return 'c'
    case 0x75:
      return 'u'
    case 0x64:
      return 'd'
    case 0x72:
      return 'r'
    default:
      return null
  }
}

export function transactionOf({
  transaction,
}: Pick<ChangePayload, 'transaction'>): ChangeEvent['transaction'] {
  const { id, total_order: order } = (transaction ?? {}) as {
    readonly id?: unknown
    readonly total_order?: unknown
  }
  if (typeof id !== 'string') return null
  const isNumber = typeof order === 'number' || typeof order === 'bigint'
  return { id, order: isNumber ? Number(order) : 0 }
}

export function hasWholeBefore(source: SourceBlock, hints: TableHints): boolean {
  if (hints.beforeImage !== undefined) return hints.beforeImage === 'full'
  return wholeBefore.includes(source.connector)
}

/**
 * SQL Server's table of changes has null for a large value (`varchar(max)`, `text`) that an update left as it was, in
 * the row before alone (`cdc.<capture_instance>_CT`, "Large object data types"): a null proves nothing.
 */
export function loggedBefore(
  { connector }: SourceBlock,
  op: ChangeOp,
): ((name: string, value: unknown) => boolean) | undefined {
  return connector === 'sqlserver' && op === 'u' ? isLogged : undefined
}

const isLogged = (_name: string, value: unknown): boolean => value !== null

/** A configured key may change under a message key that does not; then only the row before tells. */
function checkOldKey({ op, hints, messageKey }: BuildOptions, isBeforeWhole: boolean): void {
  const missing = hints.key?.find(name => !Object.hasOwn(messageKey ?? {}, name))
  if (missing === undefined || isBeforeWhole) return
  throw new DecodeError(
    'row-missing',
    `the column ${missing} of the configured key is not in the key of the message, and "before" of a ` +
      `change with op "${op}" is not known to be the whole row`,
    { context: { column: missing } },
  )
}

/** Whether a value of an update was sent: when the row before holds it, the row after does as well. */
function sentBy(before: JsonRow, unsent: string) {
  return (name: string, value: unknown): boolean =>
    !isUnsent(value, unsent) || isKnown(before[name], unsent)
}

/** When the row before holds the value, the row after holds it as well, whatever it looks like. */
function isKnown(before: unknown, placeholder: string): boolean {
  return before !== undefined && before !== null && !isUnsent(before, placeholder)
}
