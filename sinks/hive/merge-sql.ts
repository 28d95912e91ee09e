/**
 * The statement of an apply, as a pure function: from the target and what a batch holds to SQL. It is
 * state-based, so repeating it changes nothing: it says which rows are to be there and which are not,
 * never what is to be added.
 *
 * The batch is a table with the columns of the target's source and four of our own:
 *
 *     __forager_op      0 the row is to be as it is here, 1 its sent columns are, 2 it is not to be there, 3 the
 *               table is to hold nothing but these rows: a batch that was taken away has no such row, 4 its sent
 *               columns are, and the others are those of the row under its old key, or its own where that is gone
 *     __forager_sent    of a patch: '1' for each column that was sent and '0' for each that was not, in order
 *     __forager_search  the row may be in any partition: wherever else it is found by its key, it goes
 *     __forager_place   text of the row's partition, `__HIVE_DEFAULT_PARTITION__` for null; null: not known
 *     __forager_from_0  and so on, where a row has op 4: its old key
 */
import { nullPartition } from '../../model/partition-by.ts'
import { quoteName, quoteText } from './sql-text.ts'
import type { HiveColumn, HiveTable } from './target-table.ts'

export const upsertOp = 0
export const patchOp = 1
export const deleteOp = 2
export const wholeOp = 3
export const movedOp = 4
/** Of a column of the key, by its place in it. */
export const oldKeyColumn = (place: number): string => `__forager_from_${place}`

export interface KeyColumn {
  readonly name: string
  /** Null is a value like any other then. */
  readonly nullable: boolean
}

/** What a batch holds: parts of the statement that nothing needs are left out. */
export interface BatchFacts {
  readonly upserts: number
  readonly patches: number
  /** Patches that take values from the row under their old key. */
  readonly moves: number
  readonly deletes: number
  /** Rows whose partition before is not known. */
  readonly searches: number
  /** Texts of all partitions that it touches; null when they are not known, or are too many to list. */
  readonly places: readonly string[] | null
}

export interface MergeInput {
  /** Quoted, with its database. */
  readonly target: string
  /** Quoted name of the table over the attempt's folder. */
  readonly source: string
  readonly table: HiveTable
  readonly keys: readonly KeyColumn[]
  /** The source's columns in the order of `__forager_sent`. */
  readonly sourceColumns: readonly string[]
  /** Column whose value says the partition: it is sent, or the row stays where it is. */
  readonly partitionSource: string | null
  readonly facts: BatchFacts
  /** Rows that the batch does not have go. */
  readonly isWhole: boolean
}

export function mergeSql(input: MergeInput): string {
  const { target, table, facts, isWhole } = input
  const isPlain = table.partition === null && !isWhole && facts.moves === 0
  const using = isPlain ? `${input.source} AS s` : `(\n${sourceQuery(input)}\n) AS s`
  const lines = [`MERGE INTO ${target} AS t`, `USING ${using}`, `ON ${onCondition(input)}`]
  const removes = facts.deletes + facts.searches > 0 || isWhole
  const writes = facts.upserts + facts.patches + facts.moves > 0
  if (removes) lines.push(`WHEN MATCHED AND s.\`__forager_op\` = ${deleteOp} THEN DELETE`)
  const changes = writes ? assignments(input) : []
  if (changes.length > 0) {
    const condition = removes ? ` AND s.\`__forager_op\` <> ${deleteOp}` : ''
    lines.push(`WHEN MATCHED${condition} THEN UPDATE SET`, `  ${changes.join(',\n  ')}`)
  }
  if (writes) {
    const condition = removes ? ` AND s.\`__forager_op\` <> ${deleteOp}` : ''
    lines.push(`WHEN NOT MATCHED${condition} THEN INSERT VALUES (${insertValues(input)})`)
  }
  return lines.join('\n')
}

