/**
 * The end of an ORC file: metadata (the statistics of each stripe), footer and postscript.
 *
 *     "ORC" | stripe … | metadata | footer | postscript | length of the postscript (1 byte)
 *
 * The messages only: framing and compression belong to `writer.ts` and `reader.ts`.
 *
 * Source: ORC v1, "File Tail"; `orc_proto.proto`.
 */
import {
  compressionNames,
  defaultBlockBytes,
  maxBlockBytes,
  type OrcCompression,
} from './compression.ts'
import { corrupt, OrcError } from './errors.ts'
import { MessageReader, MessageWriter } from './protobuf.ts'
import { decodeSchema, encodeSchema } from './schema-message.ts'
import type { ColumnStatistics } from './statistics.ts'
import { decodeStatistics, encodeStatistics } from './statistics-message.ts'
import type { OrcColumn, OrcType } from './types.ts'

export const magic = 'ORC'

/** What a file says of the calendar of its dates and timestamps; absent means the hybrid one. */
export type OrcCalendar = 'unknown' | 'julian-gregorian' | 'proleptic-gregorian'

const calendars: readonly OrcCalendar[] = ['unknown', 'julian-gregorian', 'proleptic-gregorian']

/**
 * Who writes: an id that no one has registered, and version 6, the least that such a writer may
 * state. Readers then rely on all the fixes that ORC's own writer made over time.
 */
export const ownWriterId = 101
export const ownWriterVersion = 6

export interface Postscript {
  readonly footerBytes: number
  readonly metadataBytes: number
  readonly compression: OrcCompression
  readonly blockBytes: number
  readonly version: readonly [major: number, minor: number]
  readonly writerVersion: number
}

export interface StripeInformation {
  readonly offset: number
  readonly indexBytes: number
  readonly dataBytes: number
  readonly footerBytes: number
  readonly rowCount: number
}

export interface Footer {
  /** Header and stripes: the offset at which the metadata starts. */
  readonly contentBytes: number
  readonly stripes: readonly StripeInformation[]
  readonly schema: OrcType
  readonly userMetadata: ReadonlyMap<string, Uint8Array>
  readonly rowCount: number
  /** By column id; empty when the file has none. */
  readonly statistics: readonly ColumnStatistics[]
  readonly rowIndexStride: number
  readonly writerId: number
  readonly calendar: OrcCalendar
  readonly softwareVersion: string
}

/** Field 8000, the magic, must be the last bytes of the postscript: readers look for it there. */
export function encodePostscript(postscript: Postscript): Uint8Array {
  const message = new MessageWriter()
    .unsigned(1, postscript.footerBytes)
    .unsigned(2, compressionNames.indexOf(postscript.compression))
  if (postscript.compression !== 'none') message.unsigned(3, postscript.blockBytes)
  return message
    .packed(4, postscript.version)
    .unsigned(5, postscript.metadataBytes)
    .unsigned(6, postscript.writerVersion)
    .text(8000, magic)
    .bytes()
}

/** Throws `file-not-orc`, `file-corrupt`, or `feature-unsupported` for a version of the future. */
export function decodePostscript(bytes: Uint8Array): Postscript {
  const where = 'postscript'
  const version: number[] = []
  let footerBytes = 0
  let metadataBytes = 0
  let compressionNumber = 0
  let blockBytes = defaultBlockBytes
  let writerVersion = 0
  let ownMagic = ''
  const message = new MessageReader(bytes, where)
  while (message.next()) {
    if (message.field === 1) footerBytes = message.unsigned()
    else if (message.field === 2) compressionNumber = message.unsigned()
    else if (message.field === 3) blockBytes = message.unsigned()
    else if (message.field === 4) message.unsignedInto(version)
    else if (message.field === 5) metadataBytes = message.unsigned()
    else if (message.field === 6) writerVersion = message.unsigned()
    else if (message.field === 8000) ownMagic = message.text()
  }
  if (ownMagic !== magic) throw new OrcError('file-not-orc', 'the postscript has no magic', where)
  const compression = compressionNames[compressionNumber]
  if (compression === undefined) throw corrupt(`unknown compression ${compressionNumber}`, where)
  if (blockBytes < 1 || blockBytes > maxBlockBytes) {
    throw corrupt(`the compression block size ${blockBytes} is out of range`, where)
  }
  const [major = 0, minor = 11] = version
  if (major !== 0 || (minor !== 11 && minor !== 12)) {
    throw new OrcError('feature-unsupported', `file version ${major}.${minor}`, where)
  }
  return {
    footerBytes,
    metadataBytes,
    compression,
    blockBytes,
    version: [major, minor],
    writerVersion,
  }
}

