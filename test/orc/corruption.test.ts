import { describe, expect, it } from 'vitest'
import { createCodec } from '../../orc/compression.ts'
import { encodePostscript } from '../../orc/file-tail.ts'
import { BufferSource, OrcReader, type OrcValue, parseOrcType } from '../../orc/index.ts'
import { frameSection } from '../../orc/stream-output.ts'
import { outcome } from './fuzz.ts'
import { handMadeFile } from './hand-made-file.ts'
import { allTypes, readRows, structOf, writeFile } from './samples.ts'

describe('a damaged file gives rows or an OrcError', () => {
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
