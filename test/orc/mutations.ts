/**
 * Damage to files: to any bytes, and to ORC files below their lengths and their compression, which
 * damage to the bytes on disk hardly reaches.
 */
import { ByteInput } from '../../orc/byte-input.ts'
import { type Chunking, createCodec } from '../../orc/compression.ts'
import { decodePostscript } from '../../orc/file-tail.ts'
import { frameSection } from '../../orc/stream-output.ts'
import { encodeFields, type Field, parseFields, withNumbers } from './message-fields.ts'
import type { Random } from './samples.ts'

/** Half of the damage is in these last bytes, where the footers are; the data is much longer. */
const tailBytes = 3000

/** A file with one mutation on disk. */
export function mutateFile(file: Uint8Array, random: Random): Uint8Array {
  if (random.below(2) === 0) return mutateBytes(file, random)
  const tail = random.below(Math.min(file.length, tailBytes)) + 1
  const kept = file.subarray(0, file.length - tail)
  return Buffer.concat([kept, mutateBytes(file.subarray(file.length - tail), random)])
}

const loudBytes = [0, 1, 2, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xfe, 0xff]

/** Varints of 2^31, 2^49 − 1, 2^63 − 1 and 2^64 − 1, and one without an end. */
const loudVarints = [
  '8080808008',
  'ffffffffffff7f',
  'ffffffffffffffff7f',
  'ffffffffffffffffff01',
  'ff'.repeat(20),
].map(hex => Buffer.from(hex, 'hex'))

export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = Buffer.from(bytes)
  const at = random.below(copy.length + 1)
  const replace = (count: number, by: Uint8Array): Uint8Array =>
    Buffer.concat([copy.subarray(0, at), by, copy.subarray(at + count)])
  switch (copy.length === 0 ? 5 : random.below(8)) {
    case 0:
      return copy.subarray(0, at)
    case 1:
      return replace(1 + random.below(random.below(4) === 0 ? copy.length : 5), Buffer.alloc(0))
    case 2: {
      // A piece of the same bytes, inserted or in the place of others.
      const from = random.below(copy.length)
      const piece = copy.subarray(from, from + 1 + random.below(random.pick([4, 40, 400])))
      return replace(random.pick([0, piece.length]), piece)
    }
    case 3:
      for (let k = random.below(3); k >= 0; k--) {
        copy[random.below(copy.length)]! ^= 1 << random.below(8)
      }
      return copy
    case 4:
      // Lengths and counts that are only a little wrong.
      copy[random.below(copy.length)]! += random.pick([-2, -1, 1, 2])
      return copy
    case 5:
      return replace(random.below(3), random.pick(loudVarints))
    case 6:
      return replace(0, Buffer.from(Array.from({ length: 5 }, () => random.below(256))))
    default:
      for (let k = random.below(4); k >= 0; k--) {
        copy[random.below(copy.length)] = random.pick([...loudBytes, random.below(256)])
      }
      return copy
  }
}

const loudNumbers = [
  ...[0, 1, 2, 127, 128, 255, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1].map(BigInt),
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
]

/** A message of Protocol Buffers that still is one, mostly. */
export function mutateMessage(bytes: Uint8Array, random: Random): Uint8Array {
  const fields = parseFields(bytes)
  if (fields === null || fields.length === 0) return mutateBytes(bytes, random)
  const at = random.below(fields.length)
  const field = fields[at]!
  switch (random.below(8)) {
    case 0:
      fields.splice(at, 1)
      break
    case 1:
      fields.splice(at, 0, field)
      break
    case 2:
      fields[at] = fields[random.below(fields.length)]!
      break
    case 3:
      fields[at] = { ...field, number: field.number + random.pick([-1, 1]) }
      break
    default:
      fields[at] = mutateValue(field, random)
  }
  return encodeFields(fields)
}

function mutateValue(field: Field, random: Random): Field {
  const { value } = field
  if (typeof value !== 'bigint') return { ...field, value: mutateMessage(value, random) }
  const near = [value + 1n, value + 2n, value * 2n, value > 0n ? value - 1n : 3n]
  const number = random.pick([...near, ...loudNumbers, random.bits(64) >> BigInt(random.below(64))])
  return { ...field, value: BigInt.asUintN(64, number) }
}

interface TakenApart {
  readonly chunking: Chunking
  readonly postscript: readonly Field[]
  readonly footer: readonly Field[]
  readonly metadata: Uint8Array
  readonly stripes: readonly TakenApartStripe[]
}

interface TakenApartStripe {
  readonly information: readonly Field[]
  readonly footer: readonly Field[]
  readonly streams: readonly Stream[]
}

interface Stream {
  readonly fields: readonly Field[]
  readonly isIndex: boolean
  readonly isMessage: boolean
  readonly bytes: Uint8Array
  readonly framed: Uint8Array
}

/** An intact file, taken apart once for any number of mutations. */
export class Dissection {
  readonly #file: TakenApart
  readonly #sectionCount: number

