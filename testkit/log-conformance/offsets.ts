/** Committed offsets, and records that are deleted. */
import assert from 'node:assert/strict'
import type { LogConformanceCase } from './log-test.ts'
import { makeTopic, readAll, texts, values, Writer } from './log-test.ts'

export const offsetCases: readonly LogConformanceCase[] = [
  {
    title: 'a committed offset comes back with its metadata, by group and partition',
    async run(context) {
      const topic = await makeTopic(context, 3)
      const [first, second, third] = [0, 1, 2].map(partition => ({ topic, partition }))
      const writer = await Writer.open(context, [topic])
      const other = await Writer.open(context, [topic])
      assert.deepEqual(await context.log.committed(writer.group, [first!, second!]), [null, null])
      await writer.write([], [{ ...first!, offset: 3, metadata: 'ä😀\n"' }])
      await writer.write(
        [{ topic }],
        [
          { ...first!, offset: 4, metadata: '' },
          { ...second!, offset: 0, metadata: 'second' },
        ],
      )
      await other.write([], [{ ...first!, offset: 9, metadata: 'other' }])
      assert.deepEqual(await context.log.committed(writer.group, [third!, second!, first!]), [
        null,
        { offset: 0, metadata: 'second' },
        { offset: 4, metadata: '' },
      ])
      assert.deepEqual(await context.log.committed(other.group, [first!]), [
        { offset: 9, metadata: 'other' },
      ])
      await Promise.all([writer.close(), other.close()])
    },
  },
  {
    title: 'metadata of 4,096 bytes is kept',
    async run(context) {
      const topic = await makeTopic(context)
      const at = { topic, partition: 0 }
      const writer = await Writer.open(context, [topic])
      const metadata = 'é'.repeat(2048)
      await writer.write([], [{ ...at, offset: 1, metadata }])
      assert.deepEqual(await context.log.committed(writer.group, [at]), [{ offset: 1, metadata }])
      await writer.close()
    },
  },
  {
    title: 'metadata of more bytes is refused, and the transaction with it',
    async run(context) {
      const topic = await makeTopic(context)
      const at = { topic, partition: 0 }
      const writer = await Writer.open(context, [topic])
      const metadata = 'é'.repeat(2049)
      await assert.rejects(writer.write([{ topic }], [{ ...at, offset: 1, metadata }]))
      assert.deepEqual(await context.log.committed(writer.group, [at]), [null])
      assert.deepEqual(await readAll(context.log, at), [])
      await writer.close()
    },
  },
  {
    title: 'records that are deleted are gone, and the others keep their offsets',
    async run(context) {
      const topic = await makeTopic(context)
      const at = { topic, partition: 0 }
      const writer = await Writer.open(context, [topic])
      const written = await writer.write(values(6).map(value => ({ topic, value })))
      const { end } = await context.log.offsets(at)
      await context.log.deleteRecords(at, written[4]!)
      assert.deepEqual(await context.log.offsets(at), { start: written[4], end })
      assert.deepEqual(texts(await readAll(context.log, at)), ['v4', 'v5'])
      await context.log.deleteRecords(at, written[2]!)
      assert.deepEqual(
        (await context.log.offsets(at)).start,
        written[4],
        'the start never goes back',
      )
      await writer.close()
    },
  },
  {
    title: 'a partition whose records are all deleted goes on where it ended',
    async run(context) {
      const topic = await makeTopic(context, 2)
      const at = { topic, partition: 0 }
      const writer = await Writer.open(context, [topic])
      await writer.write([{ topic }, { topic, partition: 1, value: 'other' }])
      const { end } = await context.log.offsets(at)
      await context.log.deleteRecords(at, end)
      assert.deepEqual(await context.log.offsets(at), { start: end, end })
      const [offset] = await writer.write([{ topic, value: 'after' }])
      assert.ok(offset! >= end)
      const log = await context.reopen()
      assert.deepEqual((await log.offsets(at)).start, end)
      assert.deepEqual(texts(await readAll(log, at)), ['after'])
      assert.deepEqual(texts(await readAll(log, { topic, partition: 1 })), ['other'])
    },
  },
]
