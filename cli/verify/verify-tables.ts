/**
 * Compares the tables of a source with those that follow them, one after the other, row by row: both
 * sides are read once in the order of the key, in parts, so memory does not grow with a table. Where the
 * key begins with a number, they are read range by range, and each side is as of one moment for one range:
 * no statement and no transaction stays open for as long as a large table takes.
 */
import type { ColumnType } from '../../model/column-type.ts'
import { ForagerError } from '../../model/errors.ts'
import { encodeKey } from '../../model/key.ts'
import type { Value } from '../../model/value.ts'
import type { TableRouter, TableRule } from '../../processors/route-tables.ts'
import { pairWithKept, RowJudge } from './by-policy.ts'
import type { Cell, ColumnPair } from './column-pairs.ts'
import { areCellsEqual, Unreadable } from './column-pairs.ts'
import type { Difference, KeyedRow, KeyedRows, RowCounts } from './compare-rows.ts'
import { compareRows, mergeKeyed, OutOfOrder } from './compare-rows.ts'
import { hiveType } from './hive-target.ts'
import { SecondLook } from './second-look.ts'
import type {
  KeyRange,
  RawValue,
  SourceColumn,
  SourceDatabase,
  SourceTable,
} from './source-database.ts'
import { plainNumber, wholeTable } from './source-database.ts'
import type { TablePlan } from './table-plan.ts'
import { keyOf, planOf, takenColumns } from './table-plan.ts'
import type { TableReport } from './table-report.ts'
import { DifferenceCounter, emptyReport } from './table-report.ts'
import type { FoundTable, VerifyTarget } from './target.ts'

export interface VerifyOptions {
  readonly source: SourceDatabase
  readonly target: VerifyTarget
  readonly router: TableRouter
  readonly rules: readonly TableRule[]
  /** Targets whose source was dropped, as the log of the application says it. */
  readonly dropped?: ReadonlySet<string>
  /** Names of source or target tables; absent: all. */
  readonly only?: readonly string[]
  /** Differences of a table that are shown. */
  readonly maxDifferences: number
  /** `binary.handling.mode` of the connector. */
  readonly binaryMode?: string | undefined
  /** Rows of a range; tables whose key begins with no number are one range. */
  readonly rangeRows: number
  /**
   * Resolves when what was on its way should have arrived; what differs is then looked at again. Absent: each
   * range is read once, and nothing is written meanwhile.
   */
  readonly lookAgain?: () => Promise<void>
  /** After each range of a table that has several. */
  readonly onRange?: (table: string, counts: RowCounts) => void
  readonly onTable?: (report: TableReport) => void | Promise<void>
}

export interface VerifyReport {
  readonly tables: readonly TableReport[]
  /** Of `only` and of rules that name a table exactly: what the source has not. */
  readonly unknown: readonly string[]
  /** The same, of which it is known that the source dropped them: by policy, and no fault. */
  readonly dropped: readonly string[]
  /** Every table that could be is equal, and none that should be there is not. */
  readonly isEqual: boolean
}

interface Group {
  readonly target: string
  readonly rule: TableRule
  readonly sources: readonly string[]
}

export async function verifyTables(options: VerifyOptions): Promise<VerifyReport> {
  const { rules, only, source, onTable } = options
  const names = await source.tables()
  const groups = groupsOf(names, options)
  const named = rules.filter(({ from }) => !from.includes('*')).map(({ from }) => from)
  const wanted = only ?? named
  const known = groups.flatMap(group => [group.target, ...group.sources])
  const absent = wanted.filter(name => !known.includes(name))
  const isDropped = (name: string): boolean =>
    options.dropped?.has(options.router.lookUp(name)?.name ?? name) === true
  const unknown = absent.filter(name => !isDropped(name))
  const tables: TableReport[] = []
  for (const group of groups) {
    const isWanted = [group.target, ...group.sources].some(name => only?.includes(name) ?? true)
    if (!isWanted) continue
    const report = await verifyTable(group, options)
    tables.push(report)
    await onTable?.(report)
  }
  const isEqual = tables.every(({ status }) => status === 'equal' || status === 'refused')
  const dropped = absent.filter(isDropped)
  return { tables, unknown, dropped, isEqual: isEqual && unknown.length === 0 }
}

/** Throws ConfigError `target-shared`. */
export function groupsOf(
  names: readonly string[],
  { router }: Pick<VerifyOptions, 'router'>,
): readonly Group[] {
  const groups = new Map<string, { target: string; rule: TableRule; sources: string[] }>()
  for (const name of names) {
    const target = router.targetOf(name)
    if (target === null) continue
    const group = groups.get(target.name) ?? { target: target.name, rule: target.rule, sources: [] }
    groups.set(target.name, group)
    group.sources.push(name)
  }
  return [...groups.values()]
}

