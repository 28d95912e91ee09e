/**
 * The tables that follow the database. An apply is idempotent: it is told which staged offsets it
 * covers, and a warehouse that has them says `already-applied`.
 */

import type { ReachPoint } from '../model/crash-points.ts'
import type { NetChange } from '../model/net-change.ts'
import type { PartitionBy, Target } from '../model/partition-by.ts'
import type { TruncatePoint } from '../model/position.ts'
import type { ColumnChange, FollowedSchema, SchemaPolicy } from '../model/schema-change.ts'
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

/** What the log says of a table. */
export interface LoggedTable {
  readonly through: AppliedThrough | null
  /** Null: it is not known, because nothing was applied yet, or by a version before. */
  readonly followed: FollowedSchema | null
  /** To what a change of the table leads that was begun, and is not known to be complete. */
  readonly evolving: FollowedSchema | null
}

/** A table that is there. */
export interface OpenedTable {
  /** Null: nothing was applied to it. */
  readonly through: AppliedThrough | null
  /** As logged, without columns that are gone from the table; null: it is not known which the source has. */
  readonly followed: FollowedSchema | null
  /** Names of its other columns, in lower case: made by hand, or by a change that is not complete. */
  readonly others: ReadonlySet<string>
}

/** A change of the columns, which may be made as well as left. */
export interface PlannedChange {
  readonly change: ColumnChange
  /** Where the warehouse cannot make it, the table goes on without (`try_evolve`). */
  readonly mayFail: boolean
}

export interface FailedChange {
  readonly change: ColumnChange
  readonly reason: string
}

export interface DescribedChanges {
  /** A comment (`--`) is what no one statement shows. */
  readonly statements: readonly string[]
  /** What the warehouse cannot make, as far as that is known without asking it. */
  readonly impossible: readonly FailedChange[]
}

export interface EvolveRequest {
  readonly table: string
  /** Of the merger that asks. */
  readonly token: number
  /** Of this token and table, counted together with those of `apply`. */
  readonly attempt: number
  readonly to: FollowedSchema
  /**
   * From the columns that it is known to have to those that it is to have. One that was made by hand already
   * is left as it is, where its type will do.
   */
  readonly changes: readonly PlannedChange[]
  /** What an attempt before had begun: its new columns may be there without the default in old rows. */
  readonly begun: FollowedSchema | null
  readonly partitionBy: PartitionBy | null
  /** As of `ApplyRequest`: a statement of an attempt before may be under way. */
  readonly isInDoubt: boolean
  /** To be called before anything is changed: as of `ApplyRequest`. */
  readonly claim: () => Promise<void>
  readonly signal: AbortSignal
}

export interface ApplyRequest {
  readonly table: string
  /** Of the merger that asks. A lower one than the table has seen is refused (`task-fenced`). */
  readonly token: number
  /** What the table had before, as `open` or the last apply said: the apply directly follows it. */
  readonly after: AppliedThrough | null
  readonly through: AppliedThrough
  /** All columns that the table is to have. Of the changes' columns those that it lacks are left out. */
  readonly followed: FollowedSchema
  readonly partitionBy: PartitionBy | null
  /**
   * `all`: empty the table first. A point, where rows keep their positions: those that changed last before
   * it go, now and later.
   */
  readonly truncate: 'none' | 'all' | TruncatePoint
  /** One a key, in key order. */
  readonly changes: AsyncIterable<readonly NetChange[]>
  /** No row of the changes is in the table: nothing has to be looked for. */
  readonly areNew: boolean
  /**
   * Absent: no patch takes values from a row under another key (`NetChange.movedFrom`). `all`: where there is
   * neither that row nor its own, WarehouseError `old-row-missing`; `if-there`: what the patch lacks is null.
   */
  readonly oldRows?: 'all' | 'if-there'
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

export interface KeepLimits {
  readonly maxAgeMs: number
  readonly maxBytes: number
}

export interface Warehouse {
  /** For descriptions: `embedded:./warehouse`. */
  readonly name: string
  /**
   * Of a server: applying is waiting, and the instance reads and stages on meanwhile. Its data and its
   * progress are two things: the log keeps the progress, and an apply is claimed before it is submitted.
   */
  readonly isRemote: boolean
  /**
   * Null: rows keep the position of their last change, and a truncate is applied by it. Else a truncate that is
   * known by its position empties the table, and rows that are newer are written again from what was staged:
   * so long, and so much of a table, its staged files are kept after they were applied.
   */
  readonly keeps: KeepLimits | null
  /** How many tables are applied to at once. */
  readonly parallel: number
  /**
   * How far the table is, and its columns; null when there is no such table. `logged` is what the log says
   * of it: a remote warehouse knows no better of how far it is. Ends what an owner before left behind.
   */
  open(table: string, logged: LoggedTable): Promise<OpenedTable | null>
  /** As `open`, for who only looks: nothing is changed, and nothing ended. */
  look(table: string, logged: LoggedTable): Promise<OpenedTable | null>
  /**
   * Changes the columns of a table that is there, so that the next apply finds them; old rows have the
   * default of a new column afterwards. Only of remote warehouses: elsewhere the columns are part of what an
   * apply commits. It may be called again after a crash, whatever of it was done. Resolves to the changes
   * that may fail and could not be made; another one that cannot throws WarehouseError
   * `schema-change-unsupported`, or what the statement failed with.
   */
  evolve(request: EvolveRequest): Promise<readonly FailedChange[]>
  /** The statements that `evolve` would execute, for people; none where an apply commits the columns. */
  describeChanges(
    table: string,
    changes: readonly ColumnChange[],
    partitionBy: PartitionBy | null,
  ): DescribedChanges
  /** The statements that make a table, for people. WarehouseError when it cannot hold such columns. */
  describeTable(
    table: string,
    schema: TableSchema,
    partitionBy: PartitionBy | null,
  ): readonly string[]
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
  /** What becomes of changes of a target's columns. */
  policyOf(target: string): SchemaPolicy
  open(context: SinkContext): { readonly warehouse: Warehouse; readonly staging: Staging }
}
