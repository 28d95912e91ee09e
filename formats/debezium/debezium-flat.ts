/**
 * Debezium's changes flattened by its transform ExtractNewRecordState, as Kafka Connect's JSON converter
 * writes them, with and without embedded schemas. Of a message is left the row after the change, and what
 * the transform was told to add (`debezium-flat-fields.ts`):
 *
 * | `delete.tombstone.handling.mode` | of a delete comes |
 * |---|---|
 * | `drop` | nothing: deleted rows stay |
 * | `tombstone` (default), `delete-to-tombstone` | a tombstone |
 * | `rewrite` | the row before with `"__deleted": "true"` |
 * | `rewrite-with-tombstone` | both |
 *
 * So here, and nowhere else, a tombstone deletes; one that follows the delete of its key says nothing new,
 * and shares what becomes of that one (PROTOCOL 2.4). Truncates do not come. A row of which nothing says
 * what happened to it is the row as it is now. Places in the source's log are known where the transform
 * was told to add them; without, nothing is dropped as a repeat.
 */

import { toBuffer } from '../../model/bytes.ts'
import type { LogRecord } from '../../model/change-event.ts'
import { DecodeError, ForagerError } from '../../model/errors.ts'
import type { Decoded, Decoder, DecoderOptions, Format } from '../decoder.ts'
import type { JsonObject } from '../json/json-messages.ts'
import type { ConnectSchema } from './connect-schema.ts'
import type { ChangePayload } from './debezium-changes.ts'
import { DebeziumChanges } from './debezium-changes.ts'
import type { Envelope } from './debezium-envelope.ts'
import { EnvelopeReader } from './debezium-envelope.ts'
import type { FlatParts, References } from './debezium-flat-fields.ts'
import { isAdded, partsOf, referencesOf } from './debezium-flat-fields.ts'
import { FlatTables, routedTopic } from './debezium-flat-tables.ts'
import type { SourceBlock } from './debezium-position.ts'
import { tableChangesOf } from './debezium-table-changes.ts'

export function debeziumFlat(): Format {
  return {
    name: 'debezium-flat',
    hasPositions: true,
    createDecoder: options => new DebeziumFlatDecoder(options),
  }
}

class DebeziumFlatDecoder implements Decoder {
  readonly #envelopes = new EnvelopeReader()
  readonly #options: DecoderOptions
  readonly #changes: DebeziumChanges
  readonly #fields: References
  readonly #headers = referencesOf(undefined)
  readonly #tables = new FlatTables()
  /** Schemas of rows as those of the envelope that they were in. */
  readonly #schemas = new WeakMap<ConnectSchema, ConnectSchema>()
  /** Of the last row of each topic. A delete that has the key alone is of the same table. */
  readonly #rows = new Map<string, ConnectSchema>()
  /** By partition: the key of the record before, when it was a delete. */
  readonly #deleted = new Map<string, string>()

  constructor(options: DecoderOptions) {
    this.#options = options
    this.#changes = new DebeziumChanges(options)
    const { connectorSettings: settings } = options
    this.#fields = referencesOf(settings['add.fields'], settings['add.fields.prefix'])
  }

  get schemaTopics(): ReadonlySet<string> {
    return this.#changes.schemaTopics
  }

  get memory(): string {
    return this.#tables.save(this.#changes.memory)
  }

  restore(memory: string): void {
    this.#changes.restore(this.#tables.restore(memory))
  }