/** All upserts of the batch as new rows: only for rows that the table surely does not have. */
export function appendSql(input: MergeInput): string {
  const { target, source, table } = input
  const partition =
    table.partition === null ? '' : ` PARTITION (${quoteName(table.partition.name)})`
  const values = table.columns.map(({ name }) => valueOrNull(input, name))
  const { partition: by } = table
  if (by !== null) values.push(insertedPlace(by, placeOf(by)))
  const rows = `FROM ${source} AS s WHERE s.\`__forager_op\` = ${upsertOp}`
  return `INSERT INTO ${target}${partition}\nSELECT ${values.join(', ')}\n${rows}`
}

/** Key, and partition where there is one: a row that moves is one row less here and one more there. */
function onCondition({ keys, table, facts, isWhole }: MergeInput): string {
  const partition = table.partition
  const conditions = keys
    .filter(({ name }) => name !== partition?.name)
    .map(key => equal(key, `t.${quoteName(key.name)}`, `s.${quoteName(key.name)}`))
  // Hive takes a row that is not there for one whose columns are null (a NullPointerException in 4.0.1).
  if (keys.every(({ nullable }) => nullable)) conditions.push('t.ROW__ID IS NOT NULL')
  if (partition === null) return conditions.join(' AND ')
  conditions.push(samePlace(partition, 's.`__forager_place`'))
  const { places } = facts
  const isPruned = places !== null && places.length > 0 && !places.includes(nullPartition)
  // Constants, so that Hive reads no other partition.
  if (isPruned && !isWhole) {
    const known = places.map(place => literal(partition, place))
    conditions.push(`t.${quoteName(partition.name)} IN (${known.join(', ')})`)
  }
  return conditions.join(' AND ')
}

/**
 * Null-safe always: from `=` Hive concludes that the column is not null, and leaves out the default partition,
 * although a column of texts has its name there and not null (4.0.1).
 */
function samePlace({ name }: HiveColumn, place: string): string {
  return `t.${quoteName(name)} <=> ${place}`
}

function isTextType(type: string): boolean {
  return /^(string|varchar|char)/.test(type)
}

function literal({ type }: HiveColumn, text: string): string {
  return type === 'string' ? quoteText(text) : `CAST(${quoteText(text)} AS ${type})`
}

function equal({ nullable }: KeyColumn, left: string, right: string): string {
  return `${left} ${nullable ? '<=>' : '='} ${right}`
}

/** Columns that the source does not have keep what they hold. */
function assignments({ table, keys, sourceColumns, facts }: MergeInput): readonly string[] {
  const isKey = (name: string): boolean => keys.some(key => key.name === name)
  return table.columns.flatMap(({ name }) => {
    const place = sourceColumns.indexOf(name)
    if (place < 0 || isKey(name)) return []
    const column = quoteName(name)
    const isPatched = facts.patches > 0 && !completesPatches({ table, facts })
    const value = isPatched ? `IF(${isUnsent(place)}, t.${column}, s.${column})` : `s.${column}`
    return [`${column} = ${value}`]
  })
}

/** With partitions a patch is completed where its row is found; and where other rows are completed anyway. */
function completesPatches({ table, facts }: Pick<MergeInput, 'table' | 'facts'>): boolean {
  return facts.patches > 0 && (table.partition !== null || facts.moves > 0)
}

function isUnsent(place: number): string {
  return `s.\`__forager_op\` = ${patchOp} AND substr(s.\`__forager_sent\`, ${place + 1}, 1) = '0'`
}

function insertValues(input: MergeInput): string {
  const values = input.table.columns.map(({ name }) => valueOrNull(input, name))
  const { partition } = input.table
  if (partition !== null) values.push(insertedPlace(partition, 's.`__forager_place`'))
  return values.join(', ')
}

function valueOrNull({ sourceColumns }: MergeInput, name: string): string {
  return sourceColumns.includes(name) ? `s.${quoteName(name)}` : 'NULL'
}

/** The partition that a row of the batch names, as the target's column shows it. */
function placeOf({ type }: HiveColumn): string {
  if (type === 'string') return 's.`__forager_place`'
  const place = isTextType(type)
    ? 's.`__forager_place`'
    : `NULLIF(s.\`__forager_place\`, ${quoteText(nullPartition)})`
  return `CAST(${place} AS ${type})`
}

