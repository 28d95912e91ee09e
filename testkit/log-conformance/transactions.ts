/** Transactions: whole or not at all, and fenced. */
import assert from 'node:assert/strict'
import { noMembership } from '../../log/log.ts'
import type { LogConformanceCase } from './log-test.ts'
import {
  assertFenced,
  assignment,
  commitVisibly,
  makeTopic,
  readAll,
  settle,
  texts,
  transactionOf,
  values,
  Writer,
} from './log-test.ts'

export const transactionCases: readonly LogConformanceCase[] = [
  {
    title: 'a transaction writes to many partitions, and moves offsets with them',
    async run(context) {
      const partitions = 200
      const topic = await makeTopic(context, partitions)
      const writer = await Writer.open(context, [topic])
      const at = { topic, partition: 7 }
      const all = values(partitions)
      await writer.write(
        all.map((value, partition) => ({ topic, partition, value })),
        [{ ...at, offset: 5, metadata: 'five' }],
      )
      await writer.write(all.map((value, partition) => ({ topic, partition, value })))
      for (const [partition, value] of all.entries()) {
        const found = await readAll(context.log, { topic, partition })
        assert.deepEqual(texts(found), [value, value])
      }
      const committed = await context.log.committed(writer.group, [at])
      assert.deepEqual(committed, [{ offset: 5, metadata: 'five' }])
      await writer.close()
    },
  },
  {
    title: 'a reader sees all records that a transaction has in a partition, or none of them',
    async run(context) {
      const topic = await makeTopic(context)
      const at = { topic, partition: 0 }
      const writer = await Writer.open(context, [topic])
      const three = values(3).map(value => ({ topic, value }))
      for (let count = 1; count <= 40; count += 1) {
        // The looks begin before the transaction does, and end when it may be half done.
        const looks = [1, 2, 3, 4].map(async times => {
          for (let time = 1; time < times; time += 1) await readAll(context.log, at)
          return (await readAll(context.log, at)).length
        })
        const [, ...lengths] = await Promise.all([writer.write(three), ...looks])
        for (const length of lengths) {
          assert.ok(length === count * 3 - 3 || length === count * 3, `${length} records were read`)
        }
      }
      assert.equal((await readAll(context.log, at)).length, 120)
      await writer.close()
    },
  },
  {
    title: 'a transaction of 5,000 records is written and read',
    async run(context) {
      const topic = await makeTopic(context)
      const writer = await Writer.open(context, [topic])
      const all = values(5000)
      const offsets = await writer.write(all.map(value => ({ topic, value })))
      const found = await readAll(context.log, { topic, partition: 0 }, undefined, 10_000)
      assert.deepEqual(texts(found), all)
      assert.deepEqual(
        found.map(({ offset }) => offset),
        offsets,
      )
      await writer.close()
    },
  },
  {
    title: 'who is in no group writes records, and is fenced by the id alone',
    async run(context) {
      const topic = await makeTopic(context)
      const at = { topic, partition: 0 }
      const id = context.name('nobody')
      const producer = await context.log.openProducer(id)
      const transaction = transactionOf([{ topic, value: 'one' }], noMembership)
      await commitVisibly(context.log, producer, transaction)
      await context.log.openProducer(id)
      await assertFenced(producer.commit(transaction))
      assert.deepEqual(texts(await readAll(context.log, at)), ['one'])
    },
  },
  {
    title: 'a transaction that names a partition that is not there writes nothing',
    async run(context) {
      const topic = await makeTopic(context)
      const writer = await Writer.open(context, [topic])
      await assert.rejects(writer.write([{ topic }, { topic, partition: 99 }]))
      assert.deepEqual(await readAll(context.log, { topic, partition: 0 }), [])
      await writer.close()
    },
  },
  {
    title: 'a producer of the same id fences the one before, which then writes nothing',
    async run(context) {
      const topic = await makeTopic(context)
      const at = { topic, partition: 0 }
      const writer = await Writer.open(context, [topic])
      const id = context.name('id')
      const older = await context.log.openProducer(id)
      await older.commit(transactionOf([{ topic, value: 'older' }], writer.membership))
      const newer = await context.log.openProducer(id)
      const offsets = [{ ...at, offset: 1, metadata: 'older' }]
      await assertFenced(
        older.commit(transactionOf([{ topic, value: 'fenced' }], writer.membership, offsets)),
      )
      const last = transactionOf([{ topic, value: 'newer' }], writer.membership)
      await commitVisibly(context.log, newer, last)
      await assertFenced(older.commit(transactionOf([{ topic }], writer.membership)))
      assert.deepEqual(texts(await readAll(context.log, at)), ['older', 'newer'])
      assert.deepEqual(await context.log.committed(writer.group, [at]), [null])
      await newer.close()
      await writer.close()
    },
  },
  {
    title: 'an empty transaction tells whether the id is still ours',
    async run(context) {
      const topic = await makeTopic(context)
      const writer = await Writer.open(context, [topic])
      const id = context.name('id')
      const empty = transactionOf([], writer.membership)
      const older = await context.log.openProducer(id)
      assert.deepEqual(await older.commit(empty), [])
      assert.deepEqual(await older.commit(empty), [])
      const newer = await context.log.openProducer(id)
      await assertFenced(older.commit(empty))
      assert.deepEqual(await newer.commit(empty), [])
      await writer.close()
    },
  },
  {
    title: 'an empty transaction tells whether the membership is still ours',
    needs: 'group-generation',
    async run(context) {
      const topic = await makeTopic(context, 2)
      const group = context.name('group')
      const first = await context.log.openConsumer({ group, topics: [topic] })
      const { membership } = await assignment(first)
      const producer = await context.log.openProducer(context.name('id'))
      assert.deepEqual(await producer.commit(transactionOf([], membership)), [])
      const second = await context.log.openConsumer({ group, topics: [topic] })
      await settle([first, second], 2)
      await assertFenced(producer.commit(transactionOf([], membership)))
      await Promise.all([first.close(), second.close()])
    },
  },
  {
    title: 'producers of different ids do not fence each other',
    async run(context) {
      const topic = await makeTopic(context)
      const { log } = context
      const writer = await Writer.open(context, [topic])
      const producers = [await log.openProducer(context.name('a'))]
      producers.push(await log.openProducer(context.name('b')))
      await Promise.all(
        producers.map(producer =>
          commitVisibly(log, producer, transactionOf([{ topic, value: 'x' }], writer.membership)),
        ),
      )
      assert.equal((await readAll(log, { topic, partition: 0 })).length, 2)
      await writer.close()
    },
  },
  {
    title: 'opening a producer waits for what the one before has under way',
    async run(context) {
      const topic = await makeTopic(context)
      const at = { topic, partition: 0 }
      const writer = await Writer.open(context, [topic])
      const id = context.name('id')
      const older = await context.log.openProducer(id)
      const underWay = older.commit(transactionOf([{ topic, value: 'x' }], writer.membership)).then(
        () => 1,
        () => 0,
      )
      await context.log.openProducer(id)
      const before = (await readAll(context.log, at)).length
      assert.equal(await underWay, before)
      assert.equal((await readAll(context.log, at)).length, before)
      await writer.close()
    },
  },
  {
    title: 'a membership that a rebalance has overtaken commits nothing',
    needs: 'group-generation',
    async run(context) {
      const topic = await makeTopic(context, 2)
      const at = { topic, partition: 0 }
      const group = context.name('group')
      const { log } = context
      const first = await log.openConsumer({ group, topics: [topic] })
      const before = await assignment(first)
      const producer = await log.openProducer(context.name('id'))
      const offsets = [{ ...at, offset: 1, metadata: '' }]
      await producer.commit(
        transactionOf([{ topic, value: 'in time' }], before.membership, offsets),
      )
      const second = await log.openConsumer({ group, topics: [topic] })
      await settle([first, second], 2)
      const late = [{ ...at, offset: 2, metadata: 'late' }]
      await assertFenced(
        producer.commit(transactionOf([{ topic, value: 'late' }], before.membership, late)),
      )
      assert.deepEqual(texts(await readAll(log, at)), ['in time'])
      assert.deepEqual(await log.committed(group, [at]), [{ offset: 1, metadata: '' }])
      await Promise.all([first.close(), second.close()])
    },
  },
]