async function verifyTable(group: Group, options: VerifyOptions): Promise<TableReport> {
  const { source, target, router } = options
  const { rule } = group
  const report = emptyReport(group.target, group.sources)
  const sources: SourceTable[] = []
  for (const name of group.sources) sources.push(await source.describe(name))
  const keyless = sources.find(table => keyOf(table, rule).length === 0)
  if (keyless !== undefined) {
    const reason = `${keyless.name} has no primary key, and its rule names no \`key\``
    return { ...report, status: rule.from.includes('*') ? 'refused' : 'not-compared', reason }
  }
  const found = await target.find(group.target)
  if (found === null) return await missingReport(report, sources, options, rule)
  const partitionBy = router.partitionByOf(group.target)
  const plan = planOf({
    sources,
    rule,
    target: found,
    partitionBy,
    binaryMode: options.binaryMode,
  })
  if (typeof plan === 'string') return { ...report, status: 'not-compared', reason: plan }
  return await compareTable(report, plan, found, options)
}

/** Forager makes a table with its first row, unless the source tells of empty ones: one may not be there yet. */
async function missingReport(
  report: TableReport,
  sources: readonly SourceTable[],
  { source, target }: VerifyOptions,
  rule: TableRule,
): Promise<TableReport> {
  for (const table of sources) {
    const columns = takenColumns(table, rule).slice(0, 1)
    for await (const part of source.rows(table.name, columns, [], wholeTable)) {
      if (part.length === 0) continue
      const reason = `${target.name} has no table ${report.table}`
      return { ...report, status: 'missing', reason }
    }
  }
  return { ...report, reason: 'it is empty, and not there yet' }
}

async function compareTable(
  report: TableReport,
  plan: TablePlan,
  found: FoundTable,
  options: VerifyOptions,
): Promise<TableReport> {
  const { pairs, keys, missingColumns, notCompared, otherColumns, byPolicy } = plan
  const sides = { missingColumns, notCompared, otherColumns, byPolicy }
  const counter = new DifferenceCounter(pairs, keys, options.maxDifferences)
  const judge = await rowJudge(plan, found, options)
  const count = (difference: Difference): void => {
    if (!judge.explains(difference)) counter.add(difference)
  }
  try {
    let counts: RowCounts = { sourceRows: 0, targetRows: 0 }
    let unsettled = 0
    for await (const range of rangesOf(plan, found, options)) {
      const look = (onDifference: (difference: Difference) => void): Promise<RowCounts> =>
        compareRows(
          mergedSources(plan, options.source, range),
          targetRows(plan, found, range),
          (place, source, target) => areCellsEqual(pairs[place]!, source, target),
          onDifference,
        )
      const { more, unsettled: left } = await lookAtRange(look, count, options.lookAgain)
      unsettled += left
      counts = sumOf(counts, more)
      if (range !== wholeTable) options.onRange?.(report.table, counts)
    }
    const result = { ...counter.result(), ...counts, unsettled }
    const { missing, extra, twice, twiceInSource, different } = result
    const total = missing + extra + twice + twiceInSource + different + missingColumns.length
    const notes = [...byPolicy, ...judge.notes]
    const status = total === 0 ? 'equal' : 'different'
    return { ...report, ...sides, ...result, byPolicy: notes, status }
  } catch (error) {
    if (!(error instanceof OutOfOrder || error instanceof UnreadableKey)) throw error
    return { ...report, ...sides, status: 'not-compared', reason: error.message }
  }
}

/** Defaults are asked for once: what has one may be null in rows that are older than the column. */
async function rowJudge(
  { pairs, sources, keptColumns }: TablePlan,
  found: FoundTable,
  { source, binaryMode }: VerifyOptions,
): Promise<RowJudge> {
  const { table, columns } = sources[0]!
  const withDefault = columns.filter(({ defaultSql }) => defaultSql !== undefined)
  const values = withDefault.length === 0 ? [] : await source.defaultsOf(table, withDefault)
  const defaults = columns.map(column => {
    return readCell(column, values[withDefault.indexOf(column)] ?? null)
  })
  const kept = keptColumns.map(({ name, declared }) => {
    const type = hiveType(declared) ?? { kind: 'string' as const }
    return { name, pair: pairWithKept(name, type, binaryMode) }
  })
  return new RowJudge({ pairs, kept, defaults, followed: found.followed })
}

/** Once, or where something differs and it is asked for once more after a while. */
async function lookAtRange(
  look: (onDifference: (difference: Difference) => void) => Promise<RowCounts>,
  count: (difference: Difference) => void,
  lookAgain: (() => Promise<void>) | undefined,
): Promise<{ readonly more: RowCounts; readonly unsettled: number }> {
  if (lookAgain === undefined) {
    return { more: await look(count), unsettled: 0 }
  }
  const second = new SecondLook(count)
  const more = await look(difference => second.suspect(difference))
  if (!second.isNeeded) return { more, unsettled: 0 }
  await lookAgain()
  const then = await look(difference => second.judge(difference))
  return { more: then, unsettled: second.unsettled }
}

