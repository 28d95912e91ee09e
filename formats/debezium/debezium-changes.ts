/**
 * From a Debezium value to change events, whatever its bytes were: JSON, Avro. What a record turned out
 * to be, the reader of its row (embedded schemas, the topic of schema changes, stated types), and which
 * topics of schema changes it depends on.
 */
import type { ChangeEvent, ChangeOp, LogRecord } from '../../model/change-event.ts'
import { ConfigError, DecodeError, ForagerError } from '../../model/errors.ts'
import type { Position } from '../../model/position.ts'
import type { TableSchema } from '../../model/table-schema.ts'
import type { Decoded, DecoderOptions, TableHints } from '../decoder.ts'
import { idsText, noIds } from '../mysql/column-ids.ts'
import { InferredReaders, jsonForm } from '../values/inferred-rows.ts'
import { replacedIn } from '../values/replaced-values.ts'
import type { RowReader } from '../values/row-reader.ts'
import { statedType } from '../values/row-reader.ts'
import { isUnsent } from '../values/unsent-value.ts'
import type { ConnectSchema } from './connect-schema.ts'
import type { PlacedRow } from './debezium-known-tables.ts'
import { KnownTables } from './debezium-known-tables.ts'
import type { SourceBlock } from './debezium-position.ts'
import { msOf, positionOf, snapshotOf, tableOf, wordOf } from './debezium-position.ts'
import { buildEvents, otherKeyOf, routerField, transactionOf } from './debezium-rows.ts'
import { readerOfDatabase, readerOfEmbedded, readerOfStated } from './debezium-schemas.ts'
import type { RowChange } from './debezium-sources.ts'
import { rowChangeOf } from './debezium-sources.ts'
import { tableChangesOf } from './debezium-table-changes.ts'
import { TimePrecision } from './debezium-time-precision.ts'
import { bsonForm } from './mongodb-documents.ts'

type PlainRow = Readonly<Record<string, unknown>>

/** A record's value, with its texts, numbers and bytes as the converter wrote them. */
export interface DebeziumMessage {
  readonly record: LogRecord
  /** Null: a tombstone that is wrapped like any other value. */
  readonly payload: unknown
  /** Of the payload; one object for one schema. Null when the message does not tell. */
  readonly schema: ConnectSchema | null
  /** Read only of rows that somebody wants. Null: the record has no key. */
  readonly readKey: () => unknown
  /** Of the header that either half of a changed key has. */
  readonly readOtherKey: (header: Uint8Array) => unknown
}

/** By what a row was read. */
export interface RowRead {
  readonly table: string
  readonly hints: TableHints
  readonly reader: RowReader
  /** What the source block calls `db`: of SQL Server's, tables of one name may be in several. */
  readonly database: unknown
  /**
   * Whether the reader is the right one for a row of the table at another place and time too; null: that
   * depends on its values.
   */
  readonly isCurrent: ((position: Position | null, sourceMs: number | null) => boolean) | null
}

interface WantedTable {
  readonly table: string
  readonly hints: TableHints
}

/** A value of Debezium's, before its rows are read. */
export interface ChangePayload {
  readonly op: ChangeOp
  readonly source: SourceBlock
  readonly before?: PlainRow | null
  readonly after?: PlainRow | null
  readonly transaction?: {
    readonly id?: string
    readonly total_order?: number | bigint
  } | null
}

const defaultUnsent = '__debezium_unavailable_value'

/** What stands for a value that was not sent. */
export function unsentOf({ connectorSettings }: DecoderOptions): string {
  return connectorSettings['unavailable.value.placeholder'] ?? defaultUnsent
}

export class DebeziumChanges {
  readonly #options: DecoderOptions
  readonly #known: KnownTables
  readonly #timePrecision: TimePrecision
  /** Readers by what they were made from, then by table and key. */
  readonly #readers = new WeakMap<object, Map<string, RowReader>>()
  /** What readers are made from that the operator alone tells of. */
  readonly #stated = {}
  readonly #unsent: string
  readonly #documents = new InferredReaders(bsonForm)
  readonly #values = new InferredReaders(jsonForm)
  /** The database of each table, whose name does not say it. */
  readonly #databases = new Map<string, string>()

  constructor(options: DecoderOptions) {
    this.#options = options
    this.#known = new KnownTables(options)
    this.#unsent = unsentOf(options)
    this.#timePrecision = new TimePrecision(options.connectorSettings['time.precision.mode'])
  }

