/**
 * The payload of a Debezium message whose shape is known, read where it lies: where its members are, and
 * the source block, whose texts are nearly always those of the message before.
 */
import { toBuffer } from '../../model/bytes.ts'
import type { Shape } from '../json/json-bytes.ts'
import {
  closeBrace,
  comma,
  integerAt,
  openBrace,
  parseAt,
  quote,
  shapeOf,
  skipInteger,
  skipNull,
  skipPlainText,
  skipToken,
  skipValue,
} from '../json/json-bytes.ts'
import type { SourceBlock } from './debezium-position.ts'

/** Members of the payload that are read, beside the source block. */
export const sides = ['before', 'after', 'op', 'transaction'] as const
export type Side = (typeof sides)[number]

/** What is around an object: nothing, or an envelope with its schema. */
export interface Framed {
  /** The bytes before it; the last `tail` bytes close what they opened. */
  readonly head: Buffer
  readonly tail: number
}

/** What messages look like: names of members, in their order. */
export interface PayloadShape extends Framed {
  readonly payload: Shape
  /** What each member of the payload is; null for those that nobody reads. */
  readonly roles: readonly (Side | 'source' | null)[]
  readonly source: Shape
  /** Places of the source's members in `sourceNames`; -1 for those that nobody reads. */
  readonly sourcePlaces: readonly number[]
  /** Those among them that are of other connectors. */
  readonly otherPlaces: readonly number[]
}

export const sourceNames = [
  'connector',
  'name',
  'db',
  'schema',
  'table',
  'snapshot',
  'file',
  'pos',
  'row',
  'server_id',
  'gtid',
  'ts_ms',
  'lsn',
  'txId',
  'sequence',
  // Of other connectors than MySQL's, MariaDB's and PostgreSQL's.
  'keyspace',
  'collection',
  'commit_scn',
  'scn',
  'txSeq',
  'rs_id',
  'ssn',
  'redo_thread',
  'lcr_position',
  'commit_lsn',
  'change_lsn',
  'event_serial_no',
  'ord',
  'wallTime',
  'lsid',
  'txnNumber',
  'rs',
] as const

/** Where the names of other connectors begin. */
const firstOther = sourceNames.indexOf('keyspace')

const noFrame: Framed = { head: Buffer.alloc(0), tail: 0 }
const schemaStart = Buffer.from('{"schema":')
const payloadMark = Buffer.from(',"payload":')

/** Those places that are of other connectors than MySQL's, MariaDB's and PostgreSQL's. */
export function otherPlacesOf(places: readonly number[]): readonly number[] {
  return places.filter(place => place >= firstOther)
}

/** The shape of the message; null when it is not plain. */
export function payloadShapeOf(bytes: Buffer): PayloadShape | null {
  const frame = frameOf(bytes)
  const payload = frame === null ? null : shapeOf(bytes, frame.head.length)
  if (frame === null || payload?.end !== bytes.length - frame.tail) return null
  const at = placeOf(payload, 'source', bytes, frame.head.length)
  const source = at < 0 ? null : shapeOf(bytes, at)
  if (source === null) return null
  const sourcePlaces = source.names.map(name => sourceNames.indexOf(name as 'db'))
  return {
    ...frame,
    payload: payload.shape,
    roles: payload.names.map(name => roleOf(name)),
    source: source.shape,
    sourcePlaces,
    otherPlaces: otherPlacesOf(sourcePlaces),
  }
}

function roleOf(name: string): PayloadShape['roles'][number] {
  return name === 'source' ? name : (sides.find(side => side === name) ?? null)
}

/** Reads one payload after the other. */
export class PayloadReader {
  readonly #starts: Record<Side, number> = { before: -1, after: -1, op: -1, transaction: -1 }
  readonly #ends: Record<Side, number> = { before: -1, after: -1, op: -1, transaction: -1 }
  /** Texts of the source block as they were last, by member. */
  readonly #lastTexts: ({ readonly bytes: Buffer; readonly text: string } | undefined)[] = []
  /** Of the source block, by place. */
  readonly #values: unknown[] = sourceNames.map(() => undefined)
  #source: SourceBlock | null = null

  /** Of the payload that was read last. */
  get source(): SourceBlock {
    return this.#source!
  }

  /** Where the member begins; -1 when there is none. */
  start(side: Side): number {
    return this.#starts[side]
  }

  end(side: Side): number {
    return this.#ends[side]
  }

