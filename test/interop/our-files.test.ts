/** Java reads what we write: values, statistics, and the start of every row group. */
import { mkdtemp, rm, writeFile as writeToDisk } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { OrcStructType, OrcValue } from '../../orc/index.ts'
import {
  copyFile,
  everyType,
  nullPatterns,
  Random,
  sampleValues,
  structOf,
  styles,
  type WrittenCodec,
  withNulls,
  writeFile,
  writtenCodecs,
} from '../orc/samples.ts'
import { type Command, hasCodec, linesOf, type OrcVersion, orcVersions, runJava } from './java.ts'
import { pairwise } from './pairwise.ts'
import { expectedLines } from './row-text.ts'
import { comparableStatistics } from './statistics-lines.ts'

interface Sample {
  readonly title: string
  readonly compression: WrittenCodec
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
    type: Object.keys(everyType),
    style: styles,
    nulls: nullPatterns,
    compression: writtenCodecs,
    // Around the lengths of runs, literals, bytes of booleans, and row groups.
    size: [0, 1, 2, 3, 9, 10, 11, 127, 128, 129, 130, 131, 511, 512, 513, 999, 1000, 1001, 3500],
    rowIndexStride: [0, 1, 7, 100, 1000, 10_000],
    compressionBlockBytes: [200, 5000, 262_144],
    // Stripes of one row; ends at, before and behind those of row groups and runs.
    stripeEnds: [[], [1, 2, 3, 4], [127, 128], [500, 1000, 1001], [2048]],
    dictionaryThreshold: [0, 0.8, 1],
    way: ['by rows', 'by batches'],
  } as const,
  new Random(2),
)

const samples: Sample[] = combinations.map((settings, k) => {
  const { type: name, style, nulls, size, compression, rowIndexStride, way } = settings
  const random = new Random(k)
  const values = withNulls(sampleValues(everyType[name]!, style, size, random), nulls, random)
  return {
    title: `${k} ${Object.values(settings).join(' ')}`,
    compression,
    path: join(folder, `sample-${k}.orc`),
    schema: structOf({ v: everyType[name]! }),
    rows: values.map(value => [value]),
    rowIndexStride,
    stripeEnds: way === 'by rows' ? settings.stripeEnds : [],
  }
})

/** The samples that a version of Java's ORC can read. */
function samplesFor(version: OrcVersion): Sample[] {
  return samples.filter(sample => hasCodec(version, sample.compression))
}

/** Where one version of Java's ORC puts what it says about a sample. */
function output(sample: Sample, version: OrcVersion, kind: string): string {
  return `${sample.path}.${version}.${kind}`
}

function commandsFor(sample: Sample, version: OrcVersion): Command[] {
  const { path, rowIndexStride } = sample
  const copy = output(sample, version, 'copy')
  return [
    ['rows', path, output(sample, version, 'rows')],
    ['stats', path, output(sample, version, 'stats')],
    ['copy', path, copy],
    ['stats', copy, output(sample, version, 'copy-stats')],
    ...(rowIndexStride > 0 ? [['seek', path, output(sample, version, 'seek')] as const] : []),
  ]
}

beforeAll(async () => {
  for (const [k, sample] of samples.entries()) {
    const { way, rowIndexStride, compression, compressionBlockBytes, dictionaryThreshold } =
      combinations[k]!
    const options = { rowIndexStride, compression, compressionBlockBytes, dictionaryThreshold }
    const file = await writeFile(sample.schema, sample.rows, options, sample.stripeEnds)
    await writeToDisk(sample.path, way === 'by rows' ? file : await copyFile(file, options))
  }
  await Promise.all(
    orcVersions.map(version =>
      runJava(
        samplesFor(version).flatMap(sample => commandsFor(sample, version)),
        folder,
        version,
      ),
    ),
  )
}, 900_000)

describe.each(orcVersions)('Java %s reads what we write', version => {
  describe.each(samplesFor(version))('$title', sample => {
    it('has the same rows', async () => {
      const lines = expectedLines(sample.schema, sample.rows)
      expect(await linesOf(output(sample, version, 'rows'))).toEqual(lines)
    })

    it('has the same statistics as a copy by its own writer', async () => {
      const ours = await linesOf(output(sample, version, 'stats'))
      const javas = await linesOf(output(sample, version, 'copy-stats'))
      const pairs = comparableStatistics(ours, javas, sample.schema, sample.rowIndexStride >= 1000)
      expect(pairs.ours).toEqual(pairs.javas)
      expect(pairs.ours.length).toBeGreaterThan(0)
    })

    if (sample.rowIndexStride === 0) return

    it('finds the start of every row group', async () => {
      const lines = expectedLines(sample.schema, sample.rows)
      expect(await linesOf(output(sample, version, 'seek'))).toEqual(
        groupStarts(sample)
          .reverse()
          .map(row => `${row} ${lines[row]}`),
      )
    })
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
