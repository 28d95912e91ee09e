/** Messages as objects, whatever the configuration says that they are. */
import type { JsonObject } from '../../formats/json/json-messages.ts'
import { isObject } from '../../formats/json/json-messages.ts'
import { toBuffer } from '../../model/bytes.ts'

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
