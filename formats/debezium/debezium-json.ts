/**
 * Debezium's change events as Kafka Connect's JSON converter writes them, with and without embedded
 * schemas. Every record of a connector's topics is recognised: rows, tombstones, heartbeats,
 * transaction and schema-change events, logical messages.
 */
import type { LogRecord } from '../../model/change-event.ts'
import { ForagerError } from '../../model/errors.ts'
import type { Decoded, Decoder, DecoderOptions, Format } from '../decoder.ts'
import { DebeziumChanges, unsentOf } from './debezium-changes.ts'
import { DirectDecoder } from './debezium-direct.ts'
import { EnvelopeReader } from './debezium-envelope.ts'

/** `isDirect`: whether messages like those before take the short way; see `debezium-direct.ts`. */
export function debeziumJson({ isDirect = true }: { readonly isDirect?: boolean } = {}): Format {
  return {
    name: 'debezium-json',
    hasPositions: true,
    createDecoder: options => new DebeziumJsonDecoder(options, isDirect),
  }
}

class DebeziumJsonDecoder implements Decoder {
  readonly #envelopes = new EnvelopeReader()
  readonly #changes: DebeziumChanges
  readonly #direct: DirectDecoder | null

  constructor(options: DecoderOptions, isDirect: boolean) {
    this.#changes = new DebeziumChanges(options)
    this.#direct = isDirect ? new DirectDecoder(options, unsentOf(options)) : null
  }

  get schemaTopics(): ReadonlySet<string> {
    return this.#changes.schemaTopics
  }

  get memory(): string {
    return this.#changes.memory
  }

  restore(memory: string): void {
    this.#changes.restore(memory)
  }

  learn(record: LogRecord): void {
    const { topic, value } = record
    if (value === null) return
    this.#changes.learn(topic, () => this.#envelopes.read(topic, value).payload)
  }

  decode(record: LogRecord): Decoded {
    try {
      return this.#direct?.decode(record) ?? this.#decode(record)
    } catch (error) {
      const { topic, partition, offset } = record
      throw error instanceof ForagerError ? error.at({ topic, partition, offset }) : error
    }
  }

  #decode(record: LogRecord): Decoded {
    if (record.value === null) return { kind: 'tombstone' }
    const direct = this.#direct
    return this.#changes.decode(
      {
        record,
        ...this.#envelopes.read(record.topic, record.value),
        readKey: () => (record.key === null ? null : this.#keyOf(record.topic, record.key)),
        readOtherKey: bytes => this.#envelopes.readHeader(bytes).payload,
      },
      direct?.wantsExample === true ? read => direct.learn(record, read) : undefined,
    )
  }

  #keyOf(topic: string, bytes: Uint8Array): unknown {
    return this.#envelopes.read(topic, bytes, 'key').payload
  }
}
