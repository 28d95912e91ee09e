/**
 * Whether rows can be in a table already, without asking it. A key comes through one task of the hop for as
 * long as the hop lives, so a batch whose keys are all above the highest one that its task ever brought
 * to the table has no row that is there: it is appended, and nothing is joined. So come the rows of a first
 * snapshot, where the database reads them in the order of the key, and rows that are only ever inserted.
 */
import type { StagedBatch } from '../model/staged-batch.ts'
import type { TableSchema } from '../model/table-schema.ts'
import { keyColumns } from '../model/table-schema.ts'
import type { ApplyPlan, WaitingBatch } from '../processors/merge.ts'
import type { TableProgress } from './applied.ts'

/** Null: rows may be in the table that came in another way. */
export type HighestKeys = {
  /** Names of the key's columns, and how each is encoded: other keys are in another order. */
  readonly of: string
  readonly byTask: Readonly<Record<string, string>>
} | null

export function areNew({ covered, truncate }: ApplyPlan, highest: HighestKeys): boolean {
  if (highest === null || truncate !== 'none') return false
  const own: Record<string, string> = { ...highest.byTask }
  return covered.every(({ batch }) => {
    if (batch.creates === true) return true
    const keys = keysOf(batch)
    if (keys === null || keyForm(batch.schema) !== highest.of) return false
    if (!isOfOneHop(batch.task, own)) return false
    if (!batch.files.every(({ isUpserts }) => isUpserts === true)) return false
    if (keys.first <= (own[batch.task] ?? '')) return false
    own[batch.task] = keys.last
    return true
  })
}

/** After the batches are in the table. */
function raised(highest: HighestKeys, covered: readonly WaitingBatch[]): HighestKeys {
  if (highest === null) return null
  const own: Record<string, string> = { ...highest.byTask }
  for (const { batch } of covered) {
    if (batch.rowCount === 0) continue
    const keys = keysOf(batch)
    if (keys === null || keyForm(batch.schema) !== highest.of) return null
    if (!isOfOneHop(batch.task, own)) return null
    if (keys.last > (own[batch.task] ?? '')) own[batch.task] = keys.last
  }
  return { ...highest, byTask: own }
}

/**
 * Tasks are numbered by the place of their pipeline in the topology. At another place its tasks would be
 * taken for some that never brought a key.
 */
function isOfOneHop(task: string, byTask: Readonly<Record<string, string>>): boolean {
  const [known] = Object.keys(byTask)
  return known === undefined || subTopologyOf(known) === subTopologyOf(task)
}

function subTopologyOf(task: string): string {
  return task.slice(0, task.indexOf('_'))
}

interface Applied {
  readonly isNew: boolean
  /** The table was made for the apply. */
  readonly isNewTable?: boolean
}

function nothingOf(covered: readonly WaitingBatch[]): HighestKeys {
  const first = covered.find(({ batch }) => batch.rowCount > 0 || batch.creates === true)
  return first === undefined ? null : { of: keyForm(first.batch.schema), byTask: {} }
}

/** Widening an integer or a decimal keeps the order of keys (`model/key.ts`); a key of other columns has another. */
function keyForm(schema: TableSchema): string {
  const forms = keyColumns(schema).map(({ name, type }) => {
    return `${name} ${sameOrder.find(kinds => kinds.includes(type.kind))?.[0] ?? 'number'}`
  })
  return forms.join(', ')
}

/** Kinds that are encoded alike; all others are, as numbers. */
const sameOrder: readonly (readonly string[])[] = [
  ['string', 'varchar', 'char'],
  ['binary'],
  ['float'],
  ['double'],
]

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
    highest: raised(isNewTable ? nothingOf(covered) : highest, covered),
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
