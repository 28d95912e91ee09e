/**
 * Tables that the source made, dropped or renamed, on their way to the merger: one that was made so that it is
 * there without a row, one that was dropped by its place in the source's log. A table that was renamed is one
 * that was dropped and one that was made: rules name tables.
 */
import type { TableChange } from '../formats/decoder.ts'
import type { LogRecord } from '../model/change-event.ts'
import type { TableFrame } from '../model/hop-frame.ts'
import type { Position } from '../model/position.ts'
import type { SchemaPolicy } from '../model/schema-change.ts'
import { isFollowed } from '../model/schema-change.ts'
import type { SourceTable } from '../model/source-table.ts'
import type { WarehouseSink } from '../sinks/warehouse.ts'
import { dropOfShared } from './source-errors.ts'

export interface SourceTablesOptions {
  readonly sink: WarehouseSink
  /** The way of a table through the chain; null: it ends there. */
  readonly route: (table: SourceTable) => SourceTable | null
}

/** Throws ProcessingError `truncate-shared-target`. */
export function tableFrames(
  changes: readonly TableChange[],
  { topic, partition, offset }: LogRecord,
  { sink, route }: SourceTablesOptions,
): readonly TableFrame[] {
  const dropped = ({ table, position, sourceMs }: TableChange): readonly TableFrame[] => {
    const routed = route({ name: table, schema: null, isShared: false })
    if (routed === null) return []
    const target = sink.targetOf(routed.name)
    if (routed.isShared) {
      // The rows of other source tables would go with it.
      if (!isFollowed(sink.policyOf(target.table)['drop-table'])) return []
      throw dropOfShared(table, target.table, { topic, partition, offset })
    }
    const point = position === null ? null : { position, sourceMs }
    const place = { topic, partition, offset, partitions: 1 }
    const marker = { ...place, isOrdered: false, point, isDrop: true as const }
    return [{ kind: 'truncate', target, marker }]
  }
  const created = (name: string, { schema, sourceMs }: TableChange): readonly TableFrame[] => {
    const routed = route({ name, schema, isShared: false })
    // Its columns are those of its first row, where they are not certain before; without a key it has no rows.
    if (routed === null || routed.schema === null || routed.schema.key.length === 0) return []
    const target = sink.targetOf(routed.name)
    return [{ kind: 'created', target, schema: routed.schema, sourceMs }]
  }
  return changes.flatMap(change => {
    const { type, table, renamedTo } = change
    if (type === 'create') return created(table, change)
    return [...dropped(change), ...(renamedTo === null ? [] : created(renamedTo, change))]
  })
}

/**
 * Whether a truncate of the table counts by its place in the source's log, and not among the rows of its topic:
 * so does a drop, which comes through another topic, and the two have to compare.
 */
export function isByPlace(policy: SchemaPolicy, position: Position | null): boolean {
  const tellsDrops = position?.connector === 'mariadb' || position?.connector === 'mysql'
  return tellsDrops && isFollowed(policy['drop-table'])
}
