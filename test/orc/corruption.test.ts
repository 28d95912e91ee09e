import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createCodec } from '../../orc/compression.ts'
import { encodePostscript } from '../../orc/file-tail.ts'
import {
  BufferSource,
  describeOrcFile,
  OrcError,
  type OrcErrorCode,
  OrcReader,
  type OrcValue,
  parseOrcType,
} from '../../orc/index.ts'
import { frameSection } from '../../orc/stream-output.ts'
import { handMadeFile } from './hand-made-file.ts'
import {
  allTypes,
  nullPatterns,
  Random,
  readRows,
  sampleValues,
  structOf,
  styles,
  withNulls,
  writeFile,
} from './samples.ts'

/** Fails when it is asked for bytes that the file does not have: the reader must have checked. */
class StrictSource extends BufferSource {
  override read(offset: number, length: number): Promise<Uint8Array> {
    if (offset < 0 || length < 0 || offset + length > this.sizeBytes) {
      throw new RangeError(`${length} bytes at ${offset} of ${this.sizeBytes}`)
    }
    return super.read(offset, length)
  }
}

/** Reads everything that can be read; an OrcError is as good as rows. Returns which it was. */
async function outcome(file: Uint8Array): Promise<'rows' | OrcErrorCode> {
  try {
    const reader = await OrcReader.open(new StrictSource(file), { maxBatchBytes: 2 ** 22 })
    await describeOrcFile(reader)
    for (const index of reader.stripes.keys()) await reader.readRowIndexes(index)
    let rowCount = 0
    for await (const rows of reader.rows()) {
      rowCount += rows.length
      if (rowCount > 100_000) break
    }
    return 'rows'
  } catch (error) {
    if (error instanceof OrcError) return error.code
    throw error
  }
}

async function sampleFile(
  compression: 'none' | 'zlib' | 'zstd',
  seed: number,
): Promise<Uint8Array> {
  const random = new Random(seed)
  const types = structOf(allTypes)
  const columns = types.fields.map((field, k) =>
    withNulls(
      sampleValues(field.type, styles[(k + seed) % 3]!, 130, random),
      nullPatterns[k % 3]!,
      random,
    ),
  )
  const rows = Array.from({ length: 130 }, (_, row) => columns.map(values => values[row]!))
  return writeFile(
    types,
    rows,
    { compression, rowIndexStride: 50, compressionBlockBytes: 512 },
    [100],
  )
}

function mutate(file: Uint8Array, random: Random): Uint8Array {
  const bytes = Buffer.from(file)
  // Half of the damage is at the end, where the footers are, or it would be lost in the data.
  const place = (): number =>
    random.below(2) === 0
      ? random.below(bytes.length)
      : bytes.length - 1 - random.below(Math.min(bytes.length, 3000))
  switch (random.below(6)) {
    case 0:
      return bytes.subarray(0, random.below(bytes.length))
    case 1: {
      const at = place()
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(5))])
    }
    case 2: {
      const at = place()
      const noise = Buffer.from(
        Array.from({ length: 1 + random.below(5) }, () => random.below(256)),
      )
      return Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)])
    }
    case 3:
      bytes[place()]! ^= 1 << random.below(8)
      return bytes
    default: {
      for (let k = random.below(4); k >= 0; k--)
        bytes[place()] = random.pick([0, 1, 127, 128, 255, random.below(256)])
      return bytes
    }
  }
}

describe('a damaged file gives rows or an OrcError', () => {
  it.each(['none', 'zlib', 'zstd'] as const)('thousands of mutations, %s', async compression => {
    const seen = new Map<string, number>()
    for (let seed = 0; seed < 3; seed++) {
      const file = await sampleFile(compression, seed)
      const random = new Random(seed)
      for (let k = 0; k < 800; k++) {
        const code = await outcome(mutate(file, random))
        seen.set(code, (seen.get(code) ?? 0) + 1)
        // Node frees what failed decompressors hold only in a turn of its event loop.
        if (k % 50 === 0) await setImmediate()
      }
    }
    // The damage must reach the data as well as the footers, or this test would prove nothing.
    expect(seen.get('file-corrupt')).toBeGreaterThan(400)
    expect(seen.get('file-not-orc')).toBeGreaterThan(100)
    expect(seen.get('rows')).toBeGreaterThan(100)
  })

  it('every truncation', async () => {
    const file = await writeFile(structOf({ n: allTypes.long!, s: allTypes.string! }), [
      [1, 'a'],
      [2, 'b'],
    ])
    for (let length = 0; length < file.length; length++) {
      expect(await outcome(file.subarray(0, length))).not.toBe('rows')
    }
  })

  it('every byte changed, of a small file', async () => {
    const file = await writeFile(
      structOf({ n: allTypes.int!, t: allTypes.timestamp! }),
      [
        [1, 5],
        [2, null],
      ],
      { compression: 'none' },
    )
    for (let at = 0; at < file.length; at++) {
      for (const value of [0, 1, 0x7f, 0x80, 0xff, file[at]! ^ 1, file[at]! + 8]) {
        const bytes = Buffer.from(file)
        bytes[at] = value
        await outcome(bytes)
      }
    }
  })
})

