/**
 * Debezium's change events as Kafka Connect's JSON converter writes them, with and without embedded
 * schemas. Every record of a connector's topics is recognised: rows, tombstones, heartbeats,
 * transaction and schema-change events, logical messages.
 */
import type { ChangeEvent, ChangeOp, LogRecord } from '../model/change-event.ts'
import { DecodeError, ForagerError } from '../model/errors.ts'
import type { TableSchema } from '../model/table-schema.ts'
import type { ConnectSchema } from './connect-schema.ts'
import type { DatabaseColumn } from './debezium-column-types.ts'
import type { DecodedMessage } from './debezium-direct.ts'
import { DirectDecoder } from './debezium-direct.ts'
import { EnvelopeReader } from './debezium-envelope.ts'
import type { SourceBlock } from './debezium-position.ts'
import { msOf, positionOf, snapshotOf, tableOf } from './debezium-position.ts'
import { buildEvents, routerField, transactionOf } from './debezium-rows.ts'
import type { RowReader } from './debezium-schemas.ts'
import {
  readerOfDatabase,
  readerOfEmbedded,
  readerOfStated,
  SchemaHistory,
  statedType,
} from './debezium-schemas.ts'
import { TimePrecision } from './debezium-time-precision.ts'
import type { Decoded, Decoder, DecoderOptions, Format, TableHints } from './decoder.ts'
import { SchemaPending } from './decoder.ts'

/** `isDirect`: whether messages like those before take the short way; see `debezium-direct.ts`. */
export function debeziumJson({ isDirect = true }: { readonly isDirect?: boolean } = {}): Format {
  return {
    name: 'debezium-json',
    hasPositions: true,
    createDecoder: options => new DebeziumJsonDecoder(options, isDirect),
  }
}

type JsonRow = Readonly<Record<string, unknown>>

interface WantedTable {
  readonly table: string
  readonly hints: TableHints
}

/** A value of Debezium's, before its rows are read. */
export interface ChangePayload {
  readonly op: ChangeOp
  readonly source: SourceBlock
  readonly before?: JsonRow | null
  readonly after?: JsonRow | null
  readonly transaction?: { readonly id?: string; readonly total_order?: number } | null
}

const defaultUnsent = '__debezium_unavailable_value'

class DebeziumJsonDecoder implements Decoder {
  readonly schemaTopics = new Set<string>()
  readonly #options: DecoderOptions
  readonly #envelopes = new EnvelopeReader()
  readonly #history = new SchemaHistory()
  readonly #timePrecision: TimePrecision
  /** Readers by what they were made from, then by table and key. */
  readonly #readers = new WeakMap<object, Map<string, RowReader>>()
  readonly #stated = new Map<string, RowReader>()
  readonly #unsent: string
  readonly #direct: DirectDecoder | null

  constructor(options: DecoderOptions, isDirect: boolean) {
    this.#options = options
    this.#unsent = options.connectorSettings['unavailable.value.placeholder'] ?? defaultUnsent
    this.#direct = isDirect ? new DirectDecoder(options, this.#unsent) : null
    this.#timePrecision = new TimePrecision(options.connectorSettings['time.precision.mode'])
  }

  /** What rows have shown of the connector's settings. */
  get memory(): string {
    return this.#timePrecision.save()
  }

  restore(memory: string): void {
    this.#timePrecision.restore(memory)
  }

  decode(record: LogRecord): Decoded {
    try {
      return this.#direct?.decode(record) ?? this.#decode(record)
    } catch (error) {
      const { topic, partition, offset } = record
      throw error instanceof ForagerError ? error.at({ topic, partition, offset }) : error
    }
  }

