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
  if (partition !== null) lines.push(`PARTITIONED BY (${columnSql(partition)})`)
  if (version === '2.3') {
    const bucketed = keys.map(key => key.toLowerCase()).filter(key => key !== partition?.name)
    if (bucketed.length === 0) throw withoutBuckets(name)
    lines.push(`CLUSTERED BY (${bucketed.map(quoteName).join(', ')}) INTO ${buckets} BUCKETS`)
  }
  lines.push('STORED AS ORC', `TBLPROPERTIES ('transactional'='true')`)
  return lines.join('\n')
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
  const cascade = partition === null ? '' : ' CASCADE'
  return `ALTER TABLE ${quoteTable(name)} ADD COLUMNS (${columns.map(columnSql).join(', ')})${cascade}`
}

function columnSql({ name, type, comment }: HiveColumn): string {
  const kept = Array.from(comment ?? '')
    .slice(0, maxCommentChars)
    .join('')
  return `${quoteName(name)} ${type}${kept === '' ? '' : ` COMMENT ${quoteText(kept)}`}`
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

const integers = ['tinyint', 'smallint', 'int', 'bigint']
const integerDigits: Readonly<Record<string, number>> = {
  tinyint: 3,
  smallint: 5,
  int: 10,
  bigint: 19,
}

/** Whether a column of the table's type holds every value of the source's. */
export function holds(table: string, source: string): boolean {
  if (table === source) return true
  const [widths, digits] = [
    [table, source].map(type => integers.indexOf(type)),
    [table, source].map(digitsOf),
  ]
  if (widths.every(width => width >= 0)) return widths[0]! >= widths[1]!
  if (digits[0] !== null && digits[1] !== null && table.startsWith('decimal')) {
    const [own, needed] = digits as [Digits, Digits]
    return own.whole >= needed.whole && own.scale >= needed.scale
  }
  if (table === 'double' && source === 'float') return true
  if (table === 'string') return /^(var)?char\(/.test(source)
  const [own, needed] = [table, source].map(type => /^varchar\((\d+)\)$/.exec(type)?.[1])
  return own !== undefined && needed !== undefined && Number(own) >= Number(needed)
}

interface Digits {
  readonly whole: number
  readonly scale: number
}

function digitsOf(type: string): Digits | null {
  const known = integerDigits[type]
  if (known !== undefined) return { whole: known, scale: 0 }
  const match = /^decimal\((\d+),(\d+)\)$/.exec(type)
  if (match === null) return null
  return { whole: Number(match[1]) - Number(match[2]), scale: Number(match[2]) }
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
