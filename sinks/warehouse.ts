/**
 * The tables that follow the database. An apply is idempotent: it is told which staged offsets it
 * covers, and a warehouse that has them says `already-applied`.
 */

import type { ReachPoint } from '../model/crash-points.ts'
import type { NetChange } from '../model/net-change.ts'
import type { PartitionBy, Target } from '../model/partition-by.ts'
import type { TruncatePoint } from '../model/position.ts'
import type { ApplyReceipt } from '../model/staged-batch.ts'
import type { TableSchema } from '../model/table-schema.ts'
import type { Clock } from '../runtime/clock.ts'
import type { FileSystem } from '../runtime/file-system.ts'
import type { Random } from '../runtime/random.ts'
import type { Staging } from './staging.ts'

/** Staged offsets up to and with this one are in the table. */
export interface AppliedThrough {
  /** Identity of the staged topic: offsets of another one mean nothing. */
  readonly topicId: string
  readonly offset: number
  /** Name of the staged batch at that offset (`batchName`). Commits of versions before have none. */
  readonly batch?: string
}

/** Of a table that has rows, and is to follow whatever log comes: see `forager reset`. */
export const noLog: AppliedThrough = { topicId: '', offset: -1 }

export interface ApplyRequest {
  readonly table: string
  /** Of the merger that asks. A lower one than the table has seen is refused (`task-fenced`). */
  readonly token: number
  /** What the table had before, as `open` or the last apply said: the apply directly follows it. */
  readonly after: AppliedThrough | null
  readonly through: AppliedThrough
  /** Holds the schema of every change. */
  readonly schema: TableSchema
  readonly partitionBy: PartitionBy | null
  /** `all`: empty the table first. A point: rows that changed last before it go, now and later. */
  readonly truncate: 'none' | 'all' | TruncatePoint
  /** One a key, in key order. */
  readonly changes: AsyncIterable<readonly NetChange[]>
}

export interface Warehouse {
  /** For descriptions: `embedded:./warehouse`. */
  readonly name: string
  /** How far the table is; null when there is no such table. Ends what an owner before left behind. */
  open(table: string): Promise<AppliedThrough | null>
  apply(request: ApplyRequest): Promise<ApplyReceipt>
}

/** What a sink is opened with. */
export interface SinkContext {
  readonly fileSystem: FileSystem
  readonly clock: Clock
  readonly random: Random
  /** Of the application: a sink may stage below it. */
  readonly stateDir: string
  /** Called at each named point where a crash is tested; see `docs/exactly-once.md`. */
  readonly reach: ReachPoint
}

/** A warehouse as a topology names it: `.to(embedded({ … }))`. */
export interface WarehouseSink {
  readonly name: string
  /** The table that events of `table` go to, and how it is partitioned. */
  targetOf(table: string): Target
  open(context: SinkContext): { readonly warehouse: Warehouse; readonly staging: Staging }
}
