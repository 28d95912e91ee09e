/** What of a batch's columns its table does not follow, because its policy says so: for people. */
import { columnTypeText } from '../model/column-type.ts'
import type { FollowedSchema, SchemaChangeKind } from '../model/schema-change.ts'
import type { Column } from '../model/table-schema.ts'
import { isLaterName } from '../model/table-schema.ts'
import type { SchemaSight } from './evolve-schema.ts'
import { matchColumns } from './evolve-schema.ts'
import { holdsAll } from './read-through.ts'

/** A change of the source, and what becomes of it instead. */
export interface LeftBehind {
  readonly kind: SchemaChangeKind
  readonly column: string
  readonly text: string
}

/** Of a table that is `to` after the batch, and was `from` before it. */
export function leftBehind(
  from: FollowedSchema | null,
  to: FollowedSchema,
  batch: SchemaSight,
): readonly LeftBehind[] {
  const kept = to.schema.columns.filter(column => isNewlyKept(column, from))
  const left = matchColumns(to, batch).flatMap(([given, own]) => {
    if (own !== null) return unlike(own, given)
    const isGone = batch.newest?.without?.includes(given.id) === true
    return isGone ? [] : leftOut(given, to)
  })
  return [...kept.map(keptText), ...left]
}

function isNewlyKept({ id, isDropped }: Column, from: FollowedSchema | null): boolean {
  if (isDropped !== true) return false
  return from?.schema.columns.find(column => column.id === id)?.isDropped !== true
}

function keptText({ name }: Column): LeftBehind {
  // Of a target of several source tables one may have it still.
  const text = `column ${name} stays, and is null in rows that come without it`
  return { kind: 'drop', column: name, text }
}

function leftOut({ id, name, type }: Column, { dropped }: FollowedSchema): readonly LeftBehind[] {
  // An older batch has it still.
  if (dropped.some(one => one.id === id || one.name === name)) return []
  const text = `column ${name} ${columnTypeText(type)} is left out`
  return [{ kind: 'add', column: name, text }]
}

function unlike(own: Column, given: Column): readonly LeftBehind[] {
  const { name } = own
  const left: LeftBehind[] = []
  if (own.isDropped !== true && given.name !== name && isLaterName(given, own)) {
    const text = `column ${name} keeps its name: the source calls it ${given.name}`
    left.push({ kind: 'rename', column: name, text })
  }
  if (own.isUntyped === true && given.isUntyped !== true) {
    const text = `column ${name} ${columnTypeText(given.type)} is left out`
    left.push({ kind: 'add', column: name, text })
  } else if (!holdsAll(own, given)) {
    const [is, needed] = [own.type, given.type].map(columnTypeText)
    const text = `column ${name} stays ${is}: the source has ${needed}, and a value that does not fit holds the table back`
    left.push({ kind: 'widen', column: name, text })
  }
  if (given.nullable && !own.nullable) {
    left.push({ kind: 'nullable', column: name, text: `column ${name} is not said to be null` })
  }
  return left
}
