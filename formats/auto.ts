/**
 * `auto`: finds out by a topic's messages which format it has, says so, and leaves the rest to that format.
 *
 * Nothing is guessed. A format is recognised by what it alone writes; messages that several write alike
 * (tombstones, heartbeats, frames of transactions, schema changes) decide nothing and are no rows in any of them.
 * What may be of several formats, or of none, is an error that names them. What was recognised holds for
 * the topic, is kept beside the offset, and a message of another format is an error from then on.
 *
 * A tombstone deletes where changes are flattened, and says nothing elsewhere: one that came before
 * anything told makes a flattened topic an error too.
 */
import { toBuffer } from '../model/bytes.ts'
import type { LogRecord } from '../model/change-event.ts'
import { ConfigError, DecodeError, ForagerError } from '../model/errors.ts'
import { wireHeadBytes } from './avro/avro-reader.ts'
import type { SchemaRegistry } from './avro/schema-registry.ts'
import { canalJson } from './canal/canal-json.ts'
import { canalRows } from './canal/canal-rows.ts'
import { debeziumAvro } from './debezium/debezium-avro.ts'
import { EnvelopeReader } from './debezium/debezium-envelope.ts'
import { debeziumFlat } from './debezium/debezium-flat.ts'
import { debeziumJson } from './debezium/debezium-json.ts'
import type { Decoded, Decoder, DecoderOptions, Format } from './decoder.ts'
import { parseTopicMemory, topicMemoryText } from './decoder.ts'
import type { JsonObject } from './json/json-messages.ts'
import { isObject } from './json/json-messages.ts'
import { isDdl } from './maxwell/maxwell-ddl.ts'
import { maxwellJson } from './maxwell/maxwell-json.ts'

export interface AutoOptions {
  /** Null: there is none, and a message that needs it is an error. */
  readonly registry: SchemaRegistry | null
}

/** What it can be is not known before it was seen, so that nothing is promised that one of them lacks. */
export function auto({ registry }: AutoOptions): Format {
  const formats = [debeziumJson(), debeziumFlat(), canalJson(), canalRows(), maxwellJson()]
  if (registry !== null) formats.push(debeziumAvro({ registry }))
  return {
    name: 'auto',
    hasPositions: false,
    movesKeys: true,
    createDecoder: options => new AutoDecoder(formats, options),
  }
}

type Name =
  | 'debezium-json'
  | 'debezium-avro'
  | 'debezium-flat'
  | 'canal-json'
  | 'canal-rows'
  | 'maxwell-json'

type Kind = Exclude<Decoded['kind'], 'changes' | 'unwanted'>

/** What a message alone tells: of which formats it may be, or that it is none of their rows. */
type Sight = { readonly formats: readonly Name[] } | { readonly kind: Kind }

interface Topic {
  readonly name: Name
  readonly decoder: Decoder
}

class AutoDecoder implements Decoder {
  readonly memory = ''
  readonly #onRecognised: NonNullable<DecoderOptions['onRecognised']>
  readonly #decoders: ReadonlyMap<string, Decoder>
  readonly #topics = new Map<string, Topic>()
  /** Those where a tombstone came before anything that tells. */
  readonly #deleted = new Set<string>()
  readonly #envelopes = new EnvelopeReader()

  constructor(formats: readonly Format[], options: DecoderOptions) {
    this.#onRecognised = options.onRecognised ?? (() => undefined)
    this.#decoders = new Map(formats.map(one => [one.name, one.createDecoder(options)]))
  }

