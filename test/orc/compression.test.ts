import { randomFillSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ByteInput } from '../../orc/byte-input.ts'
import { createCodec } from '../../orc/compression.ts'
import { OrcError } from '../../orc/errors.ts'
import { frameSection, StreamOutput } from '../../orc/stream-output.ts'

function unframe(bytes: Uint8Array, codec = createCodec('zlib'), blockBytes = 262_144): Buffer {
  return Buffer.from(new ByteInput(bytes, { codec, blockBytes }, 'test').readAll(2 ** 24))
}

describe.each(['none', 'zlib', 'zstd'] as const)('%s', name => {
  const codec = createCodec(name)
  const text = Buffer.from('forager '.repeat(5000))

  it('gives back what it was given, whatever the block size', () => {
    for (const blockBytes of [1, 7, 4096, 39_999, 40_000, 40_001, 2 ** 23 - 1]) {
      if (blockBytes === 1 && name !== 'none') continue
      const framed = frameSection(text, { codec, blockBytes })
      expect(unframe(framed, codec, blockBytes).equals(text)).toBe(true)
    }
  })

  it('states positions from which the rest is read', () => {
    const blockBytes = 1000
    const output = new StreamOutput({ codec, blockBytes })
    const positions: number[][] = []
    for (let at = 0; at < text.length; at += 700) {
      positions.push(output.position())
      output.append(text.subarray(at, at + 700))
    }
    const stream = Buffer.concat(output.finish())
    positions.forEach(([chunk, within = 0], index) => {
      const rest = unframe(stream.subarray(chunk), codec, blockBytes).subarray(within)
      expect(rest.equals(text.subarray(index * 700))).toBe(true)
    })
  })
})

describe('chunks', () => {
  it('that compression would not make smaller are stored as they are', () => {
    const noise = randomFillSync(Buffer.alloc(5))
    const framed = frameSection(noise, { codec: createCodec('zlib'), blockBytes: 100 })
    expect(Buffer.from(framed).equals(Buffer.concat([Buffer.of(0x0b, 0, 0), noise]))).toBe(true)
  })

  it('of few bytes are stored as they are, and codecs are not asked', () => {
    const chunking = { codec: createCodec('zlib'), blockBytes: 100 }
    const isOriginal = (bytes: number): boolean =>
      (frameSection(Buffer.alloc(bytes, 'a'), chunking)[0]! & 1) === 1
    expect([63, 64].map(isOriginal)).toEqual([true, false])
  })

  it('have their length, doubled, in three bytes, the lowest first', () => {
    const framed = frameSection(Buffer.alloc(2 ** 20, 'ab'), {
      codec: createCodec('zlib'),
      blockBytes: 2 ** 20,
    })
    expect((framed[0]! | (framed[1]! << 8) | (framed[2]! << 16)) >>> 1).toBe(framed.length - 3)
    expect(framed[0]! & 1).toBe(0)
  })

  it.each([
    ['a header that is cut off', [0x0b, 0]],
    ['a chunk that is cut off', [0x0b, 0, 0, 1, 2]],
    ['a chunk that does not decompress', [0x04, 0, 0, 0xff, 0xff]],
    ['a chunk larger than the block size', [201, 0, 0, ...Array<number>(100).fill(0)]],
  ])('%s gives an OrcError', (_, bytes) => {
    expect(() => unframe(Uint8Array.from(bytes), createCodec('zlib'), 99)).toThrow(OrcError)
  })

  it('that decompress to more than the block size give an OrcError, not memory', () => {
    const bomb = frameSection(Buffer.alloc(2 ** 22), {
      codec: createCodec('zlib'),
      blockBytes: 2 ** 22,
    })
    expect(() => unframe(bomb, createCodec('zlib'), 2 ** 16)).toThrow(/cannot be decompressed/)
    const frame = frameSection(Buffer.alloc(2 ** 22), {
      codec: createCodec('zstd'),
      blockBytes: 2 ** 22,
    })
    expect(() => unframe(frame, createCodec('zstd'), 2 ** 16)).toThrow(/cannot be decompressed/)
  })
})

describe('codecs', () => {
  it('that are not built in are refused by name', () => {
    for (const name of ['lzo'] as const) {
      expect(() => createCodec(name)).toThrow(
        expect.objectContaining({ code: 'feature-unsupported' }),
      )
    }
  })

  it('refuse levels that they do not have', () => {
    expect(() => createCodec('zlib', 10)).toThrow(
      expect.objectContaining({ code: 'option-invalid' }),
    )
    expect(() => createCodec('zstd', 1.5)).toThrow(
      expect.objectContaining({ code: 'option-invalid' }),
    )
  })
})
