/**
 * Every combination of type, style, nulls, size, codec and row groups: what is written is read back
 * by us and by both versions of Java's ORC. The interop tests try every pair of these only.
 */
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile as writeToDisk } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { OrcStructType, OrcValue } from '../../../orc/index.ts'
import {
  type Command,
  hasCodec,
  linesOf,
  type OrcVersion,
  orcVersions,
  runJava,
} from '../../interop/java.ts'
import { expectedLines } from '../../interop/row-text.ts'
import { difference } from '../../orc/difference.ts'
import {
  copyFile,
  everyType,
  nullPatterns,
  Random,
  readBack,
  readRows,
  sampleValues,
  structOf,
  styles,
  type WrittenCodec,
  withNulls,
  writeFile,
  writtenCodecs,
} from '../../orc/samples.ts'

const sizes = [0, 1, 2, 3, 9, 10, 11, 127, 128, 129, 130, 131, 511, 512, 513, 999, 1000, 1001, 3500]
const strides = [0, 1, 7, 100, 1000, 10_000]

/** Not a part of the product: each file has one of each by chance, and is written by rows or batches. */
const blockSizes = [64, 200, 5000, 262_144]
const dictionaryThresholds = [0, 0.8, 1]
const stripeEnds = [[], [1], [1, 2, 3], [127, 128], [500, 1000, 1001], [2048]]

/** So many files are on disk at a time, for one virtual machine of each version. */
const filesOfRun = 1500

const folder = await mkdtemp(join(tmpdir(), 'orc-product-'))
const counts = { files: 0, rows: 0, readByJava: 0 }
afterAll(async () => {
  await rm(folder, { recursive: true })
  process.stdout.write(`the whole product: ${JSON.stringify(counts)}\n`)
})

/** A file that waits for Java, with the digest that it is to print. */
interface Waiting {
  readonly title: string
  readonly path: string
  readonly compression: WrittenCodec
  readonly digest: string
}

let waiting: Waiting[] = []

async function letJavaRead(): Promise<void> {
  const files = waiting
  waiting = []
  const outputOf = (path: string, version: OrcVersion): string => `${path}.${version}`
  await Promise.all(
    orcVersions.map(async version => {
      const read = files.filter(({ compression }) => hasCodec(version, compression))
      const commands = read.map(({ path }): Command => ['digest', path, outputOf(path, version)])
      await runJava(commands, folder, version)
      for (const { title, path, digest } of read) {
        const output = outputOf(path, version)
        expect(await linesOf(output), `${title}, Java ${version}`).toEqual([digest])
        counts.readByJava++
        await rm(output)
      }
    }),
  )
  for (const { path } of files) await rm(path)
}

/** Rows, what is to be read of them, and the digest of their lines. */
interface Data {
  readonly title: string
  readonly schema: OrcStructType
  readonly rows: readonly OrcValue[][]
  readonly expected: readonly OrcValue[][]
  readonly digest: string
}

function* dataOf(name: string): Generator<Data> {
  const type = everyType[name]!
  const schema = structOf({ v: type })
  for (const [seed, style] of styles.entries()) {
    for (const nulls of nullPatterns) {
      for (const size of sizes) {
        const random = new Random(seed * 10_000 + size)
        const values = withNulls(sampleValues(type, style, size, random), nulls, random)
        const rows = values.map(value => [value])
        const lines = expectedLines(schema, rows).map(line => `${line}\n`)
        const hash = createHash('sha256').update(lines.join('')).digest('hex')
        yield {
          title: `${name} ${style} ${nulls} ${size}`,
          schema,
          rows,
          expected: values.map(value => [readBack(type, value)]),
          digest: `${size} ${hash}`,
        }
      }
    }
  }
}

async function writeAndRead(
  { title, schema, rows, expected, digest }: Data,
  compression: WrittenCodec,
  rowIndexStride: number,
): Promise<void> {
  const random = new Random(counts.files)
  const options = {
    compression,
    rowIndexStride,
    compressionBlockBytes: random.pick(blockSizes),
    dictionaryThreshold: random.pick(dictionaryThresholds),
  }
  const ends = random.pick(stripeEnds)
  const whole = `${title} ${JSON.stringify(options)} ${ends.join()}`
  const byRows = await writeFile(schema, rows, options, ends)
  const file = random.below(2) === 0 ? byRows : await copyFile(byRows, options)
  expect(difference(await readRows(file), expected), whole).toBeNull()
  const path = join(folder, `${counts.files}.orc`)
  await writeToDisk(path, file)
  waiting.push({ title: whole, path, compression, digest })
  counts.files++
  counts.rows += rows.length
}

describe('what is written is read back by us and by Java', () => {
  it.each(Object.keys(everyType))(
    '%s: with all styles, nulls, sizes, codecs, row groups',
    async name => {
      for (const data of dataOf(name)) {
        for (const compression of writtenCodecs) {
          for (const stride of strides) await writeAndRead(data, compression, stride)
        }
        if (waiting.length >= filesOfRun) await letJavaRead()
      }
      await letJavaRead()
    },
  )
})
