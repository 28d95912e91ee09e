/** Java reads what we write with a predicate: it skips row groups, and loses no row. */
import { mkdtemp, rm, writeFile as writeToDisk } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  BufferSource,
  OrcReader,
  type OrcType,
  type OrcValue,
  type OrcWriterOptions,
} from '../../orc/index.ts'
import { decodeRowIndex, encodeRowIndex } from '../../orc/stripe-messages.ts'
import { scalarTypes, structOf, writeFile } from '../orc/samples.ts'
import { type Command, linesOf, orcVersions, runJava } from './java.ts'

const folder = await mkdtemp(join(tmpdir(), 'orc-interop-'))
afterAll(() => rm(folder, { recursive: true }))

/** Rising values in many row groups, one of which a predicate looks for. */
const sortedValues: Readonly<Record<string, (k: number) => OrcValue>> = {
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
const rowCount = 5000
const groupRows = 500
const wantedRow = 4321

/** Files in which Java looks for a value, and the value. */
const searched: string[] = []

function fileOf(name: string): string {
  return join(folder, `${name}.orc`)
}

function wantedOf(name: string): string {
  return join(folder, `${name}-wanted.orc`)
}

/** Writes a file, and another one with the value that is looked for in it. */
async function writeSearched(
  name: string,
  type: OrcType,
  values: readonly OrcValue[],
  wanted: OrcValue,
  options: OrcWriterOptions = {},
): Promise<Uint8Array> {
  const schema = structOf({ v: type })
  const rows = values.map(value => [value])
  const settings = {
    compression: 'none',
    rowIndexStride: groupRows,
    timestampUnit: 'nanos',
    ...options,
  } as const
  const file = await writeFile(schema, rows, settings)
  await writeToDisk(fileOf(name), file)
  await writeToDisk(wantedOf(name), await writeFile(schema, [[wanted]], settings))
  searched.push(name)
  return file
}

async function writeSorted(
  name: string,
  type: OrcType,
  value: (k: number) => OrcValue,
): Promise<Uint8Array> {
  const values = Array.from({ length: rowCount }, (_, k) => value(k))
  return writeSearched(name, type, values, value(wantedRow))
}

beforeAll(async () => {
  for (const [name, value] of Object.entries(sortedValues)) {
    await writeSorted(name, scalarTypes[name as keyof typeof scalarTypes], value)
  }
  await writeSorted('nan', scalarTypes.double, k => (k % 100 === 3 ? Number.NaN : k))
  await writeSorted('zero', scalarTypes.double, k =>
    k < wantedRow ? 1 + k : k === wantedRow ? -0 : 0,
  )
  await writeSorted('long-text', scalarTypes.string, k => `${k}`.padStart(1100, 'x'))
  const flipped = await writeSorted('flipped', scalarTypes.int, k => k)
  await writeToDisk(fileOf('flipped'), await withFlippedMinimum(flipped))
  await Promise.all(
    orcVersions.map(version => {
      const commands = searched.map(
        (name): Command => [
          'find',
          fileOf(name),
          wantedOf(name),
          `${fileOf(name)}.${version}.found`,
        ],
      )
      return runJava(commands, folder, version)
    }),
  )
}, 600_000)

/** Raises the minimum of the row group that has the wanted row above the row's value. */
async function withFlippedMinimum(file: Uint8Array): Promise<Uint8Array> {
  const reader = await OrcReader.open(new BufferSource(file))
  const { streams } = await reader.readStripeFooter(0)
  const from = reader.stripes[0]!.offset + streams[0]!.sizeBytes
  const index = file.subarray(from, from + streams[1]!.sizeBytes)
  const groups = decodeRowIndex(index, 'test').map((group, k) => {
    const { details } = group.statistics
    if (k !== Math.floor(wantedRow / groupRows) || details?.kind !== 'integer') return group
    return {
      ...group,
      statistics: { ...group.statistics, details: { ...details, minimum: wantedRow + 1 } },
    }
  })
  const flipped = encodeRowIndex(groups)
  expect(flipped.length).toBe(index.length)
  return Buffer.concat([file.subarray(0, from), flipped, file.subarray(from + flipped.length)])
}

describe.each(orcVersions)('Java %s skips row groups', version => {
  async function found(
    name: string,
  ): Promise<{ read: number; matching: number; expected: number }> {
    const [whole, skipping] = await linesOf(`${fileOf(name)}.${version}.found`)
    const [all, expected] = whole!.split(' ').map(Number)
    const [read, matching] = skipping!.split(' ').map(Number)
    expect(all).toBe(rowCount)
    return { read: read!, matching: matching!, expected: expected! }
  }

  it.each(Object.keys(sortedValues))(
    'by the statistics of %s: fewer rows are read, and none is lost',
    async name => {
      const { read, matching, expected } = await found(name)
      expect(expected).toBeGreaterThan(0)
      expect(matching).toBe(expected)
      expect(read).toBeLessThan(rowCount)
    },
  )

  it('and loses rows by a minimum that is too high, so the test above can fail', async () => {
    expect(await found('flipped')).toMatchObject({ matching: 0, expected: 1 })
  })

  it.each(['nan', 'long-text'])('and reads all that have no statistics: %s', async name => {
    expect(await found(name)).toEqual({ read: rowCount, matching: 1, expected: 1 })
  })

  it('and finds minus zero among zeros', async () => {
    expect(await found('zero')).toMatchObject({ matching: 1, expected: 1 })
  })
})
