/** What formats in JSON have in common: objects, and the error of a message that is no JSON. */
import { DecodeError } from '../../model/errors.ts'

export type JsonObject = Readonly<Record<string, unknown>>

export function isObject(json: unknown): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

const controls = /\p{Cc}/gu

/** As JSON writes it within a text. */
export function escapeControls(text: string, isKept: (control: string) => boolean): string {
  return text.replaceAll(controls, control => {
    if (isKept(control)) return control
    return `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** `what`: the part of the message that was read. */
export function notJson(what: string, text: string, cause: unknown): DecodeError {
  const start = text.length > 80 ? `${text.slice(0, 80)}…` : text
  // A terminal would take them for commands.
  const shown = escapeControls(start, control => /\s/.test(control))
  const hint = text.startsWith('\0') ? ', which may be Avro (`format: debezium-avro`)' : ''
  return new DecodeError('message-not-json', `the ${what} is not JSON: ${shown}${hint}`, { cause })
}
