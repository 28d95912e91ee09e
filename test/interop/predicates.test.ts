/**
 * Predicates: Java reads what we write, and we read what Java writes of the same rows. Row groups
 * are skipped by their statistics and bloom filters, and no row is lost.
 */
import { mkdtemp, readFile, rm, writeFile as writeToDisk } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  BufferSource,
  type OrcPredicate,
  OrcReader,
  type OrcType,
  type OrcValue,
} from '../../orc/index.ts'
import { decodeRowIndex, encodeRowIndex, type StreamKind } from '../../orc/stripe-messages.ts'
import { encodeFields, parseFields } from '../orc/message-fields.ts'
import { readRows, scalarTypes, structOf, writeFile } from '../orc/samples.ts'
import { type Command, linesOf, type OrcVersion, orcVersions, runJava } from './java.ts'
import { rowText } from './row-text.ts'

const folder = await mkdtemp(join(tmpdir(), 'orc-interop-'))
afterAll(() => rm(folder, { recursive: true }))

type ValueAt = (k: number) => OrcValue

/** Rising values: the statistics of a row group tell which values it has. */
const rising: Readonly<Record<string, ValueAt>> = {
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

/** Of ten in a row each is of another row group: only bloom filters tell which values it has. */
const scattered: Readonly<Record<string, ValueAt>> = {
  byte: k => (k % 200) - 100,
  short: k => k - 5000,
  int: k => k * 100_003 - 2 ** 28,
  long: k => (k % 4 < 2 ? 1n : -1n) * (2n ** 60n + BigInt(k)),
  float: k => k / 2 - 100,
  double: k => (k - 5000) / 3,
  string: k => `Schlüssel ${k}`,
  varchar: k => `${10_000 + k}`,
  char: k => `${1000 + k}`,
  date: k => k - 5000,
  timestamp: k => BigInt(k - 5000) * 3_600_001_000_007n,
  timestamp_instant: k => BigInt(k - 5000) * 86_400_003_000_000n,
  decimal: k => k * 125 - 3000,
  wideDecimal: k => 10n ** 30n + BigInt(k) * 10n,
}

const rowCount = 5000
const groupRows = 500
const risingPlaces = [0, 1, 499, 500, 2500, 4321, 4999]
const scatteredPlaces = Array.from({ length: 20 }, (_, k) => k * 498)

interface Search {
  readonly name: string
  readonly type: OrcType
  readonly values: readonly OrcValue[]
  /** What is looked for. */
  readonly wanted: readonly OrcValue[]
  readonly hasBloomFilter: boolean
}

function risingSearch(name: string, type: OrcType, valueAt: ValueAt): Search {
  const values = Array.from({ length: rowCount }, (_, k) => valueAt(k))
  return { name, type, values, wanted: risingPlaces.map(valueAt), hasBloomFilter: false }
}

/** Values of even places only: those of odd ones lie between them. */
function scatteredSearch(name: string, isPresent: boolean): Search {
  const valueAt = scattered[name]!
  const values = Array.from({ length: rowCount }, (_, row) => {
    const group = Math.floor(row / groupRows)
    return valueAt(2 * ((row % groupRows) * 10 + group))
  })
  return {
    name: `${isPresent ? 'present' : 'absent'}-${name}`,
    type: scalarTypes[name as keyof typeof scalarTypes],
    values,
    wanted: scatteredPlaces.map(place => valueAt(isPresent ? place : place + 1)),
    hasBloomFilter: true,
  }
}

const risingSearches = Object.entries(rising).map(([name, valueAt]) =>
  risingSearch(name, scalarTypes[name as keyof typeof scalarTypes], valueAt),
)
const presentSearches = Object.keys(scattered).map(name => scatteredSearch(name, true))
const absentSearches = Object.keys(scattered).map(name => scatteredSearch(name, false))
const zeros = risingSearch('zeros', scalarTypes.double, k => (k < 4321 ? 1 + k : k > 4321 ? 0 : -0))
/** Java's statistics of the third group, whose first value is not a number, are wrong. */
const oneNaN = {
  ...risingSearch('one-nan', scalarTypes.double, k => (k === 2000 ? Number.NaN : k)),
  wanted: [1, 1999, 2001, 2500, 4999],
}
const withoutStatistics = [
  risingSearch('nan', scalarTypes.double, k => (k % 100 === 3 ? Number.NaN : k)),
  risingSearch('long-text', scalarTypes.string, k => `${k}`.padStart(1100, 'x')),
]
const flipped = { ...risingSearch('flipped', scalarTypes.int, k => k), wanted: [2500] }
const cleared = { ...scatteredSearch('int', true), name: 'cleared' }
const searches = [
  ...risingSearches,
  ...presentSearches,
  ...absentSearches,
  ...withoutStatistics,
  zeros,
  oneNaN,
  flipped,
  cleared,
]

function fileOf({ name }: Search): string {
  return join(folder, `${name}.orc`)
}

function wantedOf({ name }: Search): string {
  return join(folder, `${name}-wanted.orc`)
}

/** The same rows as Java writes them. */
function copyOf({ name }: Search, version: OrcVersion): string {
  return join(folder, `${name}-${version}.orc`)
}

beforeAll(async () => {
  for (const search of searches) {
    const schema = structOf({ v: search.type })
    const options = {
      compression: 'none',
      rowIndexStride: groupRows,
      timestampUnit: 'nanos',
      bloomFilterColumns: search.hasBloomFilter ? ['v'] : [],
    } as const
    const rowsOf = (values: readonly OrcValue[]): OrcValue[][] => values.map(value => [value])
    let file = await writeFile(schema, rowsOf(search.values), options)
    if (search === flipped) file = await withFlippedMinimum(file)
    if (search === cleared) file = await withClearedFilters(file)
    await writeToDisk(fileOf(search), file)
    await writeToDisk(wantedOf(search), await writeFile(schema, rowsOf(search.wanted), options))
  }
  await Promise.all(
    orcVersions.map(version => {
      const commands = searches.flatMap((search): Command[] => {
        const copy = search.hasBloomFilter ? 'copy-bloom' : 'copy'
        return [
          ['find', fileOf(search), wantedOf(search), `${fileOf(search)}.${version}.found`],
          [copy, fileOf(search), copyOf(search, version)],
        ]
      })
      return runJava(commands, folder, version)
    }),
  )
}, 600_000)

/** Raises the minimum of the row group that has the wanted value above that value. */
function withFlippedMinimum(file: Uint8Array): Promise<Uint8Array> {
  return withChangedStream(file, 'ROW_INDEX', index =>
    encodeRowIndex(
      decodeRowIndex(index, 'test').map((group, k) => {
        const { details } = group.statistics
        if (k !== 2500 / groupRows || details?.kind !== 'integer') return group
        const statistics = { ...group.statistics, details: { ...details, minimum: 2501 } }
        return { ...group, statistics }
      }),
    ),
  )
}

/** Clears all bits of the bloom filters: they say that no value is there. */
function withClearedFilters(file: Uint8Array): Promise<Uint8Array> {
  const bitset = 3
  return withChangedStream(file, 'BLOOM_FILTER_UTF8', index =>
    encodeFields(
      parseFields(index)!.map(filter => {
        const fields = parseFields(filter.value as Uint8Array)!.map(field => {
          if (field.number !== bitset) return field
          return { ...field, value: new Uint8Array((field.value as Uint8Array).length) }
        })
        return { ...filter, value: encodeFields(fields) }
      }),
    ),
  )
}

/** A file of one stripe without compression, with a stream of its column changed in place. */
async function withChangedStream(
  file: Uint8Array,
  kind: StreamKind,
  change: (bytes: Uint8Array) => Uint8Array,
): Promise<Uint8Array> {
  const reader = await OrcReader.open(new BufferSource(file))
  const { streams } = await reader.readStripeFooter(0)
  const place = streams.findIndex(stream => stream.columnId === 1 && stream.kind === kind)
  const before = streams.slice(0, place).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const from = reader.stripes[0]!.offset + before
  const to = from + streams[place]!.sizeBytes
  const changed = change(file.subarray(from, to))
  expect(changed.length).toBe(to - from)
  return Buffer.concat([file.subarray(0, from), changed, file.subarray(to)])
}

/** For a wanted value: how many rows have it, were read, and were read and have it. */
interface Found {
  readonly expected: number
  readonly read: number
  readonly matching: number
}

async function foundByJava(search: Search, version: OrcVersion): Promise<Found[]> {
  const lines = await linesOf(`${fileOf(search)}.${version}.found`)
  expect(lines.length).toBe(search.wanted.length)
  return lines.map(line => {
    const [expected, read, matching] = line.split(' ').map(Number)
    return { expected: expected!, read: read!, matching: matching! }
  })
}

async function foundByUs(search: Search, version: OrcVersion): Promise<Found[]> {
  const file = await readFile(copyOf(search, version))
  const wanted = await readRows(await readFile(wantedOf(search)), { timestampUnit: 'nanos' })
  const linesWhere = async (where?: OrcPredicate): Promise<string[]> => {
    const options = where === undefined ? {} : { where }
    const rows = await readRows(file, { ...options, timestampUnit: 'nanos' })
    return rows.map(row => rowText([search.type], row))
  }
  const all = await linesWhere()
  expect(all.length).toBe(rowCount)
  const found: Found[] = []
  for (const row of wanted) {
    const line = rowText([search.type], row)
    const read = await linesWhere({ column: 'v', equals: row[0]! })
    const count = (lines: readonly string[]): number => lines.filter(one => one === line).length
    found.push({ expected: count(all), read: read.length, matching: count(read) })
  }
  return found
}

function readShare(found: readonly Found[]): number {
  return found.reduce((sum, { read }) => sum + read, 0) / (found.length * rowCount)
}

const readers = [
  { title: 'Java %s of our files', find: foundByJava },
  { title: 'we of the files of Java %s', find: foundByUs },
]

describe.each(readers)('$title: a predicate', ({ find }) => {
  describe.each(orcVersions)('%s', version => {
    it.each(risingSearches)('skips by the statistics of $name, and loses nothing', async search => {
      for (const { expected, read, matching } of await find(search, version)) {
        expect(expected).toBeGreaterThan(0)
        expect(matching).toBe(expected)
        expect(read).toBeLessThan(rowCount)
      }
    })

    it.each(presentSearches)('skips by bloom filters, and loses nothing: $name', async search => {
      const found = await find(search, version)
      for (const { expected, matching } of found) {
        expect(expected).toBeGreaterThan(0)
        expect(matching).toBe(expected)
      }
      // One group of ten of ours, or of five of Java's.
      expect(readShare(found)).toBeLessThan(0.25)
    })

    it.each(absentSearches)(
      'for a value that is nowhere reads next to nothing: $name',
      async search => {
        const found = await find(search, version)
        for (const { expected } of found) expect(expected).toBe(0)
        expect(readShare(found)).toBeLessThan(0.05)
      },
    )

    it.each([zeros, oneNaN, ...withoutStatistics])('loses nothing: $name', async search => {
      for (const { expected, matching } of await find(search, version)) {
        expect(expected).toBeGreaterThan(0)
        expect(matching).toBe(expected)
      }
    })
  })
})

describe.each(orcVersions)('Java %s', version => {
  it('loses a row by a minimum that is too high, so the tests above can fail', async () => {
    expect(await foundByJava(flipped, version)).toMatchObject([{ expected: 1, matching: 0 }])
  })

  it('loses rows by bloom filters without bits, so those can fail, too', async () => {
    for (const { expected, read } of await foundByJava(cleared, version)) {
      expect({ expected, read }).toEqual({ expected: 1, read: 0 })
    }
  })

  it.each(withoutStatistics)('reads all rows without statistics: $name', async search => {
    for (const found of await foundByJava(search, version)) {
      expect(found).toEqual({ expected: 1, read: rowCount, matching: 1 })
    }
  })
})
