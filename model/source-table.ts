/** What is told of a table beside its rows. */
import type { TableSchema } from './table-schema.ts'

/** A whole table of the source, with or without rows, on its way to a target. */
export interface SourceTable {
  /** Behind a `route` the target's. */
  readonly name: string
  /** Null: which columns its rows have is not known. */
  readonly schema: TableSchema | null
  /** Other source tables go to the same target. */
  readonly isShared: boolean
}