/** A short column has but the beginning of the name that stands for null. */
function insertedPlace(by: HiveColumn, place: string): string {
  return isTextType(by.type) ? `NULLIF(${place}, ${literal(by, nullPartition)})` : place
}

/**
 * The batch with the rows that follow from what the table has: where a row has to go that is found by
 * its key, and patches completed to whole rows, so that they can move with all that is kept.
 */
function sourceQuery(input: MergeInput): string {
  const { table, facts, isWhole } = input
  const parts: string[] = []
  if (table.partition === null || facts.upserts + facts.deletes > 0) parts.push(givenRows(input))
  if (completesPatches(input)) parts.push(completedPatches(input))
  if (facts.moves > 0) parts.push(completedMoves(input))
  if (table.partition !== null && facts.searches > 0) parts.push(rowsElsewhere(input))
  if (isWhole) parts.push(rowsThatGo(input))
  return parts.join('\n  UNION ALL\n')
}

/** Columns of every part of the query, in one order: op, keys and values, place. */
function projection(input: MergeInput, of: (column: HiveColumn) => string): readonly string[] {
  return usedColumns(input).map(column => `${of(column)} AS ${quoteName(column.name)}`)
}

function usedColumns({ table, sourceColumns }: MergeInput): readonly HiveColumn[] {
  return table.columns.filter(({ name }) => sourceColumns.includes(name))
}

function select(op: string, columns: readonly string[], place: string | null): string {
  const all = [
    `${op} AS \`__forager_op\``,
    ...columns,
    ...(place === null ? [] : [`${place} AS \`__forager_place\``]),
  ]
  return `  SELECT ${all.join(', ')}`
}

const opOf = (op: number): string => `CAST(${op} AS tinyint)`

function givenRows(input: MergeInput): string {
  const { table, source, facts, isWhole } = input
  const { partition } = table
  const columns = projection(input, ({ name }) => `s.${quoteName(name)}`)
  const place = partition === null ? null : placeOf(partition)
  // A row to be searched for is found below; where it is to go is not known here.
  const conditions = [
    ...(isWhole ? [`s.\`__forager_op\` <> ${wholeOp}`] : []),
    ...(facts.patches > 0 ? [`s.\`__forager_op\` <> ${patchOp}`] : []),
    ...(facts.moves > 0 ? [`s.\`__forager_op\` <> ${movedOp}`] : []),
    ...(facts.searches > 0
      ? [`NOT (s.\`__forager_op\` = ${deleteOp} AND s.\`__forager_search\`)`]
      : []),
  ]
  const where = conditions.length === 0 ? '' : `\n  WHERE ${conditions.join(' AND ')}`
  return `${select('s.`__forager_op`', columns, place)}\n  FROM ${source} AS s${where}`
}

function completedPatches(input: MergeInput): string {
  const { table, source, target, keys } = input
  const { partition } = table
  const columns = projection(input, column => {
    const { name } = column
    if (isKeyOf(keys, column)) return `s.${quoteName(name)}`
    return `IF(${isLeftOut(input, name)}, t.${quoteName(name)}, s.${quoteName(name)})`
  })
  const place =
    partition === null
      ? null
      : `IF(${isMoving(input)}, ${placeOf(partition)}, t.${quoteName(partition.name)})`
  return [
    select(opOf(upsertOp), columns, place),
    `  FROM ${source} AS s LEFT JOIN ${target} AS t ON ${keysEqual(keys)}`,
    `  WHERE s.\`__forager_op\` = ${patchOp}`,
  ].join('\n')
}

function isLeftOut({ sourceColumns }: MergeInput, name: string): string {
  return `substr(s.\`__forager_sent\`, ${sourceColumns.indexOf(name) + 1}, 1) = '0'`
}

/** Where the row under the old key is gone the statement was executed before. */
function completedMoves(input: MergeInput): string {
  const { table, keys } = input
  const isThere = `o.${quoteName(keys[0]!.name)} IS NOT NULL`
  const columns = projection(input, column => {
    const name = quoteName(column.name)
    if (isKeyOf(keys, column)) return `s.${name}`
    return `IF(${isLeftOut(input, column.name)}, IF(${isThere}, o.${name}, n.${name}), s.${name})`
  })
  const place = table.partition === null ? null : placeOf(table.partition)
  return [select(opOf(upsertOp), columns, place), ...oldAndOwnRows(input)].join('\n')
}