export function encodeFooter(footer: Footer, root: OrcColumn): Uint8Array {
  const message = new MessageWriter().unsigned(1, magic.length).unsigned(2, footer.contentBytes)
  for (const stripe of footer.stripes) {
    const inner = new MessageWriter()
      .unsigned(1, stripe.offset)
      .unsigned(2, stripe.indexBytes)
      .unsigned(3, stripe.dataBytes)
      .unsigned(4, stripe.footerBytes)
      .unsigned(5, stripe.rowCount)
    message.message(3, inner)
  }
  for (const type of encodeSchema(root)) message.message(4, type)
  for (const [name, value] of footer.userMetadata) {
    message.message(5, new MessageWriter().text(1, name).data(2, value))
  }
  message.unsigned(6, footer.rowCount)
  for (const statistics of footer.statistics) message.message(7, encodeStatistics(statistics))
  return message
    .unsigned(8, footer.rowIndexStride)
    .unsigned(9, footer.writerId)
    .unsigned(11, calendars.indexOf(footer.calendar))
    .text(12, footer.softwareVersion)
    .bytes()
}

export function decodeFooter(bytes: Uint8Array): Footer {
  const where = 'file footer'
  const message = new MessageReader(bytes, where)
  const stripes: StripeInformation[] = []
  const types: MessageReader[] = []
  const userMetadata = new Map<string, Uint8Array>()
  const statistics: ColumnStatistics[] = []
  const numbers: Record<number, number> = {}
  let softwareVersion = ''
  while (message.next()) {
    switch (message.field) {
      case 3:
        stripes.push(decodeStripe(message.message()))
        break
      case 4:
        types.push(message.message())
        break
      case 5:
        userMetadata.set(...decodeUserMetadata(message.message()))
        break
      case 7:
        statistics.push(decodeStatistics(message.message()))
        break
      case 10:
        throw new OrcError('feature-unsupported', 'the file is encrypted', where)
      case 12:
        softwareVersion = message.text()
        break
      case 2:
      case 6:
      case 8:
      case 9:
      case 11:
        numbers[message.field] = message.unsigned()
        break
    }
  }
  return {
    contentBytes: numbers[2] ?? 0,
    stripes,
    schema: decodeSchema(types, where),
    userMetadata,
    rowCount: numbers[6] ?? 0,
    statistics,
    rowIndexStride: numbers[8] ?? 0,
    writerId: numbers[9] ?? 0,
    calendar: calendars[numbers[11] ?? 0] ?? 'unknown',
    softwareVersion,
  }
}

function decodeStripe(message: MessageReader): StripeInformation {
  const numbers: Record<number, number> = {}
  while (message.next()) if (message.field <= 5) numbers[message.field] = message.unsigned()
  return {
    offset: numbers[1] ?? 0,
    indexBytes: numbers[2] ?? 0,
    dataBytes: numbers[3] ?? 0,
    footerBytes: numbers[4] ?? 0,
    rowCount: numbers[5] ?? 0,
  }
}

function decodeUserMetadata(message: MessageReader): [string, Uint8Array] {
  let name = ''
  let value: Uint8Array = new Uint8Array(0)
  while (message.next()) {
    if (message.field === 1) name = message.text()
    else if (message.field === 2) value = new Uint8Array(message.data())
  }
  return [name, value]
}

/** One entry for each stripe, each with one for each column id. */
export function encodeMetadata(stripes: readonly (readonly ColumnStatistics[])[]): Uint8Array {
  const message = new MessageWriter()
  for (const columns of stripes) {
    const inner = new MessageWriter()
    for (const statistics of columns) inner.message(1, encodeStatistics(statistics))
    message.message(1, inner)
  }
  return message.bytes()
}

/**
 * The part of each stripe, still encoded: a file may have more statistics than memory is meant for.
 */
export function decodeMetadata(bytes: Uint8Array): Uint8Array[] {
  const message = new MessageReader(bytes, 'file metadata')
  const stripes: Uint8Array[] = []
  while (message.next()) if (message.field === 1) stripes.push(message.data())
  return stripes
}

/** The part of one stripe, by column id. */
export function decodeStripeStatistics(bytes: Uint8Array): ColumnStatistics[] {
  const message = new MessageReader(bytes, 'file metadata')
  const columns: ColumnStatistics[] = []
  while (message.next()) if (message.field === 1) columns.push(decodeStatistics(message.message()))
  return columns
}
