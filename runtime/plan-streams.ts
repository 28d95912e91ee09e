/** The changes of each batch that an apply reads, as its table takes them. */
import { toJson } from '../model/json.ts'
import type { PartitionBy } from '../model/partition-by.ts'
import type { FollowedSchema } from '../model/schema-change.ts'
import type { Changes } from '../processors/changed-keys.ts'
import { hasHalves, withOldRows } from '../processors/changed-keys.ts'
import type { ApplyPlan, WaitingBatch } from '../processors/merge.ts'
import { planApply, withoutLeaves } from '../processors/merge.ts'
import { readThrough } from '../processors/read-through.ts'
import type { Staging } from '../sinks/staging.ts'
import type { ApplyRequest } from '../sinks/warehouse.ts'
import type { Quarantine } from './applied.ts'
import type { Doubt } from './doubt.ts'
import type { KeptBatches } from './kept-batches.ts'

export interface StreamOptions {
  readonly staging: Staging
  readonly kept: KeptBatches
  readonly followed: FollowedSchema
  /** Of the table. */
  readonly partitionBy: PartitionBy | null
  readonly isInDoubt: boolean
  /** That the table is resumed from. */
  readonly quarantine: Quarantine | null
}

/** Who resumes the table was told that values are missing. */
function isLossAccepted(quarantine: Quarantine | null): boolean {
  return quarantine?.code === 'old-row-missing'
}

/**
 * What is in doubt is done again as it was claimed, where keys change in it: with less of it readers would see a step
 * back, with more a row may have gone on from the key that it is looked for under. Null: there is no such thing.
 */
export function repeatedPlan(doubt: Doubt, waiting: readonly WaitingBatch[]): ApplyPlan | null {
  if (!doubt.isOfApply) return null
  const claimed = waiting.filter(({ offset }) => !doubt.isBeyondClaim(offset))
  return claimed.length > 0 && hasHalves(claimed) ? planApply(claimed) : null
}

/** What the apply says of old rows to its warehouse. */
export function oldRowsOf(
  { sources }: ApplyPlan,
  quarantine: Quarantine | null,
): Pick<ApplyRequest, 'oldRows'> {
  if (!hasHalves(sources)) return {}
  return { oldRows: isLossAccepted(quarantine) ? 'if-there' : 'all' }
}

/** In the order of the plan's sources. Throws WarehouseError `old-row-missing`. */
export async function planStreams(
  plan: ApplyPlan,
  options: StreamOptions,
): Promise<readonly Changes[]> {
  const { staging, kept, followed, partitionBy, isInDoubt, quarantine } = options
  const read = ({ batch }: WaitingBatch): Changes => {
    const isSame = toJson(batch.partitionBy) === toJson(partitionBy)
    const changes = kept.withoutTruncated(plan, staging.read(batch))
    const through = readThrough(changes, batch, followed)
    return isSame ? through : withoutLeaves(through)
  }
  return await withOldRows(plan.sources, {
    schema: followed.schema,
    read,
    isInDoubt,
    isLossAccepted: isLossAccepted(quarantine),
  })
}