  get schemaTopics(): ReadonlySet<string> {
    return new Set([...this.#decoders.values()].flatMap(one => [...one.schemaTopics]))
  }

  learn(record: LogRecord): void {
    for (const decoder of this.#decoders.values()) {
      if (decoder.schemaTopics.has(record.topic)) decoder.learn(record)
    }
  }

  memoryOf(topic: string): string {
    const known = this.#topics.get(topic)
    if (known === undefined)
      return this.#deleted.has(topic) ? topicMemoryText({ topic, format: null, memory: '' }) : ''
    return topicMemoryText({ topic, format: known.name, memory: known.decoder.memory })
  }

  restore(memory: string): void {
    if (memory === '') return
    const found = parseTopicMemory(memory)
    if (found === null) throw ofNamedFormat()
    const { topic, format } = found
    if (format === null) {
      this.#deleted.add(topic)
      return
    }
    if (!this.#decoders.has(format)) throw withoutRegistry(topic)
    this.#recognise(topic, format as Name).decoder.restore(found.memory)
  }

  decode(record: LogRecord): Decoded {
    const { topic, partition, offset } = record
    try {
      const known = this.#topics.get(topic)
      return known === undefined ? this.#decodeFirst(record) : this.#decodeNext(record, known)
    } catch (error) {
      throw error instanceof ForagerError ? error.at({ topic, partition, offset }) : error
    }
  }

  #decodeFirst(record: LogRecord): Decoded {
    const { topic } = record
    const sight = sightOf(record, this.#envelopes)
    if ('kind' in sight) {
      if (sight.kind === 'tombstone' && record.key !== null) this.#deleted.add(topic)
      // It is Debezium’s, and says of tables what it says in each of its formats.
      if (sight.kind === 'schema-change') return this.#decoders.get('debezium-json')!.decode(record)
      return { kind: sight.kind }
    }
    const [name] = sight.formats
    if (name === undefined || sight.formats.length > 1) throw unclear(sight.formats)
    const decoder = this.#decoders.get(name)
    if (decoder === undefined) throw withoutRegistry(topic)
    if (name === 'debezium-flat' && this.#deleted.has(topic)) throw deletedBefore()
    // A zero may begin anything: it is Avro when the registry has the schema that it names.
    const early = name === 'debezium-avro' ? decoder.decode(record) : null
    this.#recognise(topic, name)
    return early ?? decoder.decode(record)
  }

  #decodeNext(record: LogRecord, known: Topic): Decoded {
    const { name, decoder } = known
    // Any object could be a row that was flattened.
    if (name === 'debezium-flat' && !hasMark(record.value)) this.#checkFormat(record, name)
    try {
      const decoded = decoder.decode(record)
      if (isRare(decoded.kind)) this.#checkFormat(record, name)
      return decoded
    } catch (error) {
      if (error instanceof DecodeError) this.#checkFormat(record, name)
      throw error
    }
  }

  /** Throws DecodeError when the message is of another format than its topic. */
  #checkFormat(record: LogRecord, name: Name): void {
    let sight: Sight
    try {
      sight = sightOf(record, this.#envelopes)
    } catch {
      // It is of no format, and what the decoder says of it is told.
      return
    }
    if ('kind' in sight || sight.formats.includes(name)) return
    if (name !== 'debezium-flat' && sight.formats.length === 0) return
    const found = sight.formats.length === 0 ? 'none that is known' : sight.formats.join(' or ')
    throw new DecodeError(
      'format-unclear',
      `the topic was recognised as ${name}, and the format of this message is ${found}: give each format its ` +
        'own topics',
    )
  }

  #recognise(topic: string, name: Name): Topic {
    const found = { name, decoder: this.#decoders.get(name)! }
    if (!this.#topics.has(topic)) this.#onRecognised(topic, name)
    this.#topics.set(topic, found)
    this.#deleted.delete(topic)
    return found
  }
}

function ofNamedFormat(): ConfigError {
  return new ConfigError(
    'config-invalid',
    'the source was read with a format that was named, and what was learned meanwhile belongs to it: name it ' +
      'again instead of `format: auto`',
  )
}

/** The format that a message tells by itself; null where nothing tells, or several write it alike. */
export function formatOf(record: LogRecord): Name | null {
  try {
    const sight = sightOf(record, new EnvelopeReader())
    return 'formats' in sight && sight.formats.length === 1 ? sight.formats[0]! : null
  } catch (error) {
    if (error instanceof DecodeError) return null
    throw error
  }
}

/** Throws DecodeError when it is neither JSON nor Avro. */
function sightOf({ topic, value }: LogRecord, envelopes: EnvelopeReader): Sight {
  if (value === null) return { kind: 'tombstone' }
  const bytes = toBuffer(value)
  if (bytes[0] === 0 && bytes.length >= wireHeadBytes) return { formats: ['debezium-avro'] }
  const { schema, payload } = envelopes.read(topic, bytes)
  if (payload === null && schema !== null) return { kind: 'tombstone' }
  if (!isObject(payload)) {
    throw new DecodeError('message-unknown', 'the message is no object of JSON: no format has such')
  }
  const kind = hasMark(bytes) ? null : commonKindOf(payload)
  if (kind !== null) return { kind }
  const isFlat = isNamed(schema?.name, topic) || hasMark(bytes)
  return {
    formats: (Object.keys(signs) as (keyof typeof signs)[]).filter(name =>
      name === 'debezium-flat' ? isFlat && !isEnvelope(payload) : signs[name](payload),
    ),
  }
}

/** What Debezium writes alike whether rows are flattened or not. */
function commonKindOf(message: JsonObject): Kind | null {
  const { op, source } = message
  if (isOfConnector(source) && op === 'm') return 'message'
  // The connector's own history has a source that names no connector.
  const isHistory = Array.isArray(message.tableChanges) || 'databaseName' in message
  if (isObject(source) && op === undefined && isHistory) return 'schema-change'
  const names = Object.keys(message).toSorted().join()
  if (names === 'ts_ms') return 'heartbeat'
  return names === 'data_collections,event_count,id,status,ts_ms' ? 'transaction' : null
}

function isOfConnector(source: unknown): boolean {
  return isObject(source) && typeof source.connector === 'string'
}

function isEnvelope({ op, source }: JsonObject): boolean {
  return typeof op === 'string' && isOfConnector(source)
}

const texts = (...values: readonly unknown[]): boolean =>
  values.every(one => typeof one === 'string')

/** By what each writes in every message, and no other does. */
const signs: Readonly<Record<Exclude<Name, 'debezium-avro'>, (message: JsonObject) => boolean>> = {
  'debezium-json': isEnvelope,
  'debezium-flat': () => false,
  'canal-json': ({ database, table, type, isDdl: ddl, es }) =>
    texts(database, table, type) &&
    typeof ddl === 'boolean' &&
    typeof es === 'number' &&
    (type as string) === (type as string).toUpperCase(),
  'canal-rows': ({ table, event_type: type, cols }) =>
    texts(table) &&
    (texts(type) || typeof type === 'number') &&
    (cols == null || Array.isArray(cols)),
  'maxwell-json': ({ database, table, type, data, ts }) => {
    if (!texts(database, type) || typeof ts !== 'number') return false
    if (isDdl(type)) return true
    const isRow = /^(?:insert|update|delete|bootstrap-(?:start|insert|complete))$/.test(
      type as string,
    )
    return isRow && texts(table) && typeof data === 'object' && data !== null
  },
}

/** Debezium calls the schema of a table's rows by its topic, in letters that Avro takes. */
function isNamed(name: string | undefined, topic: string): boolean {
  const plain = (given: string): string => given.replaceAll(/\W/g, '_')
  return name !== undefined && plain(name) === plain(`${topic}.Value`)
}

/** What the transform adds to a row; within a text the quotes would be escaped. */
const marks = ['"__deleted":', '"__op":']

function hasMark(value: Uint8Array | null): boolean {
  return value === null || marks.some(mark => toBuffer(value).includes(mark))
}

/** Kinds that a row of another format might be taken for. */
function isRare(kind: Decoded['kind']): boolean {
  return kind !== 'changes' && kind !== 'unwanted' && kind !== 'tombstone'
}

function unclear(found: readonly Name[]): DecodeError {
  const what =
    found.length === 0
      ? 'it may be a row that was flattened without added fields (debezium-flat), or of no format that is known'
      : `it may be of ${found.join(' and ')}`
  return new DecodeError(
    'format-unclear',
    `the format of the topic cannot be told for certain from the message: ${what}`,
  )
}

function deletedBefore(): DecodeError {
  return new DecodeError(
    'format-unclear',
    'the topic has flattened rows, whose tombstones delete, and some came before its format could be told: ' +
      'name it, `format: debezium-flat`',
  )
}

function withoutRegistry(topic: string): DecodeError {
  return new DecodeError(
    'format-unclear',
    'the message may be in Avro (debezium-avro), and no schema registry is configured: name it under ' +
      '`source.registry`',
    { context: { topic } },
  )
}
