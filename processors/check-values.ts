/**
 * What a user's own code made of a row: each value must have the form of its column's type (see the
 * table in `model/column-type.ts`). A wrong one would end as another number, or as an error far away.
 */
import type { ChangeEvent } from '../model/change-event.ts'
import type { ColumnType } from '../model/column-type.ts'
import { ForagerError, ProcessingError } from '../model/errors.ts'
import type { Row, Value } from '../model/value.ts'
import { checkInteger, misfit, rescale } from '../model/value.ts'

/**
 * Checks the rows of an event that left a node. Those that `given`, the event that entered it, has as
 * well are not looked at. Throws ProcessingError `value-invalid` with node, table, column and place.
 */
export function checkValues(node: string, event: ChangeEvent, given: ChangeEvent | null): void {
  const isSameSchema = given?.schema === event.schema
  checkRow(node, event, event.before, isSameSchema ? given.before : null)
  checkRow(node, event, event.after, isSameSchema ? given.after : null)
}

function checkRow(node: string, event: ChangeEvent, row: Row | null, given: Row | null): void {
  if (row === null || row === given) return
  for (const { name, type } of event.schema.columns) {
    const value = row[name]
    if (value === undefined || value === null || value === given?.[name]) continue
    try {
      checkValue(type, value)
    } catch (error) {
      const why = error instanceof ForagerError ? error.message : String(error)
      const hint = type.kind === 'decimal' ? ': a decimal is its unscaled integer, 5 for 0.05' : ''
      throw new ProcessingError('value-invalid', `"${node}" gave a row in which ${why}${hint}`, {
        context: { ...event.origin, table: event.table, column: name, node },
        cause: error,
      })
    }
  }
}

/** Throws DecodeError `value-invalid` when it has not the form of the type. */
export function checkValue(type: ColumnType, value: Value): void {
  if (!hasForm(type, value)) throw misfit(type, value)
  if (type.kind === 'array') {
    for (const item of value as readonly Value[]) if (item !== null) checkValue(type.element, item)
  }
  if (type.kind === 'decimal') rescale(value as number | bigint, type.scale, type)
}

function hasForm(type: ColumnType, value: Value): boolean {
  const isInteger = typeof value === 'bigint' || Number.isSafeInteger(value)
  switch (type.kind) {
    case 'boolean':
      return typeof value === 'boolean'
    case 'float':
    case 'double':
      return typeof value === 'number'
    case 'string':
    case 'varchar':
    case 'char':
      return typeof value === 'string'
    case 'binary':
      return value instanceof Uint8Array
    case 'array':
      return Array.isArray(value)
    case 'date':
      return Number.isSafeInteger(value)
    case 'decimal':
    case 'timestamp':
    case 'timestamptz':
      return isInteger
    default:
      if (isInteger) checkInteger(type, value as number | bigint)
      return isInteger
  }
}
