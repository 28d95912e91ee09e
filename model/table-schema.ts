/**
 * The schema of a table: its columns in order and its key. A schema is a value: two of the same text
 * are the same schema, and `internSchema` gives one object for it, so that `===` compares.
 */
import type { ColumnType } from './column-type.ts'
import { columnTypeText, commonType, isSameType } from './column-type.ts'
import { assert, WarehouseError } from './errors.ts'
import { fromJson, toJson } from './json.ts'
import type { Value } from './value.ts'
import { commonInferredType, widenValue } from './widening.ts'

export interface Renaming {
  readonly times: number
  readonly atMs: number
}

export interface Column {
  /** Stable over renames; presence of a value is by id, never by place. */
  readonly id: string
  readonly name: string
  /**
   * How often the source renamed it, and when last, milliseconds by the source's clock: of two names of one
   * column the later one holds. Absent: never, as far as is known.
   */
  readonly renamed?: Renaming
  readonly type: ColumnType
  readonly nullable: boolean
  /** What rows have that are older than the column. Absent: null. */
  readonly initialDefault?: Value
  readonly comment?: string
  /** The source dropped it, and the target keeps it: rows that were changed since have null in it. */
  readonly isDropped?: true
  /** Only nulls so far, of rows whose types nobody declares: the first type that is known takes its place. */
  readonly isUntyped?: true
}

export interface TableSchema {
  readonly columns: readonly Column[]
  /** Names of the key columns, in the order of the key. */
  readonly key: readonly string[]
  /** The types were seen in values: where those of two rows have none in common, the column is text. */
  readonly isInferred?: true
}

const interned = new Map<string, TableSchema>()
const texts = new WeakMap<TableSchema, string>()
// A table that changes is rare; a producer of ever new schemas must not fill the memory.
const maxInterned = 10_000
const maxInternedChars = 64 * 1024 * 1024
let internedChars = 0

/** The one object of this schema. */
export function internSchema(schema: TableSchema): TableSchema {
  return fromSchemaText(schemaText(schema))
}

/** The schema as text, for internal records. */
export function schemaText(schema: TableSchema): string {
  let text = texts.get(schema)
  if (text === undefined) {
    text = toJson(schema)
    texts.set(schema, text)
  }
  return text
}

export function fromSchemaText(text: string): TableSchema {
  let schema = interned.get(text)
  if (schema === undefined) {
    schema = fromJson(text) as TableSchema
    internedChars += text.length
    if (interned.size >= maxInterned || internedChars > maxInternedChars) {
      interned.clear()
      internedChars = text.length
    }
    interned.set(text, schema)
    texts.set(schema, text)
  }
  return schema
}

/** The key columns in the order of the key. */
export function keyColumns(schema: TableSchema): readonly Column[] {
  return schema.key.map(name => {
    const column = schema.columns.find(candidate => candidate.name === name)
    assert(column !== undefined, `key column ${name} is not in the schema`)
    return column
  })
}

/**
 * The schema that holds the rows of both: the columns of `table` in their order, then the new ones of
 * `batch`. Types widen. Throws WarehouseError `schema-incompatible` when no type holds both.
 */
export function unionSchema(table: TableSchema, batch: TableSchema): TableSchema {
  if (table === batch || batch.columns.length === 0) return table
  // A truncate may come before the first row: it knows no columns.
  if (table.columns.length === 0) return batch
  if (keyIds(table) !== keyIds(batch)) throw otherKey(table, batch)
  const incoming = new Map(batch.columns.map(column => [column.id, column]))
  const isInferred = table.isInferred === true || batch.isInferred === true
  const columns = table.columns.map(column => {
    const newer = incoming.get(column.id)
    incoming.delete(column.id)
    if (newer === undefined) return asNullable(column)
    // The bytes of a key are its type's: as text it would be another key.
    const canBeText = isInferred && !table.key.includes(column.name)
    return unionColumn(column, newer, canBeText ? commonInferredType : commonType)
  })
  const all = [...columns, ...incoming.values()]
  const keys = table.key.map(
    name => columns[table.columns.findIndex(one => one.name === name)]!.name,
  )
  return internSchema({ columns: all, key: keys, ...(isInferred ? { isInferred } : {}) })
}

function keyIds(schema: TableSchema): string {
  return keyColumns(schema)
    .map(({ id }) => id)
    .join('\0')
}

export function otherKey(table: TableSchema, batch: TableSchema): WarehouseError {
  return new WarehouseError(
    'schema-incompatible',
    `the key changed from (${table.key.join(', ')}) to (${batch.key.join(', ')})`,
  )
}

/** Whether the first name of a column was given after the second. */
export function isLaterName(a: Column, b: Column): boolean {
  const [first, second] = [a.renamed, b.renamed]
  if (first === undefined) return false
  if (second === undefined) return true
  return first.atMs === second.atMs ? first.times > second.times : first.atMs > second.atMs
}

/** Whether one table can hold the rows of both. */
export function canUnite(table: TableSchema, batch: TableSchema): boolean {
  try {
    unionSchema(table, batch)
    return true
  } catch (error) {
    if (error instanceof WarehouseError) return false
    throw error
  }
}

/** A column that the newer schema lacks stays; its rows from now on have no value for it. */
function asNullable(column: Column): Column {
  return column.nullable ? column : { ...column, nullable: true }
}

function unionColumn(known: Column, newer: Column, unionType: typeof commonType): Column {
  const column = isLaterName(newer, known)
    ? { ...known, name: newer.name, renamed: newer.renamed! }
    : known
  if (newer.isUntyped === true) return asNullable(column)
  if (column.isUntyped === true) return asNullable(newer)
  const type = unionType(column.type, newer.type)
  if (type === null) throw otherType(column, newer)
  const nullable = column.nullable || newer.nullable
  if (isSameType(type, column.type) && nullable === column.nullable) return column
  return { ...withType(column, type), nullable }
}

export function otherType({ name, type }: Column, newer: Column): WarehouseError {
  return new WarehouseError(
    'schema-incompatible',
    `column ${name} changed from ${columnTypeText(type)} to ${columnTypeText(newer.type)}, and no type ` +
      'holds the values of both',
    { context: { column: name } },
  )
}

/** The column with a wider type: its default is a value of it, and is widened as its rows are. */
export function withType(column: Column, type: ColumnType): Column {
  const { initialDefault } = column
  if (initialDefault === undefined) return { ...column, type }
  return { ...column, type, initialDefault: widenValue(initialDefault, column.type, type) }
}
