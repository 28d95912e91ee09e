/**
 * How the columns of a target differ from what the source has by now, and what is to become of each kind of
 * difference. The modes have Flink CDC's names and meanings (`schema.change.behavior`), here by table and kind.
 */
import { columnTypeText, isSameType } from './column-type.ts'
import type { Column, TableSchema } from './table-schema.ts'

export const schemaChangeKinds = [
  'create-table',
  'drop-table',
  'add',
  'drop',
  'rename',
  'widen',
  'nullable',
  'comment',
  'truncate',
] as const

export type SchemaChangeKind = (typeof schemaChangeKinds)[number]

/**
 * - `evolve`: the target follows; where it cannot, the table is held back.
 * - `try_evolve`: it follows; where it cannot, it goes on without.
 * - `lenient`: it follows in what loses nothing. What the source drops stays, and is null from then on; a
 *   renamed column is a new one beside the old one; a table that is truncated or dropped stays as it is.
 * - `ignore`: the target stays as it is; what it has no column for is left out.
 * - `exception`: the table is held back.
 */
export const schemaChangeModes = ['evolve', 'try_evolve', 'lenient', 'ignore', 'exception'] as const

export type SchemaChangeMode = (typeof schemaChangeModes)[number]

export type SchemaPolicy = Readonly<Record<SchemaChangeKind, SchemaChangeMode>>

/** Whether the target follows in what takes something away. */
export function isFollowed(mode: SchemaChangeMode): boolean {
  return mode === 'evolve' || mode === 'try_evolve'
}

/** The target follows in everything that does not take away what somebody may still want. */
export const defaultPolicy: SchemaPolicy = {
  'create-table': 'evolve',
  'drop-table': 'lenient',
  add: 'evolve',
  drop: 'lenient',
  rename: 'evolve',
  widen: 'evolve',
  nullable: 'evolve',
  comment: 'evolve',
  truncate: 'evolve',
}

/** One mode for all kinds, or some kinds otherwise than by default. */
export type GivenPolicy = SchemaChangeMode | Partial<SchemaPolicy>

export function policyOf(given: GivenPolicy = {}): SchemaPolicy {
  if (typeof given !== 'string') return { ...defaultPolicy, ...given }
  const entries = schemaChangeKinds.map(kind => [kind, given] as const)
  return Object.fromEntries(entries) as SchemaPolicy
}

/** One step from a schema of a target to another. `from` and `to` are one column. */
export type ColumnChange =
  | { readonly kind: 'add' | 'drop'; readonly column: Column }
  | {
      readonly kind: 'rename' | 'widen' | 'nullable' | 'comment'
      readonly from: Column
      readonly to: Column
    }

/**
 * What takes the columns of one schema to those of the other, in an order in which each step can be made:
 * names become free before they are taken. Columns are the same by id. A column whose type nobody knows yet
 * is not there yet; one that the source dropped and the target keeps stays.
 */
export function changesBetween(from: TableSchema, to: TableSchema): readonly ColumnChange[] {
  const before = new Map(typedColumns(from).map(column => [column.id, column]))
  const after = typedColumns(to)
  const kept = new Set(after.map(({ id }) => id))
  const drops = typedColumns(from).filter(({ id }) => !kept.has(id))
  const adds = after.filter(({ id }) => !before.has(id))
  const both = after.flatMap(column => {
    const known = before.get(column.id)
    return known === undefined || known === column ? [] : [[known, column] as const]
  })
  const changed = both.flatMap(([one, other]) => stepsOf(one, other))
  return [
    ...drops.map(column => ({ kind: 'drop' as const, column })),
    ...changed.filter(({ kind }) => kind === 'rename'),
    ...changed.filter(({ kind }) => kind !== 'rename'),
    ...adds.map(column => ({ kind: 'add' as const, column })),
  ]
}

function typedColumns({ columns }: TableSchema): readonly Column[] {
  return columns.filter(({ isUntyped }) => isUntyped !== true)
}

function stepsOf(from: Column, to: Column): readonly ColumnChange[] {
  const steps: ColumnChange[] = []
  // Each step goes from what the one before it left.
  let at = from
  const step = (kind: 'rename' | 'widen' | 'nullable' | 'comment', changed: Column): void => {
    steps.push({ kind, from: at, to: changed })
    at = changed
  }
  if (at.name !== to.name) step('rename', { ...at, name: to.name })
  if (!isSameType(at.type, to.type)) step('widen', { ...at, type: to.type })
  if (at.nullable !== to.nullable) step('nullable', { ...at, nullable: to.nullable })
  if ((at.comment ?? '') !== (to.comment ?? '')) step('comment', to)
  return steps
}

/** For errors, logs and `forager plan`: `column age int is added`. */
export function changeText(change: ColumnChange): string {
  switch (change.kind) {
    case 'add':
      return `column ${change.column.name} ${columnTypeText(change.column.type)} is added`
    case 'drop':
      return `column ${change.column.name} is dropped`
    case 'rename':
      return `column ${change.from.name} is renamed to ${change.to.name}`
    case 'widen':
      return (
        `column ${change.to.name} is widened from ${columnTypeText(change.from.type)} to ` +
        columnTypeText(change.to.type)
      )
    case 'nullable':
      return `column ${change.to.name} may be null`
    case 'comment':
      return `column ${change.to.name} has another comment`
  }
}

/** A column that a target does not have any more, because the source dropped it. */
export interface DroppedColumn {
  readonly id: string
  readonly name: string
  /** When the source had it no more, milliseconds by the source's clock. */
  readonly atMs: number
}

/**
 * What the merger of a table knows of its target's columns: kept with what is applied. Batches of an older
 * schema come after those of a newer one (tasks are not in step), so each is read against this.
 */
export interface FollowedSchema {
  readonly schema: TableSchema
  /** Time of the newest whole row that it was taken from, milliseconds by the source's clock. */
  readonly asOfMs: number
  /**
   * By id: when a row is known to have had the column, or, of one that the source dropped and the table keeps,
   * not to have it. Milliseconds by the source's clock; where it is not exact, later.
   */
  readonly seenMs: Readonly<Record<string, number>>
  readonly dropped: readonly DroppedColumn[]
  /** By the column's id: other ids of it, which sources gave that did not know of its past. */
  readonly aliases: Readonly<Record<string, readonly string[]>>
}

/** Of a table that is made for its first batch. */
export function followedFrom(schema: TableSchema, asOfMs = 0): FollowedSchema {
  return { schema, asOfMs, seenMs: {}, dropped: [], aliases: {} }
}
