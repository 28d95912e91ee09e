import { mkdtemp, readFile, rm, writeFile as writeToDisk } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  BufferSource,
  OrcReader,
  type OrcStructType,
  type OrcType,
  type OrcValue,
} from '../../orc/index.ts'
import { decodeRowIndex, encodeRowIndex } from '../../orc/stripe-messages.ts'
import {
  allTypes,
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
} from '../orc/samples.ts'
import { type Command, linesOf, runJava } from './java.ts'
import { pairwise } from './pairwise.ts'
import { rowText } from './row-text.ts'
import { comparableStatistics } from './statistics-lines.ts'

interface Sample {
  readonly title: string
  readonly path: string
  readonly schema: OrcStructType
  readonly rows: readonly OrcValue[][]
  readonly rowIndexStride: number
  readonly stripeEnds: readonly number[]
}

const folder = await mkdtemp(join(tmpdir(), 'orc-interop-'))
afterAll(() => rm(folder, { recursive: true }))

const combinations = pairwise(
  {
    type: Object.keys(allTypes),
    style: styles,
    nulls: nullPatterns,
    compression: ['none', 'zlib', 'zstd'],
    size: [0, 1, 9, 999, 1000, 1001, 3500],
    rowIndexStride: [0, 7, 100, 1000, 10_000],
    compressionBlockBytes: [200, 5000, 262_144],
    stripeEnds: [[], [1], [500, 1000, 1001], [2048]],
    dictionaryThreshold: [0, 0.8, 1],
  } as const,
  new Random(2),
)

const samples: Sample[] = combinations.map((settings, k) => {
  const { type: name, style, nulls, size, stripeEnds, rowIndexStride } = settings
  const random = new Random(k)
  const values = withNulls(sampleValues(allTypes[name]!, style, size, random), nulls, random)
  return {
    title: `${k} ${Object.values(settings).join(' ')}`,
    path: join(folder, `sample-${k}.orc`),
    schema: structOf({ v: allTypes[name]! }),
    rows: values.map(value => [value]),
    rowIndexStride,
    stripeEnds,
  }
})

/** How the files of Java's own writer are to be written; see `java/SampleWriter.java`. */
const javaSamples = [
  'none-random',
  'none-runs-nulls-v011',
  'none-sequence-nulls',
  'zlib-random-nulls-speed',
  'zlib-runs-direct',
  'zlib-sequence-v011-direct',
  'zstd-random-nulls-proleptic',
  'zstd-runs-speed-proleptic',
  'none-random-nulls-v011-proleptic',
  'zstd-sequence-nulls-direct',
]

/** Sorted values in many row groups, one of which a predicate looks for. */
const predicateValues: Readonly<Record<string, (k: number) => OrcValue>> = {
  boolean: k => k >= 4000,
  byte: k => Math.floor(k / 50),
  short: k => k - 100,
  int: k => k * 1000,
  long: k => 2n ** 60n + BigInt(k),
  float: k => k / 2,
  double: k => -k / 3,
  string: k => `key ${String(k).padStart(6, '0')}`,
  varchar: k => `${10_000 + k}`,
  char: k => `${1000 + Math.floor(k / 5)}`,
  date: k => k + 5000,
  timestamp: k => BigInt(k) * 1_000_000_007n,
  timestamp_instant: k => -(2n ** 50n) - BigInt(k) * 7n,
  decimal: k => k * 125,
  wideDecimal: k => 10n ** 30n + BigInt(k),
}
const predicateRows = 5000
const wantedRow = 4321

function find(name: string): string {
  return join(folder, `find-${name}.orc`)
}

async function writePredicateFile(
  name: string,
  type: OrcType,
  value: (k: number) => OrcValue,
): Promise<Uint8Array> {
  const rows = Array.from({ length: predicateRows }, (_, k) => [value(k), k === wantedRow])
  const schema = structOf({ v: type, wanted: { kind: 'boolean' } })
  const file = await writeFile(schema, rows, {
    compression: 'none',
    rowIndexStride: 500,
    timestampUnit: 'nanos',
  })
  await writeToDisk(find(name), file)
  return file
}

beforeAll(async () => {
  const commands: Command[] = []
  for (const [k, sample] of samples.entries()) {
    const { rowIndexStride, compression, compressionBlockBytes, dictionaryThreshold } =
      combinations[k]!
    const options = { rowIndexStride, compression, compressionBlockBytes, dictionaryThreshold }
    await writeToDisk(
      sample.path,
      await writeFile(sample.schema, sample.rows, options, sample.stripeEnds),
    )
    const copy = `${sample.path}.copy`
    commands.push(
      ['rows', sample.path, `${sample.path}.rows`],
      ['stats', sample.path, `${sample.path}.stats`],
    )
    commands.push(['copy', sample.path, copy], ['stats', copy, `${copy}.stats`])
    if (rowIndexStride > 0) commands.push(['seek', sample.path, `${sample.path}.seek`])
  }
  for (const name of javaSamples) {
    const path = join(folder, `${name}.orc`)
    commands.push(['write', name, path], ['rows', path, `${path}.rows`])
  }
  for (const [name, value] of Object.entries(predicateValues)) {
    await writePredicateFile(name, scalarTypes[name as keyof typeof scalarTypes], value)
  }
  await writePredicateFile('nan', scalarTypes.double, k => (k % 100 === 3 ? Number.NaN : k))
  await writePredicateFile('zero', scalarTypes.double, k =>
    k < wantedRow ? 1 + k : k === wantedRow ? -0 : 0,
  )
  await writePredicateFile('long-text', scalarTypes.string, k => `${k}`.padStart(1100, 'x'))
  await writeToDisk(
    find('flipped'),
    await withFlippedMinimum(await writePredicateFile('flipped', scalarTypes.int, k => k)),
  )
  for (const name of [...Object.keys(predicateValues), 'nan', 'zero', 'long-text', 'flipped']) {
    commands.push(['find', find(name), `${find(name)}.out`])
  }
  await runJava(commands, folder)
}, 600_000)

