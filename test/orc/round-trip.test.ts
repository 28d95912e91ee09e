import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { OrcValue } from '../../orc/index.ts'
import { difference } from './difference.ts'
import {
  allTypes,
  copyFile,
  nullPatterns,
  Random,
  readBack,
  readRows,
  sampleValues,
  scalarTypes,
  structOf,
  styles,
  withNulls,
  writeFile,
} from './samples.ts'

const codecs = ['none', 'zlib', 'snappy', 'lz4', 'zstd', 'brotli'] as const

/** Around the lengths of runs, the bytes of booleans, and the row groups below. */
const sizes = [
  0, 1, 2, 3, 7, 8, 9, 10, 11, 99, 100, 101, 130, 131, 511, 512, 513, 1000, 1024, 1025, 2100,
]

describe('what is written is read back', () => {
  for (const [name, type] of Object.entries(allTypes)) {
    it(`${name}: any style, nulls, codec, size, row groups and stripes`, async () => {
      const settings = fc.record({
        seed: fc.nat(),
        style: fc.constantFrom(...styles),
        nulls: fc.constantFrom(...nullPatterns),
        compression: fc.constantFrom(...codecs),
        size: fc.constantFrom(...sizes),
        rowIndexStride: fc.constantFrom(0, 1, 100, 512, 1000, 10_000),
        compressionBlockBytes: fc.constantFrom(64, 1000, 262_144),
        stripeEnds: fc.subarray([1, 2, 100, 500, 513, 1000, 2000]),
      })
      await fc.assert(
        fc.asyncProperty(settings, async ({ seed, style, nulls, size, stripeEnds, ...options }) => {
          const random = new Random(seed)
          const values = withNulls(sampleValues(type, style, size, random), nulls, random)
          const schema = structOf({ v: type })
          const file = await writeFile(
            schema,
            values.map(value => [value]),
            options,
            stripeEnds,
          )
          const read = await readRows(file)
          const expected = values.map(value => [readBack(type, value)])
          expect(difference(read, expected)).toBeNull()
          // By vectors the same comes out, to the byte where it is not another value that is read.
          const copy = await copyFile(file, {
            ...options,
            maxBatchRows: 1 + (seed % 1500),
            reuseMemory: seed % 2 === 0,
          })
          expect(difference(await readRows(copy), expected)).toBeNull()
          const isSame = stripeEnds.length === 0 && !/timestamp|nested/.test(name)
          if (isSame) expect(Buffer.compare(copy, file)).toBe(0)
        }),
        { numRuns: 40 },
      )
    })
  }

  it('all types together, in several stripes, by batches of any size', async () => {
    const random = new Random(7)
    const types = Object.entries(allTypes)
    const columns = types.map(([, type], k) =>
      withNulls(sampleValues(type, styles[k % 4]!, 3000, random), nullPatterns[k % 3]!, random),
    )
    const rows = Array.from({ length: 3000 }, (_, row) => columns.map(column => column[row]!))
    const expected = rows.map(row => row.map((value, k) => readBack(types[k]![1], value)))
    const file = await writeFile(structOf(allTypes), rows, { rowIndexStride: 700 }, [1, 1400, 1401])
    for (const maxBatchRows of [1, 999, 1024, 5000]) {
      expect(difference(await readRows(file, { maxBatchRows }), expected)).toBeNull()
    }
  })

  it('columns by name, in the order that is asked for', async () => {
    const rows = Array.from({ length: 50 }, (_, k): OrcValue[] => [
      k,
      `s${k}`,
      k % 2 === 0 ? null : [k],
    ])
    const schema = structOf({ a: { kind: 'int' }, b: { kind: 'string' }, c: allTypes.list! })
    const file = await writeFile(schema, rows)
    const read = await readRows(file, { columns: ['c', 'a'] })
    expect(read).toEqual(rows.map(([a, , c]) => [c, a]))
    expect(await readRows(file, { columns: [] })).toEqual(rows.map(() => []))
    await expect(readRows(file, { columns: ['d'] })).rejects.toMatchObject({
      code: 'column-unknown',
    })
  })
})

