/** We read what Java writes. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BufferSource, type OrcPredicate, OrcReader, type OrcStructType } from '../../orc/index.ts'
import { readRows } from '../orc/samples.ts'
import { type Command, hasCodec, linesOf, type OrcVersion, orcVersions, runJava } from './java.ts'
import { rowText } from './row-text.ts'

const folder = await mkdtemp(join(tmpdir(), 'orc-interop-'))
afterAll(() => rm(folder, { recursive: true }))

/** How the files are to be written; see `java/SampleWriter.java`. */
const ofAllTypes = [
  'none-random',
  'none-runs-nulls-v011',
  'none-sequence-nulls',
  'none-random-nulls-v011-proleptic',
  'none-random-noindex',
  'none-runs-oldbloom',
  'zlib-random-nulls-speed',
  'zlib-runs-direct',
  'zlib-sequence-v011-direct',
  'zlib-random-nulls-dictionary',
  'zlib-scalars-random-nulls-bloom',
  'snappy-random-nulls-proleptic',
  'snappy-sequence',
  'lz4-random-nulls',
  'lz4-runs-direct',
  'zstd-random-nulls-proleptic',
  'zstd-runs-speed-proleptic',
  'zstd-sequence-nulls-direct',
  'zstd-random-nulls-noindex',
]

const ofUnions = [
  'none-unions-random-nulls',
  'none-unions-runs-v011',
  'zlib-unions-sequence-noindex',
  'snappy-unions-random-nulls-bloom',
]

/** Their roots are not structs. */
const ofOneColumn = [
  'none-long-random-nulls',
  'zlib-texts-runs-nulls',
  'lz4-pairs-random',
  'zstd-either-random-nulls',
  'none-moment-random-berlin',
]

const zones = ['newyork', 'berlin', 'kolkata', 'lordhowe', 'apia', 'dublin', 'pacific', 'gmt']

const ofClocks = [
  'none-clock-proleptic',
  'zlib-clock',
  'zstd-random-nulls-newyork',
  ...zones.flatMap(zone => [`zlib-clock-${zone}`, `none-clock-proleptic-${zone}`]),
]

/** For predicates, with statistics and bloom filters of texts, decimals, other zones and calendars. */
const searched = [
  'zlib-scalars-random-nulls-bloom',
  'none-scalars-random-nulls-proleptic-bloom',
  'none-scalars-sequence-oldbloom',
  'zstd-scalars-runs-nulls-v011-bloom',
  'lz4-scalars-random-nulls-noindex',
  'none-scalars-random-nulls-berlin-bloom',
  'none-clock-proleptic-bloom',
  ...['newyork', 'kolkata', 'apia'].flatMap(zone => [
    `zlib-clock-${zone}-bloom`,
    `none-clock-proleptic-${zone}-bloom`,
  ]),
]

const names = [...new Set([...ofAllTypes, ...ofUnions, ...ofOneColumn, ...ofClocks, ...searched])]

function namesFor(version: OrcVersion): string[] {
  const ofBrotli = ['brotli-random-nulls', 'brotli-sequence']
  return hasCodec(version, 'brotli') ? [...names, ...ofBrotli] : names
}

function pathOf(name: string, version: OrcVersion): string {
  return join(folder, `${name}-${version}.orc`)
}

beforeAll(async () => {
  await Promise.all(
    orcVersions.map(version => {
      const commands = [...namesFor(version), 'lzo-random'].flatMap((name): Command[] => {
        const path = pathOf(name, version)
        return [
          ['write', name, path],
          ['rows', path, `${path}.rows`],
        ]
      })
      return runJava(commands, folder, version)
    }),
  )
}, 600_000)

describe.each(orcVersions)('we read what Java %s writes', version => {
  it.each(namesFor(version))('%s', async name => {
    const path = pathOf(name, version)
    const file = await readFile(path)
    const { schema } = await OrcReader.open(new BufferSource(file))
    const types = schema.kind === 'struct' ? schema.fields.map(field => field.type) : [schema]
    const rows = (await readRows(file, { timestampUnit: 'nanos' })).map(row => rowText(types, row))
    expect(rows).toEqual(await linesOf(`${path}.rows`))
    expect(rows.length).toBe(3500)
  })

  it.each(searched)('and lose nothing of it by a predicate: %s', async name => {
    const file = await readFile(pathOf(name, version))
    const { schema } = await OrcReader.open(new BufferSource(file))
    for (const { name: column, type } of (schema as OrcStructType).fields) {
      if (type.kind === 'binary' || type.kind === 'list') continue
      const linesWhere = async (where?: OrcPredicate): Promise<string[]> => {
        const options = { columns: [column], timestampUnit: 'nanos' } as const
        const rows = await readRows(file, where === undefined ? options : { ...options, where })
        return rows.map(row => rowText([type], row))
      }
      const all = await linesWhere()
      const values = await readRows(file, { columns: [column], timestampUnit: 'nanos' })
      const wanted = values.filter((_, k) => k % 211 === 0).map(row => row[0]!)
      for (const value of wanted) {
        const where: OrcPredicate[] =
          value === null
            ? [{ column, isNull: true }]
            : [
                { column, equals: value },
                { column, atMost: value },
                { not: { column, lessThan: value } },
              ]
        const line = rowText([type], [value])
        const countOf = (lines: readonly string[]): number =>
          lines.filter(one => one === line).length
        for (const one of where) {
          const found = countOf(await linesWhere(one))
          expect(found, `${line} of ${column}, ${Object.keys(one).join()}`).toBe(countOf(all))
        }
      }
    }
  })

  it('but for lzo, which is refused by name', async () => {
    const file = await readFile(pathOf('lzo-random', version))
    await expect(OrcReader.open(new BufferSource(file))).rejects.toMatchObject({
      code: 'feature-unsupported',
      message: expect.stringContaining('lzo'),
    })
  })
})
