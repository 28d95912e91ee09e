/** Names of internal topics, as Kafka Streams forms them: `<applicationId>-<name>-<what>`. */

export function repartitionTopic(applicationId: string, node: string): string {
  return `${applicationId}-${node}-repartition`
}

export function stagedTopic(applicationId: string, node: string): string {
  return `${applicationId}-${node}-staged`
}

/** One record a task: that it has committed before, and the merger's token. Compacted. */
export function ownersTopic(applicationId: string): string {
  return `${applicationId}-owners`
}

/** One record a table: the staged offset that it is applied through. Compacted. */
export function appliedTopic(applicationId: string): string {
  return `${applicationId}-applied`
}