describe('timestamps', () => {
  const schema = structOf({ t: scalarTypes.timestamp })

  it('keep nanoseconds when asked to, and lose them towards the past when not', async () => {
    const nanos = [1n, -1_000_000_001n, 1_700_000_000_123_456_789n, -62_135_596_800_000_000_001n]
    const file = await writeFile(
      schema,
      nanos.map(value => [value]),
      { timestampUnit: 'nanos' },
    )
    expect(await readRows(file, { timestampUnit: 'nanos' })).toEqual(nanos.map(value => [value]))
    expect(await readRows(file)).toEqual([
      [0],
      [-1_000_001],
      [1_700_000_000_123_456],
      [-62_135_596_800_000_001n],
    ])
  })

  it('of the last second before 1970 are read one second later, as every reader does', async () => {
    const file = await writeFile(schema, [[-1], [-500_000], [-999_000], [-999_001], [-1_000_000]])
    expect(await readRows(file)).toEqual([[999_999], [500_000], [1000], [-999_001], [-1_000_000]])
  })
})

describe('texts', () => {
  it('of varchar are cut and of char padded, in code points; the padding is not read', async () => {
    const schema = structOf({ v: { kind: 'varchar', length: 2 }, c: { kind: 'char', length: 3 } })
    const rows = [
      ['🦊🦊🦊', '🦊🦊🦊🦊'],
      ['a', 'a'],
      ['', ''],
      ['a  ', 'a  b'],
    ]
    const file = await writeFile(schema, rows, { compression: 'none', dictionaryThreshold: 0 })
    expect(await readRows(file)).toEqual([
      ['🦊🦊', '🦊🦊🦊'],
      ['a', 'a'],
      ['', ''],
      ['a ', 'a'],
    ])
    expect(Buffer.from(file).includes('🦊🦊🦊a     a  ')).toBe(true)
  })

  it('with a lone surrogate are written with a replacement character', async () => {
    for (const dictionaryThreshold of [0, 1]) {
      const file = await writeFile(
        structOf({ s: { kind: 'string' } }),
        [['a\ud800b'], ['\udfff']],
        {
          dictionaryThreshold,
        },
      )
      expect(await readRows(file)).toEqual([['a\ufffdb'], ['\ufffd']])
    }
  })

  it('go into a dictionary up to a threshold of distinct values, and not beyond', async () => {
    const schema = structOf({ s: { kind: 'string' } })
    const encodings = async (distinct: number): Promise<string> => {
      const rows = Array.from({ length: 1000 }, (_, k) => [`value ${k % distinct}`])
      const file = await writeFile(schema, rows, { rowIndexStride: 300 })
      expect(await readRows(file)).toEqual(rows)
      return Buffer.from(file).length > 0 ? await encodingOf(file) : ''
    }
    expect(await encodings(1)).toBe('DICTIONARY_V2')
    expect(await encodings(240)).toBe('DICTIONARY_V2')
    // The first row group has 241 of 300 distinct values: more than four in five.
    expect(await encodings(241)).toBe('DIRECT_V2')
  })

  it('are sorted in a dictionary by their bytes', async () => {
    const texts = ['b', '🦊', 'ab', '\uffee', 'a']
    const rows = [...texts, ...texts].map(text => [text])
    const file = await writeFile(structOf({ s: { kind: 'string' } }), rows, { compression: 'none' })
    expect(Buffer.from(file).includes('aabb\uffee🦊')).toBe(true)
    expect(await readRows(file)).toEqual(rows)
  })

  it('try no dictionary after a stripe of many distinct values, unless it was small', async () => {
    for (const [distinct, later] of [
      [1000, 'DIRECT_V2'],
      [5, 'DICTIONARY_V2'],
    ] as const) {
      const values = Array.from({ length: distinct }, (_, k) => `value ${k}`)
      const rows = [...values, ...Array(2000).fill('same')].map(value => [value])
      const file = await writeFile(structOf({ s: { kind: 'string' } }), rows, {}, [distinct])
      expect(await encodingOf(file, 0)).toBe('DIRECT_V2')
      expect(await encodingOf(file, 1)).toBe(later)
      expect(await readRows(file)).toEqual(rows)
    }
  })

  it('leave the dictionary when only later row groups are distinct', async () => {
    const rows = Array.from({ length: 4000 }, (_, k) => [k < 300 ? 'same' : `value ${k}`])
    const file = await writeFile(structOf({ s: { kind: 'string' } }), rows, { rowIndexStride: 300 })
    expect(await encodingOf(file)).toBe('DIRECT_V2')
    expect(await readRows(file)).toEqual(rows)
  })
})

async function encodingOf(file: Uint8Array, stripe = 0): Promise<string> {
  const { BufferSource, OrcReader } = await import('../../orc/index.ts')
  const reader = await OrcReader.open(new BufferSource(file))
  const footer = await reader.readStripeFooter(stripe)
  return footer.encodings[1]!.kind
}
