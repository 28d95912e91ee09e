/**
 * The JSON converter's envelope: `{"schema": …, "payload": …}`, or the payload alone. Messages of one
 * table repeat their schema word for word, many times the size of the payload: it is parsed once, and
 * recognised by its text from then on.
 */
import { DecodeError } from '../model/errors.ts'
import type { ConnectSchema } from './connect-schema.ts'
import { parseLossless } from './lossless-json.ts'

export interface Envelope {
  /** One object for one schema text: results may be kept by it. Null without an embedded schema. */
  readonly schema: ConnectSchema | null
  readonly payload: unknown
}

const schemaStart = '{"schema":'
const payloadMark = ',"payload":'
const maxKnown = 2000

export class EnvelopeReader {
  /** Parsed schemas by the text of the message up to its payload. */
  readonly #known = new Map<string, ConnectSchema | null>()
  /** The text that was seen last of each topic: nearly always the next one's as well. */
  readonly #last = new Map<string, string>()

  /** Throws DecodeError `message-not-json`. */
  read(topic: string, bytes: Uint8Array): Envelope {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
    try {
      return this.#parse(topic, text)
    } catch (cause) {
      const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text
      throw new DecodeError('message-not-json', `the message is not JSON: ${shown}`, { cause })
    }
  }

  #parse(topic: string, text: string): Envelope {
    if (!text.startsWith(schemaStart)) return this.#parseWhole(text)
    const last = this.#last.get(topic)
    if (last !== undefined && text.startsWith(last) && text.endsWith('}')) {
      const payload = parseLossless(text.slice(last.length, -1))
      return { schema: this.#known.get(last) ?? null, payload }
    }
    const head = this.#learnHead(text)
    if (head === null) return this.#parseWhole(text)
    this.#last.set(topic, head)
    return {
      schema: this.#known.get(head) ?? null,
      payload: parseLossless(text.slice(head.length, -1)),
    }
  }

  /** The text up to the payload: the first mark before which the schema is JSON by itself. */
  #learnHead(text: string): string | null {
    for (
      let mark = text.indexOf(payloadMark);
      mark > 0;
      mark = text.indexOf(payloadMark, mark + 1)
    ) {
      const head = text.slice(0, mark + payloadMark.length)
      if (this.#known.has(head)) return head
      try {
        const { schema } = JSON.parse(`${text.slice(0, mark)}}`) as { schema: ConnectSchema | null }
        if (this.#known.size >= maxKnown) this.#known.clear()
        this.#known.set(head, schema)
        return head
      } catch {
        // The mark was inside the schema: look for the next one.
      }
    }
    return null
  }

  #parseWhole(text: string): Envelope {
    const found = parseLossless(text)
    if (typeof found === 'object' && found !== null && 'schema' in found && 'payload' in found) {
      return { schema: found.schema as ConnectSchema | null, payload: found.payload }
    }
    return { schema: null, payload: found }
  }
}