/** Of rows that take values from the row under their old key: `o` is that one, `n` the one under their own. */
function oldAndOwnRows({ source, target, keys }: MergeInput): readonly string[] {
  const old = keys.map(({ name }, place) => {
    return `o.${quoteName(name)} = s.${quoteName(oldKeyColumn(place))}`
  })
  const own = keys.map(({ name }) => `n.${quoteName(name)} = s.${quoteName(name)}`)
  return [
    `  FROM ${source} AS s LEFT JOIN ${target} AS o ON ${old.join(' AND ')}`,
    `  LEFT JOIN ${target} AS n ON ${own.join(' AND ')}`,
    `  WHERE s.\`__forager_op\` = ${movedOp}`,
  ]
}

/** How many rows there are neither under their old key nor under their own. */
export function missingSql(input: MergeInput): string {
  const key = quoteName(input.keys[0]!.name)
  const lines = ['SELECT count(*)', ...oldAndOwnRows(input)]
  return `${lines.join('\n')} AND o.${key} IS NULL AND n.${key} IS NULL`
}

/** Whether a patch says where its row is to be. */
function isMoving({ sourceColumns, partitionSource }: MergeInput): string {
  return `substr(s.\`__forager_sent\`, ${sourceColumns.indexOf(partitionSource!) + 1}, 1) = '1'`
}

function rowsElsewhere(input: MergeInput): string {
  const { table, source, target, keys } = input
  const partition = table.partition!
  const columns = projection(input, column => {
    return isKeyOf(keys, column) ? `s.${quoteName(column.name)}` : unused(column)
  })
  const own = `t.${quoteName(partition.name)}`
  const isElsewhere = `(s.\`__forager_op\` = ${deleteOp} OR NOT (${samePlace(partition, placeOf(partition))}))`
  return [
    select(opOf(deleteOp), columns, own),
    `  FROM ${source} AS s JOIN ${target} AS t ON ${keysEqual(keys)}`,
    `  WHERE s.\`__forager_search\` AND ${isElsewhere}`,
  ].join('\n')
}

/** Nothing goes when the batch is not there any more: who took it away has put the table in order. */
function rowsThatGo(input: MergeInput): string {
  const { table, source, target, keys } = input
  const { partition } = table
  const columns = projection(input, column => {
    return isKeyOf(keys, column) ? `t.${quoteName(column.name)}` : unused(column)
  })
  const own = partition === null ? null : `t.${quoteName(partition.name)}`
  const isSamePlace = partition === null ? '' : ` AND ${samePlace(partition, placeOf(partition))}`
  return [
    select(opOf(deleteOp), columns, own),
    `  FROM ${target} AS t CROSS JOIN (SELECT 1 FROM ${source} WHERE \`__forager_op\` = ${wholeOp}) AS w`,
    `  LEFT JOIN ${source} AS s ON s.\`__forager_op\` = ${upsertOp} AND ${keysEqual(keys)}${isSamePlace}`,
    '  WHERE s.`__forager_op` IS NULL',
  ].join('\n')
}

/** All rows go, of a table of which nothing else is known. */
export function emptySql(target: string, source: string): string {
  const isThere = `SELECT 1 FROM ${source} AS s WHERE s.\`__forager_op\` = ${wholeOp}`
  return `DELETE FROM ${target} WHERE EXISTS (${isThere})`
}

function isKeyOf(keys: readonly KeyColumn[], { name }: HiveColumn): boolean {
  return keys.some(key => key.name === name)
}

/** Of a row that goes. Hive has no cast to an array: what the table has is taken there. */
function unused({ name, type }: HiveColumn): string {
  return type.includes('<') ? `t.${quoteName(name)}` : `CAST(NULL AS ${type})`
}

function keysEqual(keys: readonly KeyColumn[]): string {
  return keys
    .map(key => equal(key, `t.${quoteName(key.name)}`, `s.${quoteName(key.name)}`))
    .join(' AND ')
}
