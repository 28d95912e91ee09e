/** What a log over the broker is held to, with one way to open it: the conformance suite, and more. */
import { describe, expect, inject, it } from 'vitest'
import type { Log, LogConsumer } from '../../log/log.ts'
import { systemRandom } from '../../runtime/random.ts'
import { assignment, take, texts, Writer } from '../../testkit/log-conformance/log-test.ts'
import { logConformance } from '../../testkit/log-conformance.ts'
import type { Codec } from './java-producer.ts'
import { produceCompressed } from './java-producer.ts'

/** Names of topics and groups are new in every run: the broker keeps its data. */
const run = systemRandom.id().slice(0, 8)
let names = 0

function name(prefix: string): string {
  names += 1
  return `${prefix}-${run}-${names}`
}

export interface SuiteOptions {
  readonly open: () => Log
  /** Codecs that it says it cannot read, and must not pass over. */
  readonly refuses?: readonly Codec[]
}

export function runLogSuite(title: string, { open, refuses = [] }: SuiteOptions): void {
  describe(title, () => {
    it.each(logConformance)('$title', async one => {
      let log = open()
      await one.run({
        log,
        reopen: async () => {
          await log.close()
          log = open()
          return log
        },
        name,
      })
      await log.close()
    })

    it.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('a topic of %s is read', async codec => {
      const log = open()
      const topic = await makeTopic(log)
      const lines = Array.from({ length: 500 }, (_, index) => `line ${index} of ${codec}`)
      await produceCompressed(inject('broker'), topic, codec, lines)
      const consumer = await openAt(log, topic, 0)
      const found = take(consumer, lines.length)
      if (refuses.includes(codec)) {
        await expect(found).rejects.toMatchObject({ code: 'source-unreadable' })
      } else expect(texts((await found).records)).toEqual(lines)
      await consumer.close()
      await log.close()
    })

    it('an offset that is gone is an error of the poll, and not another offset', async () => {
      const log = open()
      const topic = await makeTopic(log)
      const context = { log, name, reopen: () => Promise.resolve(log) }
      const writer = await Writer.open(context, [topic])
      await writer.write([1, 2, 3, 4].map(value => ({ topic, value: `v${value}` })))
      await log.deleteRecords({ topic, partition: 0 }, 3)
      const consumer = await openAt(log, topic, 1)
      const error = { code: 'offset-out-of-range', context: { topic, partition: 0, offset: 1 } }
      await expect(take(consumer, 1)).rejects.toMatchObject(error)
      consumer.seek({ topic, partition: 0 }, 1000)
      await expect(take(consumer, 1)).rejects.toMatchObject({ code: 'offset-out-of-range' })
      consumer.seek({ topic, partition: 0 }, 3)
      expect(texts((await take(consumer, 1)).records)).toEqual(['v4'])
      await Promise.all([consumer.close(), writer.close()])
      await log.close()
    })

    it('records that go while they are read are an error of the poll', async () => {
      const log = open()
      const topic = await makeTopic(log)
      const context = { log, name, reopen: () => Promise.resolve(log) }
      const writer = await Writer.open(context, [topic])
      await writer.write([{ topic, value: 'a' }])
      const consumer = await openAt(log, topic, 0)
      expect(texts((await take(consumer, 1)).records)).toEqual(['a'])
      consumer.pause([{ topic, partition: 0 }])
      // What is under way may still bring records: it ends within a second.
      for (let polls = 0; polls < 15; polls += 1)
        await consumer.poll({ maxWaitMs: 100, maxBytes: 1 })
      await writer.write([1, 2, 3].map(value => ({ topic, value: `v${value}` })))
      await log.deleteRecords(
        { topic, partition: 0 },
        (await log.offsets({ topic, partition: 0 })).end,
      )
      consumer.resume([{ topic, partition: 0 }])
      await expect(take(consumer, 1)).rejects.toMatchObject({ code: 'offset-out-of-range' })
      await Promise.all([consumer.close(), writer.close()])
      await log.close()
    })
  })
}

async function makeTopic(log: Log): Promise<string> {
  const topic = name('topic')
  await log.createTopic({ name: topic, partitions: 1, cleanup: 'delete' })
  return topic
}

/** The only member of a group of its own, at the offset of the topic's only partition. */
async function openAt(log: Log, topic: string, offset: number): Promise<LogConsumer> {
  const consumer = await log.openConsumer({ group: name('group'), topics: [topic] })
  await assignment(consumer)
  consumer.seek({ topic, partition: 0 }, offset)
  return consumer
}
