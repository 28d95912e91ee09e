/**
 * Debezium's schema-change events: which tables have which columns from there on, and what the statement says
 * of their names.
 */
import { DecodeError } from '../../model/errors.ts'
import { parseTableStatement } from '../mysql/alter-table.ts'
import type { DatabaseColumn } from '../mysql/debezium-column-types.ts'
import type { SourceBlock } from './debezium-position.ts'
import type { TableChangeText } from './debezium-schema-history.ts'

export interface ChangedTable {
  readonly table: string
  readonly isCreated: boolean
  /** Null: the table was dropped. */
  readonly columns: readonly DatabaseColumn[] | null
  /** Of its primary key. */
  readonly key: readonly string[]
}

export interface SchemaChanges {
  readonly source: SourceBlock
  readonly tables: readonly ChangedTable[]
  readonly text: TableChangeText
}

interface SchemaChangePayload {
  readonly source?: SourceBlock | null
  readonly databaseName?: unknown
  readonly ddl?: unknown
  readonly tableChanges?: unknown
}

interface TableChange {
  readonly type?: unknown
  readonly id?: unknown
  readonly table?: { readonly columns?: unknown; readonly primaryKeyColumnNames?: unknown } | null
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
  const message = (payload ?? {}) as SchemaChangePayload
  const { source = null, tableChanges } = message
  if (source === null || !Array.isArray(tableChanges)) return null
  const changes = tableChanges as readonly (TableChange | null)[]
  const tables = changes.map(change => ({
    table: tableOfId(change?.id),
    isCreated: change?.type === 'CREATE',
    columns: columnsOf(change),
    key: namesIn(change?.table?.primaryKeyColumnNames),
  }))
  return { source, tables, text: textOf(message, source) }
}

/** Only the binlog has statements in words that are known. */
function textOf({ ddl, databaseName }: SchemaChangePayload, source: SourceBlock): TableChangeText {
  const isOfBinlog = source.connector === 'mysql' || source.connector === 'mariadb'
  const statement = isOfBinlog && typeof ddl === 'string' ? parseTableStatement(ddl) : null
  const used = [databaseName, source.db].find(name => typeof name === 'string' && name !== '')
  return { statement, database: (used as string | undefined) ?? '' }
}

function namesIn(json: unknown): readonly string[] {
  return Array.isArray(json) ? json.filter(name => typeof name === 'string') : []
}

/** `"db"."table"`, or `"db"."schema"."table"`, as `tableOf` names it. */
function tableOfId(id: unknown): string {
  if (typeof id !== 'string') {
    throw new DecodeError('message-unknown', 'a schema change names no table')
  }
  const parts = [...id.matchAll(/"((?:[^"]|"")*)"/g)].map(match => match[1]!.replaceAll('""', '"'))
  return parts.slice(-2).join('.')
}
