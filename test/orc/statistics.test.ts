import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  BufferSource,
  type ColumnStatistics,
  OrcReader,
  type OrcType,
  type OrcValue,
} from '../../orc/index.ts'
import { MessageReader } from '../../orc/protobuf.ts'
import {
  compareText,
  emptyStatistics,
  mergeStatistics,
  type StatisticsDetails,
} from '../../orc/statistics.ts'
import { decodeStatistics, encodeStatistics } from '../../orc/statistics-message.ts'
import {
  allTypes,
  nullPatterns,
  Random,
  readBack,
  sampleValues,
  scalarTypes,
  structOf,
  styles,
  withNulls,
  writeFile,
} from './samples.ts'

async function statisticsOf(
  type: OrcType,
  values: readonly OrcValue[],
  rowIndexStride = 2,
): Promise<ColumnStatistics> {
  const file = await writeFile(
    structOf({ v: type }),
    values.map(value => [value]),
    { rowIndexStride },
  )
  const reader = await OrcReader.open(new BufferSource(file))
  return reader.statistics[1]!
}

/** Computed in the plainest way from the values as they are read. */
function plainDetails(
  type: OrcType,
  values: readonly NonNullable<OrcValue>[],
): StatisticsDetails | undefined {
  if (values.length === 0) return undefined
  const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
  const bigs = (): bigint[] =>
    values
      .map(value => BigInt(value as number | bigint))
      .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  switch (type.kind) {
    case 'boolean':
      return { kind: 'boolean', trueCount: values.filter(value => value === true).length }
    case 'byte':
    case 'short':
    case 'int':
    case 'long': {
      const sorted = bigs()
      const total = sorted.reduce((a, b) => a + b)
      const isInt64 = BigInt.asIntN(64, total) === total
      return {
        kind: 'integer',
        minimum: small(sorted[0]!),
        maximum: small(sorted.at(-1)!),
        sum: isInt64 ? small(total) : null,
      }
    }
    case 'date': {
      const days = values.map(Number)
      return { kind: 'date', minimum: Math.min(...days), maximum: Math.max(...days) }
    }
    case 'timestamp':
    case 'timestamp_instant': {
      const sorted = bigs()
      return { kind: 'timestamp', minimum: sorted[0]! * 1000n, maximum: sorted.at(-1)! * 1000n }
    }
    case 'string':
    case 'varchar':
    case 'char': {
      const texts = values.map(value =>
        type.kind === 'char' ? pad(value as string, type.length) : (value as string),
      )
      const sorted = texts.toSorted(compareText)
      const ends = [sorted[0]!, sorted.at(-1)!] as const
      if (ends.some(end => Buffer.byteLength(end) > 1024)) return undefined
      return {
        kind: 'string',
        minimum: ends[0],
        isMinimumExact: true,
        maximum: ends[1],
        isMaximumExact: true,
        byteCount: sum(texts.map(text => Buffer.byteLength(text))),
      }
    }
    case 'binary':
      return { kind: 'binary', byteCount: sum(values.map(value => (value as Uint8Array).length)) }
    case 'list':
    case 'map': {
      const lengths = values.map(value =>
        Array.isArray(value) ? value.length : (value as Map<OrcValue, OrcValue>).size,
      )
      return {
        kind: 'collection',
        minimumLength: Math.min(...lengths),
        maximumLength: Math.max(...lengths),
        elementCount: sum(lengths),
      }
    }
    default:
      return undefined
  }
}

/** The sum may also be left out when a part of it does not fit an int64. */
function orWithoutSum(
  expected: StatisticsDetails | undefined,
  actual: StatisticsDetails | undefined,
  values: readonly OrcValue[],
): StatisticsDetails | undefined {
  if (expected?.kind !== 'integer' || actual?.kind !== 'integer' || actual.sum !== null)
    return expected
  const most = values.reduce<bigint>((sum, value) => {
    const big = BigInt(value as number | bigint)
    return sum + (big < 0n ? -big : big)
  }, 0n)
  return most >= 2n ** 63n ? { ...expected, sum: null } : expected
}

