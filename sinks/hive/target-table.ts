/**
 * Tables of Hive that follow a source: what one must look like for a schema, the SQL that makes it, and
 * what is different about one that is there. All of it is pure; `hive-warehouse.ts` asks and executes.
 */
import type { ColumnType } from '../../model/column-type.ts'
import { hiveTypeText } from '../../model/column-type.ts'
import { WarehouseError } from '../../model/errors.ts'
import type { PartitionBy } from '../../model/partition-by.ts'
import { partitionColumn } from '../../model/partition-by.ts'
import type { TableSchema } from '../../model/table-schema.ts'
import { holds } from './hive-types.ts'
import type { TableName } from './sql-text.ts'
import { quoteName, quoteTable, quoteText } from './sql-text.ts'

/**
 * Which Hive the SQL is for. `4.0` is tested against a server. The others are generated and compared as text:
 * 3.1 has the same SQL; 2.3 asks for buckets in transactional tables.
 */
export type HiveVersion = '4.0' | '3.1' | '2.3'

export interface HiveColumn {
  readonly name: string
  /** In Hive's words, in lower case without spaces but those within a type's name. */
  readonly type: string
  readonly comment?: string
}

export interface HiveTable {
  readonly columns: readonly HiveColumn[]
  /** Null: the table has no partitions. */
  readonly partition: HiveColumn | null
}

const maxVarcharLength = 65_535
const maxCharLength = 255
/** Of the metastore's column for comments, where that is in MySQL. */
const maxCommentChars = 256
/** Of columns that a batch has beside the source's (`merge-sql.ts`). */
const ownPrefix = '__forager_'

/** A column's type in the target. */
export function targetTypeText(type: ColumnType): string {
  if (type.kind === 'varchar' && type.length > maxVarcharLength) return 'string'
  if (type.kind === 'char' && type.length > maxCharLength) return 'string'
  // Hive 4.0 cannot read an ORC file that has an instant in it, not even its own: UTC as it stands instead.
  if (type.kind === 'timestamptz') return 'timestamp'
  if (type.kind === 'array') return `array<${targetTypeText(type.element)}>`
  return hiveTypeText(type)
}

/** The table that holds rows of the schema. */
export function targetTable(schema: TableSchema, partitionBy: PartitionBy | null): HiveTable {
  // A column of which there were only nulls waits for its type.
  const typed = schema.columns.filter(({ isUntyped }) => isUntyped !== true)
  const columns = typed.map(({ name, type, comment }): HiveColumn => {
    const known = { name: name.toLowerCase(), type: targetTypeText(type) }
    return comment === undefined ? known : { ...known, comment }
  })
  refuseTwins(columns.map(({ name }) => name))
  refuseOwn(columns)
  if (partitionBy === null) return { columns, partition: null }
  const source = partitionColumn(partitionBy, schema).name.toLowerCase()
  if (partitionBy.unit === 'year_month') {
    refuseTwins([...columns.map(({ name }) => name), monthColumn])
    return { columns, partition: { name: monthColumn, type: 'string' } }
  }
  // Hive keeps the value in the name of the partition, and not in the rows.
  const rest = columns.filter(({ name }) => name !== source)
  return { columns: rest, partition: columns.find(({ name }) => name === source)! }
}

/** As `model/partition-by.ts` names partitions by month. */
export const monthColumn = 'year_month'

/** Hive knows no case. */
function refuseTwins(names: readonly string[]): void {
  const twin = names.find((name, index) => names.indexOf(name) !== index)
  if (twin === undefined) return
  throw new WarehouseError(
    'name-unsupported',
    `the table would have two columns ${twin}: in Hive upper and lower case are one`,
    { context: { column: twin } },
  )
}

function refuseOwn(columns: readonly HiveColumn[]): void {
  const own = columns.find(({ name }) => name.startsWith(ownPrefix))
  if (own === undefined) return
  throw new WarehouseError(
    'name-unsupported',
    `the table has a column ${own.name}: names that begin with ${ownPrefix} are Forager's own`,
    { context: { column: own.name } },
  )
}

export interface CreateOptions {
  readonly keys: readonly string[]
  readonly version: HiveVersion
  /** Only of 2.3, where a transactional table must have some. */
  readonly buckets: number
}

/** Of a table that is not there, and of the database that it is to be in. */
export function createSql(
  name: TableName,
  table: HiveTable,
  options: CreateOptions,
): readonly string[] {
  const database = `CREATE DATABASE IF NOT EXISTS ${quoteName(name.database)}`
  return [database, createTableSql(name, table, options)]
}

export function createTableSql(
  name: TableName,
  { columns, partition }: HiveTable,
  { keys, version, buckets }: CreateOptions,
): string {
  const lines = [
    `CREATE TABLE IF NOT EXISTS ${quoteTable(name)} (`,
    columns.map(column => `  ${columnSql(column)}`).join(',\n'),
    ')',
  ]
  if (partition !== null) lines.push(`PARTITIONED BY (${columnSql(placeColumn(partition))})`)
  if (version === '2.3') {
    const bucketed = keys.map(key => key.toLowerCase()).filter(key => key !== partition?.name)
    if (bucketed.length === 0) throw withoutBuckets(name)
    lines.push(`CLUSTERED BY (${bucketed.map(quoteName).join(', ')}) INTO ${buckets} BUCKETS`)
  }
  lines.push('STORED AS ORC', `TBLPROPERTIES ('transactional'='true')`)
  return lines.join('\n')
}

