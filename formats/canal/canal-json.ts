/**
 * canal's flat messages: one change of a table with all of its rows, in their order. Values are text,
 * and each message says the types of its columns; see `mysql-text.ts`.
 *
 * canal 1.1.7, MQMessageUtils: DDL and statements come through partition 0, a row through the partition
 * that the key hashes to which it has afterwards. A flat message has no place in the binlog. Its `gtid`
 * is the set of all transactions so far, which does not say which one of several servers' made this
 * change, and a server may write its own in another order than that of their numbers: so there is no
 * position, and every event is in doubt.
 */
import type { ChangeEvent, LogRecord } from '../../model/change-event.ts'
import { DecodeError, ForagerError } from '../../model/errors.ts'
import type { Decoded, Format, Replaced, TableHints } from '../decoder.ts'
import { isObject } from '../json/json-messages.ts'
import type { EventBase, JsonRow, TypedColumn } from '../mysql/mysql-rows.ts'
import {
  deleteEvent,
  insertEvent,
  readChangedColumns,
  readNewRow,
  updateEvents,
} from '../mysql/mysql-rows.ts'
import { bothReplaced, replacedIn } from '../values/replaced-values.ts'
import { baseOf, CanalDecoder, truncateEvent } from './canal-decoder.ts'

export function canalJson(): Format {
  return {
    name: 'canal-json',
    hasPositions: false,
    movesKeys: true,
    createDecoder: options => new CanalJsonDecoder(options),
  }
}

/** As far as it is read here; every part is checked. */
interface FlatMessage {
  readonly database?: unknown
  readonly table?: unknown
  readonly type?: unknown
  readonly isDdl?: unknown
  readonly es?: unknown
  readonly pkNames?: unknown
  readonly mysqlType?: unknown
  readonly data?: unknown
  readonly old?: unknown
}

/** A change of rows that somebody wants. */
interface Change {
  readonly base: EventBase
  readonly type: 'INSERT' | 'UPDATE' | 'DELETE'
  readonly message: FlatMessage
  readonly hints: TableHints
}

class CanalJsonDecoder extends CanalDecoder {
  protected decodeMessage(record: LogRecord, message: FlatMessage): Decoded {
    const { type, database, table: name, isDdl } = message
    if (typeof type !== 'string' || typeof database !== 'string' || typeof name !== 'string') {
      throw new DecodeError(
        'message-unknown',
        'the message is none of canal’s: it has no "type", "database" and "table"',
      )
    }
    const isRows = type === 'INSERT' || type === 'UPDATE' || type === 'DELETE'
    const table = `${database}.${name}`
    if (isDdl === true && !isRows) this.large.forget(table)
    if (!isRows && type !== 'TRUNCATE') {
      if (isDdl === true) return { kind: 'schema-change', changes: [] }
      return { kind: kindOf(type) }
    }
    const hints = this.options.hintsOf(table)
    if (hints === null) return { kind: 'unwanted', table }
    const base = baseOf(record, table, message.es)
    try {
      if (isRows) return this.#changes({ base, type, message, hints })
      return { kind: 'changes', events: [truncateEvent(base)], isKeyOrdered: true }
    } catch (error) {
      throw error instanceof ForagerError ? error.at({ table }) : error
    }
  }

  #changes({ base, type, message, hints }: Change): Decoded {
    const { data } = message
    if (!Array.isArray(data) || data.length === 0) {
      throw new DecodeError(
        'row-missing',
        `the message of type ${type} has no rows: the server has to log rows, not statements ` +
          '(`binlog_format=ROW`)',
      )
    }
    const pkNames = namesIn(message.pkNames)
    const columns = this.large.columnsOf(base.table, type, columnsIn(message.mysqlType, data[0]))
    const reader = this.readers.readerOf(base.table, columns, hints.key ?? pkNames, hints)
    const olds = type === 'UPDATE' ? rowsBefore(message.old, data.length) : []
    let replaced: Replaced | undefined
    const events = data.flatMap((json: unknown, index): readonly ChangeEvent[] => {
      const row = readNewRow(json, reader)
      if (type === 'DELETE') return [deleteEvent(base, row, reader, hints)]
      const own = replacedIn(json as JsonRow, row)
      if (own !== undefined) replaced = bothReplaced(replaced, own)
      if (type === 'INSERT') return [insertEvent(base, row, reader)]
      const old = readChangedColumns(olds[index], reader)
      return updateEvents(this.baseOfUpdate(base), row, old, reader, hints)
    })
    return {
      kind: 'changes',
      events,
      isKeyOrdered: isKeyOrdered(events, pkNames, hints),
      replaced,
    }
  }
}

/** Of messages without rows: the text of statements whose rows follow, commits of XA, beats. */
function kindOf(type: string): 'message' | 'transaction' | 'heartbeat' {
  const kind = kinds.get(type)
  if (kind !== undefined) return kind
  throw new DecodeError('op-unknown', `the type "${type.slice(0, 60)}" is not known`)
}

const kinds: ReadonlyMap<string, 'message' | 'transaction' | 'heartbeat'> = new Map([
  ['QUERY', 'message'],
  ['GTID', 'transaction'],
  ['XACOMMIT', 'transaction'],
  ['XAROLLBACK', 'transaction'],
  ['MHEARTBEAT', 'heartbeat'],
])

/** Null: the table has no primary key, or MySQL did not log it. */
function namesIn(json: unknown): readonly string[] {
  if (json === null || json === undefined) return []
  if (Array.isArray(json) && json.every(name => typeof name === 'string')) return json
  throw new DecodeError('message-unknown', '"pkNames" of the message is no list of names')
}

/** Those whose type the message tells, and others of its first row: the operator may have stated them. */
function columnsIn(json: unknown, row: unknown): readonly TypedColumn[] {
  const types = isObject(json) ? json : {}
  const columns = Object.entries(types).map(([name, type]): TypedColumn => {
    return [name, typeof type === 'string' && type !== '' ? type : null]
  })
  if (!isObject(row)) return columns
  for (const name of Object.keys(row)) {
    if (!Object.hasOwn(types, name)) columns.push([name, null])
  }
  return columns
}

function rowsBefore(old: unknown, count: number): readonly unknown[] {
  if (Array.isArray(old) && old.length === count) return old
  throw new DecodeError('row-missing', `the message has ${count} rows, and not as many in "old"`)
}

/**
 * The row of a changed key came through the partition of its new key alone, and whatever else happens to
 * its old key comes through another. A table without a primary key comes through one partition.
 */
function isKeyOrdered(
  events: readonly ChangeEvent[],
  pkNames: readonly string[],
  { key }: TableHints,
): boolean {
  return (
    events.every(({ oldKey }) => oldKey === null) &&
    (key === undefined || pkNames.every(name => key.includes(name)))
  )
}
