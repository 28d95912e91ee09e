/** Members with a name that outlives their process. */
import { expect, inject, it } from 'vitest'
import { KafkaLog } from '../../log/kafka/kafka-log.ts'
import type { LogConsumer } from '../../log/log.ts'
import { partitionName } from '../../log/log.ts'
import { systemClock } from '../../runtime/clock.ts'
import { systemRandom } from '../../runtime/random.ts'
import { newName } from './instances.ts'

function open(): KafkaLog {
  return new KafkaLog({
    brokers: [inject('broker')],
    clientId: 'static',
    clock: systemClock,
    random: systemRandom,
    instanceId: 'one',
    sessionTimeoutMs: 30_000,
  })
}

async function assigned(consumer: LogConsumer): Promise<string[]> {
  for (;;) {
    const result = await consumer.poll({ maxWaitMs: 10_000, maxBytes: 1000 })
    if (result.kind === 'assigned') return result.assignment.partitions.map(partitionName).sort()
  }
}

it('a static member that comes back with another topic gets its partitions', async () => {
  const [first, second, group] = [newName('first'), newName('second'), newName('static')]
  const log = open()
  for (const name of [first, second]) {
    await log.createTopic({ name, partitions: 2, cleanup: 'delete' })
  }
  const before = await log.openConsumer({ group, topics: [first] })
  expect(await assigned(before)).toEqual([`${first}-0`, `${first}-1`])
  // It leaves nothing to the group, which waits for it.
  await before.close()
  await log.close()

  const restarted = open()
  const after = await restarted.openConsumer({ group, topics: [first, second] })
  const all = [first, second].flatMap(name => [`${name}-0`, `${name}-1`])
  expect(await assigned(after)).toEqual(all.sort())
  await after.close()
  await restarted.close()
})
