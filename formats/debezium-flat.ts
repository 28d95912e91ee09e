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
import type { LogRecord } from '../model/change-event.ts'
import { DecodeError, ForagerError } from '../model/errors.ts'
import type { ConnectSchema } from './connect-schema.ts'
import type { ChangePayload } from './debezium-changes.ts'
import { DebeziumChanges } from './debezium-changes.ts'
import type { Envelope } from './debezium-envelope.ts'
import { EnvelopeReader } from './debezium-envelope.ts'
import type { FlatParts, References } from './debezium-flat-fields.ts'
import { isAdded, partsOf, referencesOf } from './debezium-flat-fields.ts'
import { FlatTables } from './debezium-flat-tables.ts'
import type { SourceBlock } from './debezium-position.ts'
import type { Decoded, Decoder, DecoderOptions, Format } from './decoder.ts'

export function debeziumFlat(): Format {
  return {
    name: 'debezium-flat',
    hasPositions: true,
    createDecoder: options => new DebeziumFlatDecoder(options),
  }
}

type JsonObject = Readonly<Record<string, unknown>>

class DebeziumFlatDecoder implements Decoder {
  readonly #envelopes = new EnvelopeReader()
  readonly #changes: DebeziumChanges
  readonly #fields: References
  readonly #headers = referencesOf(undefined)
  readonly #tables = new FlatTables()
  /** Schemas of rows as those of the envelope that they were in. */
  readonly #schemas = new WeakMap<ConnectSchema, ConnectSchema>()
  /** By partition: the key of the record before, when it was a delete. */
  readonly #deleted = new Map<string, string>()

  constructor(options: DecoderOptions) {
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
    if (record.value === null) return
    const { payload } = this.#envelopes.read(record.topic, record.value)
    this.#changes.learn(payload)
    this.#tables.learn(payload)
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
    const value = record.value === null ? null : this.#envelopes.read(topic, record.value)
    const key = record.key === null ? '' : Buffer.from(record.key).toString('latin1')
    if (value === null || value.payload === null) {
      const isOfDelete = this.#deleted.get(place) === key
      this.#deleted.delete(place)
      // A tombstone without a key is nobody's.
      return isOfDelete || record.key === null ? { kind: 'tombstone' } : this.#decodeDelete(record)
    }
    this.#deleted.delete(place)
    const { payload } = value
    const kind = otherKindOf(payload)
    if (kind !== null) return { kind }
    const parts = partsOf(payload as JsonObject, record.headers, this.#fields, this.#headers)
    const source = this.#tables.sourceOf(record.topic, this.#keyOf(record), parts)
    const op = parts.op ?? 'u'
    const { columns, transaction } = parts
    const sides = op === 'd' ? { before: columns } : { after: columns }
    const change = { op, source, transaction, ...sides } as ChangePayload
    const schema = value.schema === null ? null : this.#envelopeOf(value.schema)
    const decoded = this.#build(record, change, schema)
    if (op === 'd') this.#deleted.set(place, key)
    return decoded
  }

  /** Of a tombstone, which has the key alone. */
  #decodeDelete(record: LogRecord): Decoded {
    const key = this.#envelopeOfKey(record)
    const parts: FlatParts = {
      ...partsOf({}, record.headers, this.#fields, this.#headers),
      op: 'd',
    }
    const source = this.#tables.sourceOf(record.topic, key?.payload, parts)
    const change = { op: 'd', source, transaction: parts.transaction } as ChangePayload
    const schema = key?.schema ?? null
    return this.#build(record, change, schema === null ? null : this.#envelopeOf(schema))
  }

  #build(record: LogRecord, payload: ChangePayload, schema: ConnectSchema | null): Decoded {
    return this.#changes.decode({
      record,
      payload,
      schema,
      readKey: () => this.#keyOf(record),
      readOldKey: () => {
        const header = record.headers.find(({ key }) => key === '__debezium.oldkey')
        if (header === undefined || header.value.length === 0) return null
        return this.#envelopes.read(`${record.topic} oldkey`, header.value).payload
      },
    })
  }

  #keyOf(record: LogRecord): unknown {
    return this.#envelopeOfKey(record)?.payload ?? null
  }

  #envelopeOfKey({ topic, key }: LogRecord): Envelope | null {
    return key === null ? null : this.#envelopes.read(`${topic} key`, key)
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
  const names = Object.keys(payload).toSorted().join()
  if (names === 'ts_ms') return 'heartbeat'
  return names === 'data_collections,event_count,id,status,ts_ms' ? 'transaction' : null
}
