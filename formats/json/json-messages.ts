/** What formats in JSON have in common: objects, and the error of a message that is no JSON. */
import { DecodeError } from '../../model/errors.ts'
import { escapeControls } from '../../model/shown-text.ts'

export type JsonObject = Readonly<Record<string, unknown>>

export function isObject(json: unknown): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

/** `what`: the part of the message that was read. */
export function notJson(what: string, text: string, cause: unknown): DecodeError {
  const start = text.length > 80 ? `${text.slice(0, 80)}…` : text
  // A terminal would take them for commands.
  const shown = escapeControls(start, control => /\s/.test(control))
  const hint = text.startsWith('\0') ? ', which may be Avro (`format: debezium-avro`)' : ''
  return new DecodeError('message-not-json', `the ${what} is not JSON: ${shown}${hint}`, { cause })
}
