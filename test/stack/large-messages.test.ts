/**
 * Messages of five megabytes among small ones: larger than what is fetched of a partition at once, than
 * one poll, than a frame of the hop, than a batch that is written.
 */
import { createHash } from 'node:crypto'
import { afterAll, expect, inject, it } from 'vitest'
import type { LogRecord } from '../../model/change-event.ts'
import { DebeziumTable } from './debezium.ts'
import { newName, openKafka, partitionsOf } from './instances.ts'
import { Running, writeInParts } from './running.ts'
import { readTable, tableDifferences } from './tables.ts'

const log = openKafka(inject('broker'))
afterAll(() => log.close())

const partitions = 3
const largeBytes = 5 * 1024 * 1024
const ids = 400
/** Every hundredth is large; two of them come one after the other. */
const isLarge = (id: number): boolean => id % 100 < 2

/** Text that does not compress to nothing. */
function bodyOf(id: number, version: number): string {
  if (!isLarge(id)) return `body ${id} ${version}`
  const parts: string[] = []
  let part = createHash('sha512').update(`${id} ${version}`)
  for (let length = 0; length < largeBytes; length += 128) {
    const text = part.digest('hex')
    parts.push(text)
    part = createHash('sha512').update(text)
  }
  return parts.join('')
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex')

it('rows of five megabytes come through fetches, the hop and staging', async () => {
  const topic = newName('large')
  // Internal topics take as much; a source topic has what its operator gave it.
  await log.createTopic({ name: topic, partitions, cleanup: 'delete' })
  const place = { topic, partitions, table: 'large' }
  const table = new DebeziumTable(place, { id: 'int64', version: 'int64', body: 'string' })
  const expected = new Map<string, { id: number; version: number; body: string }>()
  function* events(): Generator<LogRecord> {
    for (let version = 1; version <= 2; version += 1) {
      for (let id = 1; id <= ids; id += 1) {
        const after = { id, version, body: bodyOf(id, version) }
        const at = { pos: (version * ids + id) * 100, row: 0 }
        expected.set(String(id), { id, version, body: digest(after.body) })
        if (version === 1) yield table.change({ op: 'c', before: null, after, at })
        else {
          const before = { id, version: 1, body: isLarge(id) ? null : bodyOf(id, 1) }
          yield table.change({ op: 'u', before, after, at })
        }
      }
    }
  }
  await writeInParts(log, events(), 200)
  const config = {
    source: {
      type: 'kafka',
      brokers: [inject('broker')],
      topics: [topic],
      format: 'debezium-json',
    },
    tables: [{ from: 'shop.*', to: '{table}' }],
    warehouse: { type: 'embedded', path: 'warehouse' },
    window: { maxAge: '1s' },
    commitInterval: '200ms',
  }
  await Running.use({ name: 'large', log, config }, async running => {
    running.start()
    running.start()
    await running.untilApplied(partitionsOf(topic, partitions))
    await running.stop()
    const rows = (await readTable(running.warehouse, 'large')).map(row => {
      return { ...row, body: digest(String(row.body)) }
    })
    expect(expected.size).toBe(ids)
    expect(tableDifferences(rows, ({ id }) => String(id), expected)).toEqual([])
  })
})
