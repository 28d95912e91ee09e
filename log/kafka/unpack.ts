/**
 * Packed record batches. A broker limits what a batch takes packed (`message.max.bytes`), not what comes out
 * of it: a megabyte may hold many gigabytes of zeros. How much it will be is known, or limited, before it
 * takes memory.
 *
 *     gzip, zstd   the codec stops at the limit
 *     snappy       each block begins with its size; blocks may stand in xerial's frame
 *     lz4          a frame tells how large a block of it may be
 */
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { decompress } from './protocol.ts'

/** Of one batch when it is unpacked: its records are held in memory together. */
export const maxUnpackedBytes = 256 * 1024 * 1024

const gzip = 1
const snappy = 2
const lz4 = 3
const zstd = 4

/** Throws RangeError for what would be larger than `maxBytes`, Error for what cannot be unpacked. */
export function unpack(codec: number, bytes: Buffer, maxBytes = maxUnpackedBytes): Buffer {
  if (codec === gzip) return limited(gunzipSync, bytes, maxBytes)
  if (codec === zstd) return limited(zstdDecompressSync, bytes, maxBytes)
  if (codec === snappy && snappyBytes(bytes) > maxBytes) throw tooLarge(maxBytes)
  if (codec === lz4 && lz4Bytes(bytes) > maxBytes) throw tooLarge(maxBytes)
  return decompress(codec, bytes)
}

function limited(
  codec: (bytes: Buffer, options: { maxOutputLength: number }) => Buffer,
  bytes: Buffer,
  maxBytes: number,
): Buffer {
  try {
    return codec(bytes, { maxOutputLength: maxBytes })
  } catch (error) {
    throw (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(maxBytes) : error
  }
}

const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
const xerialHeadBytes = 16

function snappyBytes(bytes: Buffer): number {
  if (!bytes.subarray(0, xerialMagic.length).equals(xerialMagic)) return blockBytes(bytes, 0)
  let size = 0
  for (let at = xerialHeadBytes; at + 4 <= bytes.length; at += 4 + bytes.readUInt32BE(at)) {
    size += blockBytes(bytes, at + 4)
  }
  return size
}

/** A varint of 32 bits. */
function blockBytes(bytes: Buffer, start: number): number {
  let size = 0
  for (let index = 0; index < 5; index += 1) {
    const byte = bytes[start + index] ?? 0
    size += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) break
  }
  return size
}

/** Where the descriptor of a frame is, behind its magic number. */
const descriptorAt = 4
const hasContentSize = 0b1000
const hasBlockChecksum = 0b1_0000
const hasDictionary = 0b1

/** At most: the last block is taken for a whole one. */
function lz4Bytes(bytes: Buffer): number {
  const [flags = 0, blockSize = 0] = bytes.subarray(descriptorAt)
  const maxBlockBytes = 2 ** (8 + 2 * ((blockSize >> 4) & 7))
  const head =
    7 + ((flags & hasContentSize) === 0 ? 0 : 8) + ((flags & hasDictionary) === 0 ? 0 : 4)
  const tail = (flags & hasBlockChecksum) === 0 ? 0 : 4
  let size = 0
  for (let at = head; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at) & 0x7fff_ffff
    if (length === 0) break
    // A byte stands for 255 at most.
    size += Math.min(maxBlockBytes, length * 255)
    at += 4 + length + tail
  }
  return size
}

function tooLarge(maxBytes: number): RangeError {
  return new RangeError(`it would unpack to more than ${maxBytes} bytes`)
}
