/**
 * A staged batch read through its table's columns as they are by now: a change gets the table's ids for its
 * columns, and of a column that the table has in a narrower type (the policy left it so) each value is checked.
 */
import { commonType, isSameType } from '../model/column-type.ts'
import { DecodeError, WarehouseError } from '../model/errors.ts'
import type { NetChange } from '../model/net-change.ts'
import { netChangeValues } from '../model/net-change.ts'
import type { RowValues } from '../model/row-codec.ts'
import type { FollowedSchema } from '../model/schema-change.ts'
import type { Column, TableSchema } from '../model/table-schema.ts'
import { internSchema } from '../model/table-schema.ts'
import { fitValue } from '../model/widening.ts'
import type { SchemaSight } from './evolve-schema.ts'
import { matchColumns } from './evolve-schema.ts'

interface Reading {
  readonly schema: TableSchema
  /** By place in the batch: the column of the table whose type does not hold all values of it. */
  readonly narrow: ReadonlyMap<number, Column>
}

/** Throws WarehouseError `value-too-wide`. */
export async function* readThrough(
  stream: AsyncIterable<readonly NetChange[]>,
  batch: SchemaSight,
  followed: FollowedSchema,
): AsyncGenerator<readonly NetChange[]> {
  const { schema, narrow } = readingOf(batch, followed)
  if (schema === batch.schema && narrow.size === 0) {
    yield* stream
    return
  }
  for await (const part of stream) {
    yield part.map((change): NetChange => {
      if (narrow.size === 0 || change.row === null) return { ...change, schema }
      return { ...change, schema, row: fitted(netChangeValues(change)!, batch.schema, narrow) }
    })
  }
}

function readingOf(batch: SchemaSight, followed: FollowedSchema): Reading {
  const narrow = new Map<number, Column>()
  const columns = matchColumns(followed, batch).map(([given, own], place): Column => {
    // No column of the table has such an id: its values are left out.
    if (own === null) return { ...given, id: `\0${given.id}` }
    if (!holdsAll(own, given)) {
      narrow.set(place, own)
      return { ...given, id: own.id, type: own.type }
    }
    return own.id === given.id ? given : { ...given, id: own.id }
  })
  const { schema } = batch
  const isSame = columns.every((column, place) => column === schema.columns[place])
  return { schema: isSame ? schema : internSchema({ ...schema, columns }), narrow }
}

/** Whether the table's column holds every value of the batch's. */
export function holdsAll(own: Column, given: Column): boolean {
  // A type that the table does not have yet, or one that only nulls were seen of.
  if (own.isUntyped === true || given.isUntyped === true) return true
  if (own.type.kind === 'string') return true
  const common = commonType(own.type, given.type)
  return common !== null && isSameType(common, own.type)
}

function fitted(
  values: RowValues,
  batch: TableSchema,
  narrow: ReadonlyMap<number, Column>,
): RowValues {
  return values.map((value, place) => {
    const own = narrow.get(place)
    if (own === undefined || value === undefined) return value
    try {
      return fitValue(value, batch.columns[place]!.type, own.type)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      throw new WarehouseError(
        'value-too-wide',
        `column ${own.name} was not widened (schemaChanges.widen): ${error.message}. Set the mode "evolve", ` +
          'or widen the column by hand, then resume the table',
        { context: { column: own.name } },
      )
    }
  })
}
