/** What messages of the simulated database say beside the row as it is: where it was written, and what it was before. */
import type { RowShape, SourceRow } from './source-rows.ts'
import { columnsOf, nothing } from './source-rows.ts'

export type Connector = 'mysql' | 'postgresql'

export interface SentEvent {
  readonly op: string
  readonly id: number | null
  readonly before: SourceRow | null
  readonly after: SourceRow | null
  /** Where it was written, if others were written behind it before it was committed. */
  readonly lsn?: number
}

/** Where the source's log is. */
export interface LogPlace {
  readonly server: number
  readonly position: number
  /** Of the log's events at one position. */
  readonly rowInEvent: number
  readonly sourceMs: number
}

/** `source` of a message. */
export function sourceBlock(
  connector: Connector,
  table: string,
  op: string,
  { server, position, rowInEvent, sourceMs }: LogPlace,
  lsn = position + rowInEvent,
): object {
  const snapshot = op === 'r' ? 'incremental' : 'false'
  const common = { connector, name: 'sim', ts_ms: sourceMs, snapshot, db: 'shop', table }
  if (connector === 'postgresql') {
    // Every statement is a transaction, and is committed before the next one is.
    const sequence = op === 'r' ? null : JSON.stringify([String(position - 1), String(lsn)])
    return { ...common, schema: 'shop', txId: position, lsn, sequence }
  }
  const place = { file: 'binlog.000001', pos: position, row: rowInEvent }
  return { ...common, server_id: server, gtid: null, ...place }
}

/** With the default replica identity there is none but of a delete, where columns beside the key have no value. */
export function beforeOf(
  connector: Connector,
  row: SourceRow | null,
  op: string,
  shape: RowShape,
): object | null {
  if (row === null || connector === 'mysql') return columnsOf(row, shape)
  return op === 'd' ? columnsOf({ ...nothing, id: row.id }, shape) : null
}

/** Of a half of a changed key: the key of the other half. */
export function keyHeader(name: 'newkey' | 'oldkey', id: number) {
  return [{ key: `__debezium.${name}`, value: Buffer.from(JSON.stringify({ id })) }]
}
