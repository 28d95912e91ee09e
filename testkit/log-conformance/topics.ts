/** Topics, and what is there when a log is opened again. */
import assert from 'node:assert/strict'
import type { LogConformanceCase } from './log-test.ts'
import { makeTopic, readAll, texts, values, Writer } from './log-test.ts'

export const topicCases: readonly LogConformanceCase[] = [
  {
    title: 'a topic that is made again with as many partitions stays as it is',
    async run(context) {
      const topic = await makeTopic(context, 3)
      const writer = await Writer.open(context, [topic])
      await writer.write([{ topic, value: 'kept' }])
      const before = (await context.log.topics()).find(({ name }) => name === topic)
      await context.log.createTopic({ name: topic, partitions: 3, cleanup: 'delete' })
      const after = (await context.log.topics()).filter(({ name }) => name === topic)
      assert.deepEqual(after, [before])
      assert.equal(before?.partitions, 3)
      assert.equal(before?.isFinite, false)
      assert.deepEqual(texts(await readAll(context.log, { topic, partition: 0 })), ['kept'])
      await writer.close()
    },
  },
  {
    title: 'a topic that is made again with another number of partitions is refused',
    async run(context) {
      const topic = await makeTopic(context, 3)
      await assert.rejects(
        context.log.createTopic({ name: topic, partitions: 4, cleanup: 'delete' }),
        { code: 'topic-mismatch' },
      )
      const found = (await context.log.topics()).find(({ name }) => name === topic)
      assert.equal(found?.partitions, 3)
    },
  },
  {
    title: 'a topic that several make at once is made once',
    async run(context) {
      const name = context.name('topic')
      const spec = { name, partitions: 2, cleanup: 'delete' as const }
      await Promise.all([1, 2, 3].map(() => context.log.createTopic(spec)))
      const [found, ...others] = (await context.log.topics()).filter(topic => topic.name === name)
      assert.equal(others.length, 0)
      const writer = await Writer.open(context, [name])
      await writer.write([{ topic: name, partition: 1, value: 'x' }])
      const log = await context.reopen()
      assert.deepEqual(
        (await log.topics()).find(topic => topic.name === name),
        found,
      )
      assert.deepEqual(texts(await readAll(log, { topic: name, partition: 1 })), ['x'])
    },
  },
  {
    title: 'a topic that is made while others write is there, and so is what they write',
    async run(context) {
      const topic = await makeTopic(context)
      const writer = await Writer.open(context, [topic])
      const made = values(10, context.name('made'))
      await Promise.all(
        made.flatMap(name => [
          writer.write([{ topic, value: name }]),
          context.log.createTopic({ name, partitions: 1, cleanup: 'delete' }),
        ]),
      )
      const log = await context.reopen()
      const found = new Set((await log.topics()).map(({ name }) => name))
      assert.deepEqual(
        made.filter(name => !found.has(name)),
        [],
      )
      assert.deepEqual(new Set(texts(await readAll(log, { topic, partition: 0 }))), new Set(made))
    },
  },
  {
    title: 'a compacted topic has the last record of each key, at its offset and in its order',
    async run(context) {
      const topic = await makeTopic(context, 1, 'compact')
      const at = { topic, partition: 0 }
      const writer = await Writer.open(context, [topic])
      const last = new Map<string, readonly [number, string | null]>()
      for (let round = 0; round < 16; round += 1) {
        const written = Array.from({ length: 100 }, (_, index) => {
          const key = `key ${(round * 7 + index) % 9}`
          const value = round > 0 && index === 50 ? null : `${round} ${index}`
          return { topic, key: index === 50 ? 'removed' : key, value }
        })
        const placed = await writer.write(written)
        for (const [index, { key, value }] of written.entries()) {
          last.set(key, [placed[index]!, value])
        }
      }
      const { end } = await context.log.offsets(at)
      const log = await context.reopen()
      const found = await readAll(log, at)
      const foundLast = new Map(
        found.map(({ key, offset, value }) => {
          const text = value === null ? null : Buffer.from(value).toString()
          return [Buffer.from(key!).toString(), [offset, text] as const]
        }),
      )
      assert.deepEqual(foundLast, last)
      assert.equal((await log.offsets(at)).end, end)
      const again = await Writer.open(context, [topic], log)
      const [next] = await again.write([{ topic, key: 'key 1', value: 'new' }])
      assert.ok(next! >= end)
      assert.deepEqual(texts((await readAll(log, at)).slice(-1)), ['new'])
      await again.close()
    },
  },
  {
    title: 'what was committed is there when the log is opened again',
    async run(context) {
      const topic = await makeTopic(context, 2)
      const partitions = [0, 1].map(partition => ({ topic, partition }))
      const writer = await Writer.open(context, [topic])
      const before = (await context.log.topics()).find(({ name }) => name === topic)
      const expected = values(50)
      for (const value of expected) {
        const committed = partitions.map(at => ({ ...at, offset: 1, metadata: value }))
        await writer.write(
          [
            { topic, value },
            { topic, partition: 1, value },
          ],
          committed,
        )
      }
      const ends = await Promise.all(partitions.map(at => context.log.offsets(at)))
      const log = await context.reopen()
      assert.deepEqual(
        (await log.topics()).find(({ name }) => name === topic),
        before,
      )
      assert.deepEqual(await Promise.all(partitions.map(at => log.offsets(at))), ends)
      for (const at of partitions) assert.deepEqual(texts(await readAll(log, at)), expected)
      assert.deepEqual(
        await log.committed(writer.group, partitions),
        partitions.map(() => ({ offset: 1, metadata: 'v49' })),
      )
    },
  },
]
