/**
 * How far a table is, when its merger meets it: by the warehouse's own word where data and progress are
 * one, else by the log's. The two must agree: a warehouse that was removed, restored, or written through
 * another log is noticed before anything is applied.
 */
import type { Log, TopicPartition } from '../log/log.ts'
import { WarehouseError } from '../model/errors.ts'
import { batchName, decodeStagedBatch } from '../model/staged-batch.ts'
import type { AppliedThrough, OpenedTable, Warehouse } from '../sinks/warehouse.ts'
import { noLog } from '../sinks/warehouse.ts'
import type { TableProgress } from './applied.ts'

export interface StagedLog {
  readonly log: Log
  readonly at: TopicPartition
  /** Identity of the staged topic. */
  readonly topicId: string
  /** End of the partition when the task was opened: no table can be applied beyond it. */
  readonly end: number
}

/**
 * `look`: nothing is changed by it. Throws WarehouseError `warehouse-ahead` or `warehouse-behind`: to an owner that was
 * replaced meanwhile they say nothing, because the next one may have applied more.
 */
export async function openTable(
  table: string,
  warehouse: Warehouse,
  { through: logged, followed, evolving }: TableProgress,
  staged: StagedLog,
  how: 'open' | 'look' = 'open',
): Promise<OpenedTable | null> {
  const opened = await warehouse[how](table, { through: logged, followed, evolving })
  const applied = opened?.through ?? null
  // A server knows no better than the log, and meanwhile the log's records go.
  if (applied !== null && !warehouse.isRemote) {
    const problem = await problemOf(applied, staged)
    if (problem !== null) {
      throw new WarehouseError('warehouse-ahead', problem, { context: { table } })
    }
  }
  if (logged !== null && logged.offset > (applied?.offset ?? -1)) {
    throw new WarehouseError(
      'warehouse-behind',
      `the table was applied through offset ${logged.offset}, and it ` +
        (opened === null ? 'does not exist' : `has only ${applied?.offset ?? 'nothing'}`),
      { context: { table } },
    )
  }
  return opened
}

/** Why a table that is applied so far was not written through this log; null: it was. */
async function problemOf(
  applied: AppliedThrough,
  { log, at, topicId, end }: StagedLog,
): Promise<string | null> {
  if (applied.topicId === noLog.topicId) return null
  if (applied.topicId !== topicId) {
    return `the table was written through the log ${applied.topicId}, and this is ${topicId}`
  }
  const { start, end: endNow } = await log.offsets(at)
  // An owner before may have applied what was staged since the task was opened.
  if (applied.offset >= Math.max(end, endNow)) {
    return `the table is applied through offset ${applied.offset}, and the log ended at ${end}`
  }
  // What is deleted was applied: no batch that waits is below.
  if (applied.offset < start || applied.batch === undefined) return null
  const { records } = await log.read(at, applied.offset, 1)
  const record = records[0]?.offset === applied.offset ? records[0] : null
  const found = record === null ? 'none' : batchName(decodeStagedBatch(record.value!))
  if (found === applied.batch) return null
  return `the table has batch ${applied.batch} of offset ${applied.offset}, and the log has ${found}`
}
