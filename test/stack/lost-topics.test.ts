/**
 * What an operator does to a source topic while Forager is stopped: records deleted, the topic deleted, the
 * topic made anew. Each of it ends the next start with advice; nothing is read from elsewhere in silence.
 */
import { afterAll, expect, inject, it } from 'vitest'
import { DebeziumTable } from './debezium.ts'
import { newName, openKafka, partitionsOf, until } from './instances.ts'
import { deleteTopic } from './operator.ts'
import { Running, writeAll } from './running.ts'
import { readTable } from './tables.ts'

const log = openKafka(inject('broker'))
afterAll(() => log.close())

const partitions = 2

function eventsFor(topic: string, from: number, count: number, text = 'first') {
  const place = { topic, partitions, table: 'lost' }
  const table = new DebeziumTable(place, { id: 'int64', text: 'string' })
  return Array.from({ length: count }, (_, index) => {
    const id = from + index
    const at = { pos: 100 * id, row: 0 }
    return table.change({ op: 'c', before: null, after: { id, text }, at })
  })
}

/** What is done to the topic, of which 100 records were read and applied, while nobody reads it. */
interface Loss {
  readonly title: string
  readonly happen: (topic: string) => Promise<void>
  readonly says: readonly RegExp[]
}

const losses: readonly Loss[] = [
  {
    title: 'records that were not read are deleted',
    happen: async topic => {
      await writeAll(log, eventsFor(topic, 101, 100))
      for (const at of partitionsOf(topic, partitions)) {
        await log.deleteRecords(at, await log.decidedEnd(at))
      }
    },
    says: [/offset-out-of-range/, /Records may be lost/],
  },
  {
    title: 'the topic is deleted',
    happen: remove,
    says: [/topic-missing/, /Correct `source.topics`, or create the topic/],
  },
  {
    title: 'the topic is made anew, and is empty',
    happen: topic => remake(topic, 0),
    says: [/source-replaced/, /start anew: over Kafka with `forager reset CONFIG`/],
  },
  {
    title: 'the topic is made anew, and has more records than before',
    happen: topic => remake(topic, 300),
    says: [/source-replaced/, /start anew: over Kafka with `forager reset CONFIG`/],
  },
]

async function remove(topic: string): Promise<void> {
  await deleteTopic(inject('broker'), topic)
  await until('it is gone', async () => (await log.topics()).every(({ name }) => name !== topic))
}

async function remake(topic: string, count: number): Promise<void> {
  await remove(topic)
  await log.createTopic({ name: topic, partitions, cleanup: 'delete' })
  if (count > 0) await writeAll(log, eventsFor(topic, 1, count, 'second'))
}

it('a topic that is made anew while it is read is not read on', async () => {
  const topic = newName('anew')
  await log.createTopic({ name: topic, partitions, cleanup: 'delete' })
  await writeAll(log, eventsFor(topic, 1, 100))
  const consumer = await log.openConsumer({ group: newName('anew'), topics: [topic] })
  const poll = () => consumer.poll({ maxWaitMs: 500, maxBytes: 1024 * 1024 })
  let count = 0
  await until('all is read', async () => {
    const result = await poll()
    if (result.kind === 'assigned') {
      for (const at of result.assignment.partitions) consumer.seek(at, 0)
      return false
    }
    count += result.batches.reduce((sum, { records }) => sum + records.length, 0)
    return count === 100
  })
  await remake(topic, 300)
  // Its first hundred records have offsets that were read: only the topic's id tells.
  const reading = until('it is noticed', async () => {
    const result = await poll()
    const found = result.kind === 'records' ? result.batches : []
    // The marker of the transaction before may still come.
    expect(found.flatMap(({ records }) => records)).toEqual([])
    return false
  })
  await expect(reading).rejects.toMatchObject({ code: 'source-replaced', context: { topic } })
  await consumer.close()
})

it.each(losses)('$title while stopped: the next start ends with advice', async loss => {
  const topic = newName('lost')
  await log.createTopic({ name: topic, partitions, cleanup: 'delete' })
  const config = {
    source: {
      type: 'kafka',
      brokers: [inject('broker')],
      topics: [topic],
      format: 'debezium-json',
    },
    tables: [{ from: 'shop.lost', to: 'lost' }],
    warehouse: { type: 'embedded', path: 'warehouse' },
    window: { maxAge: '200ms' },
    commitInterval: '100ms',
  }
  await Running.use({ name: 'lost', log, config }, async running => {
    await writeAll(log, eventsFor(topic, 1, 100))
    running.start()
    await running.untilApplied(partitionsOf(topic, partitions))
    await running.stop()
    const before = await readTable(running.warehouse, 'lost')
    expect(before.length).toBe(100)

    await loss.happen(topic)
    const again = running.start()
    await until('it ends by itself', () => !again.isRunning)
    expect(await again.ended).toEqual({ code: 1, signal: null })
    for (const words of loss.says) expect(again.stderr).toMatch(words)
    expect(again.stderr).toContain(topic)
    expect(again.stderr.split('\n').length, again.stderr).toBeLessThan(4)
    expect(await readTable(running.warehouse, 'lost')).toEqual(before)
  })
})
