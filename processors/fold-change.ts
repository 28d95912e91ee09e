/**
 * The rule by which two changes of one row become one, in the order of the log. It is a pure table
 * over kinds; nothing here knows of time or of operations' ranks.
 *
 *     older \ newer   upsert    patch               delete
 *     upsert          upsert    upsert (patched)    delete
 *     patch           upsert    patch (union)       delete
 *     delete          upsert    upsert with nulls   delete
 *
 * An insert and its delete net to a delete, not to nothing: the insert may be a repeat of one that the
 * table already has. `leaves` unite: the row may have been wherever either says.
 */
import type { NetChange } from '../model/net-change.ts'
import { alignValues, uniteLeaves } from '../model/net-change.ts'
import { unionSchema } from '../model/table-schema.ts'

export function foldChange(older: NetChange, newer: NetChange): NetChange {
  const leaves = uniteLeaves(older.leaves, newer.leaves)
  if (newer.kind !== 'patch') return leaves === newer.leaves ? newer : { ...newer, leaves }
  const schema = unionSchema(older.schema, newer.schema)
  const below = alignValues(older, schema)
  const above = alignValues(newer, schema)
  const values = above.map((value, index) => (value === undefined ? below[index] : value))
  // After a delete nothing is kept: a column that was not sent is null.
  const row = older.kind === 'delete' ? values.map(value => value ?? null) : values
  const kind = older.kind === 'patch' ? 'patch' : 'upsert'
  return { kind, key: newer.key, row, schema, leaves, last: newer.last }
}
