/** A fault to plant: the hop and the staged topic keep their records for a time, read or not. */
import type { Broker } from '../../testkit/simulation/broker.ts'

/** Time is that of the newest record. */
export function expiringTopics(broker: Broker, retentionMs: number): void {
  broker.onNews(() => {
    for (const { name: topic, partitions } of broker.topics()) {
      if (!topic.endsWith('-repartition') && !topic.endsWith('-staged')) continue
      for (let partition = 0; partition < partitions; partition += 1) {
        const at = { topic, partition }
        const { start, end } = broker.offsets(at)
        const { records } = broker.read(at, start, Number.MAX_SAFE_INTEGER)
        const newestMs = records.at(-1)?.timestampMs ?? 0
        const kept = records.find(({ timestampMs }) => timestampMs >= newestMs - retentionMs)
        broker.deleteRecords(at, kept?.offset ?? end)
      }
    }
  })
}
