/**
 * A fault to plant: a statement whose outcome is not known is sent again under its first claim, with all that waits by
 * then. The log says of the first one how far the table may be.
 */
import type { Log, ProducerRecord } from '../../log/log.ts'
import { fromJson, toJson } from '../../model/json.ts'
import type { Claim, TableProgress } from '../../runtime/applied.ts'
import { overCommits } from './over-log.ts'

export function firstClaims(log: Log): Log {
  const first = new Map<string, Claim>()
  return overCommits(log, (commit, transaction) => {
    const records = transaction.records.map(record => underFirstClaim(record, first))
    return commit({ ...transaction, records })
  })
}

function underFirstClaim(record: ProducerRecord, first: Map<string, Claim>): ProducerRecord {
  if (!record.topic.endsWith('-applied')) return record
  const table = record.key!.toString()
  const { claim, ...progress } = fromJson(
    Buffer.from(record.value!.subarray(1)).toString(),
  ) as TableProgress
  const before = first.get(table)
  if (claim === null) first.delete(table)
  else if (before?.token !== claim.token) first.set(table, claim)
  if (claim === null || before?.token !== claim.token) return record
  const value = Buffer.from(toJson({ ...progress, claim: before }))
  return { ...record, value: Buffer.concat([record.value!.subarray(0, 1), value]) }
}
