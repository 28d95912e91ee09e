/**
 * Maxwell's JSON: one row a message, with all its columns and, of an update, what changed as it was
 * before. Schema changes and the frames of a bootstrap are recognised; it sends no truncates.
 *
 * Types come from the operator, from Maxwell's topic of schema changes where one is named
 * (`ddl_kafka_topic`), and else from the values.
 */
import { toBuffer } from '../../model/bytes.ts'
import type { ChangeEvent, LogRecord } from '../../model/change-event.ts'
import { DecodeError, ForagerError } from '../../model/errors.ts'
import type { Position } from '../../model/position.ts'
import type { TableSchema } from '../../model/table-schema.ts'
import type { Row } from '../../model/value.ts'
import type { Decoded, Decoder, DecoderOptions, Format, TableHints } from '../decoder.ts'
import { SchemaPending } from '../decoder.ts'
import type { JsonObject } from '../json/json-messages.ts'
import { isObject, notJson } from '../json/json-messages.ts'
import { parseExact } from '../json/lossless-json.ts'
import { noIds } from '../mysql/column-ids.ts'
import { LargeColumns } from '../mysql/large-columns.ts'
import { changedKeyEvents } from '../mysql/mysql-rows.ts'
import type { TypedRow } from '../values/inferred-types.ts'
import { InferredTypes } from '../values/inferred-types.ts'
import { replacedIn } from '../values/replaced-values.ts'
import type { RowReader } from '../values/row-reader.ts'
import { isSameKey, keyOf } from '../values/row-reader.ts'
import type { DdlColumns } from './maxwell-ddl.ts'
import { DdlHistory, isDdl } from './maxwell-ddl.ts'
import { noKey, primaryKeyOf } from './maxwell-key.ts'
import { maxwellPosition } from './maxwell-position.ts'
import { checkKey, MaxwellRowReader } from './maxwell-values.ts'

export function maxwellJson(): Format {
  return {
    name: 'maxwell-json',
    movesKeys: true,
    hasPositions: true,
    createDecoder: options => new MaxwellJsonDecoder(options),
  }
}

const ops = { insert: 'c', update: 'u', delete: 'd', 'bootstrap-insert': 'r' } as const
const eventTypes = { c: 'INSERT', r: 'INSERT', u: 'UPDATE', d: 'DELETE' } as const

interface RowMessage {
  readonly table: string
  readonly op: (typeof ops)[keyof typeof ops]
  /** Of the message. */
  readonly fields: JsonObject
  readonly data: JsonObject
  /** Columns that an update changed, as they were. */
  readonly old: JsonObject
}

/** What every event of a message has in common. */
type EventBase = Omit<
  ChangeEvent,
  'op' | 'key' | 'before' | 'after' | 'schema' | 'oldKey' | 'isBeforeWhole'
>

class MaxwellJsonDecoder implements Decoder {
  readonly schemaTopics: ReadonlySet<string>
  readonly #options: DecoderOptions
  readonly #ddlTopic: string | undefined
  readonly #history = new DdlHistory()
  readonly #types = new InferredTypes()
  readonly #readers = new Map<string, MaxwellRowReader>()
  /** Messages do not tell the types of columns, and `MINIMAL` leaves out any. */
  readonly #columns = new LargeColumns(/^/)

