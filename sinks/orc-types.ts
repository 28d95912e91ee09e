/** From the types of columns to ORC's, which are Hive's. Values have the same form on both sides. */
import type { ColumnType } from '../model/column-type.ts'
import type { OrcType } from '../orc/index.ts'

export function orcTypeOf(type: ColumnType): OrcType {
  switch (type.kind) {
    case 'tinyint':
      return { kind: 'byte' }
    case 'smallint':
      return { kind: 'short' }
    case 'bigint':
      return { kind: 'long' }
    case 'ubigint':
      return { kind: 'decimal', precision: 20, scale: 0 }
    case 'timestamptz':
      return { kind: 'timestamp_instant' }
    case 'array':
      return { kind: 'list', element: orcTypeOf(type.element) }
    case 'decimal':
    case 'varchar':
    case 'char':
      return type
    default:
      return { kind: type.kind }
  }
}
