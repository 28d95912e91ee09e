/**
 * Debezium's change events in Avro, in Confluent's wire format: a zero, the schema's id in four bytes,
 * and Avro's binary encoding (Confluent, "Wire format"). The schemas tell every column, so that there is
 * nothing to learn and nothing to guess.
 */
import { toBuffer } from '../../model/bytes.ts'
import type { LogRecord } from '../../model/change-event.ts'
import { DecodeError, ForagerError } from '../../model/errors.ts'
import { AvroCursor, readAvro, wireHeadBytes } from '../avro/avro-reader.ts'
import type { AvroType } from '../avro/avro-schema.ts'
import { parseAvroSchema } from '../avro/avro-schema.ts'
import type { SchemaRegistry } from '../avro/schema-registry.ts'
import type { Decoded, Decoder, DecoderOptions, Format } from '../decoder.ts'
import { SchemaAbsent } from '../decoder.ts'
import { openBrace } from '../json/json-bytes.ts'
import { connectSchemaOf } from './avro-connect.ts'
import { AvroDirectDecoder } from './avro-direct.ts'
import type { ConnectSchema } from './connect-schema.ts'
import { DebeziumChanges, unsentOf } from './debezium-changes.ts'
import { EnvelopeReader } from './debezium-envelope.ts'

/** `isDirect`: whether usual messages take the short way; see `avro-direct.ts`. */
export function debeziumAvro({
  registry,
  isDirect = true,
}: {
  readonly registry: SchemaRegistry
  readonly isDirect?: boolean
}): Format {
  return {
    name: 'debezium-avro',
    hasPositions: true,
    createDecoder: options => new DebeziumAvroDecoder(options, registry, isDirect),
  }
}

/** A registered schema, ready to read by. */
export interface AvroSchema {
  readonly type: AvroType
  readonly connect: ConnectSchema
}

class DebeziumAvroDecoder implements Decoder {
  readonly memory = ''
  readonly #changes: DebeziumChanges
  readonly #direct: AvroDirectDecoder | null
  readonly #schemas: AvroSchemas
  /** For headers, which Connect writes as JSON unless it is told otherwise. */
  readonly #envelopes = new EnvelopeReader()

  constructor(options: DecoderOptions, registry: SchemaRegistry, isDirect: boolean) {
    this.#schemas = new AvroSchemas(registry)
    this.#changes = new DebeziumChanges(options)
    this.#direct = isDirect ? new AvroDirectDecoder(options, unsentOf(options)) : null
  }

  /** The schemas say it all. */
  restore(): void {}

  get schemaTopics(): ReadonlySet<string> {
    return this.#changes.schemaTopics
  }

  learn(record: LogRecord): void {
    const { topic } = record
    if (record.value === null) return
    const value = toBuffer(record.value)
    this.#changes.learn(topic, () => {
      if (value[0] === openBrace) return this.#envelopes.read(topic, value).payload
      return this.#read(value, this.#schemas.of(value, 'value'))
    })
  }

  decode(record: LogRecord): Decoded {
    try {
      return this.#decode(record)
    } catch (error) {
      const { topic, partition, offset } = record
      throw error instanceof ForagerError ? error.at({ topic, partition, offset }) : error
    }
  }

  #decode(record: LogRecord): Decoded {
    if (record.value === null) return { kind: 'tombstone' }
    const value = toBuffer(record.value)
    // The connector keeps its history of schemas in a topic of its own, always in JSON.
    if (value[0] === openBrace && this.#isHistory(record, value)) {
      return { kind: 'schema-change', changes: [] }
    }
    const key = record.key === null ? null : toBuffer(record.key)
    const schema = this.#schemas.of(value, 'value')
    const direct = this.#direct
    const found = key === null ? null : this.#decodeDirect(record, schema, key)
    if (found !== null) return found
    return this.#changes.decode(
      {
        record,
        schema: schema.connect,
        payload: this.#read(value, schema),
        readKey: () => (key === null ? null : this.#read(key, this.#schemas.of(key, 'key'))),
        readOtherKey: bytes => this.#otherKey(toBuffer(bytes)),
      },
      direct === null ? undefined : read => direct.learn(schema, read),
    )
  }

  #decodeDirect(record: LogRecord, schema: AvroSchema, key: Buffer): Decoded | null {
    const keySchema = this.#schemas.of(key, 'key')
    try {
      return this.#direct?.decode(record, schema, keySchema) ?? null
    } catch (error) {
      // The long way tells more of it.
      if (error instanceof DecodeError) return null
      throw error
    }
  }

  #isHistory(record: LogRecord, bytes: Buffer): boolean {
    try {
      const { payload } = this.#envelopes.read(record.topic, bytes)
      return typeof payload === 'object' && payload !== null && 'tableChanges' in payload
    } catch {
      return false
    }
  }

  #read(bytes: Buffer, { type }: AvroSchema): unknown {
    const cursor = new AvroCursor(bytes, wireHeadBytes)
    const found = readAvro(type, cursor)
    if (cursor.at === bytes.length) return found
    throw new DecodeError(
      'message-not-avro',
      `the message has ${bytes.length - cursor.at} bytes more than its schema tells`,
    )
  }

  #otherKey(bytes: Buffer): unknown {
    if (bytes[0] === 0) return this.#read(bytes, this.#schemas.of(bytes, 'key'))
    return this.#envelopes.readHeader(bytes).payload
  }
}

class AvroSchemas {
  readonly #registry: SchemaRegistry
  readonly #known = new Map<number, AvroSchema>()
  /** What was asked for last: nearly always it is asked for again. */
  readonly #last = { key: { id: -1, schema: null }, value: { id: -1, schema: null } } as Record<
    'key' | 'value',
    { id: number; schema: AvroSchema | null }
  >

  constructor(registry: SchemaRegistry) {
    this.#registry = registry
  }

  /** The schema of a message. Throws SchemaAbsent while the registry was not asked. */
  of(bytes: Buffer, part: 'key' | 'value'): AvroSchema {
    if (bytes[0] !== 0 || bytes.length < wireHeadBytes) throw notAvro(bytes, part)
    const id = (bytes[1]! << 24) | (bytes[2]! << 16) | (bytes[3]! << 8) | bytes[4]!
    const last = this.#last[part]
    if (last.id === id && last.schema !== null) return last.schema
    const schema = this.#known.get(id) ?? this.#learn(id)
    last.id = id
    last.schema = schema
    return schema
  }

  #learn(id: number): AvroSchema {
    const found = this.#registry.find(id)
    if (found === null) throw new SchemaAbsent(() => this.#registry.fetch(id))
    const type = parseAvroSchema(found.schema, found.references)
    const schema = { type, connect: connectSchemaOf(type) }
    this.#known.set(id, schema)
    return schema
  }
}

function notAvro(bytes: Buffer, part: string): DecodeError {
  const start = bytes.subarray(0, 8).toString('hex')
  const hint = bytes[0] === openBrace ? ': it looks like JSON (`format: debezium-json`)' : ''
  return new DecodeError(
    'message-not-avro',
    `the ${part} of the message does not begin with a zero and a schema's id, but with ${start}${hint}`,
  )
}