  constructor(options: DecoderOptions) {
    this.#options = options
    this.#ddlTopic = options.connectorSettings.ddl_kafka_topic
    this.schemaTopics = new Set(this.#ddlTopic === undefined ? [] : [this.#ddlTopic])
  }

  /** Types that were inferred are learned anew, and give the same rows of the same tables. */
  get memory(): string {
    return this.#columns.save()
  }

  restore(memory: string): void {
    this.#columns.restore(memory)
  }

  learn(record: LogRecord): void {
    const { value } = record
    if (value === null) return
    const message = withPlace(record, () => parseMessage(value))
    this.#history.add(message, this.#options.incarnation)
  }

  decode(record: LogRecord): Decoded {
    return withPlace(record, () => this.#decode(record))
  }

  #decode(record: LogRecord): Decoded {
    if (record.value === null) return { kind: 'tombstone' }
    const fields = parseMessage(record.value)
    const { type } = fields
    if (isDdl(type)) {
      this.#columns.forget(`${String(fields.database)}.${String(fields.table)}`)
      return { kind: 'schema-change', changes: [] }
    }
    if (type === 'bootstrap-start' || type === 'bootstrap-complete') return { kind: 'message' }
    const message = rowMessage(fields)
    const { table } = message
    const hints = this.#options.hintsOf(table)
    if (hints === null) return { kind: 'unwanted', table }
    try {
      return this.#changes(record, message, hints)
    } catch (error) {
      throw error instanceof ForagerError ? error.at({ table }) : error
    }
  }

  #changes(record: LogRecord, given: RowMessage, hints: TableHints): Decoded {
    const { fields, op } = given
    const base = baseOf(record, given, this.#options.incarnation)
    const primary = primaryKeyOf(fields, record.key, given.data)
    const key = hints.key ?? primary
    if (key === null) throw noKey(fields)
    const message = withNulls(given, key)
    const { data } = message
    const names = [...Object.keys(data), ...Object.keys(message.old)]
    const columns = this.#columnsAt(message.table, base, names)
    const unsent = this.#unsentOf(message, columns)
    const [now, previous, left] = this.#typedRows(message, columns, hints, unsent)
    checkKey(key, data, now)
    const isDelete = op === 'd'
    const sides = isDelete ? [null, now] : [now, op === 'u' ? { ...now, ...previous } : null]
    const ids = columns === null ? noIds : this.#history.idsOf(columns)
    // The schema has the columns that were left out as well, and the row after has no value of them.
    const { schema, rows } = this.#types.read(message.table, key, [...sides, left], { ids })
    const isWhole = unsent.length === 0 && hints.beforeImage !== 'key'
    const events = eventsOf(base, op, schema, rows, isWhole)
    // A changed key comes under the new one alone: the old one's changes may come another way.
    const isChangedKey = events.length > 1
    const hasPrimary = primary?.every(name => key.includes(name)) === true
    const isKeyOrdered = !isChangedKey && (hints.key === undefined || hasPrimary)
    const replaced = isDelete ? undefined : replacedIn(data, rows[0] ?? null)
    return { kind: 'changes', events, isKeyOrdered, replaced }
  }

  /**
   * Columns that an update left out, where MySQL does not log what did not change: those of rows that were
   * inserted, unless a schema change took them away. By position they are null: a column that was dropped, which
   * looks the same, would end the run.
   */
  #unsentOf({ table, op, data }: RowMessage, columns: DdlColumns | null): readonly string[] {
    const { connectorSettings, ordering } = this.#options
    if (connectorSettings.output_nulls === 'false' || ordering === 'position') return []
    const sent = Object.keys(data).map(name => [name, ''] as const)
    const all = this.#columns.columnsOf(table, eventTypes[op], sent)
    const unsent = all.slice(sent.length).map(([name]) => name)
    return columns === null ? unsent : unsent.filter(name => columns.has(name))
  }

  /** Of `data` and of `old`, and nulls of the columns that were not sent. */
  #typedRows(
    { table, data, old }: RowMessage,
    columns: DdlColumns | null,
    hints: TableHints,
    unsent: readonly string[],
  ): readonly [TypedRow, TypedRow, TypedRow] {
    const reader = this.#readers.get(table) ?? new MaxwellRowReader(hints)
    this.#readers.set(table, reader)
    const nulls = Object.fromEntries(unsent.map(name => [name, null]))
    return [reader.read(data, columns), reader.read(old, columns), reader.read(nulls, columns)]
  }

  /** Null for a table that never changed. */
  #columnsAt(
    table: string,
    at: { readonly position: Position | null; readonly sourceMs: number },
    names: readonly string[],
  ): DdlColumns | null {
    if (this.#ddlTopic === undefined) return null
    const columns = this.#history.columnsAt(table, at, names)
    if (columns !== 'missing') return columns
    throw new SchemaPending(table, this.#ddlTopic, `no version has the columns ${names.join(', ')}`)
  }
}

/** Errors say where the record is. */
function withPlace<T>({ topic, partition, offset }: LogRecord, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof ForagerError ? error.at({ topic, partition, offset }) : error
  }
}

