/**
 * What of a table is compared: which columns of its sources with which of the target, by which key. What
 * cannot be compared has its reason here.
 */
import type { ColumnType } from '../../model/column-type.ts'
import { isText } from '../../model/column-type.ts'
import type { PartitionBy } from '../../model/partition-by.ts'
import { partitionOf, placeOfPartition } from '../../model/partition-by.ts'
import { policyOf } from '../../model/schema-change.ts'
import type { TableRule } from '../../processors/route-tables.ts'
import type { PolicyNote, PolicySides } from './by-policy.ts'
import { judgeColumns } from './by-policy.ts'
import type { ColumnPair } from './column-pairs.ts'
import { isSameKeyClass, pairOf } from './column-pairs.ts'
import { hiveType } from './hive-target.ts'
import type { SourceColumn, SourceTable } from './source-database.ts'
import type { FoundTable, TargetColumnFound } from './target.ts'

export interface TablePlan {
  readonly pairs: readonly ColumnPair[]
  /** Places of the key's columns among the pairs, in the order of the key. */
  readonly keys: readonly number[]
  /** The columns of each source table, in the order of the pairs. */
  readonly sources: readonly { readonly table: string; readonly columns: readonly SourceColumn[] }[]
  readonly targetColumns: readonly TargetColumnFound[]
  /** Columns of the target that the source dropped, or renamed without a word. */
  readonly keptColumns: readonly TargetColumnFound[]
  readonly byPolicy: readonly PolicyNote[]
  readonly missingColumns: readonly string[]
  readonly notCompared: readonly { readonly column: string; readonly reason: string }[]
  readonly otherColumns: readonly string[]
}

export interface PlanInput {
  readonly sources: readonly SourceTable[]
  readonly rule: TableRule
  readonly target: FoundTable
  readonly partitionBy: PartitionBy | null
  readonly binaryMode: string | undefined
}

/** The columns that a rule takes. */
export function takenColumns({ columns }: SourceTable, rule: TableRule): SourceColumn[] {
  const { include, exclude } = rule.columns ?? {}
  return columns.filter(({ name }) => {
    return (include?.includes(name) ?? true) && !(exclude?.includes(name) ?? false)
  })
}

export function keyOf(table: SourceTable, rule: TableRule): readonly string[] {
  return rule.key ?? table.primaryKey
}

/** A reason, in words, when the table cannot be compared at all. */
export function planOf(input: PlanInput): TablePlan | string {
  const { sources, rule, target, partitionBy } = input
  const taken = sources.map(source => takenColumns(source, rule))
  const first = taken[0]!
  const pairs: ColumnPair[] = []
  const lacking: SourceColumn[] = []
  const notCompared: { column: string; reason: string }[] = []
  for (const column of first) {
    const found = columnNamed(target, column.name)
    const reason = unlike(column, taken)
    const pair = found === undefined ? null : (reason ?? matched(column, found, input))
    if (pair === null) lacking.push(column)
    else if (typeof pair === 'string') notCompared.push({ column: column.name, reason: pair })
    else pairs.push(pair)
  }
  for (const { name } of taken.flat()) {
    const isNew = !first.some(column => column.name === name)
    if (!isNew || notCompared.some(({ column }) => column === name)) continue
    notCompared.push({ column: name, reason: 'not every source table has it' })
  }
  const known = taken.flat().map(({ name }) => name.toLowerCase())
  const others = target.columns
    .map(({ name }) => name)
    .filter(name => !known.includes(name.toLowerCase()) && !target.madeColumns.includes(name))
  const policy = policyOf(rule.schemaChanges)
  const sides = judgeColumns({ missing: lacking, others, pairs }, policy, target.followed)
  pairs.push(...pairOfRenamed(sides.renamed, input))
  const month = partitionBy?.unit === 'year_month' ? monthPair(input, pairs, partitionBy) : null
  if (month !== null) pairs.push(month)
  const keyNames = keyOf(sources[0]!, rule)
  const keys = keyNames.map(name => pairs.findIndex(({ source }) => source.name === name))
  const problem = keyProblem(keyNames, keys, pairs, notCompared)
  if (problem !== null) return problem
  return {
    pairs,
    keys,
    sources: sources.map((source, index) => ({
      table: source.name,
      columns: pairs.map(pair => taken[index]!.find(({ name }) => name === pair.source.name)!),
    })),
    targetColumns: pairs.map(pair => columnNamed(target, pair.target.name)!),
    keptColumns: sides.kept.map(name => columnNamed(target, name)!),
    byPolicy: sides.notes,
    missingColumns: sides.missing.map(({ name }) => name),
    notCompared,
    otherColumns: sides.others,
  }
}

/** A column that keeps its old name in the target is compared under it. */
function pairOfRenamed(renamed: PolicySides['renamed'], input: PlanInput): readonly ColumnPair[] {
  if (renamed === null) return []
  const pair = matched(renamed.source, columnNamed(input.target, renamed.target)!, input)
  return typeof pair === 'string' ? [] : [pair]
}

/** Hive knows no case. */
function columnNamed({ columns }: FoundTable, name: string): TargetColumnFound | undefined {
  return (
    columns.find(column => column.name === name) ??
    columns.find(column => column.name.toLowerCase() === name.toLowerCase())
  )
}

function unlike(column: SourceColumn, taken: readonly (readonly SourceColumn[])[]): string | null {
  for (const columns of taken) {
    const other = columns.find(({ name }) => name === column.name)
    if (other === undefined) return 'not every source table has it'
    if (other.declared !== column.declared) {
      return `it is ${column.declared} in one source table and ${other.declared} in another`
    }
  }
  return null
}

function matched(
  column: SourceColumn,
  found: TargetColumnFound,
  { partitionBy, binaryMode }: PlanInput,
): ColumnPair | string {
  const type = hiveType(found.declared)
  if (type === null) return `it is ${found.declared} in the target`
  const isPartition = partitionBy?.unit === 'value' && partitionBy.column === column.name
  const source = isPartition && isText(column.type) ? withoutEmpty(column) : column
  return pairOf(source, { name: found.name, type }, { binaryMode })
}

/** In Hive the partition of the empty text is that of null. */
function withoutEmpty(column: SourceColumn): SourceColumn {
  return { ...column, read: raw => column.read(raw) || null }
}

/** Whether a row lies in the month that it belongs to. */
function monthPair(
  { target }: PlanInput,
  pairs: readonly ColumnPair[],
  partitionBy: PartitionBy,
): ColumnPair | null {
  const name = target.madeColumns[0]
  const source = pairs.find(pair => pair.source.name === partitionBy.column)?.source
  if (name === undefined || source === undefined) return null
  const column = { id: source.name, name: source.name, type: source.type, nullable: true }
  const type: ColumnType = { kind: 'string' }
  return {
    source,
    target: { name, type },
    isEqual: (a, b) => placeOfPartition(partitionOf(partitionBy, column, a)) === b,
  }
}

function keyProblem(
  names: readonly string[],
  places: readonly number[],
  pairs: readonly ColumnPair[],
  notCompared: TablePlan['notCompared'],
): string | null {
  for (const [index, name] of names.entries()) {
    const pair = pairs[places[index]!]
    if (pair === undefined) {
      const known = notCompared.find(({ column }) => column === name)
      return `the key column ${name} ${known === undefined ? 'is not in both' : `cannot be compared: ${known.reason}`}`
    }
    if (pair.source.order === null || !isSameKeyClass(pair.source, pair.target.type)) {
      return `rows cannot be read in the order of the key column ${name} (${pair.source.declared})`
    }
  }
  return null
}
