/** Debezium's schema-change events: which tables have which columns from there on. */
import { DecodeError } from '../../model/errors.ts'
import type { DatabaseColumn } from '../mysql/debezium-column-types.ts'
import type { SourceBlock } from './debezium-position.ts'

export interface SchemaChanges {
  readonly source: SourceBlock
  /** Null columns: the table was dropped. */
  readonly tables: readonly (readonly [table: string, columns: readonly DatabaseColumn[] | null])[]
}

interface SchemaChangePayload {
  readonly source?: SourceBlock | null
  readonly tableChanges?: unknown
}

interface TableChange {
  readonly type?: unknown
  readonly id?: unknown
  readonly table?: { readonly columns?: unknown } | null
}

/** Null: the table was dropped. */
function columnsOf(change: TableChange | null): readonly DatabaseColumn[] | null {
  const columns = change?.type === 'DROP' ? null : (change?.table?.columns ?? null)
  if (columns === null) return null
  const isColumn = (one: Partial<DatabaseColumn> | null): boolean =>
    typeof one?.name === 'string' && typeof one.typeName === 'string'
  if (Array.isArray(columns) && columns.every(isColumn)) return columns as DatabaseColumn[]
  throw new DecodeError('message-unknown', 'a schema change has no columns with names and types')
}

/** Null for a payload that is none. Throws DecodeError `message-unknown`. */
export function schemaChangesOf(payload: unknown): SchemaChanges | null {
  const { source = null, tableChanges } = (payload ?? {}) as SchemaChangePayload
  if (source === null || !Array.isArray(tableChanges)) return null
  const changes = tableChanges as readonly (TableChange | null)[]
  return { source, tables: changes.map(change => [tableOfId(change?.id), columnsOf(change)]) }
}

/** `"db"."table"`, or `"db"."schema"."table"`, as `tableOf` names it. */
function tableOfId(id: unknown): string {
  if (typeof id !== 'string') {
    throw new DecodeError('message-unknown', 'a schema change names no table')
  }
  const parts = [...id.matchAll(/"((?:[^"]|"")*)"/g)].map(match => match[1]!.replaceAll('""', '"'))
  return parts.slice(-2).join('.')
}
