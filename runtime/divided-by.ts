/**
 * By what a batch was to be divided when it was staged may be a mistake that the configuration has mended
 * since: where it cannot be applied so, what the configuration says now is tried.
 */
import type { ErrorCode } from '../model/errors.ts'
import { ForagerError } from '../model/errors.ts'
import { toJson } from '../model/json.ts'
import type { PartitionBy } from '../model/partition-by.ts'

const mistakes: readonly ErrorCode[] = ['partition-column-missing', 'partitioning-changed']

export async function dividedBy<T>(
  staged: PartitionBy | null,
  configured: () => PartitionBy | null,
  apply: (partitionBy: PartitionBy | null) => Promise<T>,
): Promise<T> {
  try {
    return await apply(staged)
  } catch (error) {
    if (!(error instanceof ForagerError) || !mistakes.includes(error.code)) throw error
    const partitionBy = configured()
    if (toJson(partitionBy) === toJson(staged)) throw error
    return await apply(partitionBy)
  }
}
