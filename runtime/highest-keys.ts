/**
 * Whether rows can be in a table already, without asking it. A key comes through one task of the hop for as
 * long as the hop lives, so a batch whose keys are all above the highest one that its task ever brought
 * to the table has no row that is there: it is appended, and nothing is joined. So come the rows of a first
 * snapshot, where the database reads them in the order of the key, and rows that are only ever inserted.
 */
import type { StagedBatch } from '../model/staged-batch.ts'
import type { ApplyPlan, WaitingBatch } from '../processors/merge.ts'
import type { TableProgress } from './applied.ts'

/** By task. Null: rows may be in the table that came in another way. */
export type HighestKeys = Readonly<Record<string, string>> | null

export function areNew({ covered, truncate }: ApplyPlan, highest: HighestKeys): boolean {
  if (highest === null || truncate !== 'none') return false
  const own: Record<string, string> = { ...highest }
  return covered.every(({ batch }) => {
    const keys = keysOf(batch)
    if (keys === null || !batch.files.every(({ isUpserts }) => isUpserts === true)) return false
    if (keys.first <= (own[batch.task] ?? '')) return false
    own[batch.task] = keys.last
    return true
  })
}

/** After the batches are in the table. */
function raised(highest: HighestKeys, covered: readonly WaitingBatch[]): HighestKeys {
  if (highest === null) return null
  const own: Record<string, string> = { ...highest }
  for (const { batch } of covered) {
    if (batch.rowCount === 0) continue
    const keys = keysOf(batch)
    if (keys === null) return null
    if (keys.last > (own[batch.task] ?? '')) own[batch.task] = keys.last
  }
  return own
}

interface Applied {
  readonly isNew: boolean
  /** The table was made for the apply. */
  readonly isNewTable?: boolean
}

/** What is known of the table after an apply. */
export function withKeys(
  progress: TableProgress,
  covered: readonly WaitingBatch[],
  { isNew, isNewTable = false }: Applied,
): TableProgress {
  const { highest = null, newRows: before, ...rest } = progress
  const rows = covered.reduce((sum, { batch }) => sum + batch.rowCount, before ?? 0)
  const isFirst = isNewTable || (isNew && before !== undefined)
  return {
    ...rest,
    highest: raised(isNewTable ? {} : highest, covered),
    ...(isFirst ? { newRows: rows } : {}),
  }
}

/** Null when they are not known, or the task is none of the hop: sources may spread keys in another way one day. */
function keysOf({ task, files }: StagedBatch): { first: string; last: string } | null {
  if (!/^\d+_\d+$/.test(task)) return null
  const [file, ...others] = files
  if (file?.keys === undefined || others.length > 0) return null
  return file.keys
}
