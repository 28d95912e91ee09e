/**
 * Our side of the ORC benchmark, a process with one data set in memory that takes commands by line
 * like `java/OrcBench.java`:
 *
 *     node bench/orc/own-side.ts SET ROWS BATCH_ROWS batches|rows
 */
import { open, writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import {
  BufferSink,
  BufferSource,
  type OrcBatch,
  OrcReader,
  OrcWriter,
  type OrcWriterOptions,
} from '../../orc/index.ts'
import { Checksum } from './checksum.ts'
import { BenchRows, cut, type DataSet, schemaOf } from './data.ts'
import { FileSource } from './files.ts'
import { toRows } from './rows.ts'

const [set, rowCount, rowsOfBatch, way] = process.argv.slice(2)
const batchRows = Number(rowsOfBatch)
const schema = schemaOf(set as DataSet)

/** The CPU seconds of the whole process between `start` and `stop`, in sum. */
class Stopwatch {
  seconds = 0
  #started = process.cpuUsage()

  start(): void {
    this.#started = process.cpuUsage()
  }

  stop(): void {
    const { user, system } = process.cpuUsage(this.#started)
    this.seconds += (user + system) / 1e6
  }
}

/** What was written last. */
let file: Uint8Array = new Uint8Array(0)

async function write(
  source: readonly OrcBatch[],
  options: OrcWriterOptions,
): Promise<readonly number[]> {
  const watch = new Stopwatch()
  watch.start()
  const sink = new BufferSink()
  const writer = new OrcWriter(sink, schema, options)
  for (const batch of source) {
    if (way === 'batches') writer.writeBatch(batch)
    else {
      // Rows are made one batch at a time, because all of them do not fit into memory.
      watch.stop()
      const rows = toRows(batch)
      watch.start()
      for (const row of rows) writer.writeRow(row)
    }
    if (writer.isStripeFull) await writer.flushStripe()
  }
  await writer.close()
  file = sink.bytes()
  watch.stop()
  return [watch.seconds, file.length]
}

async function read(): Promise<readonly number[]> {
  const watch = new Stopwatch()
  watch.start()
  const reader = await OrcReader.open(new BufferSource(file))
  let count = 0
  if (way === 'batches') {
    const options = { maxBatchRows: batchRows, reuseMemory: true }
    for await (const batch of reader.batches(options)) count += batch.rowCount
  } else {
    for await (const rows of reader.rows({ maxBatchRows: batchRows })) count += rows.length
  }
  watch.stop()
  return [watch.seconds, count]
}

async function check(path: string): Promise<readonly (number | string)[]> {
  const checksum = new Checksum(schema.fields.length)
  const handle = await open(path)
  const reader = await OrcReader.open(await FileSource.of(handle))
  let count = 0
  if (way === 'batches') {
    for await (const batch of reader.batches()) {
      checksum.addBatch(batch)
      count += batch.rowCount
    }
  } else {
    for await (const rows of reader.rows()) {
      checksum.addRows(rows, schema)
      count += rows.length
    }
  }
  await handle.close()
  const { stripes, compressionBlockBytes } = reader
  return [count, checksum.text, stripes.length, compressionBlockBytes]
}

function checkSource(source: readonly OrcBatch[]): readonly (number | string)[] {
  const checksum = new Checksum(schema.fields.length)
  for (const batch of source) checksum.addBatch(batch)
  return [source.reduce((sum, batch) => sum + batch.rowCount, 0), checksum.text]
}

async function answer(source: readonly OrcBatch[], line: string) {
  const [command, first = '', second = ''] = line.split('\t')
  switch (command) {
    case 'facts': {
      const { node, zlib, zstd } = process.versions
      return [`Node ${node} (zlib ${zlib}, zstd ${zstd})`]
    }
    case 'source':
      return checkSource(source)
    case 'write': {
      const compression = first as NonNullable<OrcWriterOptions['compression']>
      const level = second === '' ? {} : { compressionLevel: Number(second) }
      return write(source, { compression, ...level })
    }
    case 'read':
      return read()
    case 'save':
      await writeFile(first, file)
      return []
    case 'check':
      return check(first)
    default:
      throw new Error(`unknown command ${command}`)
  }
}

const source = cut(new BenchRows(set as DataSet).next(Number(rowCount)), batchRows)
for await (const line of createInterface({ input: process.stdin })) {
  console.log(['=', ...(await answer(source, line))].join('\t'))
}
