/**
 * Files put together from parts, for what the writer never makes: old, foreign and hostile files.
 */
import { encodeFooter, encodePostscript, type Footer } from '../../orc/file-tail.ts'
import type { OrcType } from '../../orc/index.ts'
import {
  type EncodingKind,
  encodeStripeFooter,
  type StreamKind,
} from '../../orc/stripe-messages.ts'
import { numberColumns } from '../../orc/types.ts'

export interface HandMadeStripe {
  readonly rowCount: number
  /** Column id, kind, and the bytes in hexadecimal. */
  readonly streams: readonly (readonly [columnId: number, kind: StreamKind, hex: string])[]
  /** By column id. */
  readonly encodings: readonly (
    | EncodingKind
    | readonly ['DICTIONARY' | 'DICTIONARY_V2', size: number]
  )[]
  readonly writerTimezone?: string
  /** The size that the stripe footer states for each stream; default the true one. */
  readonly statedBytes?: number
}

/** A file without compression, indexes and statistics. */
export function handMadeFile(
  schema: OrcType,
  stripes: readonly HandMadeStripe[],
  footerChanges: Partial<Footer> = {},
  version: readonly [number, number] = [0, 12],
): Uint8Array {
  const parts: Uint8Array[] = [Buffer.from('ORC')]
  let offset = 3
  const stripeInformation = stripes.map(stripe => {
    const data = Buffer.concat(stripe.streams.map(([, , hex]) => toBytes(hex)))
    const footer = encodeStripeFooter({
      streams: stripe.streams.map(([columnId, kind, hex]) => ({
        columnId,
        kind,
        sizeBytes: stripe.statedBytes ?? toBytes(hex).length,
      })),
      encodings: stripe.encodings.map(encoding =>
        typeof encoding === 'string'
          ? { kind: encoding, dictionarySize: 0 }
          : { kind: encoding[0], dictionarySize: encoding[1] },
      ),
      writerTimezone: stripe.writerTimezone ?? 'UTC',
    })
    parts.push(data, footer)
    const information = {
      offset,
      indexBytes: 0,
      dataBytes: data.length,
      footerBytes: footer.length,
      rowCount: stripe.rowCount,
    }
    offset += data.length + footer.length
    return information
  })
  const footer = encodeFooter(
    {
      contentBytes: offset,
      stripes: stripeInformation,
      schema,
      userMetadata: new Map(),
      rowCount: stripes.reduce((sum, stripe) => sum + stripe.rowCount, 0),
      statistics: [],
      rowIndexStride: 0,
      writerId: 0,
      calendar: 'proleptic-gregorian',
      softwareVersion: '',
      ...footerChanges,
    },
    numberColumns(schema),
  )
  const postscript = encodePostscript({
    footerBytes: footer.length,
    metadataBytes: 0,
    compression: 'none',
    blockBytes: 0,
    version,
    writerVersion: 6,
  })
  return Buffer.concat([...parts, footer, postscript, Uint8Array.of(postscript.length)])
}

function toBytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex')
}