/**
 * Of a shorter text Hive 4.0.1 cuts the name of the default partition, and does not find its rows when they are to
 * change: they are there twice then. (`docs/hive.md`)
 */
function placeColumn(partition: HiveColumn): HiveColumn {
  return /^(var)?char/.test(partition.type) ? { ...partition, type: 'string' } : partition
}

/** Columns of buckets cannot be updated, so that others than those of the key will not do. */
function withoutBuckets(name: TableName): WarehouseError {
  return new WarehouseError(
    'target-unsuitable',
    'a transactional table of Hive 2.3 has buckets by its key, and the partition is all of the key',
    { context: { table: `${name.database}.${name.table}` } },
  )
}

/** Columns that the source has and the table has not; old rows and partitions get them too. */
export function addColumnsSql(
  name: TableName,
  columns: readonly HiveColumn[],
  partition: HiveColumn | null,
): string {
  const added = columns.map(columnSql).join(', ')
  return `ALTER TABLE ${quoteTable(name)} ADD COLUMNS (${added})${cascadeOf(partition)}`
}

function columnSql(column: HiveColumn): string {
  return commentOf(column.comment ?? '') === '' ? typedSql(column) : commentedSql(column)
}

function typedSql({ name, type }: HiveColumn): string {
  return `${quoteName(name)} ${type}`
}

function commentedSql(column: HiveColumn): string {
  return `${typedSql(column)} COMMENT ${quoteText(commentOf(column.comment ?? ''))}`
}

/** A column gets another name, another type, or another comment: one that is empty goes. */
export function changeColumnSql(
  name: TableName,
  from: HiveColumn,
  to: HiveColumn,
  partition: HiveColumn | null,
): string {
  // Without the word Hive keeps the comment that there is.
  const isCommented = (from.comment ?? '') !== (to.comment ?? '')
  const column = isCommented ? commentedSql(to) : typedSql(to)
  return `ALTER TABLE ${quoteTable(name)} CHANGE COLUMN ${quoteName(from.name)} ${column}${cascadeOf(partition)}`
}

/** Partitions have columns of their own: without the word only new ones would be changed. */
function cascadeOf(partition: HiveColumn | null): string {
  return partition === null ? '' : ' CASCADE'
}

/** As much of it as a table of Hive keeps. */
export function commentOf(text: string): string {
  return Array.from(text).slice(0, maxCommentChars).join('')
}

export interface Differences {
  /** Columns that can be added. */
  readonly missing: readonly HiveColumn[]
  /** What rows cannot be written to, in words; the table cannot go on. */
  readonly problems: readonly string[]
  /** Columns that no source has: they stay as they are. */
  readonly others: readonly string[]
}

/** Of tables that are partitioned by the same column. */
export function differencesOf(found: HiveTable, wanted: HiveTable): Differences {
  const problems: string[] = []
  const missing: HiveColumn[] = []
  for (const column of wanted.columns) {
    const own = found.columns.find(({ name }) => name === column.name)
    if (own === undefined) {
      missing.push(column)
    } else if (!holds(own.type, column.type)) {
      problems.push(`column ${column.name} is ${own.type}, and the source needs ${column.type}`)
    }
  }
  const [own, needed] = [found.partition, wanted.partition]
  if (own !== null && needed !== null && !holds(own.type, needed.type)) {
    problems.push(`column ${own.name} is ${own.type}, and the source needs ${needed.type}`)
  }
  const names = wanted.columns.map(({ name }) => name)
  const others = found.columns.map(({ name }) => name).filter(name => !names.includes(name))
  return { missing, problems, others }
}

/** From the rows of `DESCRIBE`: name, type, comment, and a part of their own for partitions. */
export function parseDescribe(rows: readonly (readonly unknown[])[]): HiveTable {
  const columns: HiveColumn[] = []
  const partitions: HiveColumn[] = []
  let isPartition = false
  for (const row of rows) {
    const [name, type, comment] = row.map(value => (typeof value === 'string' ? value.trim() : ''))
    if (name!.startsWith('# Partition')) isPartition = true
    if (name === '' || name!.startsWith('#')) continue
    const column = { name: name!, type: type!, ...(comment === '' ? {} : { comment: comment! }) }
    if (isPartition) partitions.push(column)
    else columns.push(column)
  }
  const names = partitions.map(({ name }) => name)
  if (partitions.length > 1) {
    throw new WarehouseError(
      'target-unsuitable',
      `the table is partitioned by ${names.join(', ')}: it may be by one column`,
    )
  }
  return {
    // Hive lists the columns of partitions among the others too.
    columns: columns.filter(({ name }) => !names.includes(name)),
    partition: partitions[0] ?? null,
  }
}
