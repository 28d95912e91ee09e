import { expect, inject, it } from 'vitest'
import type { LogRecord } from '../../../model/change-event.ts'
import { systemClock } from '../../../runtime/clock.ts'
import { HiveSessions } from '../../../sinks/hive/hive-sessions.ts'
import { DebeziumTable } from '../debezium.ts'
import { newName, openKafka, partitionsOf, produce } from '../instances.ts'
import { Running } from '../running.ts'

const tableCount = 20
const names = Array.from({ length: tableCount }, (_, index) => `t${index}`)

it('two instances share twenty tables; one that was dropped by hand is held back, and the others go on', async () => {
  const log = openKafka(inject('broker'))
  const database = newName('many').replaceAll('-', '_')
  const topic = newName('many')
  const sessions = new HiveSessions(inject('hive'), systemClock, 1)
  const { host, port } = inject('hive')
  const { url, location } = inject('webhdfs')
  await log.createTopic({ name: topic, partitions: 2, cleanup: 'delete' })
  const config = {
    source: {
      type: 'kafka',
      brokers: [inject('broker')],
      topics: [topic],
      format: 'debezium-json',
      sessionTimeout: '10s',
    },
    tables: [{ from: 'shop.*', to: `${database}.{table}` }],
    warehouse: { type: 'hive', host, port },
    staging: { type: 'webhdfs', urls: [url], location, path: '/forager', user: 'root' },
    window: { maxAge: '1s' },
  }
  const rowsOf = async (name: string): Promise<readonly string[]> => {
    const sql = `SELECT id, v FROM ${database}.${name} ORDER BY id`
    const { rows } = await sessions.use(session => session.query(sql))
    return rows.map(([id, v]) => `${id as string}=${v as string}`)
  }
  const dropped = 't7'
  try {
    await Running.use({ name: 'many', log, config }, async running => {
      const instances = [running.start(), running.start()]
      await produce(log, rowsFor(topic, 1, 'a'))
      await running.untilApplied(partitionsOf(topic, 2), { deadlineMs: 400_000 })
      expect(await rowsOf('t0')).toEqual(['1=a'])
      await sessions.use(session => session.execute(`DROP TABLE ${database}.${dropped}`))
      await produce(log, rowsFor(topic, 2, 'b'))
      await running.untilApplied(partitionsOf(topic, 2), { deadlineMs: 400_000 })
      for (const name of names)
        if (name !== dropped) expect(await rowsOf(name)).toEqual(['1=a', '2=b'])
      const lines = instances.flatMap(instance => instance.lines)
      const failed = lines.filter(({ event }) => event === 'table.failed')
      expect(failed.map(({ table }) => table)).toEqual([`${database}.${dropped}`])
      for (const instance of instances) {
        expect(instance.lines.some(({ event }) => event === 'batch.applied')).toBe(true)
      }
      await running.stop()
    })
  } finally {
    await sessions.use(session => session.execute(`DROP DATABASE IF EXISTS ${database} CASCADE`))
    await sessions.close()
    await log.close()
  }
})

/** A row of each table. */
function rowsFor(topic: string, id: number, v: string): readonly LogRecord[] {
  return names.map((table, index) => {
    const place = { topic, partitions: 2, table }
    const columns = { id: 'int64', v: 'string' } as const
    const at = { pos: id * 1000 + index, row: 0 }
    return new DebeziumTable(place, columns).change({ op: 'c', before: null, after: { id, v }, at })
  })
}
