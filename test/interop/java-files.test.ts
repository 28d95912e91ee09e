/** We read what Java writes. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BufferSource, OrcReader } from '../../orc/index.ts'
import { readRows } from '../orc/samples.ts'
import { type Command, linesOf, type OrcVersion, orcVersions, runJava } from './java.ts'
import { rowText } from './row-text.ts'

const folder = await mkdtemp(join(tmpdir(), 'orc-interop-'))
afterAll(() => rm(folder, { recursive: true }))

/** How the files are to be written; see `java/SampleWriter.java`. */
const names = [
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
  'zlib-random-nulls-dictionary',
  'none-random-noindex',
  'zstd-random-nulls-noindex',
  'zlib-scalars-random-nulls-bloom',
  'none-runs-oldbloom',
  'none-clock-proleptic',
  'zlib-clock',
]

function pathOf(name: string, version: OrcVersion): string {
  return join(folder, `${name}-${version}.orc`)
}

beforeAll(async () => {
  await Promise.all(
    orcVersions.map(version => {
      const commands = names.flatMap((name): Command[] => {
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
  it.each(names)('%s', async name => {
    const path = pathOf(name, version)
    const file = await readFile(path)
    const { schema } = await OrcReader.open(new BufferSource(file))
    const types = schema.kind === 'struct' ? schema.fields.map(field => field.type) : [schema]
    const rows = (await readRows(file, { timestampUnit: 'nanos' })).map(row => rowText(types, row))
    expect(rows).toEqual(await linesOf(`${path}.rows`))
    expect(rows.length).toBe(3500)
  })
})
