/**
 * A changed key is a delete and an insert: two halves, which go through two tasks. Sources that log no whole row
 * before (PostgreSQL under DEFAULT identity) may leave a large value that did not change out of the insert, and
 * then only the row under the old key has it. So both halves are told of beside their changes, and a table's
 * merger applies them together: it waits for the other one, and reads what is missing under the old key before
 * the delete takes it away (PROTOCOL 3.4).
 */
import type { TableSchema } from './table-schema.ts'

export interface ChangedKey {
  /** `old`: the delete. `new`: the insert. */
  readonly half: 'old' | 'new'
  /** Canonical key bytes (`key.ts`). */
  readonly oldKey: string
  readonly newKey: string
  /** Where the change is in the source's log, by which the halves know each other; absent: it is not known. */
  readonly at?: string
  /** Of the insert: columns were not sent. */
  readonly isPartial?: true
}

/** The key whose row the half changes. */
export function keyOfHalf({ half, oldKey, newKey }: ChangedKey): string {
  return half === 'old' ? oldKey : newKey
}

/** Large ones are kept apart from their row, and left out where they did not change. */
const largeKinds: readonly string[] = ['string', 'varchar', 'char', 'binary', 'decimal', 'array']

/** Whether a source may leave out some column of the table. */
export function hasLargeColumns({ columns, key }: TableSchema): boolean {
  return columns.some(({ name, type }) => largeKinds.includes(type.kind) && !key.includes(name))
}
