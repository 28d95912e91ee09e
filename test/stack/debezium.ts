/** Change events as Debezium's MySQL connector sends them, with schemas, for tests that need a certain one. */
import type { LogHeader, LogRecord } from '../../model/change-event.ts'
import { partitionOfBytes } from '../../model/partitioner.ts'

export interface EventPlace {
  readonly topic: string
  readonly partitions: number
  readonly table: string
}

export interface EventPosition {
  readonly pos: number
  readonly row: number
}

type Row = Readonly<Record<string, string | number | null>>

export interface ChangeOptions {
  readonly op: 'c' | 'u' | 'd' | 'r'
  readonly before: Row | null
  readonly after: Row | null
  readonly at: EventPosition
  readonly headers?: readonly LogHeader[]
}

/** Makes events of one table. Columns that are numbers are int64, `id` is the key. */
export class DebeziumTable {
  readonly #place: EventPlace
  readonly #schema: string

  constructor(place: EventPlace, columns: Readonly<Record<string, 'int64' | 'string'>>) {
    this.#place = place
    const fields = Object.entries(columns).map(([field, type]) => {
      return { field, type, optional: field !== 'id' }
    })
    const rows = ['before', 'after'].map(field => ({
      type: 'struct',
      field,
      optional: true,
      fields,
    }))
    this.#schema = JSON.stringify({ type: 'struct', optional: false, fields: rows })
  }

  change({ op, before, after, at, headers = [] }: ChangeOptions): LogRecord {
    const { table } = this.#place
    const source = {
      version: '3.5.0.Final',
      connector: 'mysql',
      name: 'test',
      ts_ms: timeOf(at),
      snapshot: 'false',
      db: 'shop',
      table,
      server_id: 1,
      gtid: null,
      file: 'mysql-bin.000001',
      pos: at.pos,
      row: at.row,
      thread: null,
      query: null,
    }
    const payload = JSON.stringify({ before, after, source, op, ts_ms: timeOf(at) })
    const value = Buffer.from(`{"schema":${this.#schema},"payload":${payload}}`)
    return this.#record(Number((after ?? before)!.id), value, at, headers)
  }

  tombstone(id: number, at: EventPosition, headers: readonly LogHeader[] = []): LogRecord {
    return this.#record(id, null, at, headers)
  }

  /** What one UPDATE of a row's key sends: both halves have one position. */
  changedKey(before: Row, after: Row, at: EventPosition): LogRecord[] {
    const toNew = [keyHeader('newkey', Number(after.id))]
    return [
      this.change({ op: 'd', before, after: null, at, headers: toNew }),
      this.tombstone(Number(before.id), at, toNew),
      this.change({
        op: 'c',
        before: null,
        after,
        at,
        headers: [keyHeader('oldkey', Number(before.id))],
      }),
    ]
  }

  #record(
    id: number,
    value: Buffer | null,
    at: EventPosition,
    headers: readonly LogHeader[],
  ): LogRecord {
    const { topic, partitions } = this.#place
    const key = keyBytes(id)
    const partition = partitionOfBytes(key, partitions)
    return { topic, partition, offset: -1, timestampMs: timeOf(at), key, value, headers }
  }
}

const firstMs = Date.UTC(2026, 0, 1)

function timeOf({ pos }: EventPosition): number {
  return firstMs + pos
}

function keyBytes(id: number): Buffer {
  const fields = [{ type: 'int64', optional: false, field: 'id' }]
  const schema = { type: 'struct', fields, optional: false, name: 'test.Key' }
  return Buffer.from(JSON.stringify({ schema, payload: { id } }))
}

function keyHeader(name: 'newkey' | 'oldkey', id: number): LogHeader {
  return { key: `__debezium.${name}`, value: keyBytes(id) }
}
