/** Changes of small tables, and how a test drives a warehouse with them. */
import type { ColumnType } from '../../../model/column-type.ts'
import { parseColumnType } from '../../../model/column-type.ts'
import { encodeKey } from '../../../model/key.ts'
import type { NetChange } from '../../../model/net-change.ts'
import type { Column, TableSchema } from '../../../model/table-schema.ts'
import { internSchema, keyColumns } from '../../../model/table-schema.ts'
import type { Value } from '../../../model/value.ts'
import { TableDriver } from './warehouses.ts'

export function column(
  name: string,
  type: string | ColumnType,
  rest: Partial<Column> = {},
): Column {
  const parsed = typeof type === 'string' ? parseColumnType(type) : type
  return { id: name, name, type: parsed, nullable: true, ...rest }
}

export function schemaOf(columns: readonly Column[], key: readonly string[] = ['id']): TableSchema {
  return internSchema({ columns, key })
}

export const idAndText = schemaOf([column('id', 'int'), column('text', 'string')])

let place = 0

export function upsert(
  values: readonly (Value | undefined)[],
  schema = idAndText,
  rest: Partial<NetChange> = {},
): NetChange {
  const columns = keyColumns(schema)
  const keyValues = columns.map(one => values[schema.columns.indexOf(one)]!)
  place += 1
  return {
    kind: 'upsert',
    key: encodeKey(columns, keyValues),
    row: values,
    schema,
    leaves: 'unknown',
    last: { position: `bin.000001:${place}:0@1`, sourceMs: place },
    ...rest,
  }
}

export function remove(values: readonly Value[], schema = idAndText): NetChange {
  return { ...upsert(values, schema), kind: 'delete', row: null }
}

/** The values of all rows, in key order. */
export async function valuesIn(driver: TableDriver): Promise<(readonly Value[])[]> {
  const { rows } = await driver.table()
  const found: (readonly Value[])[] = []
  for await (const part of rows()) found.push(...part.map(({ values }) => values))
  return found
}

export async function openDriver(options: ConstructorParameters<typeof TableDriver>[0] = {}) {
  const driver = new TableDriver(options)
  await driver.open()
  return driver
}
