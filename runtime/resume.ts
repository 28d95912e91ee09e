/**
 * Bringing back tables that are held back. The operator's word goes through the staged topic, among the
 * batches of the table: so its merger, whichever instance has it, meets it in order, now or at its next
 * start, and applies what was parked before anything newer.
 */
import type { Log } from '../log/log.ts'
import { noMembership } from '../log/log.ts'
import { partitionOfBytes } from '../model/partitioner.ts'
import { encodeStagedBatch, resumeMarker } from '../model/staged-batch.ts'
import { appliedTopic, stagedTopic } from '../topology/internal-topics.ts'
import type { Topology } from '../topology/topology.ts'
import type { Quarantine } from './applied.ts'
import { readApplied } from './applied.ts'
import type { Clock } from './clock.ts'

/** Tables that are held back, with the reason; empty before the first run. */
export async function quarantinedTables(
  log: Log,
  applicationId: string,
): Promise<ReadonlyMap<string, Quarantine>> {
  const found = new Map<string, Quarantine>()
  if (!(await log.topics()).some(({ name }) => name === appliedTopic(applicationId))) return found
  for await (const { table, quarantine } of readApplied(log, applicationId)) {
    if (quarantine === null) found.delete(table)
    else found.set(table, quarantine)
  }
  return found
}

export interface ResumeOptions {
  readonly applicationId: string
  readonly topology: Topology
  readonly clock: Clock
  readonly tables: readonly string[]
}

/** A table that is not held back is not harmed. */
export async function resumeTables(
  log: Log,
  { applicationId, topology, clock, tables }: ResumeOptions,
): Promise<void> {
  const topics = await log.topics()
  const staged = topology.pipelines.flatMap(({ warehouse }) => {
    const name = stagedTopic(applicationId, warehouse.name)
    return topics.find(topic => topic.name === name) ?? []
  })
  const records = staged.flatMap(({ name: topic, partitions }) =>
    tables.map(table => {
      const key = Buffer.from(table)
      const partition = partitionOfBytes(key, partitions)
      const value = encodeStagedBatch(resumeMarker(table))
      return { topic, partition, key, value, timestampMs: clock.now() }
    }),
  )
  const producer = await log.openProducer(`${applicationId}-resume`)
  try {
    await producer.commit({ records, offsets: [], group: noMembership })
  } finally {
    await producer.close()
  }
}
