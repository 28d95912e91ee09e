/** What an application that runs without a hop asks of the one that an earlier configuration left. */
import type { Log } from '../log/log.ts'

/**
 * Whether all that was written to the hop is staged; also when there is no hop. A transaction that is under
 * way there is waited for.
 */
export async function isHopDrained(
  { log, applicationId }: { readonly log: Log; readonly applicationId: string },
  hop: string,
): Promise<boolean> {
  const topic = (await log.topics()).find(({ name }) => name === hop)
  if (topic === undefined) return true
  const partitions = Array.from({ length: topic.partitions }, (_, partition) => ({
    topic: hop,
    partition,
  }))
  const committed = await log.committed(applicationId, partitions)
  for (const [index, at] of partitions.entries()) {
    const { start } = await log.offsets(at)
    if ((committed[index]?.offset ?? start) < (await log.decidedEnd(at))) return false
  }
  return true
}
