/**
 * Where in the binlog a row of Maxwell was: the place of its rows event, and the row's number in its
 * transaction. Both grow with the log, whatever the transaction: `xid` does not, a server that restarts
 * counts it anew. (BinlogConnectorEvent.jsonMaps, RowMapBuffer.removeFirst, RowMap.toJSON of Maxwell.)
 */
import type { Position } from '../../model/position.ts'

/** The last row of a transaction says that it is the last one instead of its number. */
const lastOfTransaction = Number.MAX_SAFE_INTEGER

export interface PlaceFields {
  /** `mysql-bin.000001:37346751`: the rows event, or the statement of a schema change. */
  readonly position?: unknown
  readonly xoffset?: unknown
  readonly commit?: unknown
  readonly server_id?: unknown
  readonly gtid?: unknown
}

/**
 * Null without `output_binlog_position`, and for rows of a bootstrap. Rows of one event share a place
 * where `output_xoffset` is off.
 */
export function maxwellPosition(fields: PlaceFields, incarnation: string): Position | null {
  const { position, commit, xoffset, server_id: server, gtid } = fields
  const match = typeof position === 'string' ? /^(.+)\.(\d{1,15}):(\d{1,15})$/.exec(position) : null
  if (match === null) return null
  const isLast = commit === true
  const place = Number.isSafeInteger(xoffset) ? (xoffset as number) : 0
  const serverId = Number.isSafeInteger(server) && server !== 0 ? String(server) : null
  const row = isLast ? 'commit' : place
  return {
    connector: 'maxwell',
    name: incarnation === '' ? 'maxwell' : `maxwell@${incarnation}`,
    server: serverId,
    log: match[1]!,
    order: [Number(match[2]), Number(match[3]), isLast ? lastOfTransaction : place],
    transaction: null,
    gtid: typeof gtid === 'string' ? gtid : null,
    isSnapshot: false,
    text: `${position as string}:${row}${serverId === null ? '' : `@${serverId}`}`,
  }
}
