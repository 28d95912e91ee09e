/** The rows of an embedded table, as a reader sees them now. */
import type { Row } from '../model/value.ts'
import type { FileSystem } from '../runtime/file-system.ts'
import { openTable } from '../sinks/embedded/table-reader.ts'

export interface ReadRows {
  readonly key: readonly string[]
  /** In key order, with all columns of the table. */
  readonly rows: readonly Row[]
}

/** Null: there is no such table. */
export async function readRows(
  fileSystem: FileSystem,
  root: string,
  table: string,
): Promise<ReadRows | null> {
  try {
    const { schema, rows } = await openTable(fileSystem, root, table)
    const found: Row[] = []
    for await (const part of rows()) {
      for (const { values } of part) {
        const entries = schema.columns.map(({ name }, index) => [name, values[index]!] as const)
        found.push(Object.fromEntries(entries))
      }
    }
    return { key: schema.key, rows: found }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'table-not-found') return null
    throw error
  }
}
