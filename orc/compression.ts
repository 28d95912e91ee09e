/**
 * The codecs of ORC, one chunk at a time. The framing of chunks (their 3-byte headers) belongs to
 * `stream-output.ts` and `byte-input.ts`.
 *
 * Source: ORC v1, "Compression". Zlib means raw deflate, without the zlib header.
 */
import { createRequire } from 'node:module'
import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  deflateRawSync,
  inflateRawSync,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib'
import { OrcError } from './errors.ts'

/** Packages with compiled code are loaded when a file asks for them, and not before. */
const require = createRequire(import.meta.url)

interface Snappy {
  compressSync(chunk: Uint8Array, options: SnappyOptions): Uint8Array
  uncompressSync(chunk: Uint8Array, options: SnappyOptions & { asBuffer: true }): Uint8Array
}

/** Memory of the package's own instead would be mapped anew for every chunk: five times the time. */
interface SnappyOptions {
  readonly copyOutputData: true
}

interface Lz4 {
  compressSync(chunk: Uint8Array): Uint8Array
  uncompressSync(chunk: Uint8Array): Uint8Array
}

/** Indexed by the number of the codec in the file's postscript. */
export const compressionNames = ['none', 'zlib', 'snappy', 'lzo', 'lz4', 'zstd', 'brotli'] as const

export type OrcCompression = (typeof compressionNames)[number]

export interface Codec {
  compress(chunk: Uint8Array): Uint8Array
  /** Throws when the chunk is damaged or larger than `maxBytes`. */
  decompress(chunk: Uint8Array, maxBytes: number): Uint8Array
}

/** How the bytes of a file are cut into chunks. */
export interface Chunking {
  /** Null where there is no compression, and no chunks. */
  readonly codec: Codec | null
  /** The most bytes of a chunk, before compression. */
  readonly blockBytes: number
}

/** A chunk header has 23 bits for the length of the chunk. */
export const maxBlockBytes = 2 ** 23 - 1

export const defaultBlockBytes = 256 * 1024

/** Compressed; what becomes of it has room in eight times as much, as a rule. */
const fewBytes = 2048

interface CodecFactory {
  readonly levels: readonly [least: number, standard: number, most: number]
  create(level: number): Codec
}

const factories: Partial<Record<OrcCompression, CodecFactory>> = {
  zlib: {
    // Java's writer, too, prefers speed by default; from level 3 on the time doubles for 2 % less.
    levels: [0, 2, 9],
    create: level => ({
      compress: chunk => deflateRawSync(chunk, { level, chunkSize: outputBytes(chunk.length) }),
      decompress: (chunk, maxBytes) =>
        inflateRawSync(chunk, { maxOutputLength: maxBytes, chunkSize: roomFor(chunk, maxBytes) }),
    }),
  },
  zstd: {
    levels: [1, 3, 22],
    create: level => ({
      compress: chunk =>
        zstdCompressSync(chunk, {
          params: { [constants.ZSTD_c_compressionLevel]: level },
          chunkSize: outputBytes(chunk.length),
          // The frame then tells its size, which some decompressors want.
          pledgedSrcSize: chunk.length,
        }),
      decompress: (chunk, maxBytes) =>
        zstdDecompressSync(chunk, {
          maxOutputLength: maxBytes,
          chunkSize: roomFor(chunk, maxBytes),
        }),
    }),
  },
  snappy: {
    levels: [0, 0, 0],
    create: () => {
      const snappy = require('snappy') as Snappy
      return {
        compress: chunk => snappy.compressSync(chunk, { copyOutputData: true }),
        decompress: (chunk, maxBytes) => {
          // The length stands at the front, and would be taken at its word.
          if (snappyLength(chunk) > maxBytes) throw new RangeError('longer than a block')
          return snappy.uncompressSync(chunk, { asBuffer: true, copyOutputData: true })
        },
      }
    },
  },
  lz4: {
    levels: [0, 0, 0],
    create: () => {
      const lz4 = require('lz4-napi') as Lz4
      let sized = Buffer.allocUnsafe(0)
      return {
        // The package puts the length before its blocks, in four bytes; the format has blocks alone.
        compress: chunk => lz4.compressSync(chunk).subarray(4),
        decompress: (chunk, maxBytes) => {
          if (sized.length < chunk.length + 4) sized = Buffer.allocUnsafe(2 * chunk.length + 4)
          sized.writeUInt32LE(maxBytes)
          sized.set(chunk, 4)
          return lz4.uncompressSync(sized.subarray(0, chunk.length + 4))
        },
      }
    },
  },
  brotli: {
    levels: [0, 5, 11],
    create: level => ({
      compress: chunk =>
        brotliCompressSync(chunk, {
          params: { [constants.BROTLI_PARAM_QUALITY]: level },
          chunkSize: outputBytes(chunk.length),
        }),
      decompress: (chunk, maxBytes) =>
        brotliDecompressSync(chunk, {
          maxOutputLength: maxBytes,
          chunkSize: roomFor(chunk, maxBytes),
        }),
    }),
  },
}

/** How long a block of snappy says that it is. */
function snappyLength(chunk: Uint8Array): number {
  let length = 0
  for (let at = 0; at < 5; at++) {
    const byte = chunk[at] ?? 0
    length += (byte & 0x7f) * 128 ** at
    if (byte < 0x80) break
  }
  return length
}

/**
 * The codec of a name, null for `none`.
 *
 * Throws `feature-unsupported` for a codec that is not built in, `option-invalid` for a level.
 */
export function createCodec(name: OrcCompression, level?: number): Codec | null {
  if (name === 'none') return null
  const factory = factories[name]
  if (factory === undefined) {
    throw new OrcError('feature-unsupported', `the compression ${name} is not supported`)
  }
  const [least, standard, most] = factory.levels
  const chosen = level ?? standard
  if (level !== undefined && most === 0) {
    throw new OrcError('option-invalid', `${name} has no levels`)
  }
  if (!Number.isInteger(chosen) || chosen < least || chosen > most) {
    throw new OrcError(
      'option-invalid',
      `the level of ${name} is ${least} to ${most}, not ${level}`,
    )
  }
  return factory.create(chosen)
}

/**
 * A buffer that becomes full makes Node get another one: a byte more than there can be saves that. Few bytes seldom
 * become many: a footer is not worth the memory of a block.
 */
function roomFor(chunk: Uint8Array, maxBytes: number): number {
  return outputBytes(Math.min(maxBytes, chunk.length < fewBytes ? 8 * fewBytes : maxBytes)) + 1
}

/** One output buffer that fits saves zlib from joining many; it is never larger than a block. */
function outputBytes(expected: number): number {
  return Math.min(Math.max(expected, 1024), defaultBlockBytes)
}