  /** Whether the member is an object. */
  has(side: 'before' | 'after', bytes: Uint8Array): boolean {
    return bytes[this.#starts[side]] === openBrace
  }

  /** False when the message does not have this shape. */
  read(shape: PayloadShape, bytes: Uint8Array): boolean {
    const { head, tail, payload, roles } = shape
    if (!startsWith(bytes, head)) return false
    let at = head.length
    this.#source = null
    for (const side of sides) this.#starts[side] = -1
    for (let index = 0; index < payload.length; index += 1) {
      if (bytes[at] !== (index === 0 ? openBrace : comma)) return false
      const start = skipToken(bytes, at + 1, payload[index]!)
      if (start < 0) return false
      const role = roles[index]!
      at = role === 'source' ? this.#readSource(shape, bytes, start) : skipValue(bytes, start)
      if (at < 0) return false
      if (role !== 'source' && role !== null) {
        this.#starts[role] = start
        this.#ends[role] = at
      }
    }
    return bytes[at] === closeBrace && at + 1 === bytes.length - tail && this.#source !== null
  }

  #readSource(shape: PayloadShape, bytes: Uint8Array, start: number): number {
    const { source, sourcePlaces, otherPlaces } = shape
    const values = this.#values
    values.fill(undefined)
    let at = start
    for (let index = 0; index < source.length; index += 1) {
      if (bytes[at] !== (index === 0 ? openBrace : comma)) return -1
      const from = skipToken(bytes, at + 1, source[index]!)
      if (from < 0) return -1
      const place = sourcePlaces[index]!
      if (place < 0) {
        at = skipValue(bytes, from)
      } else if (bytes[from] === quote) {
        at = skipPlainText(bytes, from)
        if (at > 0) values[place] = this.#text(index, bytes, from + 1, at - 1)
      } else {
        at = skipInteger(bytes, from)
        if (at > 0) values[place] = integerAt(bytes, from, at)
      }
      if (at < 0) {
        // Of every event some member is null.
        at = skipNull(bytes, from)
        if (at > 0) {
          values[place] = null
          continue
        }
        at = skipValue(bytes, from)
        if (at < 0) return -1
        if (place < 0) continue
        values[place] = parseAt(bytes, from, at)
        if (values[place] === undefined) return -1
      }
    }
    if (bytes[at] !== closeBrace) return -1
    this.#source = sourceBlockOf(values, otherPlaces)
    return at + 1
  }

  /** The text that lies there. */
  #text(index: number, bytes: Uint8Array, start: number, end: number): string {
    const last = this.#lastTexts[index]
    if (last?.bytes.length === end - start && skipToken(bytes, start, last.bytes) > 0) {
      return last.text
    }
    const own = Buffer.from(bytes.subarray(start, end))
    const text = own.toString('utf8')
    this.#lastTexts[index] = { bytes: own, text }
    return text
  }
}

/** Values in the order of `sourceNames`; the members of some connectors by their places. */
export function sourceBlockOf(
  values: readonly unknown[],
  otherPlaces: readonly number[],
): Record<string, unknown> {
  const found: Record<string, unknown> = {
    connector: values[0],
    name: values[1],
    db: values[2],
    schema: values[3],
    table: values[4],
    snapshot: values[5],
    file: values[6],
    pos: values[7],
    row: values[8],
    server_id: values[9],
    gtid: values[10],
    ts_ms: values[11],
    lsn: values[12],
    txId: values[13],
    sequence: values[14],
  }
  for (const place of otherPlaces) found[sourceNames[place]!] = values[place]
  return found
}

/** What is around the payload of a message: nothing, or its schema. */
export function frameOf(message: Uint8Array): Framed | null {
  const bytes = toBuffer(message)
  if (!startsWith(bytes, schemaStart)) return noFrame
  const end = skipValue(bytes, schemaStart.length)
  if (end < 0 || skipToken(bytes, end, payloadMark) < 0) return null
  return { head: Buffer.from(bytes.subarray(0, end + payloadMark.length)), tail: 1 }
}

function placeOf(
  payload: NonNullable<ReturnType<typeof shapeOf>>,
  name: string,
  bytes: Buffer,
  start: number,
): number {
  let at = start
  for (const [index, token] of payload.shape.entries()) {
    const from = at + 1 + token.length
    if (payload.names[index] === name) return from
    at = skipValue(bytes, from)
  }
  return -1
}

export function startsWith(bytes: Uint8Array, head: Buffer): boolean {
  if (head.length === 0) return true
  return bytes.length > head.length && head.compare(bytes, 0, head.length) === 0
}
