/**
 * How much memory a large ORC file takes to write and to read, each in a process of its own:
 *
 *     node bench/orc/memory.ts write|read PATH ROWS BATCH_ROWS batches|rows
 *
 * prints the rows and the peak of the process's memory in MB. The rows are those of `plain`, made
 * batch by batch; the file is written as the writer does by default, with zlib.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OrcReader, OrcWriter } from '../../orc/index.ts'
import { BenchRows, schemaOf } from './data.ts'
import { FileSink, FileSource } from './files.ts'
import { toRows } from './rows.ts'

const targetMb = 200

export interface MemoryOptions {
  readonly rowCount: number
  readonly batchRows: number
  readonly way: 'batches' | 'rows'
}

/** Prints the peak of writing and of reading, each in a process of its own. */
export function measureMemory({ rowCount, batchRows, way }: MemoryOptions): void {
  const folder = mkdtempSync(join(tmpdir(), 'orc-memory-'))
  const path = join(folder, 'large.orc')
  try {
    for (const command of ['write', 'read']) {
      const args = [import.meta.filename, command, path, String(rowCount), String(batchRows), way]
      const output = execFileSync(process.execPath, args, { encoding: 'utf8' })
      const [rows, peakMb] = output.split(' ').map(Number)
      if (rows !== rowCount) throw new Error(`${command}: ${rows} rows instead of ${rowCount}`)
      const verdict = peakMb! < targetMb ? 'met' : 'missed'
      const what = `${command} ${rowCount.toLocaleString('en')} rows by ${way}, zlib`
      const size = `${(statSync(path).size / 1e6).toFixed(1)} MB`
      console.log(
        `${what}, ${size}: peak ${peakMb!.toFixed(0)} MB (target below ${targetMb} MB: ${verdict})`,
      )
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function write(path: string, { rowCount, batchRows, way }: MemoryOptions): Promise<number> {
  const source = new BenchRows('plain')
  const handle = await open(path, 'w')
  const writer = new OrcWriter(new FileSink(handle), schemaOf('plain'))
  for (let left = rowCount; left > 0; left -= batchRows) {
    const batch = source.next(Math.min(left, batchRows))
    if (way === 'batches') writer.writeBatch(batch)
    else for (const row of toRows(batch)) writer.writeRow(row)
    if (writer.isStripeFull) await writer.flushStripe()
  }
  const written = await writer.close()
  await handle.close()
  return written.rowCount
}

async function read(path: string, { batchRows, way }: MemoryOptions): Promise<number> {
  const handle = await open(path)
  const reader = await OrcReader.open(await FileSource.of(handle))
  let count = 0
  if (way === 'batches') {
    const options = { maxBatchRows: batchRows, reuseMemory: true }
    for await (const batch of reader.batches(options)) count += batch.rowCount
  } else {
    for await (const rows of reader.rows({ maxBatchRows: batchRows })) count += rows.length
  }
  await handle.close()
  return count
}

if (import.meta.main) {
  const [command, path, rowCount, batchRows, way] = process.argv.slice(2)
  const options = {
    rowCount: Number(rowCount),
    batchRows: Number(batchRows),
    way: way as MemoryOptions['way'],
  }
  const rows = await (command === 'write' ? write : read)(path!, options)
  console.log(`${rows} ${(process.resourceUsage().maxRSS * 1024) / 1e6}`)
}
