/**
 * What the compacted topic of applied batches says of each table: how far it is applied, the attempt that
 * may be under way, and why it is held back. A record is written by the table's merger in its fenced
 * transaction; of a table the last one counts.
 */
import type { Log, ProducerRecord } from '../log/log.ts'
import { assert } from '../model/errors.ts'
import { fromJson, toJson } from '../model/json.ts'
import type { AppliedThrough } from '../sinks/warehouse.ts'
import { appliedTopic } from '../topology/internal-topics.ts'
import type { HighestKeys } from './highest-keys.ts'
import { readAll } from './read-all.ts'

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
  /** What the table has at most; absent is null. */
  readonly highest?: HighestKeys
  /** Rows so far, while every apply was of new rows: a first snapshot. */
  readonly newRows?: number
}

export interface AppliedRecord extends TableProgress {
  readonly table: string
}

export const noProgress: TableProgress = {
  through: null,
  appliedAtMs: null,
  claim: null,
  quarantine: null,
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
      yield { table, ...(found as TableProgress) }
    }
  }
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
