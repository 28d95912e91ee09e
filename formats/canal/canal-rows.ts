/**
 * Changes as a client of canal writes them, a row a message:
 *
 *     {"table": "db.table", "binlog_id": …, "event_type": "UPDATE", "exe_time": ms, "cur_time": ms,
 *      "cols": [{"col": "id", "val": "1", "type": "bigint(20)", "update": false}, …]}
 *
 * Values are canal's. Of an update there are the new ones alone, so that a key that changed is not
 * known as it was. What `binlog_id` is, and whether it grows, nothing says; all rows of a statement may
 * share it. So it is no position.
 */
import type { LogRecord } from '../../model/change-event.ts'
import { DecodeError, ForagerError } from '../../model/errors.ts'
import type { Decoded, Format, TableHints } from '../decoder.ts'
import type { EventBase, TypedColumn } from '../mysql/mysql-rows.ts'
import { changedEvent, deleteEvent, insertEvent, readNewRow } from '../mysql/mysql-rows.ts'
import { replacedIn } from '../values/replaced-values.ts'
import { baseOf, CanalDecoder, parseObject, truncateEvent } from './canal-decoder.ts'

export function canalRows(): Format {
  return {
    name: 'canal-rows',
    hasPositions: false,
    createDecoder: options => new CanalRowsDecoder(options),
  }
}

/** As far as it is read here; every part is checked. */
interface RowMessage {
  readonly table?: unknown
  readonly event_type?: unknown
  readonly exe_time?: unknown
  readonly cols?: unknown
}

interface CheckedColumn {
  readonly col: string
  readonly val: unknown
  readonly type: string | null
  /** Null where it is not said. */
  readonly update: boolean | null
}

/** A change of a table that somebody wants. */
interface Change {
  readonly base: EventBase
  readonly type: 'INSERT' | 'UPDATE' | 'DELETE'
  readonly hints: TableHints
  readonly columns: readonly CheckedColumn[]
  /** Names of the columns that the record is keyed by; null where it tells none. */
  readonly recordKey: readonly string[] | null
}

/** By the numbers that canal's protocol gives them (EntryProtocol.proto, EventType). */
const typesByNumber: readonly (string | undefined)[] = [
  undefined,
  'INSERT',
  'UPDATE',
  'DELETE',
  'CREATE',
  'ALTER',
  'ERASE',
  'QUERY',
  'TRUNCATE',
  'RENAME',
  'CINDEX',
  'DINDEX',
]

class CanalRowsDecoder extends CanalDecoder {
  protected decodeMessage(record: LogRecord, message: RowMessage): Decoded {
    const { table } = message
    if (table === undefined || table === null || table === '') {
      if (message.cols !== undefined || message.event_type !== undefined)
        return { kind: 'no-table' }
      throw new DecodeError(
        'message-unknown',
        'the message is none of rows through canal: it has no "table", "event_type" and "cols"',
      )
    }
    if (typeof table !== 'string') {
      throw new DecodeError('message-unknown', 'the "table" of the message is not a name')
    }
    const type = typeOf(message.event_type)
    const isRow = type === 'INSERT' || type === 'UPDATE' || type === 'DELETE'
    if (!isRow && type !== 'TRUNCATE') {
      this.large.forget(table)
      return { kind: 'schema-change', changes: [] }
    }
    const hints = this.options.hintsOf(table)
    if (hints === null) return { kind: 'unwanted', table }
    const base = baseOf(record, table, millisecondsIn(message.exe_time))
    if (!isRow) return { kind: 'changes', events: [truncateEvent(base)], isKeyOrdered: true }
    try {
      const recordKey = namesInKey(record.key)
      return this.#change({ base, type, hints, columns: columnsIn(message.cols), recordKey })
    } catch (error) {
      throw error instanceof ForagerError ? error.at({ table }) : error
    }
  }

  #change({ base, type, hints, columns, recordKey }: Change): Decoded {
    const key = hints.key ?? recordKey
    if (key === null) {
      throw new DecodeError(
        'key-missing',
        'neither the message nor its record tells the key of the table: state `key` for it',
      )
    }
    if (type === 'UPDATE') checkKey(columns, key)
    const typed = columns.map((column): TypedColumn => [column.col, column.type])
    const all = this.large.columnsOf(base.table, type, typed)
    const reader = this.readers.readerOf(base.table, all, key, hints)
    const json = Object.fromEntries(columns.map(({ col, val }) => [col, val]))
    const row = readNewRow(json, reader)
    const event = {
      INSERT: () => insertEvent(base, row, reader),
      UPDATE: () => changedEvent(this.baseOfUpdate(base), row, reader),
      DELETE: () => deleteEvent(base, row, reader, hints),
    }[type]()
    return {
      kind: 'changes',
      events: [event],
      isKeyOrdered: isKeyOrdered(hints, recordKey),
      replaced: type === 'DELETE' ? undefined : replacedIn(json, row),
    }
  }
}

/** In capitals. */
function typeOf(json: unknown): string {
  const text = typeof json === 'number' || typeof json === 'string' ? String(json) : ''
  const type = /^\d{1,2}$/.test(text) ? typesByNumber[Number(text)] : text.toUpperCase()
  if (type !== undefined && typesByNumber.includes(type)) return type
  throw new DecodeError('op-unknown', `the event type "${text.slice(0, 60)}" is not known`)
}

function millisecondsIn(json: unknown): unknown {
  return typeof json === 'string' && /^\d{1,15}$/.test(json) ? Number(json) : json
}

function columnsIn(json: unknown): readonly CheckedColumn[] {
  if (!Array.isArray(json) || json.length === 0) {
    throw new DecodeError('row-missing', 'the message has no "cols"')
  }
  const columns = json.map(checkedColumn)
  const names = new Set(columns.map(({ col }) => col))
  if (names.size === columns.length) return columns
  throw new DecodeError('message-unknown', 'the message has a column twice')
}

function checkedColumn(json: unknown): CheckedColumn {
  const { col, val, type, update } = (json ?? {}) as Readonly<Record<string, unknown>>
  if (typeof col !== 'string') {
    throw new DecodeError('message-unknown', 'a column of the message has no name ("col")')
  }
  return {
    col,
    val: val ?? null,
    type: typeof type === 'string' && type !== '' ? type : null,
    update: updates.get(update) ?? null,
  }
}

const updates: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  [true, true],
  [false, false],
  ['true', true],
  ['false', false],
])

/** Throws DecodeError `row-missing` where the key of an updated row is not known to be what it was. */
function checkKey(columns: readonly CheckedColumn[], key: readonly string[]): void {
  const changed = columns.find(({ col, update }) => key.includes(col) && update !== false)
  if (changed === undefined) return
  const what = changed.update === null ? 'may have changed: it has no "update"' : 'changed'
  throw new DecodeError(
    'row-missing',
    `the key column ${changed.col} of a row ${what}, and the message does not have what it was: delete ` +
      'and insert such rows, or send flat messages (`canal-json`)',
    { context: { column: changed.col } },
  )
}

/** The names of the columns by which a record is keyed, where its key is a JSON object of them. */
function namesInKey(key: Uint8Array | null): readonly string[] | null {
  if (key === null) return null
  try {
    const names = Object.keys(parseObject(key))
    return names.length === 0 ? null : names
  } catch (error) {
    if (error instanceof DecodeError) return null
    throw error
  }
}

/** A record without a key of columns may have come through any partition. */
function isKeyOrdered({ key }: TableHints, recordKey: readonly string[] | null): boolean {
  if (key === undefined) return true
  return recordKey?.every(name => key.includes(name)) ?? false
}