function small(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value
}

function pad(text: string, length: number): string {
  return text + ' '.repeat(length - Array.from(text).length)
}

describe('the statistics of a file are those of its values', () => {
  const exact = Object.entries(allTypes).filter(
    ([, type]) => !['float', 'double', 'decimal', 'struct'].includes(type.kind),
  )

  it.each(exact)('%s', async (_, type) => {
    const settings = fc.record({
      seed: fc.nat(),
      style: fc.constantFrom(...styles),
      nulls: fc.constantFrom(...nullPatterns),
      size: fc.constantFrom(0, 1, 2, 30, 150),
      stride: fc.constantFrom(2, 40),
    })
    await fc.assert(
      fc.asyncProperty(settings, async ({ seed, style, nulls, size, stride }) => {
        const random = new Random(seed)
        const values = withNulls(sampleValues(type, style, size, random), nulls, random)
        const read = values.filter(value => value !== null).map(value => readBack(type, value)!)
        const { valueCount, hasNull, details } = await statisticsOf(type, values, stride)
        expect({ valueCount, hasNull }).toEqual({
          valueCount: read.length,
          hasNull: values.includes(null),
        })
        expect(details).toEqual(orWithoutSum(plainDetails(type, read), details, read))
      }),
      { numRuns: 40 },
    )
  })

  it('decimals have their ends and their sum at the scale of the column', async () => {
    const details = (await statisticsOf(scalarTypes.decimal, [5, -1050, null, 999_999]))!.details
    expect(details).toEqual({
      kind: 'decimal',
      minimum: '-10.50',
      maximum: '9999.99',
      sum: '9989.54',
    })
  })

  it('a sum of decimals with more than 38 digits is left out', async () => {
    const most = 10n ** 38n - 1n
    const type = { kind: 'decimal', precision: 38, scale: 0 } as const
    expect((await statisticsOf(type, [most, 1])).details).toMatchObject({
      maximum: `${most}`,
      sum: null,
    })
    expect((await statisticsOf(type, [most, 0])).details).toMatchObject({ sum: `${most}` })
  })

  it('a sum of integers beyond int64 is left out', async () => {
    const most = 2n ** 63n - 1n
    expect((await statisticsOf(scalarTypes.long, [most, 1, 0])).details).toMatchObject({
      maximum: most,
      sum: null,
    })
    expect((await statisticsOf(scalarTypes.long, [most, -1])).details).toMatchObject({
      sum: most - 1n,
    })
  })

  it('doubles have their ends, zeros by their sign, and their sum', async () => {
    expect((await statisticsOf(scalarTypes.double, [0, -0, 1.5, null])).details).toEqual({
      kind: 'double',
      minimum: -0,
      maximum: 1.5,
      sum: 1.5,
    })
    expect((await statisticsOf(scalarTypes.double, [-0, 0, -1])).details).toEqual({
      kind: 'double',
      minimum: -1,
      maximum: 0,
      sum: -1,
    })
  })

  it('a column with NaN has no details: no minimum would be true for every reader', async () => {
    for (const values of [
      [Number.NaN, 1],
      [1, 2, 3, Number.NaN],
    ]) {
      const statistics = await statisticsOf(scalarTypes.double, values)
      expect(statistics).toMatchObject({ valueCount: values.length, hasNull: false })
      expect(statistics.details).toBeUndefined()
    }
  })

  it('texts of which an end is longer than 1024 bytes have no details', async () => {
    const long = 'm'.repeat(1025)
    const detailsOf = async (texts: string[]): Promise<StatisticsDetails | undefined> =>
      (await statisticsOf(scalarTypes.string, texts, 10)).details
    expect(await detailsOf(['a', long])).toBeUndefined()
    expect(await detailsOf([long, 'z'])).toBeUndefined()
    expect(await detailsOf(['a', long, 'z'])).toMatchObject({ minimum: 'a', maximum: 'z' })
    expect(await detailsOf(['a', long.slice(1)])).toMatchObject({ maximum: long.slice(1) })
  })

  it('a text that another one starts with comes before it', async () => {
    const { details } = await statisticsOf(scalarTypes.string, ['ab', 'a', 'abc', 'ab'], 10)
    expect(details).toMatchObject({ minimum: 'a', maximum: 'abc' })
  })

  it('texts are ordered by their bytes, not by their UTF-16 units', async () => {
    expect((await statisticsOf(scalarTypes.string, ['\uffee', '🦊'])).details).toMatchObject({
      maximum: '🦊',
    })
  })

  it('timestamps of the last second before 1970 count as what is read of them', async () => {
    expect((await statisticsOf(scalarTypes.timestamp, [-500_000, 0])).details).toEqual({
      kind: 'timestamp',
      minimum: 0n,
      maximum: 500_000_000n,
    })
  })
})

