import { expect, it } from 'vitest'
import { EmbeddedConsumer } from '../../log/embedded-consumer.ts'
import { GroupCoordinator } from '../../log/group-coordinator.ts'
import type { LogBatch, PollResult, TopicPartition } from '../../log/log.ts'
import { StateError } from '../../model/errors.ts'
import { seededRandom } from '../../runtime/random.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'

const end = 3
const partitions = [0, 1].map(partition => ({ topic: 't', partition }))
const waits = { maxWaitMs: 0, maxBytes: 1024 }

/** Two partitions of three records, of which one has lost those below `start`. */
function consumerOf(start: number): EmbeddedConsumer {
  const read = async (at: TopicPartition, offset: number): Promise<LogBatch> => {
    if (at.partition === 1 && offset < start) {
      throw new StateError('offset-out-of-range', 'it is gone', { context: { ...at, offset } })
    }
    return { ...at, records: [], nextOffset: end, end }
  }
  return new EmbeddedConsumer({
    group: 'g',
    topics: ['t'],
    log: { currentOffsets: () => ({ start: 0, end }), onCommit: () => () => undefined, read },
    coordinator: new GroupCoordinator(() => partitions),
    clock: new ManualClock(),
    random: seededRandom(1),
    isSkewed: false,
  })
}

const readIn = (result: PollResult): readonly number[] =>
  result.kind === 'records' ? result.batches.map(({ partition }) => partition) : []

it('what was read beside a partition that cannot be read is read again', async () => {
  const consumer = consumerOf(2)
  await consumer.poll(waits)
  for (const at of partitions) consumer.seek(at, 0)
  await expect(consumer.poll(waits)).rejects.toThrow('it is gone')
  consumer.seek(partitions[1]!, 2)
  expect(readIn(await consumer.poll(waits))).toEqual([0, 1])
  expect(readIn(await consumer.poll(waits))).toEqual([])
})
