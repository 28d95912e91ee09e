/** What a message looks like, whatever the configuration says that it is. */
import type { JsonObject } from '../../formats/json/json-messages.ts'
import { isObject } from '../../formats/json/json-messages.ts'
import { toBuffer } from '../../model/bytes.ts'
import type { LogRecord } from '../../model/change-event.ts'
import type { FormatName } from '../formats.ts'

/** Null for what is no JSON object. Numbers may be rounded: only shapes are looked at. */
export function parseObject(bytes: Uint8Array | null): JsonObject | null {
  if (bytes === null) return null
  try {
    const found: unknown = JSON.parse(toBuffer(bytes).toString('utf8'))
    return isObject(found) ? found : null
  } catch {
    return null
  }
}

/** What is in an envelope of the JSON converter, or the message itself. */
export function payloadOf(message: JsonObject): JsonObject | null {
  const isEnveloped = 'schema' in message && 'payload' in message
  const found = isEnveloped ? message.payload : message
  return isObject(found) ? found : null
}

/** Null where nothing tells, and for heartbeats, transactions and schema changes of Debezium. */
export function shapeOf({ value }: LogRecord): FormatName | null {
  // The magic byte and the id of Confluent's wire format.
  if (value !== null && value[0] === 0 && value.length > 5) return 'debezium-avro'
  const message = parseObject(value)
  const payload = message === null ? null : payloadOf(message)
  if (message === null || payload === null) return null
  if ('op' in payload && isObject(payload.source)) return 'debezium-json'
  if (Array.isArray(payload.cols) && 'event_type' in payload) return 'canal-rows'
  if ('isDdl' in payload && 'mysqlType' in payload) return 'canal-json'
  const { database, type } = payload
  const isMaxwell = typeof database === 'string' && typeof type === 'string'
  if (isMaxwell && ['data', 'def', 'sql'].some(name => name in payload)) return 'maxwell-json'
  const names = Object.keys(payload)
  return names.some(name => /^__(op|deleted|table|lsn|source_\w+)$/.test(name))
    ? 'debezium-flat'
    : null
}
