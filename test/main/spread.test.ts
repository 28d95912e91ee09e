/** Recorded events of MariaDB, spread over partitions whatever their keys, under `ordering: position`. */
import { describe, expect, it } from 'vitest'
import type { LogRecord } from '../../model/change-event.ts'
import { type Random, seededRandom } from '../../runtime/random.ts'
import { MemorySource } from '../../testkit/memory-source.ts'
import { compare } from '../fold/compare.ts'
import { MainRun } from './main-run.ts'
import { actualTables, allRecords, finalTables, openRecording, recordings } from './recordings.ts'

const partitions = 4
const ofMariadb = recordings.filter(({ path }) => path.includes('mariadb'))

/** Schema changes have a topic of one partition. */
const hasPlace = ({ topic }: LogRecord): boolean => !topic.includes('.')

/** Each record in any partition of its topic; now and then the last ones again, in others. */
function spread(records: readonly LogRecord[], random: Random): MemorySource {
  const topics = [...new Set(records.map(({ topic }) => topic))]
  const source = new MemorySource(Object.fromEntries(topics.map(topic => [topic, partitions])))
  const anywhere = (record: LogRecord): void => {
    const partition = hasPlace(record) ? 0 : Math.floor(random.next() * partitions)
    source.append({ ...record, partition })
  }
  for (const [index, record] of records.entries()) {
    anywhere(record)
    if (random.next() > 0.05) continue
    for (const again of records.slice(Math.max(0, index - 15), index + 1)) {
      if (!hasPlace(again)) anywhere(again)
    }
  }
  return source
}

describe.each(ofMariadb)('recorded events $name through any partition', recording => {
  it('end as the database has it, for 5 seeds', async () => {
    const recorded = await allRecords(await openRecording(recording, 1))
    const records = [...recorded.values()].flat()
    let superseded = 0
    for (let seed = 1; seed <= 5; seed += 1) {
      const run = await MainRun.start({
        source: spread(records, seededRandom(seed)),
        seed,
        maxPollBytes: 3000,
        config: {
          source: { ordering: 'position' },
          window: { maxRows: 10 },
          repartition: { partitions: 3 },
        },
      })
      await run.finish()
      const expected = finalTables(recording)
      const actual = await actualTables(run, expected)
      expect(compare(actual, expected, recording.exceptions), `seed ${seed}`).toEqual([])
      superseded += run.metrics.total('forager_superseded_changes_total')
    }
    expect(superseded).toBeGreaterThan(10)
  })
})
