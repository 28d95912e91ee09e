/**
 * What stands for a value that was not sent (`unavailable.value.placeholder`): PostgreSQL's TOAST, Oracle's
 * LOBs, MySQL's BLOBs with a partial row image. It takes the form of the column's own type, so that no
 * schema is needed to say it; see `UnchangedToastedPlaceholder` of Debezium's PostgreSQL connector.
 */
import { createHash } from 'node:crypto'
import { toBuffer } from '../../model/bytes.ts'

interface Forms {
  readonly bytes: Buffer
  readonly text: string
  /** As a value of a text or binary column, by each way to write bytes. */
  readonly texts: ReadonlySet<string>
  /** As the only element of an array of UUIDs. */
  readonly uuid: string
}

const known = new Map<string, Forms>()

/** Whether the value stands for one that was not sent. Only an update can leave a value out. */
export function isUnsent(value: unknown, placeholder: string): boolean {
  // Nearly every value is told apart here.
  if (value === null || typeof value === 'number' || typeof value === 'bigint') return false
  const forms = formsOf(placeholder)
  if (typeof value === 'string') return forms.texts.has(value)
  if (value instanceof Uint8Array) return forms.bytes.equals(value)
  if (Array.isArray(value)) return isUnsentArray(value, forms)
  return typeof value === 'object' && isUnsentStruct(value as Struct, forms)
}

/** How long it is, in bytes, as text that has no escapes: other texts are sent. */
export function unsentLengths(placeholder: string): readonly number[] {
  return [...new Set([...formsOf(placeholder).texts].map(text => Buffer.byteLength(text)))]
}

/** An array has it as its one text, or one element for each of its bytes. */
function isUnsentArray(values: readonly unknown[], { bytes, texts, uuid }: Forms): boolean {
  const [first] = values
  if (values.length === 1) {
    if (typeof first === 'string' && (texts.has(first) || first === uuid)) return true
    if (first instanceof Uint8Array && bytes.equals(first)) return true
  }
  return (
    values.length === bytes.length &&
    values.length > 0 &&
    values.every((value, index) => isByte(value, toBuffer(bytes).readInt8(index)))
  )
}

/** A byte as an element: a number, whether it is not 0, or a decimal in either form. */
function isByte(value: unknown, byte: number): boolean {
  if (typeof value === 'number') return value === byte
  if (typeof value === 'boolean') return value === (byte !== 0)
  if (typeof value === 'string') return value === Buffer.from([byte]).toString('base64')
  if (value instanceof Uint8Array) return value.length === 1 && value[0] === (byte & 0xff)
  const { scale, value: unscaled } = (value ?? {}) as Struct
  return scale === 0 && isByte(unscaled, byte)
}

type Struct = Readonly<Record<string, unknown>>

/** Points of no map, by which Debezium says that a geometry was not sent. */
const nowhere = [
  '0101000020E6100000000000FC83D797C1000000FC83D797C1',
  '0101000020E61000000C21E7FDFF7F66401842CEFBFF7F5640',
].map(hex => Buffer.from(hex, 'hex').toString('base64'))

/** A map with it as its key and its value, or a place that is nowhere. */
function isUnsentStruct(value: Struct, { text }: Forms): boolean {
  const { wkb, x, y } = value
  if (wkb !== undefined) {
    const place = wkb instanceof Uint8Array ? toBuffer(wkb).toString('base64') : wkb
    return nowhere.includes(place as string) || (x === -99_999_999 && y === -99_999_999)
  }
  return value[text] === text && Object.keys(value).length === 1
}

function formsOf(placeholder: string): Forms {
  const found = known.get(placeholder)
  if (found !== undefined) return found
  const isHex = placeholder.startsWith('hex:')
  const bytes = isHex ? Buffer.from(placeholder.slice(4), 'hex') : Buffer.from(placeholder)
  const text = bytes.toString('utf8')
  const base64 = bytes.toString('base64')
  const urlSafe = base64.replaceAll('+', '-').replaceAll('/', '_')
  const map = `{${JSON.stringify(text)}:${JSON.stringify(text)}}`
  const texts = new Set([
    text,
    base64,
    urlSafe,
    bytes.toString('base64url'),
    bytes.toString('hex'),
    map,
  ])
  const forms = { bytes, text, texts, uuid: nameUuid(bytes) }
  if (known.size >= 100) known.clear()
  known.set(placeholder, forms)
  return forms
}

/** RFC 4122, version 3, as Java's `UUID.nameUUIDFromBytes` makes it. */
function nameUuid(bytes: Buffer): string {
  const hash = createHash('md5').update(bytes).digest()
  hash[6] = (hash[6]! & 0x0f) | 0x30
  hash[8] = (hash[8]! & 0x3f) | 0x80
  return hash.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