  get schemaTopics(): ReadonlySet<string> {
    return this.#known.topics
  }

  /** What rows have shown of the connector's settings. */
  get memory(): string {
    return this.#timePrecision.save()
  }

  restore(memory: string): void {
    this.#timePrecision.restore(memory)
  }

  /** Takes in the payload of a schema-change event, once it is read. */
  learn(topic: string, read: () => unknown): void {
    this.#known.learn(topic, read)
  }

  /** `onRead` is told how the row of a change was read. */
  decode(message: DebeziumMessage, onRead?: (read: RowRead) => void): Decoded {
    const { record, payload } = message
    if (payload === null) return { kind: 'tombstone' }
    const kind = kindOf(payload, record.topic)
    if (kind === 'schema-change') {
      const { timestampMs } = record
      const given = { payload, isEmbedded: message.schema !== null, timestampMs }
      return { kind, changes: tableChangesOf(given, this.#options) }
    }
    if (kind !== 'change') return { kind }
    const change = payload as ChangePayload
    if (wordOf(change.op).toLowerCase() === 'm') return { kind: 'message' }
    const table = tableOf(change.source)
    const hints = this.#options.hintsOf(table)
    if (hints === null) return { kind: 'unwanted', table }
    this.#checkDatabase(table, change.source)
    try {
      return this.#changes(message, { table, hints }, rowChangeOf(message, change), onRead)
    } catch (error) {
      throw error instanceof ForagerError ? error.at({ table }) : error
    }
  }

  /** One connector of SQL Server's may read several databases, each with a table `dbo.orders`. */
  #checkDatabase(table: string, { connector, db: database }: SourceBlock): void {
    if (connector !== 'sqlserver' || typeof database !== 'string') return
    const known = this.#databases.get(table)
    if (known === database) return
    if (known !== undefined) {
      throw new ConfigError(
        'target-shared',
        `the databases ${known} and ${database} both have a table ${table}: read each ` +
          'database by a source of its own, with its own topics',
        { context: { table } },
      )
    }
    this.#databases.set(table, database)
  }

  #changes(
    message: DebeziumMessage,
    wanted: WantedTable,
    given: RowChange,
    onRead: ((read: RowRead) => void) | undefined,
  ): Decoded {
    const { record } = message
    const { table, hints } = wanted
    const { source, op } = given.change
    const position = positionOf(source, this.#options.incarnation)
    const messageKey = keyOf(given.readKey())
    const keyNames = hints.key ?? Object.keys(messageKey ?? {})
    const base = {
      table,
      position,
      snapshot: snapshotOf(source),
      transaction: transactionOf(given.change),
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
    const sentRow = (op === 'd' ? given.change.before : given.change.after) ?? null
    const row = sentRow ?? (op === 'd' ? messageKey : null)
    if (row === null) {
      const which = op === 'd' ? 'before' : 'after'
      throw new DecodeError('row-missing', `a change with op "${op}" has no "${which}"`)
    }
    const placed = {
      topic: record.topic,
      table,
      names: this.#namesOf(given, row),
      source,
      position,
    }
    const reader = this.#reader(given, wanted, keyNames, row, placed)
    const change =
      given.isDocument && !given.isPatch ? completed(given.change, reader) : given.change
    const events = buildEvents({
      base: given.isPatch ? { ...base, isPatch: true } : base,
      op,
      change,
      reader,
      hints,
      messageKey,
      otherKey: otherKeyOf(record, message.readOtherKey),
      unsent: this.#unsent,
    })
    if (onRead !== undefined && given.isAsSent && !this.#isInferred(given, hints, row)) {
      onRead({
        table,
        hints,
        reader,
        database: source.db,
        isCurrent: this.#currencyOf(given, hints, placed),
      })
    }
    return {
      kind: 'changes',
      events,
      isKeyOrdered: isKeyOrdered(hints, messageKey),
      replaced: replacedIn(change.after ?? null, events.at(-1)!.after),
    }
  }

  #reader(
    given: RowChange,
    { table, hints }: WantedTable,
    key: readonly string[],
    row: PlainRow,
    placed: PlacedRow,
  ): RowReader {
    const { schema: embedded, change, isDocument } = given
    const { source, before, after } = change
    const settings = this.#options.connectorSettings
    const name = `${table} ${key.join('\0')}`
    if (embedded !== null) {
      const ids = isDocument ? noIds : this.#known.idsOf(placed).ids
      return this.#remember(embedded, `${name} ${idsText(ids)}`, () =>
        readerOfEmbedded(embedded, key, hints, { settings, ids }),
      )
    }
    if (this.#isInferred(given, hints, row)) {
      const readers = isDocument ? this.#documents : this.#values
      const rows = [row, before ?? null, after ?? null].map(one => this.#sent(one))
      return readers.readerOf(table, key, hints, rows, isDocument)
    }
    if (!isStated(row, hints)) {
      const version = this.#known.typesOf(placed, hints)
      const columns = version.columns!
      const mode = this.#timePrecision.modeFor(wordOf(source.name), columns, row)
      const connector = this.#known.connectorOf(source)
      return this.#remember(version, `${name} ${mode}`, () =>
        readerOfDatabase(columns, key, hints, {
          connector,
          settings: { ...settings, 'time.precision.mode': mode },
          ids: version.ids,
        }),
      )
    }
    const { ids } = this.#known.idsOf(placed)
    return this.#remember(this.#stated, [name, ...placed.names, idsText(ids)].join('\0'), () =>
      readerOfStated(placed.names, key, hints, { settings, ids }),
    )
  }

  /** Of the columns that the message tells of, or its row has. */
  #namesOf({ schema }: RowChange, row: PlainRow): readonly string[] {
    return schema === null ? Object.keys(row) : namesIn(schema)
  }

  /** Whether types that nobody states are inferred: of documents, and where no schema changes are sent. */
  #isInferred(given: RowChange, hints: TableHints, row: PlainRow): boolean {
    if (given.isDocument) return true
    const isWithout = this.#options.connectorSettings['include.schema.changes'] === 'false'
    return isWithout && given.schema === null && !isStated(row, hints)
  }

  /** With null for what stands for a value that was not sent: it would be taken for one. */
  #sent(row: PlainRow | null): PlainRow | null {
    if (row === null) return null
    const sent = Object.entries(row).map(([name, value]) => {
      return [name, isUnsent(value, this.#unsent) ? null : value] as const
    })
    return Object.fromEntries(sent)
  }

  /** Tells of later rows whether this one's reader is theirs; null: that depends on their values. */
  #currencyOf(
    { schema: embedded, change }: RowChange,
    hints: TableHints,
    placed: PlacedRow,
  ): RowRead['isCurrent'] {
    const row = change.op === 'd' ? change.before : change.after
    if (embedded !== null || isStated(row ?? {}, hints)) {
      return this.#known.idsOf(placed).isCurrent
    }
    const version = this.#known.typesOf(placed, hints)
    if (this.#timePrecision.isShownBy(version.columns!)) return null
    return this.#known.currencyOf(version, placed)
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
}

const namesOfSchemas = new WeakMap<ConnectSchema, readonly string[]>()

function namesIn(schema: ConnectSchema): readonly string[] {
  const known = namesOfSchemas.get(schema)
  if (known !== undefined) return known
  const found = (schema.fields ?? []).map(({ field }) => field ?? '')
  namesOfSchemas.set(schema, found)
  return found
}

function isStated(row: PlainRow, hints: TableHints): boolean {
  return Object.keys(row).every(name => statedType(hints, name) !== undefined)
}

/** A field that a document does not have is null, as one that other documents have. */
function completed(change: ChangePayload, { schema }: RowReader): ChangePayload {
  const complete = (row: PlainRow | null | undefined): PlainRow | null => {
    if (row === null || row === undefined) return null
    return Object.fromEntries(schema.columns.map(({ name }) => [name, valueIn(row, name)]))
  }
  return { ...change, before: complete(change.before), after: complete(change.after) }
}

function valueIn(row: PlainRow, name: string): unknown {
  return Object.hasOwn(row, name) ? row[name] : null
}

/** Null without a key. */
function keyOf(payload: unknown): PlainRow | null {
  if (payload === null) return null
  if (typeof payload !== 'object') {
    throw new DecodeError('key-missing', 'the key of the message is not an object of columns')
  }
  return Object.fromEntries(Object.entries(payload).filter(([name]) => !routerField.test(name)))
}

function isKeyOrdered({ key }: TableHints, messageKey: PlainRow | null): boolean {
  if (key === undefined) return true
  return messageKey !== null && Object.keys(messageKey).every(name => key.includes(name))
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
