/**
 * A window of many rows in a process of its own, whose memory is measured: folded into a
 * store, closed, staged. Prints one line of JSON.
 *
 *     node window-program.ts STORE ROWS MEMORY_MIB FOLDER
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ByteWriter } from '../../model/bytes.ts'
import { decodeHopFrame, HopFrameWriter } from '../../model/hop-frame.ts'
import type { NetChange } from '../../model/net-change.ts'
import { encodeValues } from '../../model/row-codec.ts'
import type { TableSchema } from '../../model/table-schema.ts'
import { noMetrics } from '../../observe/metrics.ts'
import { OpenWindow } from '../../processors/compact.ts'
import { systemClock } from '../../runtime/clock.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import { Pacer, paced } from '../../runtime/pacer.ts'
import { systemRandom } from '../../runtime/random.ts'
import { localStagingFiles } from '../../sinks/local-staging-files.ts'
import { StagedFiles } from '../../sinks/staged-files.ts'
import { inMemory } from '../../state/memory-store.ts'
import { persistent } from '../../state/persistent-store.ts'

export interface WindowReport {
  readonly rows: number
  readonly sha256: string
  /** What the window added to the memory of the process, at its peak. */
  readonly addedMiB: number
}

const [store, rowsText, memoryText, folder] = process.argv.slice(2) as [
  'memory' | 'persistent',
  string,
  string,
  string,
]
const rows = Number(rowsText)
const rowsOfFrame = 2000

const schema: TableSchema = {
  columns: [
    { id: 'id', name: 'id', type: { kind: 'bigint' }, nullable: false },
    { id: 'note', name: 'note', type: { kind: 'string' }, nullable: true },
  ],
  key: ['id'],
}
const target = { table: 'rows', partitionBy: null }

const row = new ByteWriter()

/** Every id once, out of order. */
function changeAt(index: number): NetChange {
  const id = (index * 7919) % rows
  const key = Buffer.alloc(8)
  key.writeBigInt64BE(BigInt(id))
  encodeValues(row, schema, [BigInt(id), `note ${id} ${'x'.repeat(id % 60)}`])
  return {
    kind: 'upsert',
    key: key.toString('latin1'),
    row: row.take(),
    schema,
    leaves: [],
    last: { position: `b.000001:${index}`, sourceMs: 1_767_225_600_000 + index },
  }
}

/** Without pages of files, which the system takes back when it wants: LevelDB maps its tables. */
function residentMiB(): number {
  const [, kilobytes] = /RssAnon:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))!
  return Math.round(Number(kilobytes) / 1024)
}

/** Looks in every turn of the event loop. */
class MemoryWatch {
  peakMiB = 0
  #isStopped = false

  watch(): void {
    setImmediate(() => {
      this.peakMiB = Math.max(this.peakMiB, residentMiB())
      if (!this.#isStopped) this.watch()
    })
  }

  stop(): void {
    this.#isStopped = true
  }
}

const supplier =
  store === 'memory' ? inMemory() : persistent({ memoryBytes: Number(memoryText) * 1024 ** 2 })
const state = await supplier.open(join(folder, 'store'))
const window = new OpenWindow(state, noMetrics, 0)
const staging = new StagedFiles({
  files: localStagingFiles(nodeFileSystem),
  root: join(folder, 'staging'),
  random: systemRandom,
})
const pacer = new Pacer(systemClock)
const rest = (): Promise<void> => pacer.rest()
const frame = new HopFrameWriter('rows', 0)
const baseMiB = residentMiB()
const memory = new MemoryWatch()
memory.watch()
for (let index = 0; index < rows; index += rowsOfFrame) {
  const count = Math.min(rowsOfFrame, rows - index)
  for (let place = index; place < index + count; place += 1) {
    frame.add({ target, change: changeAt(place), offset: place })
  }
  window.add(decodeHopFrame(frame.take()), 0)
  window.advance(index + count, 0)
  await state.settle()
  await rest()
}
const paths: string[] = []
let staged = 0
for await (const part of window.close()) {
  const open = await staging.openWindow({ task: '1_0', token: 1 }, window.range)
  const file = await open.write('rows', part.schema, paced(part.changes, rest))
  await open.seal()
  paths.push(join(folder, 'staging', file.path))
  staged += file.rowCount
}
memory.stop()
await state.close()
const hash = createHash('sha256')
for (const path of paths) hash.update(readFileSync(path))
const report: WindowReport = {
  rows: staged,
  sha256: hash.digest('hex'),
  addedMiB: memory.peakMiB - baseMiB,
}
process.stdout.write(`${JSON.stringify(report)}\n`)
