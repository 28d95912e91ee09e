/**
 * What a table of Hive has of the columns that the log says of it, and what else it has. The table may have been changed by
 * hand, and by an owner before who did not come to the end of a change: what is there counts.
 */
import type { ColumnType } from '../../model/column-type.ts'
import { DecodeError, WarehouseError } from '../../model/errors.ts'
import type { FollowedSchema } from '../../model/schema-change.ts'
import type { Column, TableSchema } from '../../model/table-schema.ts'
import { internSchema, withType } from '../../model/table-schema.ts'
import { fitValue } from '../../model/widening.ts'
import type { LoggedTable, OpenedTable } from '../warehouse.ts'
import { columnTypeOf, isAsWide, mayBeNarrowed } from './hive-types.ts'
import { renameSteps } from './rename-steps.ts'
import type { TableName } from './sql-text.ts'
import { quoteTable } from './sql-text.ts'
import type { HiveTable } from './target-table.ts'
import { targetTypeText } from './target-table.ts'

/**
 * As logged, under the names and with the types that the columns have by now, without what is gone; and which
 * other columns there are. WarehouseError `target-unsuitable` for a table whose key is gone.
 */
export function ownColumns(
  name: TableName,
  { columns, partition }: HiveTable,
  { through, followed, evolving }: LoggedTable,
): Pick<OpenedTable, 'followed' | 'others'> {
  const all = partition === null ? columns : [...columns, partition]
  const types = new Map(all.map(column => [column.name, column.type]))
  const names = new Set(types.keys())
  if (followed === null) return { followed, others: names }
  const renamed = withDoneRenames(followed.schema, evolving, names)
  const kept = renamed.columns.filter(({ name: own, isUntyped }) => {
    return isUntyped === true || names.has(own.toLowerCase())
  })
  refuseWithoutKey(name, renamed, kept)
  const others = new Set(names)
  for (const { name: own } of kept) others.delete(own.toLowerCase())
  // Before its first apply the log says what the table was to be made with: another attempt may have made it.
  const isNew = through === null
  const typed = kept.map(column => asFound(column, types.get(column.name.toLowerCase()), isNew))
  const schema = internSchema({ ...renamed, columns: typed })
  const gone = isNew ? [] : renamed.columns.filter(column => !kept.includes(column))
  return { followed: { ...followed, schema, dropped: withGone(followed, gone) }, others }
}

/** What somebody took away comes back with a newer row that has it, and not with an older one. */
function withGone(
  { dropped, seenMs, asOfMs }: FollowedSchema,
  gone: readonly Column[],
): FollowedSchema['dropped'] {
  const more = gone.map(({ id, name }) => ({ id, name, atMs: seenMs[id] ?? asOfMs }))
  return gone.length === 0 ? dropped : [...dropped, ...more]
}

/** A change that was begun may have come this far. */
function withDoneRenames(
  schema: TableSchema,
  evolving: FollowedSchema | null,
  names: ReadonlySet<string>,
): TableSchema {
  const wanted = new Map(evolving?.schema.columns.map(column => [column.id, column]))
  const renames = schema.columns.flatMap(column => {
    const to = wanted.get(column.id)
    if (to === undefined || to.name.toLowerCase() === column.name.toLowerCase()) return []
    return [{ column, from: column.name.toLowerCase(), to: to.name.toLowerCase() }]
  })
  const done = new Set(renameSteps(renames, names).done.map(({ column }) => column))
  if (done.size === 0) return schema
  const columns = schema.columns.map((column): Column => {
    if (!done.has(column)) return column
    const { name, renamed } = wanted.get(column.id)!
    return { ...column, name, ...(renamed === undefined ? {} : { renamed }) }
  })
  const key = schema.key.map(
    one => columns[schema.columns.findIndex(({ name }) => name === one)]!.name,
  )
  return { ...schema, columns, key }
}

/**
 * One that was widened, by hand or by a change that was begun, is as wide as it is. One that is narrower is so by a
 * statement that came late (W11 of `docs/exactly-once.md`), where Hive does that, or of a table that nobody has
 * written to: the next batch widens it. Else somebody made it so, and an apply says that its rows do not fit.
 */
function asFound(column: Column, found: string | undefined, isNew: boolean): Column {
  const logged = targetTypeText(column.type)
  const type = found === undefined || found === logged ? null : columnTypeOf(found)
  if (type === null) return column
  if (isAsWide(found!, logged)) return withType(column, type)
  const isLate = isAsWide(logged, found!) && (isNew || mayBeNarrowed(logged))
  return isLate ? withNarrowType(column, type) : column
}

/** As it was, where its default has no place in the type. */
function withNarrowType(column: Column, type: ColumnType): Column {
  const { initialDefault } = column
  if (initialDefault === undefined) return { ...column, type }
  try {
    return { ...column, type, initialDefault: fitValue(initialDefault, column.type, type) }
  } catch (error) {
    if (error instanceof DecodeError) return column
    throw error
  }
}

function refuseWithoutKey(name: TableName, { key }: TableSchema, columns: readonly Column[]): void {
  const gone = key.filter(one => !columns.some(column => column.name === one))
  if (gone.length === 0) return
  throw new WarehouseError(
    'target-unsuitable',
    `the table has no column ${gone.join(', ')} any more, which is of its key: make it again by hand`,
    { context: { table: quoteTable(name) } },
  )
}
