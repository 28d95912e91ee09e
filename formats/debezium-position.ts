/**
 * What Debezium's `source` block tells: table, time, and the position, connector by connector. A connector that is not listed
 * gives none: its events are applied in the order of the log, and repeats are not recognised.
 */
import type { ChangeEvent } from '../model/change-event.ts'
import { DecodeError } from '../model/errors.ts'
import type { Position } from '../model/position.ts'

export type SourceBlock = Readonly<Record<string, unknown>>

/** Null when the connector is not known or a part is missing: then nothing is ever dropped. */
export function positionOf(source: SourceBlock, incarnation: string): Position | null {
  switch (source.connector) {
    case 'mysql':
    case 'mariadb':
      return binlogPosition(source, incarnation)
    case 'postgresql':
      return postgresPosition(source, incarnation)
    default:
      return null
  }
}

/**
 * A snapshot begins anew once for all tables (`first`) and, where versions say so, once for each: a
 * partition may have no row of the first one. Older connectors send a boolean, and `false` may be
 * left out.
 */
export function snapshotOf(source: SourceBlock): ChangeEvent['snapshot'] {
  const snapshot = source.snapshot ?? 'false'
  if (snapshot === 'first' || snapshot === 'first_in_data_collection') return 'first'
  if (snapshot === 'incremental') return 'incremental'
  return snapshot === false || snapshot === 'false' ? 'no' : 'yes'
}

/** When the source made the change; null when it does not say. */
export function msOf({ ts_ms: ms }: SourceBlock): number | null {
  return typeof ms === 'number' ? ms : null
}

/** `database.table` where there are only databases, else `schema.table`. */
export function tableOf(source: SourceBlock | null): string {
  const { schema, db, table } = source ?? {}
  if (typeof table !== 'string') {
    throw new DecodeError('message-unknown', 'the "source" of the change names no table')
  }
  return `${typeof schema === 'string' && schema !== '' ? schema : String(db)}.${table}`
}

function nameOf(source: SourceBlock, incarnation: string): string {
  return incarnation === '' ? String(source.name) : `${String(source.name)}@${incarnation}`
}

function binlogPosition(source: SourceBlock, incarnation: string): Position | null {
  const { file, pos, row, server_id: server, gtid } = source
  const place = typeof file === 'string' ? placeOfFile(file) : null
  if (place === null || !isInteger(pos)) return null
  const rowNumber = isInteger(row) ? row : 0
  // A snapshot does not say which server it read.
  const serverId = isInteger(server) && server !== 0 ? String(server) : null
  return {
    connector: String(source.connector),
    name: nameOf(source, incarnation),
    server: serverId,
    log: place.log,
    order: [place.number, pos, rowNumber],
    transaction: null,
    gtid: typeof gtid === 'string' ? gtid : null,
    isSnapshot: snapshotOf(source) !== 'no',
    text: `${file as string}:${pos}:${rowNumber}${serverId === null ? '' : `@${serverId}`}`,
  }
}

/** A binlog's file: which log, and its number there. It changes seldom. */
let lastFile = { file: '', log: '', number: 0 }

function placeOfFile(file: string): { readonly log: string; readonly number: number } | null {
  if (file === lastFile.file) return lastFile
  const match = /^(.+)\.(\d+)$/.exec(file)
  if (match === null) return null
  lastFile = { file, log: match[1]!, number: Number(match[2]) }
  return lastFile
}

function postgresPosition(source: SourceBlock, incarnation: string): Position | null {
  const { lsn, txId, db, sequence } = source
  if (!isInteger(lsn)) return null
  const lastCommit = lastCommitOf(sequence)
  return {
    connector: 'postgresql',
    name: nameOf(source, incarnation),
    server: null,
    log: String(db),
    order: [lastCommit, BigInt(lsn)],
    transaction: isInteger(txId) ? String(txId) : null,
    gtid: null,
    isSnapshot: snapshotOf(source) !== 'no',
    text: lastCommit === null ? String(lsn) : `${lastCommit}/${lsn}`,
  }
}

/** `sequence` is JSON text: `["LSN of the last commit", "LSN of the event"]`, either may be null. */
function lastCommitOf(sequence: unknown): bigint | null {
  const match = typeof sequence === 'string' ? /^\["(\d+)"/.exec(sequence) : null
  return match === null ? null : BigInt(match[1]!)
}

function isInteger(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || Number.isInteger(value)
}
