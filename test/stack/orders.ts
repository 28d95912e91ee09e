/** Many rows, cheaply made: for tests of size and of memory, and what their tables must be. */
import type { ProducerRecord } from '../../log/log.ts'
import { partitionOfBytes } from '../../model/partitioner.ts'

export interface OrdersOptions {
  readonly topicOf: (table: number) => string
  readonly partitions: number
  readonly tables: number
  /** Of each table. */
  readonly ids: number
  /** Events of all tables, one after the other. */
  readonly events: number
}

export interface OrderRow {
  readonly id: number
  readonly version: number
  readonly note: string
}

export const orderTypes = { id: 'bigint', version: 'bigint', note: 'string' }

export function orderTable(table: number): string {
  return `t${String(table).padStart(3, '0')}`
}

/** Which row an event is about: every row comes in its turn, out of order. */
function rowOf(event: number, { tables, ids }: OrdersOptions): { table: number; id: number } {
  const nth = Math.floor(event / tables) % ids
  // A step that shares no divisor with powers of ten and two meets every id once.
  return { table: event % tables, id: 1 + ((nth * 7919) % ids) }
}

export function orderRow(event: number, options: OrdersOptions): OrderRow {
  const { id } = rowOf(event, options)
  return { id, version: event, note: `note ${event} ${'x'.repeat(event % 60)}` }
}

/** Events without schemas, in the order of the source; positions ascend over all tables. */
export function* orderRecords(options: OrdersOptions): Generator<ProducerRecord> {
  const { topicOf, partitions, ids, tables } = options
  for (let event = 0; event < options.events; event += 1) {
    const { table } = rowOf(event, options)
    const row = orderRow(event, options)
    const isNew = event < ids * tables
    const key = Buffer.from(`{"id":${row.id}}`)
    const before = isNew ? 'null' : JSON.stringify(orderRow(event - ids * tables, options))
    const ms = 1_767_225_600_000 + event
    const source =
      `{"connector":"mysql","name":"orders","ts_ms":${ms},"snapshot":"false","db":"shop",` +
      `"table":"${orderTable(table)}","server_id":1,"gtid":null,"file":"b.000001","pos":${4 + event},"row":0}`
    const op = isNew ? 'c' : 'u'
    const value = `{"before":${before},"after":${JSON.stringify(row)},"source":${source},"op":"${op}"}`
    const partition = partitionOfBytes(key, partitions)
    yield {
      topic: topicOf(table),
      partition,
      key,
      value: Buffer.from(value),
      timestampMs: ms,
    }
  }
}

/** The last row of each key of a table, by its id. */
export function expectedOrders(table: number, options: OrdersOptions): Map<string, OrderRow> {
  const rows = new Map<string, OrderRow>()
  for (let event = table; event < options.events; event += options.tables) {
    const row = orderRow(event, options)
    rows.set(String(row.id), row)
  }
  return rows
}
