/** A fault to plant: the tombstone rule broken, so that each tombstone is a delete, new or not. */
import { debeziumJson } from '../../formats/debezium/debezium-json.ts'
import type { Decoded, Decoder, Format } from '../../formats/decoder.ts'
import type { ChangeEvent, LogRecord } from '../../model/change-event.ts'
import { plainEvent } from '../../model/encoded-event.ts'

export function deletingTombstones(): Format {
  return {
    name: 'deleting-tombstones',
    hasPositions: true,
    createDecoder: options => new DeletingTombstones(debeziumJson().createDecoder(options)),
  }
}

class DeletingTombstones implements Decoder {
  readonly #inner: Decoder
  readonly #lastByKey = new Map<string, ChangeEvent>()

  constructor(inner: Decoder) {
    this.#inner = inner
  }

  get schemaTopics(): ReadonlySet<string> {
    return this.#inner.schemaTopics
  }

  get memory(): string {
    return this.#inner.memory
  }

  restore(memory: string): void {
    this.#inner.restore(memory)
  }

  learn(record: LogRecord): void {
    this.#inner.learn(record)
  }

  decode(record: LogRecord): Decoded {
    const { topic, partition, offset } = record
    const key = `${topic} ${Buffer.from(record.key ?? '').toString()}`
    const last = this.#lastByKey.get(key)
    if (record.value === null && last !== undefined) {
      const origin = { topic, partition, offset }
      const event: ChangeEvent = {
        ...plainEvent(last),
        op: 'd',
        after: null,
        position: null,
        origin,
      }
      return { kind: 'changes', events: [event], isKeyOrdered: true }
    }
    const decoded = this.#inner.decode(record)
    const [event] = decoded.kind === 'changes' ? decoded.events : []
    if (event !== undefined && event.key !== null) this.#lastByKey.set(key, event)
    return decoded
  }
}
