/**
 * The cost of writing and reading ORC, beside Java's `orc-core` in the same run on the same data: a
 * million rows, in CPU seconds of the whole process (of the compilers and garbage collectors, too).
 *
 *     npm run bench:orc -- [--data plain,nulls,wide] [--codecs none,zlib] [--runs 3] [--rows]
 *     npm run bench:orc -- --memory
 *
 * `plain` are eight columns (bigint, int, decimal(10,2), strings of low and of high cardinality,
 * timestamp, double, boolean), `nulls` the same with a fifth of the values null, `wide` sixty of
 * these columns. Both sides have the data in memory as column vectors, write into memory and read
 * all columns to vectors; with `--rows` ours writes and reads rows. First each side reads the files
 * of the other, and the checksums of all values have to agree. Then the sides take turns, after
 * runs that do not count.
 *
 * `--memory` prints the peak memory of writing and of reading 20,000,000 rows instead. `--count`
 * and `--batch-rows` are the rows of a file and of a batch.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { orcVersion } from '../test/interop/java.ts'
import { type DataSet, dataSets } from './orc/data.ts'
import { measureMemory } from './orc/memory.ts'
import { type Side, type SideOptions, startJava, startOwn } from './orc/sides.ts'

/**
 * The levels of both sides, where a codec has any. Java's zlib has none to set: by its strategy
 * `SPEED`, the default, data and dictionaries have level 2, and our default is the same.
 */
const codecs = { none: '', zlib: '2', snappy: '', lz4: '', zstd: '3' } as const
type Codec = keyof typeof codecs

const levels =
  'Levels: zlib 2 in both (in Java by the strategy SPEED, its default: 2 for data and dictionaries, ' +
  '1 for lengths, nanoseconds, scales, nulls and indexes, 6 for footers; in ours 2 for all), ' +
  'zstd 3 in both; snappy and lz4 have none. All else is the default of each side.'

/** Files that are written before it counts: until then Java's compiler takes much of the time. */
const leastWarmUps = 5

const usage =
  'npm run bench:orc -- [--data plain,nulls,wide] [--codecs none,zlib,snappy,lz4,zstd] [--runs N] ' +
  '[--rows] [--count N] [--batch-rows N] [--memory]'

const { values: options } = parseArgs({
  options: {
    data: { type: 'string', default: Object.keys(dataSets).join(',') },
    codecs: { type: 'string', default: Object.keys(codecs).join(',') },
    runs: { type: 'string', default: '3' },
    rows: { type: 'boolean', default: false },
    count: { type: 'string' },
    'batch-rows': { type: 'string', default: '1024' },
    memory: { type: 'boolean', default: false },
  },
})

function refuse(why: string): never {
  console.error(`${why}\n\n${usage}`)
  process.exit(2)
}

function namesOf<T extends string>(option: string, text: string, known: Record<T, unknown>): T[] {
  const names = text.split(',')
  for (const name of names) {
    if (!Object.hasOwn(known, name)) refuse(`--${option}: there is no "${name}"`)
  }
  return names as T[]
}

function numberOf(option: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) refuse(`--${option} is a number from 1, not ${text}`)
  return Number(text)
}

interface Figures {
  readonly write: number[]
  readonly read: number[]
  bytes: number
}

interface Comparison {
  readonly own: Figures
  readonly java: Figures
}

const noFigures = (): Figures => ({ write: [], read: [], bytes: 0 })

async function measure(side: Side, codec: Codec, rowCount: number, into: Figures): Promise<void> {
  const [writeSeconds, bytes] = await side.ask('write', codec, codecs[codec])
  const [readSeconds, rows] = await side.ask('read')
  if (Number(rows) !== rowCount) throw new Error(`${side.name}: ${rows} rows of ${codec} were read`)
  into.write.push(Number(writeSeconds))
  into.read.push(Number(readSeconds))
  into.bytes = Number(bytes)
}

/** Throws unless both sides have the same data. */
async function expectedOf(own: Side, java: Side): Promise<string> {
  const expected = (await own.ask('source')).join(' ')
  const found = (await java.ask('source')).join(' ')
  if (found !== expected) throw new Error(`the data differ: ours ${expected}, Java's ${found}`)
  return expected
}

function warmUpsOf(chosen: readonly Codec[]): number {
  return Math.ceil(leastWarmUps / chosen.length)
}

/** A side writes a file that the other reads; returns how the file is made. */
async function crossCheck(
  writer: Side,
  reader: Side,
  { codec, expected, folder }: { codec: Codec; expected: string; folder: string },
): Promise<string> {
  const path = join(folder, 'checked.orc')
  await writer.ask('write', codec, codecs[codec])
  await writer.ask('save', path)
  const [rows, checksum, stripes, blockBytes] = await reader.ask('check', path)
  rmSync(path)
  const found = `${rows} ${checksum}`
  if (found !== expected) {
    const what = `${codec} of ${writer.name}`
    throw new Error(`${reader.name} reads ${found} in ${what}, expected are ${expected}`)
  }
  const blocks = `blocks of ${Number(blockBytes) / 1024} KiB`
  return `${writer.name} ${stripes} ${stripes === '1' ? 'stripe' : 'stripes'} with ${blocks}`
}

