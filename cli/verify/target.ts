/** Where the rows of the tables are that follow: Hive, or a local folder. */
import type { FollowedSchema } from '../../model/schema-change.ts'
import type { Value } from '../../model/value.ts'
import type { Unreadable } from './column-pairs.ts'
import type { KeyRange } from './source-database.ts'

export interface TargetColumnFound {
  /** As it is in the target; Hive has lower case only. */
  readonly name: string
  /** In the target's words. */
  readonly declared: string
}

export interface FoundTable {
  readonly columns: readonly TargetColumnFound[]
  /** A column that Forager made of another one, by which the table is divided: `year_month`. */
  readonly madeColumns: readonly string[]
  /** How it followed its source; null: nothing is known of it. */
  readonly followed: FollowedSchema | null
  /** Whether a part of it can be read for less than all of it. */
  readonly hasRanges: boolean
  /** All rows of the range with these columns, in parts, by the order of the key. */
  rows(
    columns: readonly TargetColumnFound[],
    key: readonly TargetColumnFound[],
    range: KeyRange,
  ): AsyncIterable<readonly (readonly (Value | Unreadable)[])[]>
}

export interface VerifyTarget {
  /** For messages: `Hive`. */
  readonly name: string
  /** Null when there is no such table. */
  find(table: string): Promise<FoundTable | null>
  close(): Promise<void>
}