function sumOf(a: RowCounts, b: RowCounts): RowCounts {
  return { sourceRows: a.sourceRows + b.sourceRows, targetRows: a.targetRows + b.targetRows }
}

/** The next range begins where the one before ended, whatever has changed since: together they are all keys. */
async function* rangesOf(
  plan: TablePlan,
  found: FoundTable,
  { source, rangeRows }: VerifyOptions,
): AsyncGenerator<KeyRange> {
  const [first] = plan.keys
  const pair = plan.pairs[first!]!
  const { name, type, read } = pair.source
  const column = { id: name, name, type, nullable: true }
  const orderOf = (bound: string): string => encodeKey([column], [read(bound)])
  const hasRanges = found.hasRanges && isRangeable(pair)
  let after: string | null = null
  while (hasRanges) {
    const bounds: string[] = []
    for (const { table, columns } of plan.sources) {
      const bound = await source.boundOf(table, columns[first!]!, after, rangeRows)
      if (bound !== null && plainNumber.test(bound)) bounds.push(bound)
    }
    if (bounds.length === 0) break
    const upTo: string = bounds.reduce((a, b) => (orderOf(b) < orderOf(a) ? b : a))
    yield { after, upTo }
    after = upTo
  }
  yield after === null ? wholeTable : { after, upTo: null }
}

/** A number of which an index of the database has the order, and Hive's files have statistics. */
function isRangeable({ source, target }: ColumnPair): boolean {
  const kinds: readonly string[] = ['tinyint', 'smallint', 'int', 'bigint', 'ubigint', 'decimal']
  const isPlain = source.order === source.select
  return isPlain && kinds.includes(source.type.kind) && kinds.includes(target.type.kind)
}

function mergedSources(plan: TablePlan, database: SourceDatabase, range: KeyRange): KeyedRows {
  const streams = plan.sources.map(source => sourceRows(plan, source, database, range))
  return streams.length === 1 ? streams[0]! : mergeKeyed(streams)
}

async function* sourceRows(
  { pairs, keys }: TablePlan,
  { table, columns }: TablePlan['sources'][number],
  database: SourceDatabase,
  range: KeyRange,
): AsyncGenerator<KeyedRow[]> {
  const keyColumns = keys.map(place => columns[place]!)
  const keyed = keyReader(pairs, keys, 'source')
  for await (const part of database.rows(table, columns, keyColumns, range)) {
    yield part.map(row => {
      const cells = row.map((raw, place) => readCell(pairs[place]!.source, raw))
      return { key: keyed(cells), cells }
    })
  }
}

function readCell(column: SourceColumn, raw: RawValue): Cell {
  if (raw === null) return null
  try {
    return column.read(raw)
  } catch (error) {
    if (!(error instanceof ForagerError || error instanceof SyntaxError)) throw error
    return new Unreadable(String(raw))
  }
}

async function* targetRows(
  plan: TablePlan,
  found: FoundTable,
  range: KeyRange,
): AsyncGenerator<KeyedRow[]> {
  const { pairs, keys, targetColumns, keptColumns } = plan
  const keyed = keyReader(pairs, keys, 'target')
  const keyColumns = keys.map(place => targetColumns[place]!)
  const columns = [...targetColumns, ...keptColumns]
  for await (const part of found.rows(columns, keyColumns, range)) {
    yield part.map(cells => ({ key: keyed(cells), cells }))
  }
}

class UnreadableKey extends Error {}

/** Equal keys have equal texts, whichever side they come from. */
function keyReader(
  pairs: readonly ColumnPair[],
  keys: readonly number[],
  side: 'source' | 'target',
): (cells: readonly Cell[]) => string {
  const columns = keys.map(place => {
    const pair = pairs[place]!
    const { name } = pair[side]
    return { id: name, name, type: keyType(pair, side), nullable: true }
  })
  const isPadded = keys.map(place => pairs[place]!.target.type.kind === 'char')
  return cells => {
    const values = keys.map((place, index): Value => {
      const cell = cells[place]!
      if (cell instanceof Unreadable) {
        throw new UnreadableKey(`the key ${columns[index]!.name} has the value ${cell.text}`)
      }
      return isPadded[index]! && typeof cell === 'string' ? cell.replace(/ +$/, '') : cell
    })
    return encodeKey(columns, values)
  }
}

/** A `float` on one side makes the key one. */
function keyType({ source, target }: ColumnPair, side: 'source' | 'target'): ColumnType {
  const isFloat = source.type.kind === 'float' || target.type.kind === 'float'
  return isFloat ? { kind: 'float' } : side === 'source' ? source.type : target.type
}
