/**
 * Tables that the source drops and makes again, and Debezium's word for both, which comes through a topic of its own.
 * A target that does not follow keeps the rows that were in such a table.
 */
import type { NewRecord } from '../memory-source.ts'
import type { RowShape } from './source-rows.ts'

/** What becomes of the rows in the target. */
export type Drops = 'followed' | 'kept'

export const ddlTopic = 'sim.ddl'

export class DroppedTables {
  readonly #gone = new Set<string>()
  /** Rows of the target that the source has not, by table and id. */
  readonly #kept = new Set<string>()

  drop(table: string): void {
    this.#gone.add(table)
  }

  /** Whether it was dropped: it is there again from here on. */
  makeAgain(table: string): boolean {
    return this.#gone.delete(table)
  }

  keep(table: string, id: number): void {
    this.#kept.add(`${table} ${id}`)
  }

  isKept(table: string, id: number): boolean {
    return this.#kept.has(`${table} ${id}`)
  }

  /** The target has another row under the key, or none. */
  forget(table: string, id: number): void {
    this.#kept.delete(`${table} ${id}`)
  }
}

/** `source` as of an event of a row at the position. */
export function ddlRecord(
  type: 'CREATE' | 'DROP',
  table: string,
  source: object,
  shape: RowShape,
): Omit<NewRecord, 'timestampMs'> {
  const payload = {
    source: { ...source, row: undefined },
    databaseName: 'shop',
    ddl: `${type} TABLE \`${table}\``,
    tableChanges: [
      { type, id: `"shop"."${table}"`, table: type === 'DROP' ? null : definition(shape) },
    ],
  }
  const value = Buffer.from(JSON.stringify({ schema: { type: 'struct', fields: [] }, payload }))
  return { topic: ddlTopic, partition: 0, key: null, value, headers: [] }
}

function definition({ hasExtra, isWide, isMemoGone }: RowShape): object {
  const columns = {
    id: 'INT',
    version: 'BIGINT',
    month: 'VARCHAR',
    note: 'VARCHAR',
    body: 'TEXT',
    size: isWide ? 'BIGINT' : 'INT',
    rate: isWide ? 'DOUBLE' : 'FLOAT',
    price: 'DECIMAL',
    ...(isMemoGone ? {} : { memo: 'VARCHAR' }),
    ...(hasExtra ? { extra: 'VARCHAR' } : {}),
  }
  return {
    primaryKeyColumnNames: ['id'],
    columns: Object.entries(columns).map(([name, typeName]) => {
      return { name, typeName, optional: name === 'note' || name === 'memo' }
    }),
  }
}