describe('a file that lies', () => {
  const encodings = ['DIRECT', 'DIRECT_V2'] as const
  const huge = 'ffffffffffff7f' // A varint of 2^49 − 1.

  it.each([
    [
      'of long strings',
      'string',
      [
        [1, 'DATA', ''],
        [1, 'LENGTH', `c000${huge}00`],
      ],
    ],
    [
      'of long binary values',
      'binary',
      [
        [1, 'DATA', '00'],
        [1, 'LENGTH', `c000${huge}00`],
      ],
    ],
    ['of long lists', 'array<int>', [[1, 'LENGTH', `c000${huge}00`]]],
    ['of long maps', 'map<int,int>', [[1, 'LENGTH', `c000${huge}00`]]],
  ] as const)('%s is stopped before it takes memory', async (_, type, streams) => {
    const extra =
      type === 'array<int>'
        ? ['DIRECT_V2']
        : type === 'map<int,int>'
          ? ['DIRECT_V2', 'DIRECT_V2']
          : []
    const file = handMadeFile(parseOrcType(`struct<v:${type}>`), [
      { rowCount: 1, encodings: [...encodings, ...(extra as 'DIRECT_V2'[])], streams },
    ])
    await expect(readRows(file)).rejects.toMatchObject({ code: 'limit-exceeded' })
  })

  it('of a huge dictionary is stopped before it takes memory', async () => {
    const file = handMadeFile(parseOrcType('struct<v:string>'), [
      {
        rowCount: 1,
        encodings: ['DIRECT', ['DICTIONARY_V2', 2 ** 40]],
        streams: [[1, 'DATA', '4000 00']],
      },
    ])
    await expect(readRows(file)).rejects.toMatchObject({ code: 'limit-exceeded' })
  })

  it('by millions of empty messages is stopped before it takes memory', async () => {
    // A few kilobytes of zlib that decompress to the empty types of four million columns.
    const codec = createCodec('zlib')
    const footer = frameSection(Buffer.alloc(2 ** 23, Buffer.of(0x22, 0)), {
      codec,
      blockBytes: 2 ** 18,
    })
    const postscript = encodePostscript({
      footerBytes: footer.length,
      metadataBytes: 0,
      compression: 'zlib',
      blockBytes: 2 ** 18,
      version: [0, 12],
      writerVersion: 6,
    })
    const file = Buffer.concat([
      Buffer.from('ORC'),
      footer,
      postscript,
      Buffer.of(postscript.length),
    ])
    expect(file.length).toBeLessThan(50_000)
    await expect(readRows(file)).rejects.toMatchObject({
      code: 'limit-exceeded',
      where: 'file footer',
    })
  })

  it('with negative lengths is corrupt', async () => {
    // A delta run of unsigned integers that falls below zero: 1, −1.
    const file = handMadeFile(parseOrcType('struct<v:string>'), [
      {
        rowCount: 2,
        encodings,
        streams: [
          [1, 'DATA', '6161'],
          [1, 'LENGTH', 'c0010103'],
        ],
      },
    ])
    await expect(readRows(file)).rejects.toMatchObject({ code: 'file-corrupt' })
  })

  it('about its rows does not make the reader believe it', async () => {
    const file = handMadeFile(parseOrcType('struct<v:int>'), [
      { rowCount: 2 ** 50, encodings, streams: [[1, 'DATA', 'c1ff0002']] },
    ])
    const reader = await OrcReader.open(new BufferSource(file))
    const read = async (): Promise<OrcValue[][]> => {
      const rows: OrcValue[][] = []
      for await (const batch of reader.rows({ maxBatchRows: 100 })) rows.push(...batch)
      return rows
    }
    await expect(read()).rejects.toMatchObject({
      code: 'file-corrupt',
      where: 'stripe 0, column v, stream DATA',
    })
    const broken = handMadeFile(parseOrcType('struct<v:int>'), [], { rowCount: 7 })
    await expect(readRows(broken)).rejects.toMatchObject({ code: 'file-corrupt' })
  })

  it('about its streams is corrupt', async () => {
    const good = { rowCount: 1, encodings, streams: [[1, 'DATA', '400000']] } as const
    const schema = parseOrcType('struct<v:int>')
    expect(await readRows(handMadeFile(schema, [good]))).toEqual([[0]])
    const lies = [
      { ...good, statedBytes: 2 ** 40 },
      { ...good, statedBytes: 4 },
      { ...good, encodings: ['DIRECT'] as const },
      { ...good, streams: [[2, 'DATA', '400000']] as const },
      {
        ...good,
        streams: [
          [1, 'DATA', '400000'],
          [1, 'DATA', '400000'],
        ] as const,
      },
      { ...good, streams: [] },
    ]
    for (const lie of lies) {
      await expect(readRows(handMadeFile(schema, [lie]))).rejects.toMatchObject({
        code: 'file-corrupt',
      })
    }
  })

  it('about where its stripes are is corrupt', async () => {
    const stripe = { offset: 3, indexBytes: 0, dataBytes: 2 ** 40, footerBytes: 1, rowCount: 0 }
    const file = handMadeFile(parseOrcType('struct<v:int>'), [], { stripes: [stripe] })
    await expect(readRows(file)).rejects.toMatchObject({ code: 'file-corrupt' })
  })
})

describe('what is not an ORC file', () => {
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['three bytes', Buffer.from('ORC')],
    ['zeros', Buffer.alloc(1000)],
    ['text', Buffer.from('id,name\n1,a\n'.repeat(50))],
    ['a Parquet file', Buffer.from(`PAR1${'x'.repeat(200)}PAR1`)],
  ])('%s is refused as such', async (_, bytes) => {
    expect(await outcome(bytes)).toBe('file-not-orc')
  })

  it('a file of a later version is refused as such', async () => {
    const file = handMadeFile(parseOrcType('struct<v:int>'), [], {}, [1, 0])
    expect(await outcome(file)).toBe('feature-unsupported')
  })
})
