/**
 * The topic of parked batches: those of tables that are held back. They are moved there in the transaction
 * that passes them, so that a table which cannot go on does not hold back its partition; their files stay
 * in staging. `forager resume TABLE` brings them back, in order, before newer ones.
 */
import type { Log, ProducerRecord, TopicPartition } from '../log/log.ts'
import { assert } from '../model/errors.ts'
import { decodeStagedBatch, encodeStagedBatch } from '../model/staged-batch.ts'
import type { WaitingBatch } from '../processors/merge.ts'
import { readAll } from './read-all.ts'

const version = 1
/** The version, then the staged offset. */
const headBytes = 9

export function parkedRecord(
  at: TopicPartition,
  { offset, batch }: WaitingBatch,
  timestampMs: number,
): ProducerRecord {
  const head = Buffer.alloc(headBytes)
  head[0] = version
  head.writeBigUInt64BE(BigInt(offset), 1)
  const value = Buffer.concat([head, encodeStagedBatch(batch)])
  return { ...at, key: Buffer.from(batch.table), value, timestampMs }
}

export interface ParkedBatch extends WaitingBatch {
  /** Its place in the topic of parked batches; `offset` is that of the staged topic. */
  readonly parkedOffset: number
}

/** Of one partition, in the order in which they were parked. A batch may be there twice. */
export async function* readParked(log: Log, at: TopicPartition): AsyncGenerator<ParkedBatch> {
  for await (const { offset: parkedOffset, value } of readAll(log, at)) {
    assert(value![0] === version, () => {
      return `a parked batch has version ${value![0]}, known is ${version}`
    })
    const offset = Number(Buffer.from(value!).readBigUInt64BE(1))
    yield { parkedOffset, offset, batch: decodeStagedBatch(value!.subarray(headBytes)) }
  }
}
