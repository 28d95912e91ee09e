/** Groups: who has which partitions, and where reading goes on. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LogConformanceCase } from './log-test.ts'
import {
  assertAscending,
  assertAsWritten,
  assignment,
  makeTopic,
  manyBytes,
  maxPolls,
  names,
  settle,
  take,
  texts,
  values,
  variousRecords,
  Writer,
} from './log-test.ts'

export const groupCases: readonly LogConformanceCase[] = [
  {
    title: 'the only member of a group is given every partition of its topics',
    async run(context) {
      const asked = [await makeTopic(context, 3), await makeTopic(context, 1)]
      await makeTopic(context, 2)
      const consumer = await context.log.openConsumer({
        group: context.name('group'),
        topics: asked,
      })
      const { partitions } = await assignment(consumer)
      const expected = [0, 1, 2].map(partition => `${asked[0]}-${partition}`)
      assert.deepEqual(names(partitions), [...expected, `${asked[1]}-0`].sort())
      await consumer.close()
    },
  },
  {
    title: 'an assignment that comes while nobody polls is handed out by a later poll',
    async run(context) {
      const topic = await makeTopic(context, 3)
      const consumer = await context.log.openConsumer({
        group: context.name('group'),
        topics: [topic],
      })
      for (let polls = 0; polls < maxPolls; polls += 1) {
        const result = await consumer.poll({ maxWaitMs: 0, maxBytes: manyBytes })
        if (result.kind === 'assigned') {
          assert.equal(result.assignment.partitions.length, 3)
          await consumer.close()
          return
        }
        await sleep(100)
      }
      assert.fail('no assignment came')
    },
  },
  {
    title: 'a partition is not read before it is sought',
    async run(context) {
      const topic = await makeTopic(context, 2)
      const writer = await Writer.open(context, [topic])
      await writer.write(values(3).map(value => ({ topic, partition: 1, value })))
      await writer.write(values(3).map(value => ({ topic, partition: 0, value })))
      const consumer = await context.log.openConsumer({
        group: context.name('group'),
        topics: [topic],
      })
      await assignment(consumer)
      consumer.seek({ topic, partition: 0 }, 0)
      const early = await take(consumer, 3)
      await writer.write([{ topic, partition: 1, value: 'v3' }])
      await writer.write([{ topic, partition: 0, value: 'v3' }])
      const late = await take(consumer, 1)
      assert.deepEqual(names([...early.records, ...late.records]), Array(4).fill(`${topic}-0`))
      consumer.seek({ topic, partition: 1 }, 0)
      const { records: sought } = await take(consumer, 4)
      assert.deepEqual(texts(sought), values(4))
      await Promise.all([consumer.close(), writer.close()])
    },
  },
  {
    title: 'a consumer reads each record once, in order, however little it takes at a time',
    async run(context) {
      const topic = await makeTopic(context, 3)
      const writer = await Writer.open(context, [topic])
      const expected = values(20)
      for (const value of expected) {
        await writer.write([0, 1, 2].map(partition => ({ topic, partition, value })))
      }
      const consumer = await context.log.openConsumer({
        group: context.name('group'),
        topics: [topic],
      })
      for (const at of (await assignment(consumer)).partitions) consumer.seek(at, 0)
      const { records: found, batches } = await take(consumer, 60, 1)
      for (const partition of [0, 1, 2]) {
        const own = found.filter(record => record.partition === partition)
        assertAscending(own)
        assert.deepEqual(texts(own), expected)
      }
      for (const { records: own, nextOffset } of batches) {
        assert.ok(own.every(({ offset }) => offset < nextOffset))
      }
      await Promise.all([consumer.close(), writer.close()])
    },
  },
  {
    title: 'a consumer is given records as they were written',
    async run(context) {
      const topic = await makeTopic(context)
      const writer = await Writer.open(context, [topic])
      const written = variousRecords(topic)
      const offsets = await writer.write(written)
      const consumer = await context.log.openConsumer({
        group: context.name('group'),
        topics: [topic],
      })
      for (const at of (await assignment(consumer)).partitions) consumer.seek(at, 0)
      const { records } = await take(consumer, written.length)
      assertAsWritten(records, written, offsets)
      await Promise.all([consumer.close(), writer.close()])
    },
  },
  {
    title: 'a consumer is given nothing of a transaction that failed',
    async run(context) {
      const topic = await makeTopic(context)
      const writer = await Writer.open(context, [topic])
      const consumer = await context.log.openConsumer({
        group: context.name('group'),
        topics: [topic],
      })
      for (const at of (await assignment(consumer)).partitions) consumer.seek(at, 0)
      await writer.write([{ topic, value: 'before' }])
      await assert.rejects(
        writer.write([
          { topic, value: 'failed' },
          { topic, partition: 99 },
        ]),
      )
      const next = await Writer.open(context, [topic])
      await next.write([{ topic, value: 'after' }])
      assert.deepEqual(texts((await take(consumer, 2)).records), ['before', 'after'])
      await Promise.all([consumer.close(), writer.close(), next.close()])
    },
  },
  {
    title: 'a partition that is paused waits, and goes on where it was',
    async run(context) {
      const topic = await makeTopic(context, 2)
      const paused = { topic, partition: 0 }
      const writer = await Writer.open(context, [topic])
      const consumer = await context.log.openConsumer({
        group: context.name('group'),
        topics: [topic],
      })
      for (const at of (await assignment(consumer)).partitions) consumer.seek(at, 0)
      await writer.write([{ topic, value: 'before' }])
      assert.deepEqual(texts((await take(consumer, 1)).records), ['before'])
      consumer.pause([paused])
      await writer.write([{ topic, value: 'held' }])
      await writer.write([{ topic, partition: 1, value: 'other' }])
      assert.deepEqual(texts((await take(consumer, 1)).records), ['other'])
      consumer.resume([paused])
      assert.deepEqual(texts((await take(consumer, 1)).records), ['held'])
      await Promise.all([consumer.close(), writer.close()])
    },
  },
  {
    title: 'seeking back reads again, seeking forward passes over',
    async run(context) {
      const topic = await makeTopic(context)
      const at = { topic, partition: 0 }
      const writer = await Writer.open(context, [topic])
      const placed = await writer.write(values(5).map(value => ({ topic, value })))
      const consumer = await context.log.openConsumer({
        group: context.name('group'),
        topics: [topic],
      })
      await assignment(consumer)
      consumer.seek(at, placed[3]!)
      assert.deepEqual(texts((await take(consumer, 2)).records), ['v3', 'v4'])
      consumer.seek(at, placed[1]!)
      assert.deepEqual(texts((await take(consumer, 4)).records), ['v1', 'v2', 'v3', 'v4'])
      await Promise.all([consumer.close(), writer.close()])
    },
  },
  {
    title: 'a wakeup ends a poll that waits',
    async run(context) {
      const topic = await makeTopic(context)
      const consumer = await context.log.openConsumer({
        group: context.name('group'),
        topics: [topic],
      })
      await assignment(consumer)
      consumer.seek({ topic, partition: 0 }, 0)
      const waiting = consumer.poll({ maxWaitMs: 3_600_000, maxBytes: manyBytes })
      consumer.wakeup()
      assert.deepEqual(await waiting, { kind: 'records', batches: [] })
      await consumer.close()
    },
  },
  {
    title: 'a commit ends a poll that waits',
    async run(context) {
      const topic = await makeTopic(context)
      const writer = await Writer.open(context, [topic])
      const consumer = await context.log.openConsumer({
        group: context.name('group'),
        topics: [topic],
      })
      await assignment(consumer)
      consumer.seek({ topic, partition: 0 }, 0)
      for (const value of values(20)) {
        const [result] = await Promise.all([
          consumer.poll({ maxWaitMs: 3_600_000, maxBytes: manyBytes }),
          writer.write([{ topic, value }]),
        ])
        const found = result.kind === 'records' ? result.batches.flatMap(one => one.records) : []
        const rest = found.length === 0 ? (await take(consumer, 1)).records : []
        assert.deepEqual(texts([...found, ...rest]), [value])
      }
      await Promise.all([consumer.close(), writer.close()])
    },
  },
  {
    title: 'two members share the partitions, and each has some',
    async run(context) {
      const topic = await makeTopic(context, 5)
      const group = context.name('group')
      const members = [await context.log.openConsumer({ group, topics: [topic] })]
      members.push(await context.log.openConsumer({ group, topics: [topic] }))
      const owned = await settle(members, 5)
      assert.deepEqual(
        owned.map(own => own.length).sort((a, b) => a - b),
        [2, 3],
      )
      await Promise.all(members.map(member => member.close()))
    },
  },
  {
    title: 'a member keeps what it had when another joins, and reads on where it was',
    async run(context) {
      const topic = await makeTopic(context, 4)
      const writer = await Writer.open(context, [topic])
      const group = context.name('group')
      const first = await context.log.openConsumer({ group, topics: [topic] })
      for (const at of (await assignment(first)).partitions) first.seek(at, 0)
      await writer.write([0, 1, 2, 3].map(partition => ({ topic, partition, value: 'a' })))
      await take(first, 4)
      const second = await context.log.openConsumer({ group, topics: [topic] })
      const [kept, given] = await settle([first, second], 4)
      assert.deepEqual([kept?.length, given?.length], [2, 2])
      await writer.write([0, 1, 2, 3].map(partition => ({ topic, partition, value: 'b' })))
      // Of what it lost it reads nothing, of what it kept only what is new.
      const { records: found } = await take(first, 2)
      assert.deepEqual(names(found), kept)
      assert.deepEqual(texts(found), ['b', 'b'])
      await Promise.all([first.close(), second.close(), writer.close()])
    },
  },
  {
    title: 'the partitions of a member that leaves go to those who stay',
    async run(context) {
      const topic = await makeTopic(context, 4)
      const group = context.name('group')
      const first = await context.log.openConsumer({ group, topics: [topic] })
      const second = await context.log.openConsumer({ group, topics: [topic] })
      await settle([first, second], 4)
      await first.close()
      const [left] = await settle([second], 4)
      assert.equal(left?.length, 4)
      const third = await context.log.openConsumer({ group, topics: [topic] })
      const [own] = await settle([second, third], 4)
      assert.ok(own!.every(name => left!.includes(name)))
      await Promise.all([second.close(), third.close()])
    },
  },
  {
    title: 'a member that asks for more topics is given more, and keeps what it had',
    async run(context) {
      const [first, second] = [await makeTopic(context, 2), await makeTopic(context, 1)]
      const writer = await Writer.open(context, [first])
      const consumer = await context.log.openConsumer({
        group: context.name('group'),
        topics: [first],
      })
      const before = await assignment(consumer)
      for (const at of before.partitions) consumer.seek(at, 0)
      await writer.write([0, 1].map(partition => ({ topic: first, partition, value: 'a' })))
      await take(consumer, 2)
      consumer.changeTopics([first, second])
      const after = await assignment(consumer)
      assert.deepEqual(names(after.partitions), [`${first}-0`, `${first}-1`, `${second}-0`].sort())
      assert.equal(after.membership.memberId, before.membership.memberId)
      consumer.seek({ topic: second, partition: 0 }, 0)
      await writer.write([
        { topic: first, value: 'b' },
        { topic: second, value: 'b' },
      ])
      const { records } = await take(consumer, 2)
      assert.deepEqual(names(records), [`${first}-0`, `${second}-0`].sort())
      assert.deepEqual(texts(records), ['b', 'b'])
      await Promise.all([consumer.close(), writer.close()])
    },
  },
  {
    title: 'a member that asks for fewer topics gives back what it had of the rest',
    async run(context) {
      const [first, second] = [await makeTopic(context, 2), await makeTopic(context, 2)]
      const group = context.name('group')
      const both = await context.log.openConsumer({ group, topics: [first, second] })
      const other = await context.log.openConsumer({ group, topics: [second] })
      await settle([both, other], 4)
      both.changeTopics([first])
      assert.deepEqual(await settle([both, other], 4), [
        [0, 1].map(partition => `${first}-${partition}`),
        [0, 1].map(partition => `${second}-${partition}`),
      ])
      await Promise.all([both.close(), other.close()])
    },
  },
  {
    title: 'members of different groups do not share',
    async run(context) {
      const topic = await makeTopic(context, 2)
      const members = await Promise.all(
        ['a', 'b'].map(name =>
          context.log.openConsumer({ group: context.name(name), topics: [topic] }),
        ),
      )
      for (const member of members) assert.equal((await assignment(member)).partitions.length, 2)
      await Promise.all(members.map(member => member.close()))
    },
  },
]
