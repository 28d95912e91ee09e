/** The tables of the warehouse against what the workload says they are, row by row. */
import { WarehouseError } from '../../model/errors.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import { openTable } from '../../sinks/embedded/table-reader.ts'
import type { SoakRow, SoakWorkload } from './workload.ts'
import { soakTables } from './workload.ts'

const maxShown = 20

/** What differs, in words, at most 20. Columns that the source has dropped are not looked at. */
export async function differences(warehouse: string, workload: SoakWorkload): Promise<string[]> {
  const found: string[] = []
  for (const name of soakTables) {
    const left = new Map(workload.rowsOf(name))
    for await (const row of rowsOf(warehouse, name)) {
      const id = Number(row.id)
      const wanted = left.get(id)
      if (wanted === undefined) found.push(`${name} ${id}: is there twice, or must not be there`)
      else found.push(...rowDifferences(row, wanted).map(what => `${name} ${id}, ${what}`))
      left.delete(id)
    }
    for (const id of left.keys()) found.push(`${name} ${id}: is missing`)
  }
  return found.slice(0, maxShown)
}

type FoundRow = Readonly<Record<string, unknown>>

async function* rowsOf(warehouse: string, name: string): AsyncGenerator<FoundRow> {
  try {
    const table = await openTable(nodeFileSystem, warehouse, name)
    const { columns } = table.schema
    for await (const part of table.rows()) {
      for (const { values } of part) {
        yield Object.fromEntries(
          columns.map(({ name: column, type }, index) => {
            const value = values[index]
            return [column, type.kind === 'date' ? dateText(value as number) : value]
          }),
        )
      }
    }
  } catch (error) {
    if (!(error instanceof WarehouseError) || error.code !== 'table-not-found') throw error
  }
}

function rowDifferences(row: FoundRow, wanted: SoakRow): string[] {
  return Object.entries(wanted)
    .filter(([column, value]) => textOf(row[column]) !== textOf(value))
    .map(([column, value]) => `${column}: ${textOf(row[column])}, must be ${textOf(value)}`)
}

/** A number is the same whether it is wide or not. */
function textOf(value: unknown): string {
  return value === null ? 'null' : String(value as string | number | bigint | undefined)
}

function dateText(days: number): string {
  return new Date(days * 86_400_000).toISOString().slice(0, 10)
}
