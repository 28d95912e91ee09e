/**
 * Differences between two sets of tables in normal form, and the exceptions that are allowed.
 *
 * The expected tables say what is compared: their tables, their rows, and the columns their rows
 * name. A table or a column that only the other side has is not looked at (dropped columns may stay
 * in a target); a row that only the other side has is a difference.
 */
import { readdirSync, readFileSync } from 'node:fs'
import type { FoldedTable, Tables } from './naive-fold.ts'
import {
  type Kind,
  keyText,
  type NormalValue,
  normalizeRow,
  type Row,
  show,
} from './normal-form.ts'

/**
 * A place where the events do not hold what the database has. Where it can, an exception says what
 * there is `instead`, so that any third value is still a difference. Keys are key texts.
 */
export type FoldException = { readonly table: string; readonly why: string } & (
  | { readonly kind: 'table' }
  | { readonly kind: 'column'; readonly column: string }
  | { readonly kind: 'extra row'; readonly key: string }
  | { readonly kind: 'other key'; readonly key: string; readonly instead: string }
  | {
      readonly kind: 'cell'
      readonly key: string
      readonly column: string
      /** Absent where the events have nothing comparable; then any value is allowed. */
      readonly instead?: NormalValue
    }
)

/** One sentence for each difference, none when the tables agree. */
export function compare(
  actual: Tables,
  expected: Tables,
  exceptions: readonly FoldException[] = [],
): string[] {
  return [...expected].flatMap(([name, table]) => {
    const own = exceptions.filter(exception => exception.table === name)
    if (own.some(({ kind }) => kind === 'table')) return []
    const other = actual.get(name)
    const differences = other ? compareTables(other, table, own) : ['there is no such table']
    return differences.map(difference => `${name}: ${difference}`)
  })
}

function compareTables(
  actual: FoldedTable,
  expected: FoldedTable,
  exceptions: readonly FoldException[],
): string[] {
  const differences: string[] = []
  const met = new Set<string>()
  for (const [key, row] of expected.rows) {
    const actualKey = actual.rows.has(key) ? key : otherKey(key, exceptions)
    const other = actual.rows.get(actualKey)
    met.add(actualKey)
    if (other === undefined) differences.push(`no row ${key}`)
    else {
      // The key's columns were compared with the key.
      const columns = Object.keys(row).filter(column => !expected.keyColumns.includes(column))
      differences.push(...compareRows(key, other, row, columns, exceptions))
    }
  }
  for (const key of actual.rows.keys()) {
    if (!met.has(key) && !isAllowedExtra(key, exceptions)) differences.push(`an extra row ${key}`)
  }
  return differences
}

function compareRows(
  key: string,
  actual: Row,
  expected: Row,
  columns: readonly string[],
  exceptions: readonly FoldException[],
): string[] {
  return columns
    .filter(column => !Object.is(actual[column], expected[column]))
    .filter(column => !isAllowedCell(key, column, actual[column], exceptions))
    .map(column => {
      const found = column in actual ? show(actual[column]) : 'no such column'
      return `row ${key}, column ${column}: ${found}, expected ${show(expected[column])}`
    })
}

function otherKey(key: string, exceptions: readonly FoldException[]): string {
  for (const exception of exceptions) {
    if (exception.kind === 'other key' && exception.key === key) return exception.instead
  }
  return key
}

function isAllowedExtra(key: string, exceptions: readonly FoldException[]): boolean {
  return exceptions.some(exception => exception.kind === 'extra row' && exception.key === key)
}

function isAllowedCell(
  key: string,
  column: string,
  value: NormalValue | undefined,
  exceptions: readonly FoldException[],
): boolean {
  return exceptions.some(exception => {
    if (exception.kind === 'column') return exception.column === column
    if (exception.kind !== 'cell') return false
    if (exception.key !== key || exception.column !== column) return false
    return exception.instead === undefined || Object.is(exception.instead, value)
  })
}

/** A table of printed rows: the lines of `final/`, or those of `forager rows`. */
export function tableOfLines(
  lines: readonly string[],
  keyColumns: readonly string[],
  kinds: ReadonlyMap<string, Kind> = new Map(),
): FoldedTable {
  const rows = lines.map(line => normalizeRow(line, kinds))
  // Without a key nothing tells rows apart but their place.
  const keyed = rows.map(
    (row, at) => [keyColumns.length > 0 ? keyText(row, keyColumns) : `#${at}`, row] as const,
  )
  return { keyColumns, kinds, rows: new Map(keyed) }
}

/**
 * The tables of a `final` folder. The files tell neither keys nor types, so these are taken from
 * `like`, a fold of events of the same tables.
 */
export function readFinal(directory: string, like: Tables): Tables {
  const tables = new Map<string, FoldedTable>()
  for (const file of readdirSync(directory)) {
    const name = file.replace(/\.jsonl$/, '')
    const lines = readFileSync(`${directory}/${file}`, 'utf8').split('\n').filter(Boolean)
    const { keyColumns = [], kinds } = like.get(name) ?? {}
    tables.set(name, tableOfLines(lines, keyColumns, kinds))
  }
  return tables
}
