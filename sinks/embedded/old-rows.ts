/**
 * Patches that take what they lack from the row under their old key (`NetChange.movedFrom`), as the whole rows that
 * they make. Where that row is gone the change was made before, and the row under the new key has it.
 */
import { WarehouseError } from '../../model/errors.ts'
import type { NetChange } from '../../model/net-change.ts'
import type { ApplyRequest } from '../warehouse.ts'
import type { TableMergeOptions } from './table-merge.ts'
import { completed, findRows } from './table-merge.ts'

type Changes = AsyncIterable<readonly NetChange[]>

/** `oldRows` is the request's: WarehouseError `old-row-missing` under `all`, where there is neither row. */
export async function* withOldRows(
  changes: Changes,
  options: Pick<TableMergeOptions, 'files' | 'schema' | 'read' | 'survives'>,
  oldRows: ApplyRequest['oldRows'],
): Changes {
  if (oldRows === undefined) {
    yield* changes
    return
  }
  const all = await Array.fromAsync(changes)
  const moved = all.flat().filter(({ movedFrom }) => movedFrom !== undefined)
  const keys = new Set(moved.flatMap(({ key, movedFrom }) => [key, movedFrom!]))
  const rows = await findRows(keys, options)
  for (const part of all) {
    yield part.map(change => {
      if (change.movedFrom === undefined) return change
      const row = rows.get(change.movedFrom) ?? rows.get(change.key) ?? null
      if (row === null && oldRows === 'all') throw neither()
      return completed(change, row, options.schema)
    })
  }
}

function neither(): WarehouseError {
  return new WarehouseError(
    'old-row-missing',
    'a row changed its key, not all of its values were sent, and the table has no row under the old one',
  )
}