describe('statistics as messages', () => {
  const examples: ColumnStatistics[] = [
    emptyStatistics,
    {
      valueCount: 3,
      hasNull: true,
      bytesOnDisk: 9,
      details: { kind: 'integer', minimum: -(2n ** 63n), maximum: 2n ** 63n - 1n, sum: null },
    },
    {
      valueCount: 1,
      hasNull: false,
      bytesOnDisk: 0,
      details: { kind: 'timestamp', minimum: -1n, maximum: 999_999n },
    },
    {
      valueCount: 1,
      hasNull: false,
      bytesOnDisk: 0,
      details: {
        kind: 'string',
        minimum: 'a',
        isMinimumExact: false,
        maximum: 'b',
        isMaximumExact: false,
        byteCount: 7,
      },
    },
    {
      valueCount: 1,
      hasNull: false,
      bytesOnDisk: 0,
      details: { kind: 'decimal', minimum: '-0.10', maximum: '7', sum: null },
    },
  ]

  it.each(examples)('%# are read back', example => {
    const bytes = encodeStatistics(example).bytes()
    expect(decodeStatistics(new MessageReader(bytes, 'test'))).toEqual({
      details: undefined,
      ...example,
    })
  })

  it('that do not say whether there are nulls may have some', () => {
    expect(decodeStatistics(new MessageReader(Uint8Array.of(0x08, 5), 'test'))).toMatchObject({
      valueCount: 5,
      hasNull: true,
    })
  })
})

describe('merging', () => {
  const known = (details: StatisticsDetails): ColumnStatistics => ({
    valueCount: 1,
    hasNull: false,
    bytesOnDisk: 0,
    details,
  })

  it('of something known and something unknown is unknown', () => {
    const unknown = { valueCount: 1, hasNull: false, bytesOnDisk: 0 }
    expect(
      mergeStatistics(known({ kind: 'binary', byteCount: 1 }), unknown).details,
    ).toBeUndefined()
    expect(
      mergeStatistics(unknown, known({ kind: 'binary', byteCount: 1 })).details,
    ).toBeUndefined()
  })

  it('takes an end that is reached before an equal one that is only a bound', () => {
    const text = (isExact: boolean): ColumnStatistics =>
      known({
        kind: 'string',
        minimum: 'a',
        isMinimumExact: isExact,
        maximum: 'b',
        isMaximumExact: isExact,
        byteCount: 1,
      })
    for (const merged of [
      mergeStatistics(text(true), text(false)),
      mergeStatistics(text(false), text(true)),
    ]) {
      expect(merged.details).toMatchObject({
        isMinimumExact: true,
        isMaximumExact: true,
        byteCount: 2,
      })
    }
  })

  it('of decimals of two scales is at the larger one', () => {
    const merged = mergeStatistics(
      known({ kind: 'decimal', minimum: '1.5', maximum: '2', sum: '3.5' }),
      known({ kind: 'decimal', minimum: '1.25', maximum: '1.25', sum: '1.25' }),
    )
    expect(merged.details).toEqual({
      kind: 'decimal',
      minimum: '1.25',
      maximum: '2.00',
      sum: '4.75',
    })
  })
})
