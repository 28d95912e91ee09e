/** Records and their offsets. */
import assert from 'node:assert/strict'
import type { LogConformanceCase } from './log-test.ts'
import {
  assertAsWritten,
  makeTopic,
  manyBytes,
  names,
  readAll,
  texts,
  values,
  variousRecords,
  Writer,
} from './log-test.ts'

export const recordCases: readonly LogConformanceCase[] = [
  {
    title: 'a record comes back as it was written',
    async run(context) {
      const topic = await makeTopic(context)
      const writer = await Writer.open(context, [topic])
      const written = variousRecords(topic)
      const offsets = await writer.write(written)
      const found = await readAll(context.log, { topic, partition: 0 })
      assertAsWritten(found, written, offsets)
      assert.deepEqual(names(found), Array(5).fill(`${topic}-0`))
      await writer.close()
    },
  },
  {
    title: 'a record of 900,000 bytes comes back whole',
    async run(context) {
      const topic = await makeTopic(context)
      const writer = await Writer.open(context, [topic])
      const value = Buffer.alloc(900_000, 'abcdefg')
      await writer.write([
        { topic, value },
        { topic, value: 'small' },
      ])
      const found = await readAll(context.log, { topic, partition: 0 }, undefined, 1000)
      assert.equal(Buffer.compare(found[0]!.value!, value), 0)
      assert.deepEqual(texts(found.slice(1)), ['small'])
      await writer.close()
    },
  },
  {
    title: 'records stay in the order of their transactions and within them',
    async run(context) {
      const topic = await makeTopic(context)
      const writer = await Writer.open(context, [topic])
      const expected = values(60)
      for (let start = 0; start < 60; start += 20) {
        await writer.write(expected.slice(start, start + 20).map(value => ({ topic, value })))
      }
      assert.deepEqual(texts(await readAll(context.log, { topic, partition: 0 })), expected)
      await writer.close()
    },
  },
  {
    title: 'reading a few bytes at a time finds every record once',
    async run(context) {
      const topic = await makeTopic(context)
      const writer = await Writer.open(context, [topic])
      const expected = values(30)
      for (const value of expected) await writer.write([{ topic, value }])
      const found = await readAll(context.log, { topic, partition: 0 }, undefined, 1)
      assert.deepEqual(texts(found), expected)
      await writer.close()
    },
  },
  {
    title: 'reading from the place of a marker begins with the record behind it',
    async run(context) {
      const topic = await makeTopic(context)
      const at = { topic, partition: 0 }
      const writer = await Writer.open(context, [topic])
      const [first] = await writer.write([{ topic, value: 'a' }])
      const [second] = await writer.write([{ topic, value: 'b' }])
      assert.ok(first! < second!)
      assert.deepEqual(texts(await readAll(context.log, at, first! + 1)), ['b'])
      assert.deepEqual(texts(await readAll(context.log, at, second!)), ['b'])
      await writer.close()
    },
  },
  {
    title: 'the end is behind every record, and reading there gives nothing and stays',
    async run(context) {
      const topic = await makeTopic(context)
      const at = { topic, partition: 0 }
      assert.deepEqual(await context.log.offsets(at), { start: 0, end: 0 })
      const writer = await Writer.open(context, [topic])
      const offsets = await writer.write(values(3).map(value => ({ topic, value })))
      const { start, end } = await context.log.offsets(at)
      assert.equal(start, offsets[0])
      assert.ok(end > offsets.at(-1)!)
      const batch = await context.log.read(at, end, manyBytes)
      assert.deepEqual([batch.records.length, batch.nextOffset], [0, end])
      let next = 0
      for (let reads = 0; next < end; reads += 1) {
        assert.ok(reads <= offsets.length, 'reading comes to the end')
        next = (await context.log.read(at, next, manyBytes)).nextOffset
      }
      assert.equal(next, end)
      await writer.close()
    },
  },
]