/** Throws DecodeError `message-not-json` and `message-unknown`. */
function parseMessage(bytes: Uint8Array): JsonObject {
  const text = toBuffer(bytes).toString('utf8')
  let json: unknown
  try {
    json = parseExact(text)
  } catch (cause) {
    throw notJson('message', text, cause)
  }
  if (isObject(json)) return json
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text
  throw new DecodeError('message-unknown', `the message is none of Maxwell’s: ${shown}`)
}

function rowMessage(fields: JsonObject): RowMessage {
  const { database, table, type, data, old = {}, reason } = fields
  if (typeof database !== 'string' || typeof table !== 'string' || typeof type !== 'string') {
    throw new DecodeError(
      'message-unknown',
      'the message is none of Maxwell’s: it has no "database", "table" and "type"',
    )
  }
  if (!Object.hasOwn(ops, type)) {
    throw new DecodeError('op-unknown', `the type "${type}" is none of Maxwell’s`)
  }
  // What its topic of dead letters has in place of a row that was too large: the key alone.
  if (typeof reason === 'string') {
    throw new DecodeError('row-missing', `Maxwell could not send the row: ${reason}`)
  }
  if (!isObject(data) || !isObject(old) || Object.hasOwn(data, 'encrypted')) {
    const what = isObject(data) ? 'is encrypted, or its "old" is no row' : 'has no row in "data"'
    throw new DecodeError('message-unknown', `the message ${what}`)
  }
  return { table: `${database}.${table}`, op: ops[type as keyof typeof ops], fields, data, old }
}

/**
 * A column that an update changed and that has no value is null: nulls are left out (`output_nulls=false`). The key
 * has none.
 */
function withNulls(message: RowMessage, key: readonly string[]): RowMessage {
  const { op, data, old } = message
  const isNull = (name: string): boolean => !Object.hasOwn(data, name) && !key.includes(name)
  const nulls = op === 'u' ? Object.keys(old).filter(isNull) : []
  if (nulls.length === 0) return message
  return { ...message, data: { ...data, ...Object.fromEntries(nulls.map(name => [name, null])) } }
}

function baseOf(record: LogRecord, { table, op, fields }: RowMessage, incarnation: string) {
  const { xid, xoffset, ts } = fields
  const order = typeof xoffset === 'number' ? xoffset : 0
  return {
    table,
    position: maxwellPosition(fields, incarnation),
    // Of a bootstrap: rows that were read between changes.
    snapshot: op === 'r' ? 'incremental' : 'no',
    transaction: typeof xid === 'number' ? { id: String(xid), order } : null,
    origin: { topic: record.topic, partition: record.partition, offset: record.offset },
    sourceMs: typeof ts === 'number' ? ts * 1000 : record.timestampMs,
    isInDoubt: true,
  } as const satisfies EventBase
}

/** The rows are values already. */
const noConverters: RowReader['convert'] = new Map()

function eventsOf(
  base: EventBase,
  op: RowMessage['op'],
  schema: TableSchema,
  [after = null, before = null]: readonly (Row | null)[],
  isWhole: boolean,
): ChangeEvent[] {
  const isBeforeWhole = before !== null && isWhole
  const reader = { schema, convert: noConverters }
  const key = keyOf(after ?? before, reader)
  const event = { ...base, op, key, before, after, schema, oldKey: null, isBeforeWhole }
  const previous = op === 'u' ? keyOf(before, reader) : null
  if (key === null || previous === null || isSameKey(previous, key)) return [event]
  return changedKeyEvents(event, key, previous)
}
