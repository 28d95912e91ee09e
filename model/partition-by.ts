/**
 * How the rows of a target table are divided into partitions: by a column, or by the month of a time
 * column. A partition is named as Hive names its folder: `year_month=2024-05`, `sex=M`.
 */
import { columnTypeText } from './column-type.ts'
import { ConfigError, WarehouseError } from './errors.ts'
import type { Column, TableSchema } from './table-schema.ts'
import type { Value } from './value.ts'
import { plainText, splitDays, yearMonthText } from './value-text.ts'

export interface PartitionBy {
  readonly column: string
  readonly unit: 'value' | 'year_month'
}

/** A table of the warehouse, and how its rows are divided. */
export interface Target {
  readonly table: string
  readonly partitionBy: PartitionBy | null
}

/** Hive's name for the partition of null. */
export const nullPartition = '__HIVE_DEFAULT_PARTITION__'

/** Reads `column` or `year_month(column)`. Throws ConfigError `config-invalid`. */
export function parsePartitionBy(text: string): PartitionBy {
  const monthly = /^\s*year_month\s*\(\s*([^()\s]+)\s*\)\s*$/i.exec(text)
  if (monthly !== null) return { column: monthly[1]!, unit: 'year_month' }
  if (/^\s*[^()\s]+\s*$/.test(text)) return { column: text.trim(), unit: 'value' }
  throw new ConfigError(
    'config-invalid',
    `"${text}" is not a partitioning: give a column, or year_month(column)`,
  )
}

export function partitionByText({ column, unit }: PartitionBy): string {
  return unit === 'value' ? column : `year_month(${column})`
}

/** The column of the schema that decides. Throws WarehouseError `partition-column-missing`. */
export function partitionColumn(partitionBy: PartitionBy, schema: TableSchema): Column {
  const column = schema.columns.find(candidate => candidate.name === partitionBy.column)
  if (column === undefined) {
    throw new WarehouseError(
      'partition-column-missing',
      `the table has no column ${partitionBy.column} (${schema.columns.map(c => c.name).join(', ')})`,
      { context: { column: partitionBy.column } },
    )
  }
  if (partitionBy.unit === 'year_month' && !monthlyKinds.has(column.type.kind)) {
    throw noMonths(column, columnTypeText(column.type))
  }
  return column
}

const monthlyKinds: ReadonlySet<string> = new Set([
  'date',
  'timestamp',
  'timestamptz',
  'string',
  'varchar',
  'char',
])

function noMonths(column: Column, holds: string): WarehouseError {
  return new WarehouseError(
    'partition-column-missing',
    `year_month(${column.name}) needs a date or a timestamp, the column holds ${holds}`,
    { context: { column: column.name } },
  )
}

/** False for a text that has no month. */
export function hasPartition(partitionBy: PartitionBy, value: Value): boolean {
  return partitionBy.unit === 'value' || typeof value !== 'string' || monthPattern.test(value)
}

const monthPattern = /^\d{4}-\d\d(?=-\d\d)/

/** The partition of a row with this value of the partition column. */
export function partitionOf(partitionBy: PartitionBy, column: Column, value: Value): string {
  const name = partitionBy.unit === 'value' ? column.name : 'year_month'
  return `${escapeHive(name)}=${value === null ? nullPartition : escapeHive(valueText(partitionBy, column, value))}`
}

function valueText(partitionBy: PartitionBy, column: Column, value: Value): string {
  if (partitionBy.unit === 'value') {
    const text = plainText(column.type, value)
    // 1.50 and 1.500 are one value: a column that gets another scale keeps its partitions.
    if (text.includes('.') && column.type.kind === 'decimal') return text.replace(/\.?0+$/, '')
    return text === '' ? nullPartition : text
  }
  switch (column.type.kind) {
    case 'date':
      return yearMonthText(value as number)
    case 'timestamp':
    case 'timestamptz':
      return yearMonthText(splitDays(value as number | bigint)[0])
    default: {
      const match = monthPattern.exec(typeof value === 'string' ? value : '')
      if (match !== null) return match[0]
      throw noMonths(column, plainText(column.type, value))
    }
  }
}

/** The text of the value that a partition is named by; that of null is `nullPartition`. */
export function placeOfPartition(name: string): string {
  const text = name.slice(name.indexOf('=') + 1)
  return text.replaceAll(/%([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
}

/** As Hive escapes names of partition folders: nothing can leave its folder. */
function escapeHive(text: string): string {
  const escaped = Array.from(text, char => (isSpecial(char) ? percent(char) : char)).join('')
  return /^\.+$/.test(escaped) ? escaped.replaceAll('.', percent('.')) : escaped
}

function isSpecial(char: string): boolean {
  return char < ' ' || '"#%\'*/:=?\\\x7f{[]^'.includes(char)
}

function percent(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}