  learn(record: LogRecord): void {
    if (record.value === null) return
    const { payload } = this.#envelopes.read(record.topic, record.value)
    const { source, tableChanges } = (payload ?? {}) as SchemaChangePayload
    if (source === undefined || !Array.isArray(tableChanges)) return
    const position = positionOf(source, this.#options.incarnation)
    for (const { type, id, table } of tableChanges) {
      const columns = type === 'DROP' || table == null ? null : (table.columns ?? null)
      this.#history.add(tableOfId(id), position, columns, msOf(source))
    }
  }

  #decode(record: LogRecord): Decoded {
    if (record.value === null) return { kind: 'tombstone' }
    const { schema, payload } = this.#envelopes.read(record.topic, record.value)
    // Older converters wrap the null of a tombstone like any other value.
    if (payload === null) return { kind: 'tombstone' }
    const kind = kindOf(payload, record.topic)
    if (kind !== 'change') return { kind }
    const change = payload as ChangePayload
    const op = String(change.op).toLowerCase()
    if (op === 'm') return { kind: 'message' }
    if (!'curdt'.includes(op) || op.length !== 1) {
      throw new DecodeError('op-unknown', `the operation "${String(change.op)}" is not known`)
    }
    const table = tableOf(change.source)
    const hints = this.#options.hintsOf(table)
    if (hints === null) return { kind: 'unwanted', table }
    try {
      const rows = { before: rowOf(change, 'before'), after: rowOf(change, 'after') }
      const normal = { ...change, ...rows, op: op as ChangeOp }
      return this.#changes(record, { table, hints }, normal, schema)
    } catch (error) {
      throw error instanceof ForagerError ? error.at({ table }) : error
    }
  }

  #changes(
    record: LogRecord,
    { table, hints }: WantedTable,
    change: ChangePayload,
    embedded: ConnectSchema | null,
  ): Decoded {
    const { source, op } = change
    const position = positionOf(source, this.#options.incarnation)
    const messageKey = this.#messageKey(record)
    const keyNames = hints.key ?? Object.keys(messageKey ?? {})
    const base = {
      table,
      position,
      snapshot: snapshotOf(source),
      transaction: transactionOf(change),
      origin: { topic: record.topic, partition: record.partition, offset: record.offset },
      sourceMs: msOf(source) ?? record.timestampMs,
      isInDoubt: true,
    }
    if (op === 't') {
      const schema: TableSchema = { columns: [], key: [] }
      const empty = { key: null, before: null, after: null, oldKey: null, isBeforeWhole: false }
      const event: ChangeEvent = { ...base, ...empty, op, schema }
      return { kind: 'changes', events: [event], isKeyOrdered: true }
    }
    const rowJson = (op === 'd' ? change.before : change.after) ?? null
    const json = rowJson ?? (op === 'd' ? messageKey : null)
    if (json === null) {
      const which = op === 'd' ? 'before' : 'after'
      throw new DecodeError('row-missing', `a change with op "${op}" has no "${which}"`)
    }
    const embeddedRow = embedded?.fields?.find(field => field.field === 'after') ?? null
    const reader = this.#reader(embeddedRow, { table, hints }, keyNames, json, change)
    const events = buildEvents({
      base,
      op,
      change,
      reader,
      hints,
      messageKey,
      oldKeyHeader: this.#oldKey(record),
      unsent: this.#unsent,
    })
    if (this.#direct?.wantsExample === true) {
      const isCurrent = this.#currencyOf(embeddedRow, { table, hints }, json, source)
      if (isCurrent !== null) this.#direct.learn({ record, table, hints, reader, isCurrent })
    }
    return { kind: 'changes', events, isKeyOrdered: isKeyOrdered(hints, messageKey) }
  }

  #reader(
    embedded: ConnectSchema | null,
    { table, hints }: WantedTable,
    key: readonly string[],
    row: JsonRow,
    { source }: ChangePayload,
  ): RowReader {
    const name = `${table} ${key.join('\0')}`
    if (embedded !== null) {
      return this.#remember(embedded, name, () => readerOfEmbedded(embedded, key, hints))
    }
    const columns = this.#columnsAt({ table, hints }, row, source)
    if (columns !== null) {
      const mode = this.#timePrecision.modeFor(String(source.name), columns, row)
      const settings = { ...this.#options.connectorSettings, 'time.precision.mode': mode }
      return this.#remember(columns, `${name} ${mode}`, () =>
        readerOfDatabase(columns, key, hints, settings),
      )
    }
    const names = Object.keys(row)
    const known = this.#stated.get(`${name} ${names.join('\0')}`)
    if (known !== undefined) return known
    const reader = readerOfStated(names, key, hints)
    this.#stated.set(`${name} ${names.join('\0')}`, reader)
    return reader
  }

  /** Null when the operator states every type; SchemaPending while the row's columns are not known. */
  #columnsAt(
    { table, hints }: WantedTable,
    row: JsonRow,
    source: SourceBlock,
  ): readonly DatabaseColumn[] | null {
    const names = Object.keys(row)
    if (names.every(name => statedType(hints, name) !== undefined)) return null
    const topic = String(source.name)
    this.schemaTopics.add(topic)
    const position = positionOf(source, this.#options.incarnation)
    const columns = this.#history.columnsAt(table, position, msOf(source))
    const known = new Set(columns?.map(column => column.name))
    const missing = names.filter(name => !known.has(name))
    if (columns !== null && missing.length === 0) return columns
    const untyped = missing.filter(name => statedType(hints, name) === undefined)
    const what = columns === null ? 'no schema of the table is known, and ' : ''
    const asked = (untyped.length > 0 ? untyped : missing).join(', ')
    throw new SchemaPending(table, topic, `${what}no type for ${asked}`)
  }

  /** Tells of later rows whether this one's reader is theirs; null: that depends on their values. */
  #currencyOf(
    embedded: ConnectSchema | null,
    { table, hints }: WantedTable,
    row: JsonRow,
    source: SourceBlock,
  ): DecodedMessage['isCurrent'] | null {
    const columns = embedded === null ? this.#columnsAt({ table, hints }, row, source) : null
    if (columns === null) return () => true
    if (this.#timePrecision.isShownBy(columns)) return null
    return (position, sourceMs) => this.#history.columnsAt(table, position, sourceMs) === columns
  }

  #remember(from: object, name: string, make: () => RowReader): RowReader {
    const readers = this.#readers.get(from) ?? new Map<string, RowReader>()
    this.#readers.set(from, readers)
    const known = readers.get(name)
    if (known !== undefined) return known
    const reader = make()
    readers.set(name, reader)
    return reader
  }

  #messageKey(record: LogRecord): JsonRow | null {
    if (record.key === null) return null
    const { payload } = this.#envelopes.read(`${record.topic} key`, record.key)
    if (payload === null) return null
    if (typeof payload !== 'object') {
      throw new DecodeError('key-missing', 'the key of the message is not an object of columns')
    }
    return Object.fromEntries(Object.entries(payload).filter(([name]) => !routerField.test(name)))
  }

  #oldKey(record: LogRecord): JsonRow | null {
    const header = record.headers.find(({ key }) => key === '__debezium.oldkey')
    if (header === undefined || header.value.length === 0) return null
    const { payload } = this.#envelopes.read(`${record.topic} oldkey`, header.value)
    return payload as JsonRow
  }
}

