/** What canal's formats have in common: how values are written, what is kept of tables, and the message as JSON. */
import { toBuffer } from '../../model/bytes.ts'
import type { ChangeEvent, LogRecord } from '../../model/change-event.ts'
import { DecodeError, ForagerError } from '../../model/errors.ts'
import type { Decoded, Decoder, DecoderOptions } from '../decoder.ts'
import { isObject, notJson } from '../json/json-messages.ts'
import { LargeColumns } from '../mysql/large-columns.ts'
import type { EventBase } from '../mysql/mysql-rows.ts'
import { MySqlRowReaders } from '../mysql/mysql-rows.ts'
import type { MySqlTextForm } from '../mysql/mysql-text.ts'
import { instantsIn } from '../mysql/time-zone.ts'

export abstract class CanalDecoder implements Decoder {
  readonly schemaTopics: ReadonlySet<string> = new Set()
  protected readonly options: DecoderOptions
  protected readonly readers: MySqlRowReaders
  protected readonly large = new LargeColumns()

  constructor(options: DecoderOptions) {
    this.options = options
    this.readers = new MySqlRowReaders(canalForm(options))
  }

  /** Of an update before which no row of the table had all columns; see `LargeColumns`. */
  protected baseOfUpdate(base: EventBase): EventBase {
    return this.large.isKnown(base.table) ? base : { ...base, isPatch: true }
  }

  /** Throws DecodeError. No part of the message was checked. */
  protected abstract decodeMessage(record: LogRecord, message: object): Decoded

  get memory(): string {
    return this.large.save()
  }

  restore(memory: string): void {
    this.large.restore(memory)
  }

  /** There are no topics of schema changes. */
  learn(): void {}

  decode(record: LogRecord): Decoded {
    const { topic, partition, offset } = record
    try {
      return record.value === null
        ? { kind: 'tombstone' }
        : this.decodeMessage(record, parseObject(record.value))
    } catch (error) {
      throw error instanceof ForagerError ? error.at({ topic, partition, offset }) : error
    }
  }
}

/**
 * How canal writes values (RowsLogBuffer, LogEventConvert): bytes as ISO 8859-1, choices by number, and
 * a TIMESTAMP as the clock of its own JVM has it: what `user.timezone` is there, or UTC.
 */
export function canalForm({
  connectorSettings,
}: Pick<DecoderOptions, 'connectorSettings'>): MySqlTextForm {
  const timeZone = connectorSettings['user.timezone'] ?? 'UTC'
  // A zone that is not known is told at the start.
  instantsIn(timeZone)
  return { binary: 'latin1', choices: 'number', geometry: 'bytes', timeZone }
}

/** Throws DecodeError. Every number that matters here is exact as one. */
export function parseObject(bytes: Uint8Array): object {
  const text = toBuffer(bytes).toString('utf8')
  let found: unknown
  try {
    found = JSON.parse(text)
  } catch (cause) {
    throw notJson('message', text, cause)
  }
  if (isObject(found)) return found
  throw new DecodeError('message-unknown', 'the message is not a JSON object')
}

export function baseOf(record: LogRecord, table: string, ms: unknown): EventBase {
  const { topic, partition, offset, timestampMs } = record
  return {
    table,
    position: null,
    snapshot: 'no',
    transaction: null,
    origin: { topic, partition, offset },
    sourceMs: Number.isSafeInteger(ms) && (ms as number) > 0 ? (ms as number) : timestampMs,
    isInDoubt: true,
  }
}

export function truncateEvent(base: EventBase): ChangeEvent {
  const empty = { key: null, before: null, after: null, oldKey: null, isBeforeWhole: false }
  return { ...base, ...empty, op: 't', schema: { columns: [], key: [] } }
}
