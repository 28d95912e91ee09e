/**
 * The cost of writing and reading ORC: a million rows of eight columns, in CPU seconds and
 * megabytes.
 *
 *     node bench/orc.ts [none|zlib|zstd …]
 */
import {
  BufferSink,
  BufferSource,
  OrcReader,
  type OrcStructType,
  type OrcValue,
  OrcWriter,
  parseOrcType,
} from '../orc/index.ts'

const rowCount = 1_000_000
const repeats = 3

const schema = parseOrcType(
  'struct<id:bigint,quantity:int,price:decimal(10,2),country:string,reference:string,' +
    'at:timestamp,weight:double,paid:boolean>',
) as OrcStructType

/** Mulberry32: the same rows in every run. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function makeRows(): OrcValue[][] {
  const random = randomNumbers(1)
  const countries = Array.from({ length: 200 }, (_, k) => `country-${k}`)
  return Array.from({ length: rowCount }, (_, k) => [
    k + Math.floor(random() * 3),
    Math.floor(random() * 10_000),
    Math.floor(random() * 1_000_000),
    countries[Math.floor(random() * 200)]!,
    `ref-${Math.floor(random() * 2 ** 40).toString(36)}`,
    1_700_000_000_000_000 + k * 1_000_000 + Math.floor(random() * 1_000_000),
    random() * 100,
    random() < 0.5,
  ])
}

async function write(
  rows: readonly OrcValue[][],
  compression: 'none' | 'zlib' | 'zstd',
): Promise<Uint8Array> {
  const sink = new BufferSink()
  const writer = new OrcWriter(sink, schema, { compression })
  for (const row of rows) {
    writer.writeRow(row)
    if (writer.isStripeFull) await writer.flushStripe()
  }
  await writer.close()
  return sink.bytes()
}

async function read(file: Uint8Array): Promise<number> {
  const reader = await OrcReader.open(new BufferSource(file))
  let count = 0
  for await (const rows of reader.rows()) count += rows.length
  return count
}

/** The least CPU seconds (user and system) of some runs. */
async function cpuSeconds<T>(run: () => Promise<T>): Promise<{ seconds: number; result: T }> {
  let least = Number.POSITIVE_INFINITY
  let result: T | undefined
  for (let k = 0; k < repeats; k++) {
    const before = process.cpuUsage()
    result = await run()
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / 1e6)
  }
  return { seconds: least, result: result as T }
}

const codecs = process.argv.slice(2)
const rows = makeRows()
for (const compression of ['none', 'zlib', 'zstd'] as const) {
  if (codecs.length > 0 && !codecs.includes(compression)) continue
  const written = await cpuSeconds(() => write(rows, compression))
  const readBack = await cpuSeconds(() => read(written.result))
  const megabytes = (written.result.length / 1e6).toFixed(1)
  console.log(
    `${compression.padEnd(5)} write ${written.seconds.toFixed(2)} s, ${megabytes} MB; ` +
      `read ${readBack.seconds.toFixed(2)} s`,
  )
}