  constructor(file: Uint8Array) {
    this.#file = takeApart(file)
    const streamCount = this.#file.stripes.reduce((sum, { streams }) => sum + streams.length, 0)
    this.#sectionCount = streamCount + this.#file.stripes.length + 3
  }

  /** The file as it was. */
  rebuild(): Uint8Array {
    return putTogether(this.#file, -1, bytes => bytes)
  }

  /** The file with one mutation in one stream, index or footer; all the rest agrees with it. */
  mutate(random: Random): Uint8Array {
    const target = random.below(this.#sectionCount)
    return putTogether(this.#file, target, (bytes, isMessage) =>
      isMessage && random.below(3) > 0 ? mutateMessage(bytes, random) : mutateBytes(bytes, random),
    )
  }
}

function takeApart(file: Uint8Array): TakenApart {
  const postscriptBytes = file.at(-1)!
  const end = file.length - 1 - postscriptBytes
  const postscript = file.subarray(end, -1)
  const { footerBytes, metadataBytes, compression, blockBytes } = decodePostscript(postscript)
  const chunking = { codec: createCodec(compression), blockBytes }
  const unframe = (from: number, length: number): Uint8Array =>
    new ByteInput(file.subarray(from, from + length), chunking, 'test').readAll(2 ** 24)
  const footer = fieldsOf(unframe(end - footerBytes, footerBytes))
  const stripes = messages(footer, 3).map(information => {
    let offset = numberOf(information, 1)
    const footerAt = offset + numberOf(information, 2) + numberOf(information, 3)
    const stripeFooter = fieldsOf(unframe(footerAt, numberOf(information, 4)))
    const streams = messages(stripeFooter, 1).map(fields => {
      const kind = numberOf(fields, 1)
      const sizeBytes = numberOf(fields, 3)
      const bytes = unframe(offset, sizeBytes)
      const framed = file.subarray(offset, offset + sizeBytes)
      offset += sizeBytes
      // ROW_INDEX, BLOOM_FILTER and BLOOM_FILTER_UTF8.
      const isIndex = kind >= 6 && kind <= 8
      return { fields, isIndex, isMessage: isIndex, bytes, framed }
    })
    return { information, footer: stripeFooter, streams }
  })
  const metadata = unframe(end - footerBytes - metadataBytes, metadataBytes)
  return { chunking, postscript: fieldsOf(postscript), footer, metadata, stripes }
}

/** The `target`th section is changed before it is compressed and its length is stated. */
function putTogether(
  file: TakenApart,
  target: number,
  change: (bytes: Uint8Array, isMessage: boolean) => Uint8Array,
): Uint8Array {
  let section = 0
  const changed = (bytes: Uint8Array, isMessage: boolean): Uint8Array =>
    section++ === target ? change(bytes, isMessage) : bytes
  const pieces: Uint8Array[] = [Buffer.from('ORC')]
  let sizeBytes = 3
  const push = (piece: Uint8Array): number => {
    pieces.push(piece)
    sizeBytes += piece.length
    return piece.length
  }
  const stripes = file.stripes.map(stripe => {
    const numbers = { 1: sizeBytes, 2: 0, 3: 0, 4: 0 }
    const streams = stripe.streams.map(stream => {
      const bytes = changed(stream.bytes, stream.isMessage)
      const length = push(
        bytes === stream.bytes ? stream.framed : frameSection(bytes, file.chunking),
      )
      numbers[stream.isIndex ? 2 : 3] += length
      return withNumbers(stream.fields, { 3: length })
    })
    const footer = encodeFields(withMessages(stripe.footer, 1, streams))
    numbers[4] = push(frameSection(changed(footer, true), file.chunking))
    return withNumbers(stripe.information, numbers)
  })
  const metadataBytes = push(frameSection(changed(file.metadata, true), file.chunking))
  const footer = encodeFields(withMessages(file.footer, 3, stripes))
  const footerBytes = push(frameSection(changed(footer, true), file.chunking))
  const lengths = { 1: footerBytes, 5: metadataBytes }
  const postscript = changed(encodeFields(withNumbers(file.postscript, lengths)), true)
  return Buffer.concat([...pieces, postscript, Uint8Array.of(postscript.length)])
}

function fieldsOf(bytes: Uint8Array): Field[] {
  const fields = parseFields(bytes)
  if (fields === null) throw new Error('an intact file has a message that cannot be parsed')
  return fields
}

function messages(fields: readonly Field[], number: number): Field[][] {
  return fields
    .filter(field => field.number === number)
    .map(field => fieldsOf(field.value as Uint8Array))
}

function withMessages(
  fields: readonly Field[],
  number: number,
  inner: readonly (readonly Field[])[],
): Field[] {
  const others = fields.filter(field => field.number !== number)
  return [...inner.map(message => ({ number, wire: 2, value: encodeFields(message) })), ...others]
}

/** What is absent is zero. */
function numberOf(fields: readonly Field[], number: number): number {
  const field = fields.find(one => one.number === number)
  return Number(field?.value ?? 0)
}
