/**
 * Notices a file of events that lost what was read from it: its topics of earlier runs must still be
 * there. Tasks check the place where they go on; a topic that is gone has no task.
 */
import type { Log } from '../log/log.ts'
import { SourceError } from '../model/errors.ts'
import { readOwners } from '../runtime/owners.ts'
import { ownersTopic } from '../topology/internal-topics.ts'

/** Throws SourceError `source-replaced`. */
export async function refuseLostTopics(log: Log, applicationId: string): Promise<void> {
  const own = ownersTopic(applicationId)
  const known = await log.topics()
  if (!known.some(({ name }) => name === own)) return
  const { tasks } = await readOwners(log, applicationId)
  for (const id of [...tasks].sort()) {
    // Tasks of the first sub-topology read the source: `0_<topic>-<partition>`.
    const [, topic = '', number] = /^0_(.+)-(\d+)$/.exec(id) ?? []
    const partition = Number(number)
    // Dead letters come back through a topic of our own.
    const found = known.find(({ name }) => name === topic)
    if (topic === '' || (found !== undefined && partition < found.partitions)) continue
    throw new SourceError(
      'source-replaced',
      found === undefined
        ? `the file has no events of the topic ${topic} any more, and earlier runs read some`
        : `the topic has no partition ${partition} any more, and earlier runs read it`,
      { context: { topic, partition } },
    )
  }
}
