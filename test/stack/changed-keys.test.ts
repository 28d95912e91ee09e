/**
 * `update t set id = id + 1`, as Debezium sends it, over eight partitions and three instances: each row
 * takes the key that another one leaves, and a delete and an insert of one key stand side by side.
 */
import { afterAll, expect, inject, it } from 'vitest'
import type { LogRecord } from '../../model/change-event.ts'
import { DebeziumTable } from './debezium.ts'
import { newName, openKafka, partitionsOf, produce } from './instances.ts'
import { Running } from './running.ts'
import { readTable, tableDifferences } from './tables.ts'

const log = openKafka(inject('broker'))
afterAll(() => log.close())

const partitions = 8
const rowCount = 1000
/** Rows of one event of the binlog; they share its position. */
const rowsAtOnce = 100

interface Row {
  readonly [column: string]: string | number
  readonly id: number
  readonly name: string
  readonly moves: number
}

/** The table, and what each statement sends, as the author of the events has them. */
class ShiftedTable {
  readonly rows = new Map<number, Row>()
  readonly records: LogRecord[] = []
  readonly #table: DebeziumTable
  #pos = 4

  constructor(topic: string) {
    const place = { topic, partitions, table: 'shifted' }
    this.#table = new DebeziumTable(place, { id: 'int64', name: 'string', moves: 'int64' })
  }

  insert(id: number): void {
    const row = { id, name: `row ${id}`, moves: 0 }
    this.#pos += 100
    this.rows.set(id, row)
    const at = { pos: this.#pos, row: 0 }
    this.records.push(this.#table.change({ op: 'c', before: null, after: row, at }))
  }

  /** `update shifted set id = id + 1 order by id desc` */
  shiftAll(): void {
    const before = [...this.rows.values()].sort((a, b) => b.id - a.id)
    for (const [index, row] of before.entries()) {
      if (index % rowsAtOnce === 0) this.#pos += 100
      this.#move(row, { pos: this.#pos, row: index % rowsAtOnce })
    }
  }

  /** A thousand statements, each of which moves the row of the last one on. */
  walk(id: number, steps: number): void {
    for (let step = 0; step < steps; step += 1) {
      this.#pos += 100
      this.#move(this.rows.get(id + step)!, { pos: this.#pos, row: 0 })
    }
  }

  #move(row: Row, at: { pos: number; row: number }): void {
    const moved = { ...row, id: row.id + 1, moves: row.moves + 1 }
    this.rows.delete(row.id)
    this.rows.set(moved.id, moved)
    this.records.push(...this.#table.changedKey(row, moved, at))
  }
}

it('a thousand chained key updates end equal, also when a block of them is sent again', async () => {
  const topic = newName('shifted')
  await log.createTopic({ name: topic, partitions, cleanup: 'delete' })
  const table = new ShiftedTable(topic)
  for (let id = 1; id <= rowCount; id += 1) table.insert(id)
  for (let times = 0; times < 3; times += 1) table.shiftAll()
  // Row 5000 goes through a thousand keys by itself.
  table.insert(5000)
  table.walk(5000, rowCount)
  const all = table.records
  // The producer's worker dies within the second statement, and sends a block of it again.
  const from = rowCount + 3 * rowCount + 700
  const crash = from + 2000
  const sent = [...all.slice(0, crash), ...all.slice(from)]

  const config = {
    source: {
      type: 'kafka',
      brokers: [inject('broker')],
      topics: [topic],
      format: 'debezium-json',
    },
    tables: [{ from: 'shop.shifted', to: 'shifted' }],
    warehouse: { type: 'embedded', path: 'warehouse' },
    window: { maxAge: '500ms' },
    commitInterval: '100ms',
  }
  await Running.use({ name: 'changed-keys', log, config }, async running => {
    for (let count = 0; count < 3; count += 1) running.start()
    await produce(log, sent, { atOnce: 500, pauseMs: 50 })
    await running.untilApplied(partitionsOf(topic, partitions))
    await running.stop()
    const repeats = running.instances
      .flatMap(({ lines }) => lines)
      .filter(({ event }) => event === 'repeats.dropped')
    expect(repeats.length).toBeGreaterThan(0)
    const expected = new Map([...table.rows].map(([id, row]) => [String(id), row]))
    expect(expected.size).toBe(rowCount + 1)
    const rows = await readTable(running.warehouse, 'shifted')
    expect(tableDifferences(rows, ({ id }) => String(id), expected)).toEqual([])
  })
})
