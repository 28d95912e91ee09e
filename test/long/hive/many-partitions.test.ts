/** Rows that move between many partitions of one table of Hive: row 9 of "What broke elsewhere". */
import { expect, inject, it } from 'vitest'
import { systemClock } from '../../../runtime/clock.ts'
import { HiveSessions } from '../../../sinks/hive/hive-sessions.ts'
import { DebeziumTable } from '../../stack/debezium.ts'
import { newName, openKafka, partitionsOf, produce } from '../../stack/instances.ts'
import { Running } from '../../stack/running.ts'

/** More than Hive writes to in one task by default. */
const count = 104
const ids = Array.from({ length: count }, (_, index) => index + 1)
const topic = newName('moves')
const database = topic.replaceAll('-', '_')
const rows = new DebeziumTable(
  { topic, partitions: 2, table: 'moves' },
  { id: 'int64', place: 'string' },
)

const inserted = ids.map(id =>
  rows.change({
    op: 'c',
    before: null,
    after: { id, place: `a${id}` },
    at: { pos: id, row: 0 },
  }),
)
const moved = ids.map(id =>
  rows.change({
    op: 'u',
    before: { id, place: `a${id}` },
    after: { id, place: `b${id}` },
    at: { pos: 1000 + id, row: 0 },
  }),
)

it('row 9: whenever a reader looks, each row that moves is in one partition, by one statement over 208 of them', async () => {
  const log = openKafka(inject('broker'))
  const sessions = new HiveSessions(inject('hive'), systemClock, 2)
  const query = (sql: string) =>
    sessions.use(async session => (await session.query(sql)).rows.map(row => row.map(String)))
  const { url, location } = inject('webhdfs')
  await log.createTopic({ name: topic, partitions: 2, cleanup: 'delete' })
  const config = {
    source: {
      type: 'kafka',
      brokers: [inject('broker')],
      topics: [topic],
      format: 'debezium-json',
    },
    tables: [{ from: 'shop.*', to: `${database}.{table}`, partitionBy: 'place' }],
    warehouse: { type: 'hive', ...inject('hive') },
    staging: { type: 'webhdfs', urls: [url], location, path: '/forager', user: 'root' },
    window: { maxAge: '2s' },
  }
  try {
    await Running.use({ name: 'moves', log, config }, async running => {
      running.start()
      const applied = () => running.untilApplied(partitionsOf(topic, 2), { deadlineMs: 400_000 })
      await produce(log, inserted)
      await applied()
      let isDone = false
      const seen = new Set<string>()
      const reading = (async () => {
        while (!isDone) {
          const sql = `SELECT count(*), count(DISTINCT id) FROM ${database}.moves`
          seen.add((await query(sql)).join())
        }
      })()
      await produce(log, moved)
      await applied()
      isDone = true
      await reading
      expect([...seen]).toEqual([`${count},${count}`])
      const found = await query(`SELECT id, place FROM ${database}.moves ORDER BY id`)
      expect(found).toEqual(ids.map(id => [`${id}`, `b${id}`]))
      await running.stop()
    })
  } finally {
    await sessions.use(session => session.execute(`DROP DATABASE IF EXISTS ${database} CASCADE`))
    await sessions.close()
    await log.close()
  }
})
