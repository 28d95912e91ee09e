/** Tables of the embedded warehouse as a reader finds them, compared with what they must be. */
import type { Value } from '../../model/value.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import { openTable } from '../../sinks/embedded/table-reader.ts'

export type TableRow = Readonly<Record<string, Value>>

/** Rows in the order in which the table has them, each key as often as it is there. */
export async function readTable(warehouse: string, name: string): Promise<TableRow[]> {
  const table = await openTable(nodeFileSystem, warehouse, name)
  const names = table.schema.columns.map(column => column.name)
  const rows: TableRow[] = []
  for await (const part of table.rows()) {
    for (const { values } of part) {
      rows.push(Object.fromEntries(names.map((column, index) => [column, values[index]!])))
    }
  }
  return rows
}

/**
 * What differs, in words; at most a few. `expected` has rows by key, with the columns that are compared;
 * numbers are the same whether they are wide or not.
 */
export function tableDifferences(
  rows: readonly TableRow[],
  keyOf: (row: TableRow) => string,
  expected: ReadonlyMap<string, object>,
): string[] {
  const found: string[] = []
  const seen = new Set<string>()
  for (const row of rows) {
    const key = keyOf(row)
    const wanted = expected.get(key)
    if (seen.has(key)) found.push(`${key}: twice`)
    else if (wanted === undefined) found.push(`${key}: is there, and must not be`)
    else if (textOf(row, wanted) !== textOf(wanted, wanted)) {
      found.push(`${key}: is ${textOf(row, wanted)}, must be ${textOf(wanted, wanted)}`)
    }
    seen.add(key)
  }
  for (const key of expected.keys()) if (!seen.has(key)) found.push(`${key}: is missing`)
  return found.slice(0, 20)
}

function textOf(row: object, like: object): string {
  return Object.keys(like)
    .map(name => `${name}=${String((row as Record<string, unknown>)[name])}`)
    .join(' ')
    .slice(0, 400)
}
