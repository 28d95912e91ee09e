import { describe, expect, it } from 'vitest'
import {
  BufferSource,
  OrcReader,
  type OrcSource,
  type OrcType,
  parseOrcType,
} from '../../orc/index.ts'
import { type HandMadeStripe, handMadeFile } from './hand-made-file.ts'
import { allTypes, Random, readRows, sampleValues, structOf, writeFile } from './samples.ts'

function column(type: string): OrcType {
  return parseOrcType(`struct<v:${type}>`)
}

function stripe(
  rowCount: number,
  encoding: HandMadeStripe['encodings'][number],
  streams: HandMadeStripe['streams'],
): HandMadeStripe {
  return { rowCount, streams, encodings: ['DIRECT', encoding] }
}

describe('files of version 0.11', () => {
  it('have integers and strings in run-length encoding version 1', async () => {
    const file = handMadeFile(
      parseOrcType('struct<a:int,b:string,c:string>'),
      [
        {
          rowCount: 5,
          encodings: ['DIRECT', 'DIRECT', 'DIRECT', ['DICTIONARY', 2]],
          streams: [
            [1, 'DATA', '02ff02'],
            [2, 'DATA', Buffer.from('abbccc').toString('hex')],
            [2, 'LENGTH', 'fb0102030000'],
            [3, 'DATA', 'fb0100000101'],
            [3, 'LENGTH', 'fe0203'],
            [3, 'DICTIONARY_DATA', Buffer.from('xxyyy').toString('hex')],
          ],
        },
      ],
      { calendar: 'unknown' },
      [0, 11],
    )
    expect(await readRows(file)).toEqual([
      [1, 'a', 'yyy'],
      [0, 'bb', 'xx'],
      [-1, 'ccc', 'xx'],
      [-2, '', 'yyy'],
      [-3, '', 'yyy'],
    ])
  })
})

describe('files of other writers', () => {
  it('may leave out streams without values, and the row count of a stripe may differ', async () => {
    const file = handMadeFile(column('string'), [
      stripe(3, 'DIRECT_V2', [[1, 'PRESENT', '0000']]),
      stripe(2, ['DICTIONARY_V2', 0], [[1, 'PRESENT', 'ff00']]),
      stripe(0, 'DIRECT_V2', []),
    ])
    expect(await readRows(file)).toEqual(Array(5).fill([null]))
  })

  it('may have decimals of any scale, which are brought to that of the column', async () => {
    // 5 at scale 0, 1.5 at scale 1, 1.25, 1.255 at scale 3, -1.255, 100 at scale −2.
    const file = handMadeFile(column('decimal(10,2)'), [
      stripe(6, 'DIRECT_V2', [
        [1, 'DATA', '0a 1e fa01 ce13 cd13 02'],
        [1, 'SECONDARY', '4e 05 00 02 04 06 06 03'],
      ]),
    ])
    expect(await readRows(file)).toEqual([[500], [150], [125], [126], [-126], [10_000]])
  })

  it('of the hybrid calendar keep the reading of their dates and timestamps', async () => {
    // 0001-01-01 in the Julian calendar: day −719164, and seconds since 2015.
    const julianDay = -719_164
    const date = zigzagVarint(julianDay)
    const seconds = zigzagVarint(julianDay * 86_400 - 1_420_070_400)
    for (const calendar of ['unknown', 'julian-gregorian', 'proleptic-gregorian'] as const) {
      const file = handMadeFile(
        parseOrcType('struct<d:date,t:timestamp>'),
        [
          {
            rowCount: 1,
            encodings: ['DIRECT', 'DIRECT_V2', 'DIRECT_V2'],
            streams: [
              [1, 'DATA', `c000${date}00`],
              [2, 'DATA', `c000${seconds}00`],
              [2, 'SECONDARY', '4000 00'],
            ],
          },
        ],
        { calendar },
      )
      const day = calendar === 'proleptic-gregorian' ? julianDay : -719_162
      expect(await readRows(file)).toEqual([[day, BigInt(day) * 86_400_000_000n]])
    }
  })

  it('that wrote timestamps in a time zone of their own: what the clock there showed is read', async () => {
    const streams = [
      [1, 'DATA', '4000 00'],
      [1, 'SECONDARY', '4000 00'],
    ] as const
    const written = (type: string, writerTimezone: string): Uint8Array =>
      handMadeFile(column(type), [{ ...stripe(1, 'DIRECT_V2', streams), writerTimezone }])
    const base = [[1_420_070_400_000_000]]
    expect(await readRows(written('timestamp', 'America/New_York'))).toEqual(base)
    expect(await readRows(written('timestamp', 'Asia/Kolkata'))).toEqual(base)
    await expect(readRows(written('timestamp', 'America/Nowhere'))).rejects.toMatchObject({
      code: 'feature-unsupported',
      message: expect.stringContaining('America/Nowhere'),
    })
    expect(await readRows(written('timestamp', 'GMT'))).toEqual(base)
    expect(await readRows(written('timestamp with local time zone', 'America/New_York'))).toEqual(
      base,
    )
  })

  it('may have rows that are null as a whole: they are refused', async () => {
    const file = handMadeFile(column('int'), [
      {
        rowCount: 2,
        encodings: ['DIRECT', 'DIRECT_V2'],
        streams: [
          [0, 'PRESENT', 'ff40'],
          [1, 'DATA', '400000'],
        ],
      },
    ])
    await expect(readRows(file)).rejects.toMatchObject({ code: 'feature-unsupported' })
  })

  it('may have a root that is no struct: a row is its value', async () => {
    const streams = [
      [0, 'PRESENT', 'ffa0'],
      [0, 'DATA', '440170'],
    ] as const
    const file = handMadeFile({ kind: 'int' }, [{ rowCount: 3, encodings: ['DIRECT_V2'], streams }])
    const reader = await OrcReader.open(new BufferSource(file))
    expect(reader.schema).toEqual({ kind: 'int' })
    expect(await readRows(file)).toEqual([[-2], [null], [2]])
    await expect(readRows(file, { columns: ['a'] })).rejects.toMatchObject({
      code: 'option-invalid',
    })
  })
})

