/** A fault to plant: a truncate is carried out when the first task has passed its marker, and at each other one. */
import type { Log, ProducerRecord } from '../../log/log.ts'
import { decodeStagedBatch, encodeStagedBatch } from '../../model/staged-batch.ts'
import { overCommits } from './over-log.ts'

export function unalignedTruncates(log: Log): Log {
  return overCommits(log, (commit, transaction) => {
    return commit({ ...transaction, records: transaction.records.map(unaligned) })
  })
}

function unaligned(record: ProducerRecord): ProducerRecord {
  if (!record.topic.endsWith('-staged')) return record
  const batch = decodeStagedBatch(record.value!)
  if (batch.truncate === null) return record
  const truncate = { ...batch.truncate, partitions: 1 }
  return { ...record, value: encodeStagedBatch({ ...batch, truncate }) }
}