/** Raises the minimum of the row group that has the wanted row above the row's value. */
async function withFlippedMinimum(file: Uint8Array): Promise<Uint8Array> {
  const reader = await OrcReader.open(new BufferSource(file))
  const { streams } = await reader.readStripeFooter(0)
  const from = reader.stripes[0]!.offset + streams[0]!.sizeBytes
  const index = file.subarray(from, from + streams[1]!.sizeBytes)
  const groups = decodeRowIndex(index, 'test').map((group, k) => {
    const { details } = group.statistics
    if (k !== Math.floor(wantedRow / 500) || details?.kind !== 'integer') return group
    return {
      ...group,
      statistics: { ...group.statistics, details: { ...details, minimum: wantedRow + 1 } },
    }
  })
  const flipped = encodeRowIndex(groups)
  expect(flipped.length).toBe(index.length)
  return Buffer.concat([file.subarray(0, from), flipped, file.subarray(from + flipped.length)])
}

function expectedRows(sample: Sample): string[] {
  const types = sample.schema.fields.map(field => field.type)
  return sample.rows.map(row =>
    rowText(
      types,
      row.map((value, k) => inNanos(types[k]!, readBack(types[k]!, value))),
    ),
  )
}

/** Timestamps are written in micros, but printed with nanoseconds. */
function inNanos(type: OrcType, value: OrcValue): OrcValue {
  if (value === null) return null
  switch (type.kind) {
    case 'timestamp':
    case 'timestamp_instant':
      return BigInt(value as number | bigint) * 1000n
    case 'list':
      return (value as OrcValue[]).map(element => inNanos(type.element, element))
    case 'struct':
      return type.fields.map((field, k) => inNanos(field.type, (value as OrcValue[])[k]!))
    default:
      return value
  }
}

describe.each(samples)('Java reads what we write: $title', sample => {
  it('has the same rows', async () => {
    expect(await linesOf(`${sample.path}.rows`)).toEqual(expectedRows(sample))
  })

  it('has the same statistics as a copy by its own writer', async () => {
    const ours = await linesOf(`${sample.path}.stats`)
    const javas = await linesOf(`${sample.path}.copy.stats`)
    const pairs = comparableStatistics(ours, javas, sample.schema, sample.rowIndexStride >= 1000)
    expect(pairs.ours).toEqual(pairs.javas)
    expect(pairs.ours.length).toBeGreaterThan(0)
  })

  if (sample.rowIndexStride === 0) return

  it('finds the start of every row group', async () => {
    const rows = expectedRows(sample)
    const found = await linesOf(`${sample.path}.seek`)
    expect(found).toEqual(
      groupStarts(sample)
        .reverse()
        .map(row => `${row} ${rows[row]}`),
    )
  })
})

function groupStarts({ rows, stripeEnds, rowIndexStride }: Sample): number[] {
  const ends = [...stripeEnds.filter(end => end < rows.length), rows.length]
  const starts: number[] = []
  let start = 0
  for (const end of ends) {
    for (let row = start; row < end; row += rowIndexStride) starts.push(row)
    start = end
  }
  return starts
}

describe.each(javaSamples)('we read what Java writes: %s', name => {
  it('has the same rows', async () => {
    const path = join(folder, `${name}.orc`)
    const file = await readFile(path)
    const reader = await OrcReader.open(new BufferSource(file))
    const types = (reader.schema as OrcStructType).fields.map(field => field.type)
    const rows = (await readRows(file, { timestampUnit: 'nanos' })).map(row => rowText(types, row))
    expect(rows).toEqual(await linesOf(`${path}.rows`))
    expect(rows.length).toBe(7000)
  })
})

describe('Java skips row groups by our statistics', () => {
  async function counts(
    name: string,
  ): Promise<{ read: number; matching: number; isLossless: boolean }> {
    const [whole, skipping] = await linesOf(`${find(name)}.out`)
    const [all, allMatching] = whole!.split(' ').map(Number)
    const [read, matching] = skipping!.split(' ').map(Number)
    expect(all).toBe(predicateRows)
    expect(allMatching).toBeGreaterThan(0)
    return { read: read!, matching: matching!, isLossless: matching === allMatching }
  }

  it.each(Object.keys(predicateValues))('%s: fewer rows are read, and none is lost', async name => {
    const { read, isLossless } = await counts(name)
    expect(isLossless).toBe(true)
    expect(read).toBeLessThan(predicateRows)
  })

  it('a minimum that is too high loses rows, so the test above can fail', async () => {
    expect((await counts('flipped')).matching).toBe(0)
  })

  it.each(['nan', 'long-text'])('%s: row groups without statistics are all read', async name => {
    expect(await counts(name)).toMatchObject({ isLossless: true, read: predicateRows })
  })

  it('minus zero is found among zeros', async () => {
    expect((await counts('zero')).isLossless).toBe(true)
  })
})
