/**
 * What Debezium's `source` block tells: table, time, and the position, connector by connector:
 *
 * | connector        | order of positions | in one |
 * |---|---|---|
 * | mysql, mariadb   | file, pos, row | server and base name of its binlog |
 * | postgresql       | LSN of the last commit, LSN | database |
 * | oracle, LogMiner | commit_scn, txSeq, scn, rs_id, ssn | connector; see `compareInStream` for RAC |
 * | oracle, XStream  | lcr_position | connector |
 * | sqlserver        | commit_lsn, change_lsn, event_serial_no | database |
 * | db2              | commit_lsn, change_lsn | database |
 * | mongodb          | second of the cluster time, ord | replica set, or cluster |
 *
 * A snapshot knows only the first part. Read in the connectors' sources (`SourceInfo` and who fills it),
 * Debezium 3.5; recorded are MySQL, MariaDB and PostgreSQL alone. A connector that is not listed gives
 * no position: its events are applied in the order of the log, and repeats are not recognised.
 */
import type { ChangeEvent } from '../../model/change-event.ts'
import { DecodeError } from '../../model/errors.ts'
import type { Position } from '../../model/position.ts'

export type SourceBlock = Readonly<Record<string, unknown>>

/** A word of the message; of an object, which may not even have a text, the empty one. */
export function wordOf(found: unknown): string {
  return typeof found === 'object' && found !== null ? '' : String(found)
}

/** Null when the connector is not known or a part is missing: then nothing is ever dropped. */
export function positionOf(source: SourceBlock, incarnation: string): Position | null {
  switch (source.connector) {
    case 'mysql':
    case 'mariadb':
      return binlogPosition(source, incarnation)
    case 'postgresql':
      return postgresPosition(source, incarnation)
    case 'oracle':
      return oraclePosition(source, incarnation)
    case 'sqlserver':
    case 'db2':
      return changeTablePosition(source, incarnation)
    case 'mongodb':
      return mongodbPosition(source, incarnation)
    default:
      return null
  }
}

/**
 * Where a schema change is in the log. One of LogMiner's is no part of a transaction that was committed:
 * it has the SCN of its statement, and of the commit that was the last one before it, or none.
 */