/** Both sides write and read a file of each codec, in turn. */
async function round(
  own: Side,
  java: Side,
  rowCount: number,
  found: ReadonlyMap<Codec, Comparison>,
): Promise<void> {
  for (const [codec, figures] of found) {
    await measure(own, codec, rowCount, figures.own)
    await measure(java, codec, rowCount, figures.java)
  }
}

const comparisonsOf = (chosen: readonly Codec[]): Map<Codec, Comparison> =>
  new Map(chosen.map(codec => [codec, { own: noFigures(), java: noFigures() }]))

async function compare(settings: SideOptions, chosen: readonly Codec[], runs: number) {
  const folder = mkdtempSync(join(tmpdir(), 'orc-bench-'))
  const java = await startJava(settings)
  const own = startOwn(settings)
  try {
    const facts = [await own.ask('facts'), await java.ask('facts')].join('; ')
    const expected = await expectedOf(own, java)
    const shapes = new Map<string, Codec[]>()
    for (const codec of chosen) {
      const ours = await crossCheck(own, java, { codec, expected, folder })
      const shape = `${ours}; ${await crossCheck(java, own, { codec, expected, folder })}`
      shapes.set(shape, [...(shapes.get(shape) ?? []), codec])
    }
    for (let run = 0; run < warmUpsOf(chosen); run++) {
      await round(own, java, settings.rowCount, comparisonsOf(chosen))
    }
    const found = comparisonsOf(chosen)
    for (let run = 0; run < runs; run++) await round(own, java, settings.rowCount, found)
    await own.end()
    await java.end()
    return { found, facts, shapes, checksum: expected.split(' ')[1] }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const best = (seconds: readonly number[]): number => Math.min(...seconds)

function median(seconds: readonly number[]): number {
  const sorted = [...seconds].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

function secondsText(seconds: readonly number[]): string {
  return `${best(seconds).toFixed(2)} (${median(seconds).toFixed(2)})`
}

function tableLine(codec: Codec, { own, java }: Comparison): string {
  const ratio = (part: 'write' | 'read') => (best(own[part]) / best(java[part])).toFixed(2)
  const megabytes = ({ bytes }: Figures) => (bytes / 1e6).toFixed(1)
  const cells = [
    codec,
    secondsText(own.write),
    secondsText(java.write),
    ratio('write'),
    megabytes(own),
    megabytes(java),
    secondsText(own.read),
    secondsText(java.read),
    ratio('read'),
  ]
  return `| ${cells.join(' | ')} |`
}

async function compareAll(): Promise<void> {
  const sets = namesOf<DataSet>('data', options.data, dataSets)
  const chosen = namesOf<Codec>('codecs', options.codecs, codecs)
  const runs = numberOf('runs', options.runs)
  const rowCount = numberOf('count', options.count ?? '1000000')
  const batchRows = numberOf('batch-rows', options['batch-rows'])
  const way = options.rows ? 'rows' : 'batches'
  const shownRows = rowCount.toLocaleString('en')
  let machine = ''
  for (const set of sets) {
    const { found, facts, shapes, checksum } = await compare(
      { set, rowCount, batchRows, way },
      chosen,
      runs,
    )
    console.log(`### ${set}: ${shownRows} rows of ${dataSets[set].columns} columns\n`)
    console.log(
      '| codec | ours write s | Java write s | ratio | ours MB | Java MB | ours read s | Java read s | ratio |',
    )
    console.log('|---|---|---|---|---|---|---|---|---|')
    for (const [codec, figures] of found) console.log(tableLine(codec, figures))
    console.log(`\nBoth read the files of the other alike, checksum ${checksum}.`)
    for (const [shape, names] of shapes) console.log(`Files of ${names.join(', ')}: ${shape}.`)
    console.log()
    machine = `${cpus().length} cores of ${cpus()[0]!.model}; ${facts}; orc-core ${orcVersion}.`
  }
  const ways = options.rows ? 'ours by rows, Java by vectors' : 'both by vectors'
  const counted = `best (median) of ${runs} after ${warmUpsOf(chosen)} that do not count`
  console.log(`CPU seconds, ${counted}; ${ways}, ${batchRows} rows a batch. ${levels}`)
  console.log(machine)
}

if (options.memory) {
  measureMemory({
    rowCount: numberOf('count', options.count ?? '20000000'),
    batchRows: numberOf('batch-rows', options['batch-rows']),
    way: options.rows ? 'rows' : 'batches',
  })
} else await compareAll()
