/** The table that rows of source tables need, from what the database says of their columns. */

import { DecodeError, ForagerError } from '../../model/errors.ts'
import type { PartitionBy } from '../../model/partition-by.ts'
import { columnTypeOf } from '../../model/stated-type.ts'
import type { Column, TableSchema } from '../../model/table-schema.ts'
import { internSchema, unionSchema } from '../../model/table-schema.ts'
import type { TableRule } from '../../processors/route-tables.ts'
import type { HiveTable } from '../../sinks/hive/target-table.ts'
import { targetTable } from '../../sinks/hive/target-table.ts'
import type { SourceTable } from '../verify/source-database.ts'
import { keyOf, takenColumns } from '../verify/table-plan.ts'

/** Text: why rows of the sources cannot go to any table. */
export function wantedTable(
  sources: readonly SourceTable[],
  rule: TableRule,
  partitionBy: PartitionBy | null,
): HiveTable | string {
  try {
    const [first, ...rest] = sources.map(table => schemaOf(table, rule))
    return targetTable(rest.reduce(unionSchema, first!), partitionBy)
  } catch (error) {
    if (!(error instanceof ForagerError)) throw error
    return error.message
  }
}

function schemaOf(table: SourceTable, rule: TableRule): TableSchema {
  const columns = takenColumns(table, rule).map(({ name, type, nullable }): Column => {
    const stated = rule.columns?.types?.[name]
    return { id: name, name, type: stated === undefined ? type : columnTypeOf(stated), nullable }
  })
  const key = keyOf(table, rule)
  const missing = key.find(name => !columns.some(column => column.name === name))
  if (missing !== undefined) {
    throw new DecodeError(
      'key-column-missing',
      `${table.name} has no column ${missing} for its key`,
    )
  }
  return internSchema({ columns, key })
}