export function schemaPositionOf(source: SourceBlock, incarnation: string): Position | null {
  const isLogMiner = source.connector === 'oracle' && typeof source.lcr_position !== 'string'
  if (!isLogMiner || snapshotOf(source) !== 'no') return positionOf(source, incarnation)
  const read = positionOf({ ...source, snapshot: 'incremental' }, incarnation)
  return read === null ? null : { ...read, isSnapshot: false }
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

/**
 * `schema.table`; where there are no schemas `database.table`, `database.collection`, or
 * `keyspace.table` (Cassandra, Vitess).
 */
export function tableOf(source: SourceBlock | null): string {
  const { schema, keyspace, db, table, collection } = source ?? {}
  const isLast =
    table === lastTable.table &&
    db === lastTable.db &&
    schema === lastTable.schema &&
    collection === lastTable.collection &&
    keyspace === lastTable.keyspace
  if (isLast) return lastTable.text
  const name = table ?? collection
  if (typeof name !== 'string') {
    throw new DecodeError('message-unknown', 'the "source" of the change names no table')
  }
  const isThere = (part: unknown): boolean => typeof part === 'string' && part !== ''
  const text = `${wordOf([schema, keyspace].find(isThere) ?? db)}.${name}`
  lastTable = { schema, keyspace, db, table, collection, text }
  return text
}

/** A table's name, and what it is made of: nearly always it is that of the message before. */
let lastTable: SourceBlock & { readonly text: string } = { table: {}, text: '' }

function nameOf(source: SourceBlock, incarnation: string): string {
  return incarnation === '' ? wordOf(source.name) : `${wordOf(source.name)}@${incarnation}`
}

function binlogPosition(source: SourceBlock, incarnation: string): Position | null {
  const { file, pos, row, server_id: server, gtid } = source
  const place = typeof file === 'string' ? placeOfFile(file) : null
  if (place === null || !isInteger(pos)) return null
  const rowNumber = isInteger(row) ? row : 0
  const { id, mark } = isInteger(server) ? serverOf(server) : noServer
  return {
    connector: wordOf(source.connector),
    name: nameOf(source, incarnation),
    server: id,
    log: place.log,
    order: [place.number, pos, rowNumber],
    transaction: null,
    gtid: typeof gtid === 'string' ? gtid : null,
    isSnapshot: snapshotOf(source) !== 'no',
    text: `${place.mark}${pos}:${rowNumber}${mark}`,
  }
}

/** A binlog's file: which log, and its number there. It changes seldom. */
let lastFile = { file: '', log: '', number: 0, mark: '' }

function placeOfFile(file: string): typeof lastFile | null {
  if (file === lastFile.file) return lastFile
  const match = /^(.+)\.(\d+)$/.exec(file)
  if (match === null) return null
  lastFile = { file, log: match[1]!, number: Number(match[2]), mark: `${file}:` }
  return lastFile
}

interface Server {
  readonly id: string | null
  /** At the end of a position's text. */
  readonly mark: string
}

/** A snapshot does not say which server it read. */
const noServer: Server = { id: null, mark: '' }
let lastServer: Server & { readonly given: number | bigint } = { ...noServer, given: 0 }

/** It changes seldom as well. */
function serverOf(given: number | bigint): Server {
  if (given !== lastServer.given) {
    lastServer = { given, id: String(given), mark: `@${given}` }
  }
  return given === 0 ? noServer : lastServer
}

function postgresPosition(source: SourceBlock, incarnation: string): Position | null {
  const { lsn, txId, db, sequence } = source
  if (!isInteger(lsn)) return null
  const lastCommit = lastCommitOf(sequence)
  return {
    connector: 'postgresql',
    name: nameOf(source, incarnation),
    server: null,
    log: wordOf(db),
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

/**
 * Transactions are sent in the order of their commits, and each in its own: `txSeq` counts its changes,
 * or, before there was one, System Change Number (SCN), RBA (`rs_id`) and `ssn` do. XStream's `lcr_position` is one number that grows.
 * OpenLogReplicator's messages have neither, and so no position: the index of a change is in its offset.
 */
function oraclePosition(source: SourceBlock, incarnation: string): Position | null {
  const { lcr_position: lcr, commit_scn: commitScn, scn, txId, txSeq, ssn } = source
  const isSnapshot = snapshotOf(source) !== 'no'
  const common = { connector: 'oracle', name: nameOf(source, incarnation), gtid: null, isSnapshot }
  if (typeof lcr === 'string' && !isSnapshot) {
    if (!/^[\da-f]{2,128}$/i.test(lcr)) return null
    // Of equal length, as bytes, they are in order; another length is another version of Oracle's.
    const log = `lcr${lcr.length}`
    const order = [BigInt(`0x${lcr}`)]
    return { ...common, server: null, log, order, transaction: null, text: `lcr:${lcr}` }
  }
  const log = 'scn'
  if (isSnapshot) {
    // The rows as of this SCN: of all transactions that were committed at it, or before. An incremental
    // one is read at a later SCN than that of the change that was sent last, whichever of the two is told.
    const [at, before] = [scnOf(scn), scnOf(commitScn)]
    const read = at !== null && before !== null && before > at ? before : at
    if (read === null) return null
    return { ...common, server: null, log, order: [read], transaction: null, text: String(read) }
  }
  const commit = scnOf(commitScn)
  if (commit === null) return null
  const sequence = isInteger(txSeq) ? txSeq : null
  const event = scnOf(scn)
  const serial = isInteger(ssn) ? ssn : 0
  const order = [commit, sequence, event, rbaOf(source.rs_id), serial]
  const place = sequence === null ? `${event}:${wordOf(source.rs_id)}:${serial}` : String(sequence)
  return {
    ...common,
    server: isInteger(source.redo_thread) ? String(source.redo_thread) : null,
    log,
    order,
    transaction: typeof txId === 'string' ? txId : null,
    text: `${commit}/${place}`,
  }
}

/** Numbers that are written as text. Up to 1.9.4 a list of redo threads could stand there: that is none. */
function scnOf(text: unknown): bigint | null {
  return typeof text === 'string' && /^\d{1,38}$/.test(text) ? BigInt(text) : null
}

/** A place in the redo log, ` 0x0000a3.000186f0.0010`, whose parts have fixed lengths. */
function rbaOf(text: unknown): bigint | null {
  const match = typeof text === 'string' ? /^\s*0x([\da-f.]{1,64})\s*$/i.exec(text) : null
  const digits = match?.[1]?.replaceAll('.', '') ?? ''
  return digits === '' ? null : BigInt(`0x${digits}`)
}

/** SQL Server and Db2: the tables of changes are read in the order of commits, then of changes. */
function changeTablePosition(source: SourceBlock, incarnation: string): Position | null {
  const {
    connector,
    commit_lsn: commitLsn,
    change_lsn: changeLsn,
    event_serial_no: serial,
  } = source
  const isSnapshot = snapshotOf(source) !== 'no'
  const commit = lsnOf(commitLsn)
  const change = isSnapshot ? null : lsnOf(changeLsn)
  if (commit === null || (change === null && !isSnapshot)) return null
  // Both changes of a changed key have one place in Db2; SQL Server counts them.
  const serialNo = connector === 'sqlserver' && isInteger(serial) ? serial : 0
  return {
    connector: String(connector),
    name: nameOf(source, incarnation),
    server: null,
    log: wordOf(source.db),
    order: change === null ? [commit] : [commit, change, serialNo],
    transaction: null,
    gtid: null,
    isSnapshot,
    text: `${String(commitLsn)}${change === null ? '' : `/${String(changeLsn)}/${serialNo}`}`,
  }
}

/** `00000027:00000758:0005`, whose parts have fixed lengths. */
function lsnOf(text: unknown): bigint | null {
  if (typeof text !== 'string' || !/^[\da-f]{1,32}(:[\da-f]{1,32}){0,3}$/i.test(text)) return null
  return BigInt(`0x${text.replaceAll(':', '')}`)
}

/**
 * The cluster time: seconds, and a number within the second. Where the server tells the wall clock
 * (`wallTime`, MongoDB 6), `ts_ms` is that one: the seconds are lost, and the rest is no order. The
 * changes of a transaction share one time, even several of one document, so they have no places.
 */
function mongodbPosition(source: SourceBlock, incarnation: string): Position | null {
  const { ts_ms: ms, ord, wallTime, lsid, txnNumber, rs } = source
  const isWallTime =
    (wallTime ?? 0) !== 0 || (lsid ?? null) !== null || (txnNumber ?? null) !== null
  if (!isInteger(ms) || !isInteger(ord) || ord < 0 || isWallTime || Number(ms) % 1000 !== 0) {
    return null
  }
  const second = Number(ms) / 1000
  return {
    connector: 'mongodb',
    name: nameOf(source, incarnation),
    server: null,
    log: typeof rs === 'string' ? rs : '',
    order: [second, ord],
    transaction: null,
    gtid: null,
    isSnapshot: snapshotOf(source) !== 'no',
    text: `${second}/${ord}`,
  }
}

function isInteger(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || Number.isInteger(value)
}