  learn(record: LogRecord): void {
    const { topic, value } = record
    if (value === null) return
    this.#changes.learn(topic, () => {
      const { payload } = this.#envelopes.read(topic, value)
      this.#tables.learn(payload)
      return payload
    })
  }

  decode(record: LogRecord): Decoded {
    const { topic, partition, offset } = record
    try {
      return this.#decode(record)
    } catch (error) {
      throw error instanceof ForagerError ? error.at({ topic, partition, offset }) : error
    }
  }

  #decode(record: LogRecord): Decoded {
    const { topic, partition } = record
    const place = `${topic} ${partition}`
    const deleted = this.#deleted.get(place)
    this.#deleted.delete(place)
    const value = record.value === null ? null : this.#envelopes.read(topic, record.value)
    if (value === null || value.payload === null) {
      // A tombstone without a key is nobody's.
      const isMute = record.key === null || textOf(record.key) === deleted
      return isMute ? { kind: 'tombstone' } : this.#decodeDelete(record)
    }
    const kind = otherKindOf(value.payload)
    if (kind === 'schema-change') {
      const { payload, schema } = value
      const given = { payload, isEmbedded: schema !== null, timestampMs: record.timestampMs }
      return { kind, changes: tableChangesOf(given, this.#options) }
    }
    if (kind !== null) return { kind }
    const row = value.payload as JsonObject
    const parts = partsOf(row, record.headers, this.#fields, this.#headers)
    const key = this.#keyOf(record)
    const source = this.#tables.sourceOf(topic, key?.payload, parts)
    const op = parts.op ?? 'u'
    const { columns, transaction } = parts
    const sides = op === 'd' ? { before: columns } : { after: columns }
    const change = { op, source, transaction, ...sides } as ChangePayload
    const schema = value.schema === null ? null : this.#envelopeOf(value.schema)
    if (schema !== null) this.#rows.set(routedTopic(key?.payload) ?? topic, schema)
    const decoded = this.#build(record, key, change, schema)
    if (op === 'd' && record.key !== null) this.#deleted.set(place, textOf(record.key))
    return decoded
  }

  /** Of a tombstone, which has the key alone. */
  #decodeDelete(record: LogRecord): Decoded {
    const key = this.#keyOf(record)
    const parts: FlatParts = {
      ...partsOf({}, record.headers, this.#fields, this.#headers),
      op: 'd',
    }
    const source = this.#tables.sourceOf(record.topic, key?.payload, parts)
    const change = { op: 'd', source, transaction: parts.transaction } as ChangePayload
    const row = this.#rows.get(routedTopic(key?.payload) ?? record.topic)
    const schema = key?.schema ?? null
    return this.#build(record, key, change, schema === null ? null : this.#rowOrKey(row, schema))
  }

  /** The schema of the rows, when it has the columns of the key as the key has them. */
  #rowOrKey(row: ConnectSchema | undefined, key: ConnectSchema): ConnectSchema {
    const own = this.#envelopeOf(key)
    const columns = new Map(row?.fields?.[0]?.fields?.map(({ field, type }) => [field, type]))
    const isIn = own.fields?.[0]?.fields?.every(({ field, type }) => columns.get(field) === type)
    return row !== undefined && isIn === true ? row : own
  }

  #build(
    record: LogRecord,
    key: Envelope | null,
    payload: ChangePayload,
    schema: ConnectSchema | null,
  ): Decoded {
    return this.#changes.decode({
      record,
      payload,
      schema,
      readKey: () => key?.payload ?? null,
      readOtherKey: bytes => this.#envelopes.readHeader(bytes).payload,
    })
  }

  #keyOf({ topic, key }: LogRecord): Envelope | null {
    return key === null ? null : this.#envelopes.read(topic, key, 'key')
  }

  /** The schema of the row as that of its envelope, without what was added. */
  #envelopeOf(schema: ConnectSchema): ConnectSchema {
    const known = this.#schemas.get(schema)
    if (known !== undefined) return known
    const fields = (Array.isArray(schema.fields) ? schema.fields : []).filter(
      ({ field }) => !isAdded(this.#fields, field ?? ''),
    )
    const envelope = { type: 'struct', fields: [{ ...schema, fields, field: 'after' }] }
    this.#schemas.set(schema, envelope)
    return envelope
  }
}

function textOf(bytes: Uint8Array): string {
  return toBuffer(bytes).toString('latin1')
}

/** Messages that the transform passes as they are. Null: a row. */
function otherKindOf(payload: unknown): Exclude<Decoded['kind'], 'changes' | 'unwanted'> | null {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    throw new DecodeError('message-unknown', 'the message is not a row of columns')
  }
  const { source, op } = payload as { readonly source?: SourceBlock | null; readonly op?: unknown }
  const isOfSource = typeof source === 'object' && source !== null
  if (isOfSource && op === 'm') return 'message'
  if (isOfSource && typeof source.connector === 'string' && typeof op === 'string') {
    throw new DecodeError(
      'message-unknown',
      'the message is a change that was not flattened: its format is debezium-json',
    )
  }
  if (isOfSource && ('tableChanges' in payload || 'ddl' in payload)) return 'schema-change'
  // A table may have any of these columns, but hardly just these.
  if (!('ts_ms' in payload)) return null
  const names = Object.keys(payload).toSorted().join()
  if (names === 'ts_ms') return 'heartbeat'
  return names === 'data_collections,event_count,id,status,ts_ms' ? 'transaction' : null
}
