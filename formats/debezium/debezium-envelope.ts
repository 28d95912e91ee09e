/**
 * The JSON converter's envelope: `{"schema": …, "payload": …}`, or the payload alone. Messages of one
 * table repeat their schema word for word, many times the size of the payload: it is parsed once, and
 * recognised by its text from then on.
 */
import { toBuffer } from '../../model/bytes.ts'
import { escapeControls } from '../../model/shown-text.ts'
import { notJson } from '../json/json-messages.ts'
import { parseExact, parseLossless } from '../json/lossless-json.ts'
import type { ConnectSchema } from './connect-schema.ts'
import { isConnectSchema } from './connect-schema.ts'

export interface Envelope {
  /** One object for one schema text: results may be kept by it. Null without an embedded schema. */
  readonly schema: ConnectSchema | null
  readonly payload: unknown
}

/** The text of a message up to its payload, and the schema that it holds. */
interface Head {
  readonly text: string
  readonly schema: ConnectSchema | null
}

const schemaStart = '{"schema":'
const payloadMark = ',"payload":'
const maxKnown = 2000
/** Of all that are known: a table of a thousand columns has schemas of megabytes. */
const maxKnownChars = 64 * 1024 * 1024
/** Marks that are tried: each is as much work as the text before it, and a schema has hardly one inside. */
const maxMarks = 16

/** A part of a text keeps all of the text in memory: here a whole message for each schema. */
function copyOf(part: string): string {
  return Buffer.from(part).toString()
}

export class EnvelopeReader {
  readonly #known = new Map<string, Head>()
  #knownChars = 0
  /** The head that was seen last of each topic: nearly always the next one's as well. */
  readonly #last = new Map<string, Head>()

  /**
   * `part`: what the bytes are, where they are not the message itself; its envelopes are apart from others.
   * Throws DecodeError `message-not-json`.
   */
  read(topic: string, bytes: Uint8Array, part: 'message' | 'key' = 'message'): Envelope {
    const text = toBuffer(bytes).toString('utf8')
    try {
      return this.#parse(part === 'message' ? topic : `${topic} ${part}`, text)
    } catch (cause) {
      throw notJson(part === 'message' ? 'message' : 'key of the message', text, cause)
    }
  }

  /**
   * A header with a row: as the JSON converter writes it, or as Connect does by itself (`SimpleHeaderConverter`),
   * with a decimal as a number of all its digits, and control characters as they are.
   * Throws DecodeError `message-not-json`.
   */
  readHeader(bytes: Uint8Array): Envelope {
    const text = toBuffer(bytes).toString('utf8')
    try {
      return parseWhole(escapeControls(text), parseExact)
    } catch (cause) {
      throw notJson('header', text, cause)
    }
  }

  #parse(topic: string, text: string): Envelope {
    const isUsual = text.startsWith(schemaStart) && text.endsWith('}')
    const head = isUsual ? this.#headOf(topic, text) : null
    if (head === null) return parseWhole(text)
    try {
      return { schema: head.schema, payload: parseLossless(text.slice(head.text.length, -1)) }
    } catch {
      // Something else follows the payload, or it is no JSON at all.
      return parseWhole(text)
    }
  }

  #headOf(topic: string, text: string): Head | null {
    const last = this.#last.get(topic)
    if (last !== undefined && text.startsWith(last.text)) return last
    const head = this.#learnHead(text)
    if (head !== null) this.#last.set(topic, head)
    return head
  }

  /** The text up to the payload: the first mark before which the schema is JSON by itself. */
  #learnHead(text: string): Head | null {
    let mark = text.indexOf(payloadMark)
    for (let tried = 0; mark > 0 && tried < maxMarks; tried += 1) {
      const start = text.slice(0, mark + payloadMark.length)
      const known = this.#known.get(start)
      if (known !== undefined) return known
      try {
        const { schema } = JSON.parse(`${text.slice(0, mark)}}`) as { schema: unknown }
        if (!isSchema(schema)) return null
        this.#knownChars += start.length
        if (this.#known.size >= maxKnown || this.#knownChars > maxKnownChars) {
          this.#known.clear()
          this.#knownChars = start.length
        }
        const own = copyOf(start)
        const head = { text: own, schema }
        this.#known.set(own, head)
        return head
      } catch {
        // The mark was inside the schema: look for the next one.
      }
      mark = text.indexOf(payloadMark, mark + 1)
    }
    return null
  }
}

function parseWhole(text: string, parse = parseLossless): Envelope {
  const found = parse(text)
  if (typeof found === 'object' && found !== null && 'schema' in found && 'payload' in found) {
    const { schema, payload } = found
    if (isSchema(schema)) return { schema, payload }
  }
  return { schema: null, payload: found }
}

/** A row may have columns that are called `schema` and `payload`. */
function isSchema(found: unknown): found is ConnectSchema | null {
  return found === null || isConnectSchema(found)
}
