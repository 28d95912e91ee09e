/**
 * Whether a window's transaction passes changes that it does not stage: each change of the hop below the offset
 * that it moves is counted in the batch of its table that it names.
 */
import type { LogRecord } from '../../model/change-event.ts'
import { decodeHopFrame } from '../../model/hop-frame.ts'
import type { StagedBatch } from '../../model/staged-batch.ts'

/**
 * `records` are those of the hop that the transaction passes, as far as they are known, `batches` those that it names.
 * What is wrong; null: nothing. Changes with positions are not counted: older ones among them are dropped.
 */
export function unstagedChanges(
  records: readonly LogRecord[],
  batches: readonly StagedBatch[],
): string | null {
  const passed = new Map<string, number>()
  for (const { value } of records) countChanges(value!, passed)
  for (const [table, count] of passed) {
    const own = batches.filter(batch => batch.table === table)
    const staged = own.reduce((sum, { eventCount }) => sum + eventCount, 0)
    if (staged < count) return `of ${count} changes of ${table} that it passes ${staged} are staged`
  }
  return null
}

function countChanges(bytes: Uint8Array, counts: Map<string, number>): void {
  const frame = decodeHopFrame(bytes)
  const count = (table: string): unknown => counts.set(table, (counts.get(table) ?? 0) + 1)
  if (frame.kind === 'truncate') {
    count(frame.target.table)
    return
  }
  if (frame.kind === 'created') return
  const { changes } = frame
  while (changes.next()) if (!changes.hasPositions) count(changes.of.target.table)
}