describe('reading', () => {
  it('takes only the streams of the columns that are asked for', async () => {
    const types = structOf(allTypes)
    const random = new Random(3)
    const columns = types.fields.map(field => sampleValues(field.type, 'random', 20_000, random))
    const rows = Array.from({ length: 20_000 }, (_, row) => columns.map(values => values[row]!))
    const file = await writeFile(types, rows, { compression: 'none' })
    const whole = new CountingSource(file)
    const part = new CountingSource(file)
    for await (const _ of (await OrcReader.open(whole)).rows());
    for await (const _ of (await OrcReader.open(part)).rows({ columns: ['boolean'] }));
    expect(part.bytesRead).toBeLessThan(whole.bytesRead / 10)
    // The first and the last column: what lies between them is not read.
    const ends = new CountingSource(file)
    for await (const _ of (await OrcReader.open(ends)).rows({ columns: ['boolean', 'nested'] }));
    expect(ends.bytesRead).toBeLessThan(whole.bytesRead / 2)
  })

  it('takes fewer rows at a time where rows are large', async () => {
    const random = new Random(1)
    const word = (): string => random.below(2 ** 32).toString(16)
    const rows = Array.from({ length: 200 }, () => [Array.from({ length: 12_500 }, word).join('')])
    for (const compression of ['none', 'zlib'] as const) {
      const file = await writeFile(structOf({ s: allTypes.string! }), rows, { compression })
      expect(await readRows(file, { maxBatchBytes: 4_000_000 })).toEqual(rows)
    }
    const file = await writeFile(structOf({ s: allTypes.string! }), rows, { compression: 'none' })
    const reader = await OrcReader.open(new BufferSource(file), { maxBatchBytes: 4_000_000 })
    const batch = await reader.rows().next()
    expect(batch.value!.length).toBeLessThan(10)
  })

  it.each([
    ['texts', 0],
    ['dictionaries', 1],
  ] as const)('has one limit for the %s of all columns of a batch', async (_, threshold) => {
    const schema = structOf({ a: allTypes.string!, b: allTypes.string!, c: allTypes.string! })
    // So small when they are compressed that the limit seems far away.
    const rows = Array.from({ length: 40 }, (_, k) => Array(3).fill(`${k}`.padEnd(50_000, '-')))
    const file = await writeFile(schema, rows, { dictionaryThreshold: threshold })
    const reader = await OrcReader.open(new BufferSource(file), { maxBatchBytes: 5_000_000 })
    const read = async (columns: string[]): Promise<number> => {
      return (await reader.batches({ columns }).next()).value!.rowCount
    }
    expect(await read(['a', 'b'])).toBe(40)
    await expect(read(['a', 'b', 'c'])).rejects.toMatchObject({
      code: 'limit-exceeded',
      where: 'column c',
    })
  })

  it('has one limit for all levels of a batch', async () => {
    const schema = structOf({ v: parseOrcType('array<array<int>>') })
    const list = Array.from({ length: 10_000 }, (_, k) => (k % 2 === 0 ? [7] : []))
    const rows = Array.from({ length: 50 }, () => [list])
    const file = await writeFile(schema, rows)
    // Half a million lists, which take eight bytes each, and half as many numbers, which take four.
    expect(await readRows(file, { maxBatchBytes: 5_100_000 })).toEqual(rows)
    const maxBatchBytes = 4_900_000
    await expect(readRows(file, { maxBatchBytes })).rejects.toMatchObject({
      code: 'limit-exceeded',
      where: 'column v.element.element',
    })
    // Each batch has the whole limit.
    expect(await readRows(file, { maxBatchBytes, maxBatchRows: 25 })).toEqual(rows)
  })

  it('stops when its consumer does', async () => {
    const rows = Array.from({ length: 3000 }, (_, k) => [k])
    const file = await writeFile(structOf({ n: allTypes.long! }), rows, {}, [1500])
    const source = new CountingSource(file)
    const reader = await OrcReader.open(source)
    for await (const batch of reader.rows({ maxBatchRows: 10 })) {
      expect(batch.length).toBe(10)
      break
    }
    expect(source.bytesRead).toBeLessThan(file.length * 1.5)
  })

  it('finds a footer that is longer than the first read', async () => {
    const userMetadata = { large: 'x'.repeat(100_000) }
    const file = await writeFile(structOf({ n: allTypes.long! }), [[1]], {
      userMetadata,
      compression: 'none',
    })
    expect(await readRows(file)).toEqual([[1]])
  })
})

class CountingSource implements OrcSource {
  readonly #source: BufferSource
  bytesRead = 0

  constructor(file: Uint8Array) {
    this.#source = new BufferSource(file)
  }

  get sizeBytes(): number {
    return this.#source.sizeBytes
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    this.bytesRead += length
    return this.#source.read(offset, length)
  }
}

function zigzagVarint(value: number): string {
  let rest = BigInt(value < 0 ? -2 * value - 1 : 2 * value)
  let hex = ''
  while (rest >= 0x80n) {
    hex += (Number(rest & 0x7fn) | 0x80).toString(16).padStart(2, '0')
    rest >>= 7n
  }
  return hex + Number(rest).toString(16).padStart(2, '0')
}