function isKeyOrdered({ key }: TableHints, messageKey: JsonRow | null): boolean {
  if (key === undefined) return true
  return messageKey !== null && Object.keys(messageKey).every(name => key.includes(name))
}

interface SchemaChangePayload {
  readonly source?: SourceBlock
  readonly tableChanges?: readonly {
    readonly type: string
    readonly id: string
    readonly table?: { readonly columns?: readonly DatabaseColumn[] } | null
  }[]
}

type MessageKind = 'change' | 'schema-change' | 'transaction' | 'heartbeat'

function kindOf(payload: unknown, topic: string): MessageKind {
  if (typeof payload === 'object' && payload !== null) {
    if ('op' in payload && 'source' in payload) return 'change'
    if ('tableChanges' in payload || ('ddl' in payload && 'databaseName' in payload)) {
      return 'schema-change'
    }
    if ('status' in payload && 'id' in payload && 'ts_ms' in payload) return 'transaction'
    const isBeat = Object.keys(payload).join() === 'ts_ms' || topic.includes('heartbeat')
    if ('ts_ms' in payload && isBeat) return 'heartbeat'
  }
  throw new DecodeError(
    'message-unknown',
    'the message is none of Debezium’s: no "op" and "source", no "tableChanges"',
  )
}

function rowOf(change: ChangePayload, side: 'before' | 'after'): JsonRow | null {
  const row: unknown = change[side] ?? null
  if (typeof row !== 'object' || Array.isArray(row)) {
    throw new DecodeError('message-unknown', `the "${side}" of the change is not a row of columns`)
  }
  return row as JsonRow | null
}

/** `"db"."table"`, or `"db"."schema"."table"`, as `tableOf` names it. */
function tableOfId(id: string): string {
  const parts = [...id.matchAll(/"((?:[^"]|"")*)"/g)].map(match => match[1]!.replaceAll('""', '"'))
  return parts.slice(-2).join('.')
}
