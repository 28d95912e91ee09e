/**
 * What is known of tables that the source dropped and that the target keeps: it is part of a table's progress,
 * so that it is told for as long as the source has no table of the name.
 */
import type { SchemaPolicy } from '../model/schema-change.ts'
import { isFollowed } from '../model/schema-change.ts'
import type { StagedBatch } from '../model/staged-batch.ts'
import type { WaitingBatch } from '../processors/merge.ts'
import type { Pipeline } from '../topology/topology.ts'
import type { TableProgress } from './applied.ts'
import type { TaskContext } from './task.ts'

/** The source has dropped the table, and has none of its name since. */
export interface SourceDrop {
  /** By the source's clock, milliseconds; null where the source does not say it. */
  readonly atMs: number | null
  /** In the source's log; empty where the source does not say it. */
  readonly position: string
}

/** The table's progress after an apply of the batches; drops among them are told. */
export function withDrops(
  progress: TableProgress,
  covered: readonly WaitingBatch[],
  table: string,
  { context, pipeline }: { readonly context: TaskContext; readonly pipeline: Pipeline },
): TableProgress {
  const { sourceDrop: before = null, ...rest } = progress
  let sourceDrop: SourceDrop | null = before
  for (const { batch } of covered) {
    const dropped = dropOf(batch)
    if (dropped !== null) {
      sourceDrop = dropped
      tell(dropped, context, table, pipeline.warehouse.sink.policyOf(table))
    }
    if (sourceDrop !== null && isThereAgain(batch, sourceDrop)) sourceDrop = null
  }
  return sourceDrop === null ? rest : { ...rest, sourceDrop }
}

function dropOf({ truncate }: StagedBatch): SourceDrop | null {
  if (truncate?.isDrop !== true) return null
  const { point } = truncate
  return { atMs: point?.sourceMs ?? null, position: point?.position.text ?? '' }
}

/** Statements are stamped to the second: one may be made in the second in which the one before was dropped. */
function isThereAgain({ creates, rowCount, sourceMs }: StagedBatch, { atMs }: SourceDrop): boolean {
  if (atMs === null) return rowCount > 0 || creates === true
  return creates === true ? sourceMs.last >= atMs : rowCount > 0 && sourceMs.last > atMs
}

function tell(
  { position }: SourceDrop,
  { logger, metrics }: TaskContext,
  table: string,
  { 'drop-table': mode }: SchemaPolicy,
): void {
  if (isFollowed(mode)) {
    logger.info('table.emptied', { table, position, reason: 'the source dropped it' })
    metrics.count('forager_schema_changes_total', 1, { table, kind: 'drop-table' })
    return
  }
  logger.warn('table.kept', { table, position, mode, reason: 'the source dropped it' })
  metrics.count('forager_table_drops_ignored_total', 1, { table })
}
