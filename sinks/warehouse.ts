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
import type { Logger } from '../observe/logger.ts'
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
  /** No row of the changes is in the table: nothing has to be looked for. */
  readonly areNew: boolean
  /** Of this token and table: 1, 2, … Every call of `apply` is a new one. */
  readonly attempt: number
  /**
   * A statement of an attempt before may still be running, or may have been committed without an answer:
   * it must have ended before another one is submitted.
   */
  readonly isInDoubt: boolean
  /**
   * To be called once what the statement reads is whole, and before it is submitted: commits the claim in
   * the merger's fenced transaction. StateError `task-fenced`: the table has another owner, and nothing may
   * be submitted. Warehouses that commit data and progress in one step need no claim.
   */
  readonly claim: () => Promise<void>
  /** Aborted when the merger loses the table or the process stops: the statement is cancelled. */
  readonly signal: AbortSignal
}

export interface Warehouse {
  /** For descriptions: `embedded:./warehouse`. */
  readonly name: string
  /**
   * Of a server: applying is waiting, and the instance reads and stages on meanwhile. Its data and its
   * progress are two things: the log keeps the progress, and an apply is claimed before it is submitted.
   */
  readonly isRemote: boolean
  /** How many tables are applied to at once. */
  readonly parallel: number
  /**
   * How far the table is; null when there is no such table. `logged` is what the log says of it: a remote
   * warehouse knows no better. Ends what an owner before left behind.
   */
  open(table: string, logged: AppliedThrough | null): Promise<AppliedThrough | null>
  apply(request: ApplyRequest): Promise<ApplyReceipt>
  close(): Promise<void>
}

/** What a sink is opened with. */
export interface SinkContext {
  readonly fileSystem: FileSystem
  readonly clock: Clock
  readonly random: Random
  /** Of the application: a sink may stage below it. */
  readonly stateDir: string
  readonly logger: Logger
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
