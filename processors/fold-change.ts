/**
 * The rule by which two changes of one row become one, in the order of the log. It is a pure table
 * over kinds; nothing here knows of time or of operations' ranks.
 *
 *     older \ newer   upsert    patch               delete
 *     upsert          upsert    upsert (patched)    delete
 *     patch           upsert    patch (union)       delete
 *     delete          upsert    upsert with nulls   delete
 *
 * A patch that takes what it lacks from the row under its old key (`movedFrom`) is a new row, and replaces as an upsert
 * does: what was under its key before was deleted or truncated. An insert and its delete net to a delete, not to nothing: the insert may be a repeat of one that the
 * table already has. `leaves` unite: the row may have been wherever either says.
 */
import { WarehouseError } from '../model/errors.ts'
import type { NetChange } from '../model/net-change.ts'
import { alignValues, uniteLeaves } from '../model/net-change.ts'
import { unionSchema } from '../model/table-schema.ts'

export function foldChange(older: NetChange, newer: NetChange): NetChange {
  const leaves = uniteLeaves(older.leaves, newer.leaves)
  const isMoved = newer.movedFrom !== undefined && newer.movedFrom !== newer.key
  // Its delete did not come, and its own row goes.
  if (!isMoved && newer.movedFrom !== undefined && older.kind === 'delete') throw withoutRow()
  if (newer.kind !== 'patch' || isMoved)
    return leaves === newer.leaves ? newer : { ...newer, leaves }
  const schema = unionSchema(older.schema, newer.schema)
  const below = alignValues(older, schema)
  const above = alignValues(newer, schema)
  const values = above.map((value, index) => (value === undefined ? below[index] : value))
  // After a delete nothing is kept: a column that was not sent is null.
  const row = older.kind === 'delete' ? values.map(value => value ?? null) : values
  const folded = { key: newer.key, row, schema, leaves, last: newer.last }
  if (older.kind !== 'patch') return { ...folded, kind: 'upsert' }
  const movedFrom = newer.movedFrom ?? older.movedFrom
  return { ...folded, kind: 'patch', ...(movedFrom === undefined ? {} : { movedFrom }) }
}

function withoutRow(): WarehouseError {
  return new WarehouseError(
    'old-row-missing',
    'a row changed its key, not all of its values were sent, and the delete of its old key did not come',
  )
}
