/**
 * What the compacted topic of applied batches says of each table: how far it is applied, the attempt that
 * may be under way, and why it is held back. A record is written by the table's merger in its fenced
 * transaction; of a table the last one counts.
 */
import type { Log, ProducerRecord } from '../log/log.ts'
import { assert } from '../model/errors.ts'
import { fromJson, toJson } from '../model/json.ts'
import type { FollowedSchema } from '../model/schema-change.ts'
import { internSchema } from '../model/table-schema.ts'
import type { AppliedThrough } from '../sinks/warehouse.ts'
import { appliedTopic } from '../topology/internal-topics.ts'
import type { HighestKeys } from './highest-keys.ts'
import type { KeptProgress } from './kept-batches.ts'
import { readAll } from './read-all.ts'
import type { SourceDrop } from './source-drops.ts'

/**
 * What a merger says before it submits a statement: this attempt reads this folder. Without it nothing is
 * submitted, so who sees none knows that no statement of an owner before can be on its way.
 */
export interface Claim {
  readonly token: number
  readonly attempt: number
  /** Staged offset that the table is applied through when this attempt, or one before that is in doubt, succeeds. */
  readonly through: number
}

/** Why a table is held back. Its batches are parked until it is resumed. */
export interface Quarantine {
  readonly code: string
  readonly reason: string
  /** Milliseconds since the epoch. */
  readonly sinceMs: number
  /** Staged offset that had been read by then: the word to resume comes behind it. */
  readonly afterOffset?: number
}

export interface TableProgress {
  /** Null: nothing was applied yet. */
  readonly through: AppliedThrough | null
  /** Milliseconds since the epoch. */
  readonly appliedAtMs: number | null
  readonly claim: Claim | null
  readonly quarantine: Quarantine | null
  /** The table's columns; null: it is not known which it has. */
  readonly followed: FollowedSchema | null
  /** To what a change of its columns leads that was begun, and is not known to be complete. */
  readonly evolving: FollowedSchema | null
  /** Staged offset: batches through it were passed, while there was no table and was to be none. */
  readonly passed?: number
  /** What the table has at most; absent is null. */
  readonly highest?: HighestKeys
  /** Rows so far, while every apply was of new rows: a first snapshot. */
  readonly newRows?: number
  /** Absent: the source has the table, as far as is known. */
  readonly sourceDrop?: SourceDrop
  /** What a truncate needs that is known by its point. */
  readonly kept?: KeptProgress
}

export interface AppliedRecord extends TableProgress {
  readonly table: string
}

export const noProgress: TableProgress = {
  through: null,
  appliedAtMs: null,
  claim: null,
  quarantine: null,
  followed: null,
  evolving: null,
}

const version = 2
/** Held nothing but how far the table is. */
const firstVersion = 1

/** In the order in which they were written. */
export async function* readApplied(log: Log, applicationId: string): AsyncGenerator<AppliedRecord> {
  const at = { topic: appliedTopic(applicationId), partition: 0 }
  for await (const { key, value, timestampMs } of readAll(log, at)) {
    const table = Buffer.from(key!).toString()
    const found = fromJson(Buffer.from(value!.subarray(1)).toString())
    if (value![0] === firstVersion) {
      const through = found as AppliedThrough
      yield { ...noProgress, table, through, appliedAtMs: timestampMs }
    } else {
      assert(value![0] === version, () => {
        return `what is applied has version ${value![0]}, known are ${firstVersion} and ${version}`
      })
      yield { table, ...progressOf(found as Partial<TableProgress>) }
    }
  }
}

/** Records of versions before have no columns. */
function progressOf(found: Partial<TableProgress>): TableProgress {
  const { followed, evolving, ...rest } = { ...noProgress, ...found }
  return { ...rest, followed: interned(followed), evolving: interned(evolving) }
}

function interned(followed: FollowedSchema | null): FollowedSchema | null {
  return followed === null ? null : { ...followed, schema: internSchema(followed.schema) }
}

/** What the log tells of tables. */
export interface ToldTables {
  /** The columns of each, as far as they are known. */
  readonly followed: ReadonlyMap<string, FollowedSchema>
  /** Those that the source has no more. */
  readonly dropped: ReadonlySet<string>
}

/** Empty before the first run. */
export async function toldTables(log: Log, applicationId: string): Promise<ToldTables> {
  const known = new Map<string, FollowedSchema>()
  const dropped = new Set<string>()
  const hasRun = (await log.topics()).some(({ name }) => name === appliedTopic(applicationId))
  for await (const { table, followed, sourceDrop } of hasRun
    ? readApplied(log, applicationId)
    : []) {
    if (followed !== null) known.set(table, followed)
    if (sourceDrop === undefined) dropped.delete(table)
    else dropped.add(table)
  }
  return { followed: known, dropped }
}

export function appliedRecord(
  applicationId: string,
  { table, ...progress }: AppliedRecord,
  timestampMs: number,
): ProducerRecord {
  return {
    topic: appliedTopic(applicationId),
    partition: 0,
    key: Buffer.from(table),
    value: Buffer.concat([Buffer.from([version]), Buffer.from(toJson(progress))]),
    timestampMs,
  }
}
