/**
 * What the compacted topic of applied batches says: how far each table is applied, by the merger that
 * committed it last.
 */
import type { Log, ProducerRecord } from '../log/log.ts'
import { fromJson, toJson } from '../model/json.ts'
import type { AppliedThrough } from '../sinks/warehouse.ts'
import { appliedTopic } from '../topology/internal-topics.ts'
import { readAll } from './read-all.ts'

export interface AppliedRecord {
  readonly table: string
  readonly through: AppliedThrough
  /** Milliseconds since the epoch. */
  readonly appliedAtMs: number
}

const version = 1

/** In the order in which they were written: of a table the last one counts. */
export async function* readApplied(log: Log, applicationId: string): AsyncGenerator<AppliedRecord> {
  const at = { topic: appliedTopic(applicationId), partition: 0 }
  for await (const { key, value, timestampMs: appliedAtMs } of readAll(log, at)) {
    const through = fromJson(Buffer.from(value!.subarray(1)).toString()) as AppliedThrough
    yield { table: Buffer.from(key!).toString(), through, appliedAtMs }
  }
}

export function appliedRecord(
  applicationId: string,
  { table, through, appliedAtMs: timestampMs }: AppliedRecord,
): ProducerRecord {
  return {
    topic: appliedTopic(applicationId),
    partition: 0,
    key: Buffer.from(table),
    value: Buffer.concat([Buffer.from([version]), Buffer.from(toJson(through))]),
    timestampMs,
  }
}
