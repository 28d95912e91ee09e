/** Names of internal topics, as Kafka Streams forms them: `<applicationId>-<name>-<what>`. */

import type { Topology } from './topology.ts'

/** All of an application's own: no pattern of a source selects them. */
export function internalTopics(topology: Topology, applicationId: string): ReadonlySet<string> {
  const ofPipelines = topology.pipelines.flatMap(({ source, repartition, compact, warehouse }) => [
    repartitionTopic(applicationId, repartition.name),
    stagedTopic(applicationId, warehouse.name),
    parkedTopic(applicationId, warehouse.name),
    changelogTopic(applicationId, positionsStore(compact.name)),
    replayTopic(applicationId, source.name),
  ])
  const ofAll = [ownersTopic, appliedTopic, deadLettersTopic].map(name => name(applicationId))
  return new Set([...ofAll, ...ofPipelines])
}

export function repartitionTopic(applicationId: string, node: string): string {
  return `${applicationId}-${node}-repartition`
}

export function stagedTopic(applicationId: string, node: string): string {
  return `${applicationId}-${node}-staged`
}

/** Batches of tables that are held back; partitioned as the staged topic is. */
export function parkedTopic(applicationId: string, node: string): string {
  return `${applicationId}-${node}-parked`
}

/** One record a task: that it has committed before, and the merger's token. Compacted. */
export function ownersTopic(applicationId: string): string {
  return `${applicationId}-owners`
}

/** One record a table: the staged offset that it is applied through. Compacted. */
export function appliedTopic(applicationId: string): string {
  return `${applicationId}-applied`
}

/** What a store of sub-topology 1 holds beyond its window; partitioned as the hop is. Compacted. */
export function changelogTopic(applicationId: string, store: string): string {
  return `${applicationId}-${store}-changelog`
}

/** Name of the store of the last positions of keys: see `ordering`. */
export function positionsStore(compact: string): string {
  return `${compact}-positions`
}

/** Bad messages, as they came (`model/dead-letter.ts`). Never expires. */
export function deadLettersTopic(applicationId: string): string {
  return `${applicationId}-dead-letters`
}

/** Dead letters on their way back into sub-topology 0, by the name of the source. */
export function replayTopic(applicationId: string, source: string): string {
  return `${applicationId}-${source}-replay`
}
