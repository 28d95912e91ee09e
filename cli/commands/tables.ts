/** `forager tables CONFIG`, `forager rows CONFIG TABLE`: looking at the embedded warehouse. */
import { hiveTypeText } from '../../model/column-type.ts'
import { WarehouseError } from '../../model/errors.ts'
import { partitionByText } from '../../model/partition-by.ts'
import { jsonText } from '../../model/value-text.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import type { StoredRow } from '../../sinks/embedded/data-files.ts'
import { metaColumns } from '../../sinks/embedded/data-files.ts'
import { listTables } from '../../sinks/embedded/table-folders.ts'
import type { EmbeddedTable } from '../../sinks/embedded/table-reader.ts'
import { openTable } from '../../sinks/embedded/table-reader.ts'
import { routerOf } from '../application.ts'
import type { LoadedConfig } from '../config.ts'
import { formatBytes, formatTable, writeOut } from '../output.ts'
import { notesOnEarlierRuns, refusedTables } from '../rule-notes.ts'
import { readSourceTables } from '../source-tables.ts'
import { nearest } from '../suggestion.ts'
import { warehousePath } from '../warehouse.ts'

export async function tablesCommand(
  loaded: LoadedConfig,
  { wide }: { readonly wide: boolean },
): Promise<number> {
  const tables = await openTables(loaded)
  if (tables.length === 0) await writeOut('There are no tables yet: `forager run` makes them.\n')
  else {
    const head = ['table', 'rows', 'files', 'size', 'partitioned by', 'columns']
    const cellChars = wide ? Number.POSITIVE_INFINITY : undefined
    await writeOut(formatTable(head, tables.map(describeTable), cellChars))
  }
  const router = routerOf(loaded.config)
  const earlier = await readSourceTables(loaded)
  for (const table of refusedTables(router, earlier)) {
    await writeOut(`Refused: ${table} has no primary key. Name its key columns with \`key\`.\n`)
  }
  // As long as the table is not there, its reader wonders why.
  const isThere = (name: string): boolean => tables.some(({ commit }) => commit.table === name)
  const missing = [...earlier].filter(([table]) => !isThere(router.lookUp(table)?.name ?? ''))
  for (const { text } of notesOnEarlierRuns(loaded, router, new Map(missing), isThere)) {
    await writeOut(`${text}\n`)
  }
  return 0
}

/** All tables that have columns: one that was only ever truncated has none. */
export async function openTables(loaded: LoadedConfig): Promise<readonly EmbeddedTable[]> {
  const root = warehousePath(loaded)
  const names = await listTables(nodeFileSystem, root)
  const tables = await Promise.all(names.map(name => openTable(nodeFileSystem, root, name)))
  return tables.filter(table => table.schema.columns.length > 0)
}

function describeTable({ commit, schema, rowCount, sizeBytes }: EmbeddedTable) {
  const columns = schema.columns.map(({ name, type }) => `${name} ${hiveTypeText(type)}`).join(', ')
  return [
    commit.table,
    rowCount,
    commit.files.length,
    formatBytes(sizeBytes),
    commit.partitionBy === null ? '' : partitionByText(commit.partitionBy),
    columns,
  ]
}

export async function rowsCommand(
  loaded: LoadedConfig,
  name: string,
  { withMeta }: { readonly withMeta: boolean },
): Promise<number> {
  const root = warehousePath(loaded)
  const names = await listTables(nodeFileSystem, root)
  if (!names.includes(name)) {
    const near = nearest(name, names)
    const hint = near === null ? '' : `; did you mean "${near}"?`
    const message = `there is no table ${name}${hint}`
    throw new WarehouseError('table-not-found', message, { context: { table: name } })
  }
  const table = await openTable(nodeFileSystem, root, name)
  for await (const rows of table.rows()) {
    await writeOut(rows.map(row => `${rowText(table, row, withMeta)}\n`).join(''))
  }
  return 0
}

/** A row as one JSON line. */
export function rowText({ schema }: EmbeddedTable, row: StoredRow, withMeta: boolean): string {
  const fields = schema.columns.map(({ name, type }, index) => {
    return `${JSON.stringify(name)}:${jsonText(type, row.values[index])}`
  })
  if (withMeta) {
    const meta = [row.mark.position, row.mark.sourceMs * 1000]
    fields.push(
      ...metaColumns.map(({ name, type }, index) => `"${name}":${jsonText(type, meta[index]!)}`),
    )
  }
  return `{${fields.join(',')}}`
}
